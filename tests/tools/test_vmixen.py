# SPDX-License-Identifier: GPL-2.0-only
"""tools/vmixen/vmixen: what it says of kernels, disks and hosts, and what it writes."""
import bz2
import gzip
import lzma
import os
import subprocess
import sys
import tempfile
import unittest
from unittest import mock

sys.dont_write_bytecode = True
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path[:0] = [os.path.join(ROOT, "tools", "vmixen"), os.path.join(ROOT, "tests", "tools")]
import checkhost  # noqa: E402
import disks_made as made  # noqa: E402
import kernel  # noqa: E402
import known  # noqa: E402
import xlcfg  # noqa: E402
from words import Wrong  # noqa: E402

VMIXEN = os.path.join(ROOT, "tools", "vmixen", "vmixen")


class Case(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def path(self, name):
        return os.path.join(self.folder, name)

    def file(self, name, data):
        with open(self.path(name), "wb") as file:
            file.write(data)
        return self.path(name)

    def vmixen(self, *argv, code=0):
        done = subprocess.run([VMIXEN, *argv], cwd=self.folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, check=False)
        text = done.stdout.decode()
        self.assertEqual(done.returncode, code, text)
        self.assertNotIn("Traceback", text)
        return text


class Kernels(unittest.TestCase):
    def test_vmi_is_found_in_every_packing(self):
        alone = lambda data: lzma.compress(data, lzma.FORMAT_ALONE)     # noqa: E731
        for pack in (gzip.compress, bz2.compress, alone, lzma.compress):
            self.assertIs(kernel.look(made.packed(b"cVmi", pack), "k").vmi, True)
            found = kernel.look(made.packed(b"none", pack), "k")
            self.assertIs(found.vmi, False)
            self.assertIn("CONFIG_VMI", found.why)

    def test_old_protocols_say_no_place_and_have_gzip(self):
        data = made.bzimage(b"code" * 9 + gzip.compress(bytes(4096) + b"cVmi"), version=0x206)
        self.assertIs(kernel.look(data, "k").vmi, True)

    def test_what_is_damaged_or_unknown_cannot_be_told(self):
        damaged = made.bzimage(gzip.compress(bytes(9000) + b"cVmi")[:20])
        self.assertIs(kernel.look(damaged, "k").vmi, None)
        self.assertIn("damaged", kernel.look(damaged, "k").why)
        with mock.patch("places.program", lambda name: None):
            found = kernel.look(made.bzimage(b"\x89LZO\0\r\n\x1a\n" + bytes(99)), "k")
        self.assertIs(found.vmi, None)
        self.assertIn("lzop", found.why)

    def test_a_bomb_is_not_unpacked_whole(self):
        bomb = gzip.compress(bytes(kernel.MOST + (8 << 20)), 9)
        self.assertIs(kernel.look(made.bzimage(bomb), "k").vmi, False)

    def test_64_bit_kernels_have_none(self):
        found = kernel.look(made.bzimage(gzip.compress(bytes(4096) + b"cVmi"), version=0x20C, is_64=True), "k")
        self.assertIs(found.vmi, False)
        self.assertIn("64-bit", found.why)

    def test_versions_before_and_after_vmi_are_told(self):
        data = made.bzimage(gzip.compress(bytes(4096)), release=b"2.6.38-1-686 (x@y)")
        self.assertIn("2.6.21 to 2.6.36", kernel.look(data, "k").why)

    def test_the_test_guest_has_it_and_says_no_version(self):
        found = kernel.look(kernel.contents(made.GUEST), "k")
        self.assertEqual((found.vmi, found.release), (True, ""))

    def test_what_is_no_kernel_is_told(self):
        for data in (b"", b"\x7fELF" + bytes(9000), bytes(9000)):
            with self.assertRaisesRegex(Wrong, "k: is no bzImage"):
                kernel.look(data, "k")


class Known(unittest.TestCase):
    def test_a_distribution_s_kernel_is_found_by_its_release(self):
        rows, _ = known.of("2.6.24-16-server")
        self.assertEqual(len(rows), 1)
        self.assertIn("Ubuntu 8.04", rows[0])

    def test_others_by_their_version_with_what_is_known_of_it(self):
        rows, troubles = known.of("2.6.24.7-custom")
        self.assertTrue(rows and all("2.6.24" in row for row in rows), rows)
        self.assertTrue(any("850 MB" in trouble for trouble in troubles), troubles)

    def test_of_others_nothing_is_said(self):
        self.assertEqual(known.of("2.6.99"), ([], []))
        self.assertEqual(known.of("my kernel"), ([], []))


class Wrap(Case):
    def test_the_file_runs_as_every_kind_of_domain(self):
        text = self.vmixen("wrap", made.GUEST)
        self.assertIn('kernel = "%s"' % self.path("guest-2level.elf"), text)
        text = self.vmixen("inspect", "guest-2level.elf")
        self.assertIn("wrapped kernel", text)
        self.assertIn("PV image", text)
        self.assertIn("PVH image", text)
        self.assertIn("VMI: yes", text)

    def test_a_file_that_is_there_stays_without_force(self):
        self.file("guest-2level.elf", b"mine")
        text = self.vmixen("wrap", made.GUEST, code=2)
        self.assertIn("guest-2level.elf: is there already; --force", text)
        with open(self.path("guest-2level.elf"), "rb") as file:
            self.assertEqual(file.read(), b"mine")
        self.vmixen("wrap", made.GUEST, "--force")

    def test_a_kernel_without_vmi_is_refused_with_what_to_do(self):
        self.file("plain", made.without_vmi())
        text = self.vmixen("wrap", "plain", code=1)
        self.assertIn("plain: has no VMI", text)
        self.assertIn("CONFIG_VMI=y", text)
        self.assertFalse(os.path.exists(self.path("plain.elf")))
        self.vmixen("wrap", "plain", "--any-kernel")

    def test_mkrom_s_words_name_what_was_typed(self):
        damaged = bytearray(made.with_guest())
        damaged[0x211] = 0          # LOADED_HIGH
        self.file("z", damaged)
        text = self.vmixen("wrap", "z", code=1)
        self.assertIn("vmixen: z: is a zImage", text)
        self.assertNotIn("mkrom", text)

    def test_an_initrd_of_gzip_s_becomes_one_that_xl_leaves_alone(self):
        packed = gzip.compress(b"x")
        self.file("initrd.gz", packed)
        text = self.vmixen("wrap", made.GUEST, "--initrd", "initrd.gz")
        self.assertIn('ramdisk = "%s"' % self.path("initrd.gz.ramdisk"), text)
        with open(self.path("initrd.gz.ramdisk"), "rb") as file:
            self.assertEqual(file.read(), bytes(4) + packed)

    def test_every_message_names_what_was_typed(self):
        self.file("empty", b"")
        self.file("text", b"no kernel at all" * 100)
        for name, code, words in (("nothing", 2, "nothing: no such file"), ("empty", 2, "empty: the file is empty"),
                                  ("text", 1, "text: is no bzImage"), (".", 2, "is a directory"),
                                  (os.path.join(ROOT, "build", "entry.elf"), 1, "is an ELF file")):
            self.assertIn(words, self.vmixen("wrap", name, code=code))
        self.assertIn("there is no folder nowhere", self.vmixen("wrap", made.GUEST, "-o", "nowhere/x", code=2))
        self.assertIn("--frob", self.vmixen("wrap", made.GUEST, "--frob", code=2))


class Inspect(Case):
    def test_a_disk_s_kernels_and_menu(self):
        made.filesystem(self.path("fs"), made.usual())
        made.disk(self.path("disk.img"), self.path("fs"), (0x82, made.swap(self.path("pages"))))
        text = self.vmixen("inspect", "disk.img")
        self.assertIn("partition 1: ext3, 8 MB, active", text)
        self.assertIn("partition 2: swap, 1 MB", text)
        self.assertIn("menu of partition 1, /boot/grub/menu.lst", text)
        self.assertIn("* 0: Linux of then", text)
        self.assertIn("  1: Linux of now", text)
        self.assertIn("kernel partition 1:/boot/vmlinuz-6.1", text)
        self.assertIn("2 kernels, 1 with VMI", text)
        self.assertIn("vmixen cfg NAME --disk %s" % self.path("disk.img"), text)

    def test_a_disk_without_partitions(self):
        for kind in ("ext2", "ext3", "ext4"):
            with self.subTest(kind):
                made.filesystem(self.path(kind), made.usual(), kind)
                self.assertIn("the whole disk: %s" % kind, self.vmixen("inspect", kind))

    def test_without_a_kernel_that_runs_the_exit_code_says_so(self):
        made.filesystem(self.path("fs"), {"boot/vmlinuz": made.without_vmi()})
        text = self.vmixen("inspect", "fs", code=1)
        self.assertIn("1 kernel, 0 with VMI", text)
        self.assertIn('type="hvm"', text)

    def test_kernel_and_rom(self):
        self.assertIn("VMI: yes", self.vmixen("inspect", made.GUEST))
        text = self.vmixen("inspect", os.path.join(ROOT, "build", "vmi.rom"))
        self.assertIn("VMI ROM", text)
        self.assertIn("SetCR3", text)

    def test_one_bad_file_does_not_hide_the_others(self):
        text = self.vmixen("inspect", "nothing", made.GUEST, code=2)
        self.assertIn("nothing: no such file", text)
        self.assertIn("VMI: yes", text)

    def test_a_file_that_is_none_of_these(self):
        self.file("noise", os.urandom(100000))
        self.assertIn("noise: is no kernel", self.vmixen("inspect", "noise", code=1))
        self.assertIn("perhaps a vmlinux", self.vmixen("inspect", os.path.join(ROOT, "build", "entry.elf"), code=1))


class Cfg(Case):
    def parsed(self, text):
        return dict(line.split(" = ", 1) for line in text.replace(",\n", ",").split("\n") if " = " in line)

    def test_it_works_from_any_folder_and_restarts_after_a_crash(self):
        self.file("disk.img", bytes(512))
        found = self.parsed(self.vmixen("cfg", "old", "--disk", "disk.img", "--memory", "256"))
        self.assertEqual(found["name"], '"old"')
        self.assertEqual(found["type"], '"pvh"')
        self.assertEqual(found["memory"], "256")
        self.assertEqual(found["on_crash"], '"restart"')
        self.assertTrue(found["bootloader"].startswith('"/'), found)
        self.assertEqual(found["disk"], '[ "format=raw,vdev=sda,access=rw,target=%s" ]' % self.path("disk.img"))
        self.assertNotIn("kernel", found)

    def test_a_disk_in_xl_s_words_keeps_them(self):
        self.file("disk.img", bytes(512))
        for text, wanted in (
                ("disk.img,raw,hda,rw", self.path("disk.img") + ",raw,hda,rw"),
                ("vdev=hda,access=ro,target=disk.img", "vdev=hda,access=ro,target=" + self.path("disk.img")),
                ("/dev/null,raw,sda,w", "/dev/null,raw,sda,w"), ("phy:vg/old,hda,w", "phy:vg/old,hda,w")):
            with mock.patch("os.getcwd", return_value=self.folder):
                self.assertEqual(xlcfg.disk_line(text, 0), wanted)

    def test_the_shim_s_memory_is_added(self):
        found = self.parsed(self.vmixen("cfg", "old", "--type", "shim", "--disk", "/dev/null", "--memory", "128"))
        self.assertEqual((found["memory"], found["pvshim"], found["type"]), ("153", "1", '"pvh"'))

    def test_kernel_initrd_command_line_and_vifs_are_as_given(self):
        self.vmixen("wrap", made.GUEST)
        self.file("initrd", b"070701")
        found = self.parsed(self.vmixen("cfg", "old", "--kernel", "guest-2level.elf", "--initrd", "initrd", "--type", "pv",
                                        "--cmdline", 'root=/dev/sda1 x="y z"', "--vif", "mac=00:16:3e:01:02:03", "--vif", ""))
        self.assertEqual(found["kernel"], '"%s"' % self.path("guest-2level.elf"))
        self.assertEqual(found["ramdisk"], '"%s"' % self.path("initrd"))
        self.assertEqual(found["extra"], r'"root=/dev/sda1 x=\"y z\""')
        self.assertEqual(found["vif"], '[ "mac=00:16:3e:01:02:03",        "" ]')
        self.assertEqual(found["type"], '"pv"')
        self.assertNotIn("bootloader", found)

    def test_a_file_that_is_there_stays_without_force(self):
        self.file("old.cfg", b"mine")
        argv = ("cfg", "old", "--disk", "/dev/null", "-o", "old.cfg")
        self.assertIn("old.cfg: is there already", self.vmixen(*argv, code=2))
        with open(self.path("old.cfg"), "rb") as file:
            self.assertEqual(file.read(), b"mine")
        self.assertIn("xl create -c %s" % self.path("old.cfg"), self.vmixen(*argv, "--force"))

    def test_what_is_wrong_is_named(self):
        self.file("initrd.gz", gzip.compress(b"x"))
        self.vmixen("wrap", made.GUEST)
        for argv, words in (
                (["12", "--disk", "x"], "12: to xl that is no new domain's name"),
                (["a b", "--disk", "x"], "a b: a domain's name has"),
                (["a"], "a: needs --kernel FILE, or --disk"),
                (["a", "--disk", "x", "--memory", "1G"], "--memory 1G"),
                (["a", "--disk", "vdev=vda,target=x"], "vdev=vda"),
                (["a", "--kernel", made.GUEST], "is no wrapped kernel: `vmixen wrap`"),
                (["a", "--kernel", "nothing"], "--kernel nothing: no such file"),
                (["a", "--disk", "x", "--initrd", "y"], "--initrd y: goes with --kernel"),
                (["a", "--kernel", "guest-2level.elf", "--initrd", "initrd.gz"], "--initrd initrd.gz: xl would unpack"),
                (["a", "--disk", "x", "--cmdline", "y" * 1024], "--cmdline: has 1024 bytes"),
                (["a", "--disk", "x", "--type", "hvm"], "--type"),
                (["a", "--disk", "x", "-o", "no/where"], "no/where: there is no folder no")):
            self.assertIn(words, self.vmixen("cfg", *argv, code=2))


XL_INFO = """\
host                   : deb
nr_cpus                : 4
virt_caps              : %s
total_memory           : 8191
free_memory            : %s
xen_version            : %s
xen_caps               : %s
xen_commandline        : placeholder
"""
CAPS = "xen-3.0-x86_64 hvm-3.0-x86_32 hvm-3.0-x86_32p hvm-3.0-x86_64"


class CheckHost(Case):
    def host(self, virt="pv hvm hap shadow", caps=CAPS, version="4.17.7", free="6000", shim=checkhost.PV32_FORMAT):
        """A root folder, and on the path an xl that says this."""
        for path, text in (("sys/hypervisor/type", "xen\n"), ("proc/xen/capabilities", "control_d\n"),
                           ("usr/lib/xen-4.17/boot/xen-shim", shim), ("usr/lib/xen-4.14/boot/xen-shim", b"older"),
                           ("usr/lib/xen-4.17/bin/pygrub", "")):
            if text is not None:
                made.tree(self.folder, {path: text})
        self.file("info", (XL_INFO % (virt, free, version, caps)).encode())
        os.mkdir(self.path("bin"))
        self.file("bin/xl", b"#!/bin/sh\ncat %s\n" % self.path("info").encode())
        os.chmod(self.path("bin/xl"), 0o755)
        return mock.patch.dict(os.environ, PATH="%s:%s" % (self.path("bin"), os.environ["PATH"]))

    def test_pvh_where_there_is_hardware_assisted_paging(self):
        with self.host():
            host = checkhost.Host(self.folder)
        self.assertEqual(host.type()[0], "pvh")
        self.assertTrue(host.shim_pv32)
        self.assertIn("xen-4.17", host.shim)
        self.assertIn("xen-4.17", host.pygrub)
        self.assertEqual((host.free, host.total), (6000, 8191))

    def test_pv_where_xen_has_it_and_the_machine_has_nothing(self):
        with self.host(virt="pv", caps="xen-3.0-x86_64 xen-3.0-x86_32p"):
            name, _, why = checkhost.Host(self.folder).type()
        self.assertEqual(name, "pv")
        self.assertIn("no hardware virtualization", why)

    def test_the_shim_where_paging_has_no_help(self):
        with self.host(virt="pv hvm shadow"):
            self.assertEqual(checkhost.Host(self.folder).type()[0], "shim")

    def test_nothing_and_why(self):
        with self.host(virt="pv hvm shadow", shim=b"no such"):
            name, _, why = checkhost.Host(self.folder).type()
        self.assertEqual(name, None)
        self.assertIn("CONFIG_PV32", why)

    def test_no_virtualization_and_no_pv32(self):
        with self.host(virt="pv", caps="xen-3.0-x86_64"):
            name, _, why = checkhost.Host(self.folder).type()
        self.assertEqual(name, None)
        self.assertIn("firmware", why)

    def test_too_old(self):
        with self.host(virt="hvm", version="4.8.5"):
            name, _, why = checkhost.Host(self.folder).type()
        self.assertEqual(name, None)
        self.assertIn("4.10", why)

    def test_before_4_12_xl_does_not_tell_of_paging(self):
        with self.host(virt="hvm", version="4.11.4"):
            host = checkhost.Host(self.folder)
        self.assertIs(host.hap, None)
        self.assertEqual(host.type()[0], "pvh")

    def test_what_it_prints_ends_with_the_type(self):
        import contextlib
        import io
        out = io.StringIO()
        with self.host(free="50"), contextlib.redirect_stdout(out):
            self.assertEqual(checkhost.check(self.folder), 0)
        self.assertIn('use:                       type = "pvh"', out.getvalue())
        self.assertIn("little is free", out.getvalue())

    def test_no_xen_a_guest_of_xen_s_and_no_xl_are_told_apart(self):
        with self.assertRaisesRegex(Wrong, "does not run on Xen"):
            checkhost.Host(self.folder)
        made.tree(self.folder, {"sys/hypervisor/type": "xen\n", "proc/xen/capabilities": "\n"})
        with self.assertRaisesRegex(Wrong, "not its dom0"):
            checkhost.Host(self.folder)
        made.tree(self.folder, {"proc/xen/capabilities": "control_d\n"})
        with mock.patch("places.program", lambda name: None), self.assertRaisesRegex(Wrong, "xl is missing"):
            checkhost.Host(self.folder)

    def test_xl_that_fails_is_quoted(self):
        with self.host():
            self.file("bin/xl", b"#!/bin/sh\necho 'xencall: error: no privcmd' >&2; exit 1\n")
            with self.assertRaisesRegex(Wrong, "no privcmd"):
                checkhost.Host(self.folder)


class Program(Case):
    def test_help_version_and_unknown_commands(self):
        self.assertIn("check-host", self.vmixen("--help"))
        self.assertRegex(self.vmixen("--version"), r"^vmixen \d+\.\d+\n$")
        self.assertIn("'frob'", self.vmixen("frob", code=2))
        for command in ("wrap", "inspect", "cfg", "check-host", "run"):
            self.assertIn("usage: ", self.vmixen(command, "--help"))

    def test_run_is_the_host_bed(self):
        self.assertIn("--host moon: no such host", self.vmixen("run", "--host", "moon", code=2))


if __name__ == "__main__":
    unittest.main()
