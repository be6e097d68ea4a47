# SPDX-License-Identifier: GPL-2.0-only
"""A guest's network cards: what is typed of them, what is refused, and what xl and QEMU get."""
import os
import sys
import tempfile
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tools", "host"))
import arguments  # noqa: E402
import guestfiles  # noqa: E402
import vifs  # noqa: E402
from result import USAGE, Result  # noqa: E402


class Vifs(unittest.TestCase):
    def setUp(self):
        where = tempfile.TemporaryDirectory()
        self.addCleanup(where.cleanup)
        self.where = where.name
        self.kernel = os.path.join(self.where, "k.bzImage")
        with open(self.kernel, "wb") as out:
            out.write(bytes(0x202) + b"HdrS" + bytes(100))

    def arguments(self, *texts, host="shim", env=None):
        argv = ["--kernel", self.kernel, "--log", self.where, "--host", host]
        for text in texts:
            argv += ["--vif", text]
        if env:
            argv.append("--env")
            os.environ.update(env)
        try:
            return arguments.arguments(argv)
        finally:
            for name in env or ():
                os.environ.pop(name, None)

    def take(self, *texts, **more):
        return self.arguments(*texts, **more).vifs

    def refused(self, words, *texts, **more):
        with self.assertRaises(Result) as end:
            self.take(*texts, **more)
        self.assertEqual(end.exception.code, USAGE)
        self.assertIn(words, str(end.exception))

    def test_without_one_there_is_none(self):
        self.assertEqual(self.take(), [])
        self.assertEqual(vifs.xl_lines([], guestfiles.quoted), [])
        self.assertEqual(vifs.for_bare([]), [])

    def test_addresses_are_the_same_from_run_to_run(self):
        self.assertEqual([v.mac for v in self.take("dom0", "dom0,mac=02:00:00:00:AB:01")],
                         ["00:16:3e:76:6d:00", "02:00:00:00:ab:01"])

    def test_make_has_them_by_variables(self):
        self.assertEqual(len(self.take(env={"VIF": "dom0", "VIF2": "dom0"})), 2)
        self.refused("VIF2=eth0: dom0 was expected", env={"VIF2": "eth0"})
        with open(os.path.join(ROOT, "Makefile"), encoding="utf-8") as makefile:
            self.assertIn(" %s " % " ".join(arguments.VIFS), makefile.read())

    def test_what_is_none_is_refused(self):
        for text, words in (("eth0", "dom0 was expected"), ("", "dom0 was expected"),
                            ("dom0,ro", "mac=ADDRESS may follow"),
                            ("dom0,mac=00:16:3e:00:00", "six numbers"),
                            ("dom0,mac=00:16:3e:00:00:0g", "six numbers"),
                            ("dom0,mac=01:00:00:00:00:01", "the address of many stations")):
            self.refused(words, text)
        self.refused("there is one already", "dom0", "dom0,mac=00:16:3e:76:6d:00")
        self.refused("2 network cards at most", *["dom0"] * 3)

    def test_a_host_without_back_ends_has_none(self):
        self.refused("on the host dom0 there is no network; there is one with: bare pv32 pvh shim",
                     "dom0", host="dom0")

    def test_xl_and_dom0_are_told(self):
        args = self.arguments("dom0", "dom0")
        self.assertEqual(vifs.xl_lines(args.vifs, guestfiles.quoted),
                         ['vif = [ "mac=00:16:3e:76:6d:00", "mac=00:16:3e:76:6d:01" ]'])
        text, archive, _ = guestfiles.prepare(args, "pv", 0)
        self.assertIn("vif = [", text)
        self.assertIn(b"guest/vifs\0", archive)
        text, archive, _ = guestfiles.prepare(self.arguments(), "pv", 0)
        self.assertNotIn("vif", text)
        self.assertNotIn(b"guest/vifs\0", archive)

    def test_the_bare_machine_has_the_card_that_the_rom_shows(self):
        line = " ".join(vifs.for_bare(self.take("dom0", host="bare")))
        self.assertIn("-device e1000-82545em,netdev=net0,mac=00:16:3e:76:6d:00", line)
        self.assertIn("host=192.168.76.1", line)


if __name__ == "__main__":
    unittest.main()
