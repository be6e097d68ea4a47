# SPDX-License-Identifier: GPL-2.0-only
"""A guest's disks: what is typed of them, what is refused, and what xl and QEMU get."""
import os
import shutil
import stat
import subprocess
import sys
import tempfile
import types
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tools", "host"))
import arguments  # noqa: E402
import disks  # noqa: E402
import guestfiles  # noqa: E402
from result import USAGE, Result  # noqa: E402


class Disks(unittest.TestCase):
    def setUp(self):
        where = tempfile.TemporaryDirectory()
        self.addCleanup(where.cleanup)
        self.where = where.name
        self.kernel = self.file("k.bzImage", bytes(0x202) + b"HdrS" + bytes(100))
        self.image = self.file("root.img", bytes(1024))

    def file(self, name, data):
        path = os.path.join(self.where, name)
        with open(path, "wb") as out:
            out.write(data)
        return path

    def take(self, *texts, host="shim", env=None):
        argv = ["--kernel", self.kernel, "--log", self.where, "--host", host]
        for text in texts:
            argv += ["--disk", text]
        if env:
            argv.append("--env")
            os.environ.update(env)
        try:
            return arguments.arguments(argv).disks
        finally:
            for name in env or ():
                os.environ.pop(name, None)

    def refused(self, words, *texts, **more):
        with self.assertRaises(Result) as end:
            self.take(*texts, **more)
        self.assertEqual(end.exception.code, USAGE)
        self.assertIn(words, str(end.exception))

    def test_without_a_disk_there_is_none(self):
        self.assertEqual(self.take(), [])

    def test_options_stand_behind_the_name(self):
        for text, vdev, ro, snapshot in (("", "sda", False, False), (",ro", "sda", True, False),
                                         (",snapshot", "sda", False, True),
                                         (",vdev=hdc,ro,snapshot", "hdc", True, True),
                                         (",ro,vdev=xvdb", "xvdb", True, False)):
            disk, = self.take(self.image + text)
            self.assertEqual((disk.path, disk.vdev, disk.ro, disk.snapshot), (self.image, vdev, ro, snapshot))

    def test_a_name_may_have_commas(self):
        path = self.file("a,b=c,d.img", bytes(512))
        disk, = self.take(path + ",ro")
        self.assertEqual((disk.path, disk.ro), (path, True))
        self.assertEqual(disk.name, "a_b_c_d.img")

    def test_the_next_name_is_taken_that_is_free(self):
        more = [self.file(name, bytes(512)) for name in ("b", "c", "d")]
        found = self.take(self.image, more[0] + ",vdev=sdb", more[1], more[2] + ",vdev=hda")
        self.assertEqual([disk.vdev for disk in found], ["sda", "sdb", "sdc", "hda"])

    def test_makes_variables_are_the_same(self):
        more = self.file("b.img", bytes(512))
        found = self.take(env={"DISK": self.image + ",ro", "DISK3": more})
        self.assertEqual([(disk.path, disk.vdev) for disk in found], [(self.image, "sda"), (more, "sdb")])
        self.refused("DISK2=/nowhere: no such file", env={"DISK2": "/nowhere"})
        with open(os.path.join(ROOT, "Makefile"), encoding="utf-8") as makefile:
            self.assertIn(" %s " % " ".join(arguments.DISKS), makefile.read())

    def test_what_is_no_image_is_refused(self):
        self.refused("--disk /nowhere: no such file", "/nowhere")
        self.refused("is a directory", self.where)
        self.refused("is no plain file", "/dev/null")
        self.refused("the file is empty", self.file("e", b""))
        self.refused("has 513 bytes, which is no multiple of 512", self.file("o", bytes(513)))
        self.refused("vdev=vda: a disk is one of", self.image + ",vdev=vda")
        self.refused("vdev=sda: there is one already", self.image, self.file("b", bytes(512)) + ",vdev=sda")
        self.refused("is given twice", self.image, self.image + ",ro")
        self.assertEqual(len(self.take(self.image + ",ro", self.image + ",ro")), 2)
        self.refused("8 disks at most", *(self.file("d%d" % i, bytes(512)) for i in range(9)))

    @unittest.skipUnless(os.getuid() or os.path.exists("/usr/bin/setpriv"), "root may read everything")
    def test_a_file_that_may_not_be_written_needs_to_be_told_so(self):
        code = ("import sys; sys.path.insert(0, %r); import disks; d = disks.parsed(sys.argv[1], set()); "
                "print(disks.fault(d, set()))" % self.where)
        shutil.copy(disks.__file__, self.where)     # the tree may be in a folder of root's alone
        for where in (self.where, self.image):
            os.chmod(where, os.stat(where).st_mode & ~0o222 | 0o055 | stat.S_IROTH)
        as_user = [] if os.getuid() else ["setpriv", "--reuid=65534", "--clear-groups"]

        def fault(option):
            return subprocess.run([*as_user, sys.executable, "-B", "-c", code, self.image + option],
                                  capture_output=True, text=True, check=True).stdout.strip()
        self.assertIn("may not be written to by you", fault(""))
        self.assertEqual(fault(",ro"), "None")
        self.assertEqual(fault(",snapshot"), "None")
        os.chmod(self.image, 0)
        self.assertEqual(fault(",ro"), "may not be read by you")

    def test_a_host_without_back_ends_has_no_disks(self):
        self.refused("on the host dom0 nobody serves a disk; there is one with: bare pv32 pvh shim",
                     self.image, host="dom0")

    def test_what_xl_is_told(self):
        found = self.take(self.image + ",ro", self.file("b.img", bytes(512)) + ",vdev=hda")
        self.assertEqual(disks.xl_lines(found, guestfiles.quoted), [
            'disk = [ "format=raw,vdev=sda,access=ro,target=root.img", '
            '"format=raw,vdev=hda,access=rw,target=b.img" ]'])
        self.assertEqual(disks.xl_lines([], guestfiles.quoted), [])
        os.mkdir(os.path.join(self.where, "x"))
        twice = self.take(self.image, self.file("x/root.img", bytes(512)))
        self.assertEqual(disks.names(twice), ["root.img", "sdb-root.img"])

    def test_the_archive_says_in_which_order_they_are(self):
        args = types.SimpleNamespace(
            name="g", memory=64, vcpus=1, cmdline=None, initrd=None, kernel=self.kernel, shim_args="",
            disks=self.take(self.image, self.file("b.img", bytes(512))), vifs=[], at=[])
        _, archive, _ = guestfiles.prepare(args, "pv", 0)
        self.assertIn(b"root.img\nb.img\n", archive)

    def test_only_what_is_written_to_is_opened_so(self):
        opened = []
        qemu = types.SimpleNamespace(file=lambda path, writable=False: opened.append(writable) or "/dev/fd/9")
        more = [self.file(name, bytes(512)) for name in ("b", "c")]
        found = self.take(self.image, more[0] + ",ro", more[1] + ",snapshot,vdev=hdc")
        line = " ".join(disks.for_dom0(found, qemu))
        self.assertEqual(opened, [True, False, False])
        self.assertIn("id=disk1,readonly=on", line)
        self.assertIn("id=disk2,snapshot=on", line)
        line = " ".join(disks.for_bare(found, qemu))
        self.assertIn("ide-hd,drive=disk0,bus=ahci.0", line)
        self.assertIn("ide-hd,drive=disk1,bus=ahci.1", line)
        self.assertIn("ide-hd,drive=disk2,bus=ide.1,unit=0", line)


if __name__ == "__main__":
    unittest.main()
