# SPDX-License-Identifier: GPL-2.0-only
"""tools/host/locked: builds in one tree come one after the other."""
import os
import subprocess
import tempfile
import time
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
LOCKED = os.path.join(ROOT, "tools", "host", "locked")
PATIENCE = 60           # seconds that nothing here comes near
WAITS = b"make: waiting for another build in this tree\n"


class Locked(unittest.TestCase):
    def setUp(self):
        where = tempfile.TemporaryDirectory()
        self.addCleanup(where.cleanup)
        self.where = where.name

    def start(self, script):
        process = subprocess.Popen([LOCKED, "sh", "-c", script], cwd=self.where, stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.addCleanup(process.communicate)
        self.addCleanup(process.kill)
        return process

    def path(self, name):
        return os.path.join(self.where, name)

    def until_there(self, name):
        end = time.monotonic() + PATIENCE
        while not os.path.exists(self.path(name)):
            self.assertLess(time.monotonic(), end, name + " did not come")
            time.sleep(0.01)

    def touch(self, name):
        open(self.path(name), "wb").close()

    def test_two_builds_at_once(self):
        first = self.start("touch begun; while [ -e begun -a ! -e go ]; do sleep 0.01; done; echo first >>order")
        self.until_there("begun")
        second = self.start("echo second >>order")
        self.assertEqual(second.stderr.readline(), WAITS)   # and it is told of at once
        self.assertIsNone(second.poll())
        self.assertFalse(os.path.exists(self.path("order")))
        self.touch("go")
        self.assertEqual(first.communicate(timeout=PATIENCE), (b"", b""))
        self.assertEqual(second.communicate(timeout=PATIENCE), (b"", b""))
        self.assertEqual((first.returncode, second.returncode), (0, 0))
        with open(self.path("order"), encoding="ascii") as file:
            self.assertEqual(file.read(), "first\nsecond\n")

    def test_the_lock_lasts_as_long_as_anything_of_the_build(self):
        first = self.start("(touch begun; while [ -e begun -a ! -e go ]; do sleep 0.01; done) >&- 2>&- &")
        self.until_there("begun")
        self.assertEqual(first.wait(PATIENCE), 0)
        second = self.start("true")
        self.assertEqual(second.stderr.readline(), WAITS)
        self.touch("go")
        self.assertEqual(second.wait(PATIENCE), 0)

    def test_a_build_alone_says_nothing_and_has_its_own_end(self):
        for code in (0, 7):
            process = self.start("exit %d" % code)
            self.assertEqual(process.communicate(timeout=PATIENCE), (b"", b""))
            self.assertEqual(process.returncode, code)

    def test_a_folder_that_cannot_be_made(self):
        self.touch("build")
        process = self.start("touch made")
        out, err = process.communicate(timeout=PATIENCE)
        self.assertEqual((process.returncode, out), (1, b""))
        self.assertEqual(err.splitlines()[-1],
                         b"make: nothing can be built here; a copy of the tree elsewhere can")
        self.assertFalse(os.path.exists(self.path("made")))

    def test_a_lock_that_cannot_be_written_is_not_needed(self):
        os.makedirs(self.path("build/.lock"))
        process = self.start("touch made")
        self.assertEqual(process.communicate(timeout=PATIENCE), (b"", b""))
        self.assertEqual(process.returncode, 0)
        self.assertTrue(os.path.exists(self.path("made")))


if __name__ == "__main__":
    unittest.main()
