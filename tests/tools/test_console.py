# SPDX-License-Identifier: GPL-2.0-only
"""The console: every byte once and in order; Xen's lines apart from the guest's."""
import io
import os
import pty
import sys
import tempfile
import termios
import time
import unittest
from unittest import mock

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "..", "tools", "host"))
import console  # noqa: E402
import logfile  # noqa: E402
import result  # noqa: E402
from console import Console, XenLines  # noqa: E402


class Shown(unittest.TestCase):
    """With standard output and input in our hands."""

    def setUp(self):
        self.old = os.dup(0), os.dup(1)
        self.out, write = os.pipe()
        os.dup2(write, 1)
        os.close(write)
        read, self.typed = os.pipe()
        os.dup2(read, 0)
        os.close(read)
        self.log = tempfile.NamedTemporaryFile()
        self.addCleanup(self.log.close)
        self.console = Console(self.log.name, True)

    def tearDown(self):
        self.console.log.close()
        os.dup2(self.old[0], 0)
        os.dup2(self.old[1], 1)
        for fd in (*self.old, self.out):
            os.close(fd)
        if self.typed is not None:
            os.close(self.typed)

    def logged(self):
        with open(self.log.name, "rb") as f:
            return f.read()

    def test_bytes_go_to_output_and_log(self):
        self.console.feed(b"a\xff\r\n")
        self.assertEqual(os.read(self.out, 100), b"a\xff\r\n")
        self.assertEqual(self.logged(), b"a\xff\r\n")
        self.assertEqual(self.console.seen, 4)

    def test_what_is_held_comes_after(self):
        self.console.hold()
        self.console.feed(b"late")
        os.write(1, b"early ")
        self.console.release()
        self.assertEqual(os.read(self.out, 100), b"early late")
        self.console.release()

    def test_checks_are_counted_over_cut_lines(self):
        self.console.feed(b"guest: 12 pas")
        self.console.feed(b"sed, 3 failed\r\nmore")
        self.assertEqual(self.console.checks, (12, 3))

    def test_a_count_without_end_is_no_count(self):
        self.console.feed(b"guest: " + b"9" * 5000 + b" passed, 0 failed\n")
        self.assertIsNone(self.console.checks)
        self.console.feed(b"guest: 1 passed, " + b"9" * 5000 + b" failed\n")
        self.assertIsNone(self.console.checks)

    def test_the_tail_is_the_last_lines(self):
        self.console.feed(b"".join(b"%d\r\n" % n for n in range(50)))
        self.assertEqual(self.console.tail(2), ["48", "49"])

    def test_the_tail_does_nothing_to_a_terminal(self):
        self.console.feed(b"\x1b[31mred\x07 \xff \xc3\xa9\xe2\x80\xae\r\nnext\n")
        self.assertEqual(self.console.tail(2), ["\\x1b[31mred\\x07 \\xff \u00e9\\u202e", "next"])

    def test_little_is_kept_of_lines_without_end(self):
        for _ in range(100):
            self.console.feed(b"x" * 65536)
            os.read(self.out, 65536)
        self.assertLess(sum(len(line) for line in self.console.lines), 10000)
        self.assertLess(len(self.console.tail()[0]), 500)

    def test_a_panic_is_noticed_wherever_it_stands(self):
        self.console.feed(b"no panic\n# [  1.5] Kernel panic - not syn")
        self.assertIsNone(self.console.panic)
        self.console.feed(b"cing: VFS\x1b: no root\r\nKernel panic - not syncing: again\n")
        self.assertEqual(self.console.panic, "Kernel panic - not syncing: VFS\\x1b: no root")

    def test_the_roms_words_are_not_the_kernels(self):
        self.console.feed(b"\r\nvmixen: guest entered\r\n")
        self.assertFalse(self.console.spoke)
        self.console.feed(b"Linux version\n")
        self.assertTrue(self.console.spoke)

    def test_not_everything_is_held(self):
        with mock.patch.object(console, "HELD_MOST", 1000):
            self.console.hold()
            self.console.feed(b"x" * 800)
            self.console.feed(b"x" * 300)
        self.assertEqual(os.read(self.out, 5000), b"x" * 1100)

    def test_who_waits_is_called_in_turn(self):
        called = []
        self.console.awaited = [(b"login:", lambda: called.append("login")),
                                (b"$ ", lambda: called.append("shell"))]
        self.console.feed(b"$ log")
        self.assertEqual(called, [])
        self.console.feed(b"in: x $ ")
        self.assertEqual(called, ["login", "shell"])

    def test_keys_end_with_the_input(self):
        self.console.open()
        self.assertTrue(self.console.listens)
        os.write(self.typed, b"\x1dls\n")
        self.assertEqual(self.console.keys(), b"\x1dls\n")  # no terminal: nothing is special
        os.close(self.typed)
        self.typed = None
        self.assertEqual(self.console.keys(), b"")
        self.assertFalse(self.console.listens)
        self.console.close()

    def test_nobody_reads(self):
        os.dup2(os.open("/dev/null", os.O_RDONLY), self.out)
        with self.assertRaises(result.Result) as end:
            self.console.feed(b"x")
        self.assertEqual(end.exception.code, result.FAILED)


class Terminal(unittest.TestCase):
    def test_settings_come_back_and_the_escape_leaves(self):
        old = os.dup(0), os.dup(1)
        master, slave = pty.openpty()
        os.dup2(slave, 0)
        os.dup2(slave, 1)
        try:
            before = termios.tcgetattr(0)
            with tempfile.NamedTemporaryFile() as log:
                console = Console(log.name, False)
                console.open()
                during = termios.tcgetattr(0)
                console.feed(b"half a line")
                os.write(master, b"\x1d")
                with self.assertRaises(result.Result) as end:
                    console.keys()
                console.close()
                console.log.close()
            after = termios.tcgetattr(0)
        finally:
            os.dup2(old[0], 0)
            os.dup2(old[1], 1)
        shown = os.read(master, 100)
        for fd in (*old, master, slave):
            os.close(fd)
        self.assertFalse(during[3] & termios.ECHO)
        self.assertEqual(after, before)
        self.assertEqual(end.exception.code, result.LEFT)
        self.assertTrue(shown.startswith(b"half a line\r"))


class Apart(unittest.TestCase):
    def setUp(self):
        self.guest, self.xen = b"", []
        self.lines = XenLines(self.take, self.xen.append)

    def take(self, data):
        self.guest += data

    def test_xens_lines_are_taken_out_wherever_they_stand(self):
        for part in (b"one (X", b"EN) note\r", b"\ntwo\n(XEN) b\n", b"three"):
            self.lines.feed(part)
        self.assertEqual(self.guest, b"one two\nthree")
        self.assertEqual(self.xen, ["(XEN) note", "(XEN) b"])

    def later(self):
        """A long time without a byte."""
        self.lines.since = time.monotonic() - 60
        self.lines.tick()

    def test_the_beginning_of_a_mark_is_waited_for(self):
        self.lines.feed(b"a(XE")
        self.assertEqual(self.guest, b"a")
        self.lines.tick()
        self.assertEqual(self.guest, b"a")
        self.later()
        self.assertEqual(self.guest, b"a(XE")

    def test_a_line_that_is_too_long_for_xen_is_the_guests(self):
        for _ in range(100):
            self.lines.feed(b"(XEN) " + b"x" * 16384)
            self.assertLess(len(self.lines.text), 2 * XenLines.LONGEST)
        self.assertGreater(len(self.guest), 99 * 16384)
        self.lines.feed(b"\n(XEN) one\n")
        self.assertEqual(self.xen, ["(XEN) one"])
        self.assertEqual(self.guest, (b"(XEN) " + b"x" * 16384) * 100 + b"\n")

    def test_a_mark_without_a_line_is_the_guests_in_the_end(self):
        self.lines.feed(b"(XEN) and nothing more")
        self.lines.tick()
        self.assertEqual(self.guest, b"")
        self.later()
        self.assertEqual((self.guest, self.xen), (b"(XEN) and nothing more", []))

    def test_bytes_one_by_one_are_the_same(self):
        text = b"a(XEN) b\n((XEN) c\r\n(XEN(XEN) d\ne"
        for byte in text:
            self.lines.feed(bytes([byte]))
        self.assertEqual((self.guest, self.xen), (b"a((XENe", ["(XEN) b", "(XEN) c", "(XEN) d"]))

    def test_nothing_is_lost_at_the_end(self):
        self.lines.feed(b"x(XEN) unfinished")
        self.lines.flush()
        self.assertEqual((self.guest, self.xen), (b"x", ["(XEN) unfinished"]))


class Logs(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.TemporaryDirectory()
        self.addCleanup(self.dir.cleanup)
        self.path = os.path.join(self.dir.name, "log")

    def text(self):
        with open(self.path, "rb") as file:
            return file.read()

    def test_a_log_has_an_end(self):
        with mock.patch.multiple(logfile, LIMIT=100, TAIL=10):
            log = logfile.LogFile(self.path)
            log.write(b"a" * 99)
            for number in range(1000):
                log.write(b"%03d " % number)
                self.assertLessEqual(len(log.tail), 24)
            log.close()
            log.close()
        self.assertEqual(self.text(), b"a" * 99 + b"0\n[3989 bytes are left out here]\n7 998 999 ")

    def test_a_short_log_is_whole(self):
        with mock.patch.multiple(logfile, LIMIT=100, TAIL=50):
            log = logfile.LogFile(self.path)
            log.write(b"a" * 98)
            log.write(b"bcdefgh")
            log.close()
        self.assertEqual(self.text(), b"a" * 98 + b"bcdefgh")

    def test_a_log_is_one_runs(self):
        log = logfile.LogFile(self.path)
        log.write(b"first")
        with self.assertRaises(result.Result) as end:
            logfile.LogFile(self.path)
        self.assertEqual(end.exception.code, result.USAGE)
        self.assertIn("NAME=", str(end.exception))
        log.close()
        self.assertEqual(self.text(), b"first")
        logfile.LogFile(self.path).close()
        self.assertEqual(self.text(), b"")


class Words(unittest.TestCase):
    def test_what_is_quoted_is_harmless(self):
        for quoted, words in (("a\tb\x1b[0m", "a\\x09b\\x1b[0m"), (b"\xff\x80", "\\xff\\x80"),
                              ("\udce9 \u2028 \u00e9", "\\xe9 \\u2028 \u00e9"), ("\x9b", "\\x9b")):
            self.assertEqual(result.printable(quoted), words)
        self.assertEqual(result.lines_printable("a\r\n\x07"), "a\n\\x07")
        self.assertLess(len(result.cut("x" * 10000)), 450)
        with mock.patch("sys.stderr", io.StringIO()) as err, mock.patch("sys.stdout", io.StringIO()) as out:
            result.say("\x1bc")
            result.show("\x1bc\t\u00e9")
        self.assertEqual((err.getvalue(), out.getvalue()), ("run: \\x1bc\n", "\\x1bc      \\xe9\n"))

    def test_a_result_has_a_code_and_words(self):
        end = result.Result(result.TIMEOUT, "too late")
        self.assertEqual((end.code, str(end)), (3, "too late"))


if __name__ == "__main__":
    unittest.main()
