# SPDX-License-Identifier: GPL-2.0-only
"""The console: every byte once and in order; Xen's lines apart from the guest's."""
import os
import pty
import sys
import tempfile
import termios
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "..", "tools", "host"))
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

    def test_the_tail_is_the_last_lines(self):
        self.console.feed(b"".join(b"%d\r\n" % n for n in range(50)))
        self.assertEqual(self.console.tail(2), ["48", "49"])

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

    def test_the_beginning_of_a_mark_is_waited_for(self):
        self.lines.feed(b"a(XE")
        self.assertEqual(self.guest, b"a")
        self.lines.tick()
        self.assertEqual(self.guest, b"a")
        self.lines.since = time.monotonic() - 1
        self.lines.tick()
        self.assertEqual(self.guest, b"a(XE")

    def test_nothing_is_lost_at_the_end(self):
        self.lines.feed(b"x(XEN) unfinished")
        self.lines.flush()
        self.assertEqual((self.guest, self.xen), (b"x", ["(XEN) unfinished"]))


class Words(unittest.TestCase):
    def test_a_result_has_a_code_and_words(self):
        end = result.Result(result.TIMEOUT, "too late")
        self.assertEqual((end.code, str(end)), (3, "too late"))


if __name__ == "__main__":
    unittest.main()
