# SPDX-License-Identifier: GPL-2.0-only
"""What dom0 gets of a guest: the xl configuration and the cpio archive."""
import os
import subprocess
import sys
import tempfile
import types
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "..", "tools", "host"))
import guestfiles  # noqa: E402


def guest(**more):
    values = dict(name="g", memory=64, vcpus=1, cmdline=None, initrd=None, kernel="/k/g.elf",
                  shim_args="smep=0", disks=[], vifs=[], at=[])
    values.update(more)
    return types.SimpleNamespace(**values)


def settings(text):
    """The lines as xl reads them."""
    found = {}
    for line in text.splitlines():
        if not line.startswith("#"):
            name, _, value = line.partition(" = ")
            found[name] = value
    return found


class Config(unittest.TestCase):
    def test_a_plain_pv_domain(self):
        found = settings(guestfiles.config(guest(), "pv", 0, "g.elf", None))
        self.assertEqual(found["type"], '"pv"')
        self.assertEqual(found["memory"], "64")
        self.assertNotIn("pvshim", found)
        self.assertNotIn("ramdisk", found)
        self.assertNotIn("extra", found)

    def test_the_shim_needs_memory_of_its_own(self):
        found = settings(guestfiles.config(guest(), "pvh", 40, "g.elf", "i.gz"))
        self.assertEqual(found["memory"], "104")
        self.assertEqual(found["pvshim"], "1")
        self.assertEqual(found["pvshim_extra"], '"smep=0"')
        self.assertEqual(found["ramdisk"], '"i.gz"')

    def test_strings_are_quoted(self):
        found = settings(guestfiles.config(guest(cmdline='a="b\\c"'), "pv", 0, "g.elf", None))
        self.assertEqual(found["extra"], '"a=\\"b\\\\c\\""')

    def test_no_string_ends_its_line(self):
        text = guestfiles.config(guest(cmdline="a\nname = \"x\"\r\t\a\b\f\v"), "pv", 0, "g.elf", "i\n")
        found = settings(text)
        self.assertEqual(found["extra"], r'"a\nname = \"x\"\r\t\a\b\f\v"')
        self.assertEqual(found["ramdisk"], r'"i\n"')
        self.assertEqual(found["name"], '"g"')

    def test_what_is_no_text_is_kept_as_bytes(self):
        cmdline = os.fsdecode(b"a=\xe9\x01")
        text = guestfiles.config(guest(cmdline=cmdline), "pv", 0, "g.elf", None)
        self.assertIn(b'extra = "a=\xe9\x01"\n', os.fsencode(text))


class Archive(unittest.TestCase):
    def unpack(self, archive):
        with tempfile.TemporaryDirectory() as where:
            subprocess.run(["cpio", "-idm", "--quiet"], input=archive, cwd=where, check=True)
            files = {}
            for name in os.listdir(os.path.join(where, "guest")):
                with open(os.path.join(where, "guest", name), "rb") as f:
                    files[name] = f.read()
            return files

    def prepare(self, kernel, initrd=None, start=b"", **more):
        """The settings, the files in the archive, and those that are new."""
        with tempfile.TemporaryDirectory() as where:
            paths = {}
            for what, name in (("kernel", kernel), ("initrd", initrd)):
                if name:
                    paths[what] = os.path.join(where, what, name)
                    os.mkdir(os.path.dirname(paths[what]))
                    with open(paths[what], "wb") as f:
                        f.write((start if what == "initrd" else b"") + what.encode() * 1001)
            text, archive, new = guestfiles.prepare(guest(**paths, **more), "pv", 0)
        return settings(text), self.unpack(archive), new

    def test_cpio_finds_every_file(self):
        found, files, new = self.prepare("bz", "in.gz")
        self.assertEqual(new, {})
        self.assertEqual(files["bz"], b"kernel" * 1001)
        self.assertEqual(files["in.gz"], b"initrd" * 1001)
        self.assertEqual(files["name"], b"g")
        self.assertIn(b'kernel = "bz"', files["guest.cfg"])
        self.assertEqual(found["ramdisk"], '"in.gz"')

    def test_names_do_not_meet(self):
        found, files, new = self.prepare("name", "name")
        self.assertEqual(found["kernel"], '"g.elf"')
        self.assertEqual(found["ramdisk"], '"g.ramdisk"')
        self.assertEqual(files["g.elf"], b"kernel" * 1001)
        self.assertEqual(files["g.ramdisk"], b"initrd" * 1001)
        self.assertEqual(new, {name: files[name] for name in ("g.elf", "g.ramdisk")})

    def test_xl_is_given_no_gzip(self):
        found, files, new = self.prepare("bz", "in.gz", b"\x1f\x8b\x08")
        self.assertEqual(found["ramdisk"], '"g.ramdisk"')
        self.assertEqual(files["g.ramdisk"], bytes(4) + b"\x1f\x8b\x08" + b"initrd" * 1001)
        self.assertEqual(new, {"g.ramdisk": files["g.ramdisk"]})
        self.assertNotIn("in.gz", files)

    def test_dom0_is_told_of_a_life_with_steps(self):
        self.assertNotIn("lifecycle", self.prepare("bz", "in")[1])
        self.assertNotIn("lifecycle", self.prepare("bz", "in", at=[("x", "xl save"), ("y", "type save")])[1])
        for step in guestfiles.LIFE:
            self.assertIn("lifecycle", self.prepare("bz", "in", at=[("x", "xl list"), ("y", step)])[1])

    def test_a_name_may_be_any_bytes(self):
        name = os.fsdecode(b"in\xe9 \n.img")
        _, files, _ = self.prepare("bz", name)
        self.assertEqual(files[name], b"initrd" * 1001)


if __name__ == "__main__":
    unittest.main()
