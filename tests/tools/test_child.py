# SPDX-License-Identifier: GPL-2.0-only
"""What we start ends with us, and has the time to clean up."""
import os
import signal
import subprocess
import sys
import tempfile
import textwrap
import threading
import time
import unittest
from unittest import mock

TOOLS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tools", "host")
sys.path.insert(0, TOOLS)
import child  # noqa: E402

PATIENCE = 60           # seconds that nothing here comes near

# A script as ours are: work in progress, a trap that removes it, and children.
SCRIPT = """\
trap 'rm -rf work' EXIT
trap 'exit 143' TERM
mkdir work
sh -c 'echo $$ >work/pid; mv work/pid work/child; sleep 1000; :' &
wait
"""


def alive(pid):
    try:
        with open("/proc/%d/stat" % pid, encoding="ascii") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def until(true):
    end = time.monotonic() + PATIENCE
    while not true():
        if time.monotonic() > end:
            raise AssertionError("it did not come about")
        time.sleep(0.01)
    return True


class Children(unittest.TestCase):
    def setUp(self):
        where = tempfile.TemporaryDirectory()
        self.addCleanup(where.cleanup)
        self.where = where.name
        self.work = os.path.join(self.where, "work")

    def grandchild(self):
        """Its number, once it runs."""
        path = os.path.join(self.work, "child")
        until(lambda: os.path.exists(path))
        with open(path, encoding="ascii") as file:
            return int(file.read())

    def test_a_program_has_a_result(self):
        done = child.run(["sh", "-c", "cat; echo no >&2; exit 7"], b"in", stdout=subprocess.PIPE,
                         stderr=subprocess.PIPE)
        self.assertEqual((done.returncode, done.stdout, done.stderr), (7, b"in", b"no\n"))
        with self.assertRaises(FileNotFoundError):
            child.run(["/no/such"])

    def test_a_time_out_ends_all_of_it(self):
        with self.assertRaises(subprocess.TimeoutExpired) as error:
            child.run(["sh", "-c", "sleep 1000 & echo $$ $!; wait"], timeout=1, stdout=subprocess.PIPE)
        for number in error.exception.stdout.split():
            until(lambda number=int(number): not alive(number))

    def test_who_does_not_listen_is_killed(self):
        with mock.patch.object(child, "GRACE", 0.2), self.assertRaises(subprocess.TimeoutExpired):
            child.run(["sh", "-c", "trap '' TERM; while :; do sleep 1; done"], timeout=0.3)

    def test_all_ends_for_other_threads(self):
        """The last of this module: child starts nothing after it."""
        codes = []

        def run():
            codes.append(child.run(["sh", "-c", SCRIPT], cwd=self.where).returncode)
        with mock.patch.object(child, "_ending", False):
            thread = threading.Thread(target=run)
            thread.start()
            number = self.grandchild()
            child.end_all()
            thread.join()
            with self.assertRaises(child.Ending):
                child.run(["true"])
        self.assertEqual(codes, [143])
        self.assertFalse(os.path.exists(self.work))
        until(lambda: not alive(number))

    def parent(self, lines):
        """A program of ours that runs SCRIPT; started as tools/host/run is."""
        path = os.path.join(self.where, "parent")
        with open(path, "w", encoding="ascii") as file:
            with open(os.path.join(TOOLS, "run"), encoding="ascii") as run:
                file.write(run.readline())
            file.write("import sys, time\nsys.path.insert(0, %r)\nimport child\n" % TOOLS)
            file.write("class Stop(BaseException): pass\nSCRIPT = %r\n" % SCRIPT)
            file.write(textwrap.dedent(lines))
        os.chmod(path, 0o755)
        return subprocess.Popen([path], cwd=self.where, stderr=subprocess.PIPE)

    RUNS = """
        try:
            child.on_signals(Stop)
            child.run(["sh", "-c", SCRIPT])
        except Stop as stop:
            sys.exit(100 + stop.args[0])
        """

    def test_a_signal_ends_a_script_and_its_children(self):
        for number in child.SIGNALS:
            process = self.parent(self.RUNS)
            grandchild = self.grandchild()
            process.send_signal(number)
            self.assertEqual((process.communicate(timeout=PATIENCE)[1], process.returncode), (b"", 100 + number))
            self.assertFalse(os.path.exists(self.work))
            until(lambda: not alive(grandchild))

    def test_a_second_signal_does_not_interrupt_the_end(self):
        process = self.parent(self.RUNS.replace("SCRIPT]", "SCRIPT.replace('rm', 'sleep 1; rm')]"))
        self.grandchild()
        process.send_signal(signal.SIGINT)
        time.sleep(0.3)
        process.send_signal(signal.SIGTERM)
        self.assertEqual((process.communicate(timeout=PATIENCE)[1], process.returncode), (b"", 102))
        self.assertFalse(os.path.exists(self.work))

    def test_a_signal_at_any_moment_of_the_start_is_silent(self):
        for n in range(40):
            process = self.parent(self.RUNS)
            time.sleep(n * 0.005)
            process.send_signal(signal.SIGINT)
            error = process.communicate(timeout=PATIENCE)[1]
            self.assertNotIn(b"Traceback", error)
            # Before the first line of it runs, the signal kills it.
            self.assertIn(process.returncode, (102, -signal.SIGINT))
            self.assertFalse(os.path.exists(self.work))

    def test_what_is_ignored_stays_ignored(self):
        process = self.parent("""
            import signal
            signal.signal(signal.SIGHUP, signal.SIG_IGN)
            child.on_signals(Stop)
            signal.raise_signal(signal.SIGHUP)
            """)
        self.assertEqual((process.communicate(timeout=PATIENCE)[1], process.returncode), (b"", 0))


if __name__ == "__main__":
    unittest.main()
