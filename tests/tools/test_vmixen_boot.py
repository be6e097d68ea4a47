# SPDX-License-Identifier: GPL-2.0-only
"""tools/vmixen/vmixen-boot: what xl gets of a disk, by pygrub and without it, and what is
said of disks that are damaged or made to do harm. Where there is no pygrub (VMIXEN_PYGRUB,
or Xen's own), the tests with it are skipped."""
import gzip
import os
import subprocess
import sys
import tempfile
import threading
import unittest

sys.dont_write_bytecode = True
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path[:0] = [os.path.join(ROOT, "tools", "vmixen"), os.path.join(ROOT, "tests", "tools")]
import checkhost  # noqa: E402
import disks_made as made  # noqa: E402
import image  # noqa: E402
import menus  # noqa: E402

BOOT = os.path.join(ROOT, "tools", "vmixen", "vmixen-boot")
PYGRUB = os.environ.get("VMIXEN_PYGRUB") or checkhost.find("/", checkhost.PYGRUBS)

LILO = """\
boot=/dev/hda
default=Old
root=/dev/hda1
read-only
image=/boot/vmlinuz-6.1
    label=New
image=/boot/vmlinuz-2.6.32-5-486
    label=Old
    initrd=/boot/initrd.img
    append="quiet vga=normal"
other=/dev/hda2
    label=DOS
"""

EXTLINUX = """\
DEFAULT old
PROMPT 0
LABEL new
  LINUX ../vmlinuz-6.1
LABEL old
  MENU LABEL The old one
  KERNEL ../vmlinuz-2.6.32-5-486
  APPEND initrd=../initrd.img root=/dev/sda1 ro
"""

GRUB2 = """\
set default="1"
function recordfail { true }
menuentry 'Linux of now' --class gnu {
    insmod ext2
    set root='(hd0,1)'
    linux /boot/vmlinuz-6.1 root=UUID=1 ro
}
menuentry "Linux of then" {
    search --no-floppy --fs-uuid --set 1
    linux   /boot/vmlinuz-2.6.32-5-486 root=/dev/sda1 ro ${extra} quiet
    initrd  /boot/initrd.img
}
"""


class Case(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.out = self.path("out")
        os.mkdir(self.out)

    def path(self, name):
        return os.path.join(self.folder, name)

    def disk(self, files, kind="ext3", megabytes=8):
        made.filesystem(self.path("fs"), files, kind, megabytes)
        made.disk(self.path("disk"), self.path("fs"))
        return self.path("disk")

    def call(self, *argv, code=0, reader="own"):
        """(answer, words)"""
        environment = dict(os.environ)
        if PYGRUB:
            environment["VMIXEN_PYGRUB"] = PYGRUB
        done = subprocess.run([BOOT, "--reader=" + reader, *argv], cwd=self.folder, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment, check=False)
        words = done.stderr.decode("utf-8", "surrogateescape")
        self.assertEqual(done.returncode, code, words)
        self.assertNotIn("Traceback", words)
        if code:
            self.assertEqual(words.count("\n"), 1, words)       # a sentence
            self.assertEqual(os.listdir(self.out), [])
        return done.stdout, words

    def boot(self, disk, *argv, **options):
        """As libxl does it: name -> value, and our words."""
        answer, words = self.call("-q", "--output-format=simple0", "--output-directory=" + self.out, *argv, disk,
                                  **options)
        pairs = [part.decode().split(" ", 1) for part in answer.split(b"\0") if part]
        return dict(pairs), words

    def contents(self, path):
        with open(path, "rb") as file:
            return file.read()

    def is_the_old_one(self, found, args):
        self.assertEqual(found["args"], args)
        self.assertTrue(self.contents(found["kernel"]).startswith(b"\x7fELF"))
        self.assertIn(made.with_guest()[:4096], self.contents(found["kernel"]))
        self.assertEqual(self.contents(found["ramdisk"])[:6], bytes(4) + b"\x1f\x8b")
        self.assertEqual(sorted(os.listdir(self.out)), sorted(os.path.basename(found[n]) for n in ("kernel", "ramdisk")))


class Readers:
    """What both readers do alike."""
    reader = None

    def boots(self, *argv, **options):
        return self.boot(*argv, reader=self.reader, **options)

    def test_the_menu_s_default_with_xl_s_own_words_behind(self):
        found, _ = self.boots(self.disk(made.usual()), "--args=console=ttyS0")
        self.is_the_old_one(found, "root=/dev/sda1 ro quiet console=ttyS0")

    def test_ext2_and_ext4_and_a_disk_without_partitions(self):
        for kind in ("ext2", "ext4"):
            made.filesystem(self.path(kind), made.usual(), kind)
            found, _ = self.boots(self.path(kind))
            self.is_the_old_one(found, "root=/dev/sda1 ro quiet")
            for path in os.listdir(self.out):
                os.unlink(os.path.join(self.out, path))

    def test_the_kernel_and_ramdisk_of_the_configuration(self):
        found, _ = self.boots(self.disk(made.usual()), "--kernel=/boot/vmlinuz-2.6.32-5-486",
                              "--ramdisk=/boot/initrd.img", "--args=a b")
        self.is_the_old_one(found, "a b")

    def test_grub_2(self):
        files = made.usual()
        del files["boot/grub/menu.lst"]
        found, _ = self.boots(self.disk({**files, "boot/grub/grub.cfg": GRUB2}))
        self.assertRegex(found["args"], r"^root=/dev/sda1 ro .*quiet$")

    def test_an_entry_without_vmi_is_refused_and_the_others_are_named(self):
        _, words = self.boots(self.disk(made.usual()), "--entry=1", code=1)
        self.assertIn("has no VMI", words)
        self.assertIn("0 (Linux of then)", words)
        self.assertIn('bootloader_args = [ "--entry=0" ]', words)

    def test_a_disk_with_nothing_that_has_vmi(self):
        _, words = self.boots(self.disk({"boot/vmlinuz-6.1": made.without_vmi(), "boot/grub/menu.lst":
                                         "title a\nkernel /boot/vmlinuz-6.1\n"}), code=1)
        self.assertIn("has no VMI", words)
        self.assertIn('type="hvm"', words)


class Own(Readers, Case):
    reader = "own"

    def test_lilo(self):
        files = made.usual()
        del files["boot/grub/menu.lst"]
        found, words = self.boot(self.disk({**files, "etc/lilo.conf": LILO}))
        self.is_the_old_one(found, "root=/dev/hda1 ro quiet vga=normal")
        self.assertIn("Old", words)

    def test_extlinux(self):
        files = made.usual()
        del files["boot/grub/menu.lst"]
        found, _ = self.boot(self.disk({**files, "boot/extlinux/extlinux.conf": EXTLINUX}))
        self.is_the_old_one(found, "root=/dev/sda1 ro")

    def test_boot_is_a_partition_of_its_own(self):
        files = made.usual()
        made.filesystem(self.path("root"), {"etc/fstab": "none", "etc/lilo.conf": LILO})
        made.filesystem(self.path("boot"), {path[5:]: data for path, data in files.items()
                                            if path.startswith("boot/") and "menu" not in path})
        made.disk(self.path("disk"), self.path("root"), self.path("boot"))
        found, _ = self.boot(self.path("disk"))
        self.is_the_old_one(found, "root=/dev/hda1 ro quiet vga=normal")

    def test_another_entry_by_title(self):
        files = {**made.usual(), "boot/grub/menu.lst": "default 1\n" + made.MENU.split("\n", 1)[1]}
        found, _ = self.boot(self.disk(files), "--entry=Linux of then")
        self.is_the_old_one(found, "root=/dev/sda1 ro quiet")

    def test_an_entry_that_there_is_not(self):
        _, words = self.boot(self.disk(made.usual()), "--entry=7", code=1)
        self.assertIn("--entry=7: /boot/grub/menu.lst has no such entry; it has: 0 (Linux of then), 1", words)

    def test_where_the_file_system_begins_may_be_told(self):
        found, _ = self.boot(self.disk(made.usual()), "--offset=%d" % (made.FIRST * made.SECTOR))
        self.is_the_old_one(found, "root=/dev/sda1 ro quiet")
        for path in os.listdir(self.out):
            os.unlink(os.path.join(self.out, path))
        self.assertIn("--offset=9999999999:", self.boot(self.path("disk"), "--offset=9999999999", code=2)[1])

    def test_the_answer_s_three_forms(self):
        disk = self.disk(made.usual())
        for form, pattern in (("sxp", rb"^linux \(kernel '[^']+'\)\(ramdisk '[^']+'\)\(args 'root=/dev/sda1 ro quiet'\)$"),
                              ("simple", rb"^kernel \S+\nramdisk \S+\nargs root=/dev/sda1 ro quiet\n\n$"),
                              ("simple0", rb"^kernel [^\0]+\0ramdisk [^\0]+\0args root=/dev/sda1 ro quiet\0\0$")):
            answer, _ = self.call("-q", "--output-format=" + form, "--output-directory=" + self.out, disk)
            self.assertRegex(answer, pattern)

    def test_the_answer_goes_into_a_fifo(self):
        fifo, got = self.path("fifo"), []
        os.mkfifo(fifo)
        reader = threading.Thread(target=lambda: got.append(self.contents(fifo)))
        reader.start()
        self.call("-q", "--output=" + fifo, "--output-format=simple0", "--output-directory=" + self.out,
                  self.disk(made.usual()))
        reader.join()
        self.assertTrue(got[0].startswith(b"kernel " + self.out.encode()))

    def test_it_lists_entries_and_copies_nothing(self):
        text = self.call("-l", self.disk(made.usual()))[0].decode()
        self.assertIn("title: Linux of then\n  root: 1\n  kernel: /boot/vmlinuz-2.6.32-5-486\n", text)
        text = self.call("-n", "-q", self.path("disk"))[0].decode()
        self.assertIn("<kernel:/boot/vmlinuz-2.6.32-5-486>", text)

    def test_a_menu_alone(self):
        with open(self.path("lilo.conf"), "w", encoding="ascii") as file:
            file.write(LILO)
        self.assertIn(b"kernel: /boot/vmlinuz-2.6.32-5-486", self.call("--isconfig", self.path("lilo.conf"))[0])

    @unittest.skipIf(os.getuid(), "needs root")
    def test_the_image_is_read_by_the_user_that_is_named(self):
        disk = self.disk(made.usual())
        os.chmod(self.folder, 0o755)
        os.chmod(disk, 0o644)
        self.assertIn("kernel", self.boot(disk, "--runas=65534")[0])

    def test_what_was_typed_is_named(self):
        disk = self.disk(made.usual())
        for argv, words in ((["--runas=x", disk], "--runas=x: a number"), (["--output-format=json", disk], "json"),
                            (["--frob", disk], "--frob"), ([], "DISK"), (["--runas=1", disk], "--runas=1: goes with"),
                            (["-q", "--output-directory=nowhere", disk], "--output-directory=nowhere: No such")):
            self.assertIn(words, self.call(*argv, code=2)[1])


class Hostile(Case):
    """Each ends with one sentence and 1 or 2; nothing is left in the output directory."""

    def says(self, disk, *wanted, code=1, argv=()):
        words = self.boot(disk, *argv, code=code, reader="auto")[1]
        for text in wanted:
            self.assertIn(text, words)

    def file(self, name, data):
        with open(self.path(name), "wb") as file:
            file.write(data)
        return self.path(name)

    def test_what_is_no_disk(self):
        self.says(self.path("nothing"), "nothing: no such file", code=2)
        self.says(self.folder, "is a directory", code=2)
        self.says(self.file("empty", b""), "the file is empty", code=2)
        self.says(self.file("noise", bytes(range(255)) * 400), "no partition table and no file system")
        self.says(self.file("qcow", b"QFI\xfb" + bytes(4096)), "qcow2", "qemu-img convert")
        self.says(self.file("vhd", bytes(4096) + b"conectix" + bytes(504)), "VHD")
        self.says(self.file("gz", gzip.compress(bytes(99999))), "packed by gzip")

    def test_file_systems_that_are_not_read(self):
        made.disk(self.path("swap"), (0x82, made.swap(self.path("pages"))))
        self.says(self.path("swap"), "no ext2, ext3 or ext4", "swap (partition 1)", "by other means")
        self.says(self.path("swap"), "no ext2, ext3 or ext4", argv=["--kernel=/boot/vmlinuz"])
        made.disk(self.path("luks"), (0x83, b"LUKS\xba\xbe\x00\x01" + b"aes\0" + bytes(1 << 20)))
        self.says(self.path("luks"), "no ext2, ext3 or ext4")

    def test_time_ends(self):
        disk = self.disk(made.usual())
        with image.Image(disk) as raw:
            raw.deadline = 0
            with self.assertRaisesRegex(image.Damaged, "has not been read in 600 s"):
                raw.partitions()

    def test_a_missing_kernel_and_initrd_are_named(self):
        files = made.usual()
        del files["boot/vmlinuz-2.6.32-5-486"]
        self.says(self.disk(files), "the kernel /boot/vmlinuz-2.6.32-5-486, which the menu's entry names, is not in")

    def test_a_missing_initrd_is_named(self):
        files = made.usual()
        del files["boot/initrd.img"]
        self.says(self.disk(files), "the initrd /boot/initrd.img")

    def test_no_menu(self):
        self.says(self.disk({"boot/vmlinuz": made.with_guest()}), "no menu of GRUB, LILO or EXTLINUX", "kernel=")

    def test_a_menu_that_starts_nothing(self):
        self.says(self.disk({"boot/grub/menu.lst": "title a\nrootnoverify (hd0,1)\nchainloader +1\n"}), "no menu of")

    def test_loops_of_symbolic_links(self):
        files = made.usual()
        files["boot/vmlinuz-2.6.32-5-486"] = "->a"
        files["boot/a"] = "->b"
        files["boot/b"] = "->a"
        self.says(self.disk(files), "a loop")

    def test_a_loop_of_folders(self):
        files = {"boot": "->boot", "x": "y"}
        self.says(self.disk(files), "a loop")

    def test_links_that_lead_out_end_at_the_image_s_root(self):
        files = made.usual()
        files["boot/vmlinuz-2.6.32-5-486"] = "->../../../../etc/hostname"
        self.says(self.disk(files), "is not in the image")
        files = {**made.usual(), "boot/vmlinuz-2.6.32-5-486": "->/etc/kernel", "etc/kernel": made.with_guest()}
        os.unlink(self.path("fs"))
        found, _ = self.boot(self.disk(files), reader="auto")
        self.assertIn("kernel", found)

    def test_a_kernel_that_is_none_and_one_that_is_cut(self):
        files = {**made.usual(), "boot/vmlinuz-2.6.32-5-486": b"#!/bin/sh\n" * 9000}
        self.says(self.disk(files), "is no bzImage")
        os.unlink(self.path("fs"))
        files = {**made.usual(), "boot/vmlinuz-2.6.32-5-486": made.with_guest()[:100000] + b"cVmi"}
        self.says(self.disk(files), "cut short or damaged")

    def test_a_damaged_file_system(self):
        disk = self.disk(made.usual())
        with open(disk, "r+b") as file:
            file.seek(made.FIRST * made.SECTOR + 2048)      # group descriptors, bitmaps, inodes
            file.write(os.urandom(512 << 10))
        self.says(disk, "disk")

    def test_a_disk_that_is_cut_off(self):
        disk = self.disk(made.usual())
        with open(disk, "r+b") as file:
            file.truncate(300 << 10)
        self.says(disk, "disk")

    def test_random_damage_is_always_told_or_harmless(self):
        import random
        disk = self.disk(made.usual())
        good = self.contents(disk)
        for seed in range(12):
            rnd, data = random.Random(seed), bytearray(good)
            for _ in range(200):
                data[rnd.randrange(made.FIRST * made.SECTOR, made.FIRST * made.SECTOR + (256 << 10))] = rnd.randrange(256)
            self.file("bad", data)
            done = subprocess.run([BOOT, "--reader=own", "-q", "--output-format=simple0", "--output-directory=" +
                                   self.out, self.path("bad")], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE, check=False)
            words = done.stderr.decode("utf-8", "replace")
            self.assertIn(done.returncode, (0, 1), words)
            self.assertEqual(words.count("\n"), 1, "seed %d: %s" % (seed, words))
            self.assertEqual(len(os.listdir(self.out)) > 0, done.returncode == 0)
            for name in os.listdir(self.out):
                os.unlink(os.path.join(self.out, name))

    def test_forty_kernels_and_a_menu_of_thousands(self):
        files = {"boot/vmlinuz-2.6.%d" % n: made.with_guest() for n in range(40)}
        menu = "".join("title %d\nkernel /boot/vmlinuz-2.6.%d\n" % (n, n % 40) for n in range(5000))
        disk = self.disk({**files, "boot/grub/menu.lst": menu}, megabytes=16)
        found, _ = self.boot(disk, reader="own", *["--entry=199"])
        self.assertIn("kernel", found)
        self.assertEqual(len(menus.read("menu.lst", menu).entries), menus.MOST)

    def test_names_that_would_be_commands(self):
        name = 'vmlinuz" ; cat /etc/passwd <2> \x1b[31m'
        files = {"boot/" + name: made.with_guest(), "boot/grub/menu.lst": "title a\nkernel /boot/vmlinuz\";x \x1b]0;\x07\n"}
        words = self.boot(self.disk(files), code=1)[1]
        self.assertIn("is not in the image", words)
        self.assertNotIn("\x1b", words)

    def test_a_command_line_that_xen_would_cut(self):
        files = {**made.usual(), "boot/grub/menu.lst": "title a\nkernel /boot/vmlinuz-2.6.32-5-486 " + "x" * 1100 + "\n"}
        self.says(self.disk(files), "1100 bytes", "1023 at most")

    def test_a_menu_that_is_larger_than_any(self):
        files = {**made.usual(), "boot/grub/menu.lst": b"#" * (image.LISTING + 1)}
        self.says(self.disk(files, megabytes=16), "menu.lst")

    def test_partition_tables_that_lead_nowhere(self):
        disk = self.disk(made.usual())
        table = bytearray(self.contents(disk))
        for entry in range(4):                              # extended ones that hold each other
            table[446 + 16 * entry:462 + 16 * entry] = bytes((0, 0, 0, 0, 5, 0, 0, 0)) + (entry + 1).to_bytes(4, "little") * 2
        self.file("loop", table)
        self.says(self.path("loop"), "loop")

    @unittest.skipUnless(os.getuid() == 0, "needs root")
    def test_a_disk_that_may_not_be_read_by_the_user_that_is_named(self):
        disk = self.disk(made.usual())
        os.chmod(disk, 0o600)
        self.assertEqual(self.call("-q", "--runas=65534", "--output-directory=" + self.out, disk, code=1)[1].count("\n"), 1)


@unittest.skipUnless(PYGRUB, "there is no pygrub here")
class Pygrub(Readers, Case):
    reader = "pygrub"

    def test_where_it_finds_nothing_we_do(self):
        files = made.usual()
        del files["boot/grub/menu.lst"]
        found, _ = self.boot(self.disk({**files, "etc/lilo.conf": LILO}), reader="auto")
        self.is_the_old_one(found, "root=/dev/hda1 ro quiet vga=normal")


if __name__ == "__main__":
    unittest.main()
