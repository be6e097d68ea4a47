# SPDX-License-Identifier: GPL-2.0-only
"""vmixen-boot: takes kernel and initrd out of a guest's disk, and wraps the kernel.

libxl calls it so, and reads the answer from the FIFO (libxl_bootloader.c):

    vmixen-boot [--kernel=K] [--ramdisk=R] [--args=A] --output=FIFO
        --output-format=simple0 --output-directory=DIR [bootloader_args] DISK

pygrub, of Xen's own tools, chooses and copies: it has a menu on the domain's console, and
reads file systems in a process without rights if --runas says so. Where it finds nothing
(LILO, a separate /boot, a file system or a menu that it does not understand), or is not
installed, disk.py does it, without a menu on the screen.

Kept true here: nothing is answered, and nothing of ours is left in DIR, unless the kernel
has VMI and mkrom has wrapped it; else the exit code is not 0 and one sentence on standard
error, which libxl writes to /var/log/xen/bootloader.N.log, says why.
"""

import os
import re
import subprocess
import sys
import tempfile

import checkhost
import image
import kernel
import places
import wrap
from arguments import CMDLINE_MOST
from disk import Disk
from guestfiles import GZIP, NO_GZIP
from words import REFUSED, USAGE, Parser, Wrong, note, show

NAME = "vmixen-boot"
SECONDS = 120           # for a pygrub that asks nobody
FORMATS = ("sxp", "simple", "simple0")

EPILOG = """\
In a configuration: bootloader = "/usr/bin/vmixen-boot", and as bootloader_args what stands
above. kernel= and ramdisk= are then files in the image, and extra= is added to what the
image's menu has. exit codes: 0 done; 1 there is nothing to boot, or no kernel with VMI;
2 what was typed is wrong.
"""


def parser():
    p = Parser(prog=NAME, epilog=EPILOG, description="Chooses kernel and initrd in a guest's disk, as pygrub does, "
               "and wraps the kernel with vmixen's ROM. xl calls it.")
    add = p.add_argument
    add("-q", "--quiet", action="store_true", help="ask nobody: the menu's default")
    add("-i", "--interactive", action="store_true", help="show the menu (pygrub's; this is the default)")
    add("-l", "--list-entries", action="store_true", help="list the menu's entries, and boot nothing")
    add("-n", "--not-really", action="store_true", help="choose, check and answer, but copy nothing")
    add("--isconfig", action="store_true", help="DISK is a menu's file: show what it would boot")
    add("--debug", action="store_true", help="say what is done")
    add("--entry", metavar="ENTRY", help="of the menu, by number or title; asks nobody")
    add("--kernel", metavar="PATH", help="a kernel in the image, in place of the menu's")
    add("--ramdisk", metavar="PATH", help="its initrd in the image")
    add("--args", metavar="STR", default="", help="more for the kernel's command line")
    add("--offset", metavar="BYTES", help="where in DISK the file system begins")
    add("--runas", metavar="UID", help="read the image as this user; with --entry or -q only")
    add("--output", metavar="FILE", help="where the answer goes; standard output without")
    add("--output-format", metavar="FORMAT", default="sxp", help="of the answer: sxp, simple or simple0 (sxp)")
    add("--output-directory", metavar="DIR", default="/var/run/xen/pygrub/", help="where kernel and initrd go "
        "(/var/run/xen/pygrub/)")
    add("--reader", choices=("auto", "pygrub", "own"), default="auto", help="who reads the image: pygrub alone, or "
        "vmixen-boot alone; auto: pygrub, and where it finds nothing vmixen-boot")
    add("disk", metavar="DISK")
    return p


class Chosen:
    """Files of ours in the output directory, and the command line."""

    def __init__(self, title, kernel_path, ramdisk_path, args):
        self.title, self.kernel, self.ramdisk, self.args = title, kernel_path, ramdisk_path, args


def integer(text, option):
    if text is not None and not re.fullmatch(r"\d{1,18}", text):
        raise Wrong("%s=%s: a number was expected" % (option, text), USAGE)
    return None if text is None else int(text)


def checked(argv):
    args = parser().parse_args(argv)
    args.offset, args.runas = integer(args.offset, "--offset"), integer(args.runas, "--runas")
    if args.output_format not in FORMATS:
        raise Wrong("--output-format=%s: one of %s was expected" % (args.output_format, ", ".join(FORMATS)), USAGE)
    if args.runas is not None and not (args.quiet or args.entry is not None):
        raise Wrong("--runas=%d: goes with --entry or -q alone" % args.runas, USAGE)
    if args.output == "-":
        args.output = None
    args.interactive = not (args.quiet or args.entry is not None) and sys.stdin.isatty()
    return args


# --- pygrub -------------------------------------------------------------------------

def pygrub(args):
    """pygrub's path, or None."""
    if args.reader == "own":
        return None
    found = os.environ.get("VMIXEN_PYGRUB") or checkhost.find("/", checkhost.PYGRUBS)
    if not found and args.reader == "pygrub":
        raise Wrong("--reader=pygrub: it is not installed (package xen-utils)")
    return found


def pygrub_options(args):
    line = ["--args=" + args.args] if args.args else []
    for option in ("kernel", "ramdisk", "entry", "offset", "runas"):
        value = getattr(args, option)
        if value is not None:
            line.append("--%s=%s" % (option, value))
    return line + (["--debug"] if args.debug else [])


OURS = re.compile(r"(boot_kernel|boot_ramdisk|answer)\.")


def swept(folder, before):
    """Removes what has come into the folder, of pygrub's or ours."""
    for name in set(os.listdir(folder)) - before:
        if OURS.match(name):
            os.unlink(os.path.join(folder, name))


def by_pygrub(program, args, folder):
    """A Chosen, or None and a sentence about why there is none. A pygrub that fails leaves
    empty files."""
    before = set(os.listdir(folder))
    chosen, despair = _by_pygrub(program, args, folder)
    if not chosen:
        swept(folder, before)
    return chosen, despair


def _by_pygrub(program, args, folder):
    fd, answer = tempfile.mkstemp(prefix="answer.", dir=folder)
    os.close(fd)
    line = [program, *pygrub_options(args), "--output=" + answer, "--output-format=simple0",
            "--output-directory=" + folder, *([] if args.interactive else ["-q"]), args.disk]
    try:
        # Its menu is on our own terminal, which is the domain's console; its words of
        # despair are kept, for ours may do better.
        done = subprocess.run(line, stdin=None if args.interactive else subprocess.DEVNULL,
                              stdout=None if args.interactive else subprocess.PIPE,
                              stderr=None if args.debug else subprocess.PIPE, check=False,
                              timeout=None if args.interactive else SECONDS)
        with open(answer, "rb") as file:
            words = file.read(1 << 16)
    except subprocess.TimeoutExpired:
        return None, "pygrub has not ended in %d s" % SECONDS
    except OSError as error:
        return None, "pygrub cannot be started: %s" % error
    finally:
        os.unlink(answer)
    found = dict(part.split(b" ", 1) for part in words.split(b"\0") if b" " in part)
    if done.returncode or b"kernel" not in found:
        text = (done.stderr or b"").decode("utf-8", "replace").strip().split("\n")[-1]
        return None, "pygrub: %s" % (text or "exit code %d" % done.returncode)
    ramdisk = found.get(b"ramdisk")
    return Chosen("pygrub's choice", os.fsdecode(found[b"kernel"]), ramdisk and os.fsdecode(ramdisk),
                  os.fsdecode(found.get(b"args", b""))), ""


# --- our own reader ------------------------------------------------------------------

def entry_of(disk, args):
    """(partition, title, kernel's path, ramdisk's path, command line, partition's number)"""
    if args.kernel:
        if not disk.readable:
            raise Wrong(disk.without_menu())
        return None, args.kernel, args.kernel, args.ramdisk, args.args, 0
    partition, entry = disk.chosen(args.entry)
    line = " ".join(text for text in (entry.args, args.args) if text)
    return partition, entry.title, entry.kernel, args.ramdisk or entry.initrd, line, entry.partition


def placed(disk, path, partition, number, what):
    place = disk.file(path, partition, number)
    if not place:
        raise Wrong("%s: %s %s, which %s, is not in the image" % (
            disk.image.path, what, path, "the menu's entry names" if partition else "was given"))
    return place


def by_ourselves(disk, args, folder):
    partition, title, kernel_path, ramdisk_path, line, number = entry_of(disk, args)
    place = placed(disk, kernel_path, partition, number, "the kernel")
    initrd = placed(disk, ramdisk_path, partition, number, "the initrd") if ramdisk_path else None
    refuse_without_vmi(disk.kernel(place), "%s: %s" % (disk.image.path, place.name), disk)
    if args.not_really:
        return Chosen(title, "<kernel:%s>" % kernel_path, ramdisk_path and "<ramdisk:%s>" % ramdisk_path, line)
    return Chosen(title, copied(disk, place, folder, "boot_kernel."),
                  initrd and copied(disk, initrd, folder, "boot_ramdisk."), line)


def copied(disk, place, folder, prefix):
    fd, path = tempfile.mkstemp(prefix=prefix, dir=folder)
    os.close(fd)
    disk.image.copy(place.partition, place.node, path)
    return path


# --- what both lead to ----------------------------------------------------------------

def refuse_without_vmi(found, name, disk):
    """Raises for a kernel without VMI, with the entries that would do. One that does not
    tell is tried: it says itself that it has none."""
    if found.vmi is None:
        note(NAME, "%s: VMI: cannot be told: %s" % (name, found.why))
    if found.vmi is not False:
        return
    others = []
    for number, (partition, _, entry) in enumerate(disk.entries() if disk else []):
        try:
            place = disk.file(entry.kernel, partition, entry.partition)
            if place and disk.kernel(place).vmi:
                others.append("%d (%s)" % (number, entry.title))
        except Wrong:
            continue
    raise Wrong("%s: has no VMI: %s; %s" % (name, found.why, (
        "these entries of the menu have it: %s; bootloader_args = [ \"--entry=%s\" ] takes the first"
        % (", ".join(others[:10]), others[0].split(" ")[0])) if others else kernel.advice(found)))


def own_disk(args):
    return Disk(image.Image(args.disk, args.runas), args.offset)


def choose(args, folder):
    """A Chosen whose kernel has VMI or does not tell."""
    program, despair = pygrub(args), ""
    if program and not args.not_really:
        chosen, despair = by_pygrub(program, args, folder)
        if chosen:
            data = kernel.contents(chosen.kernel, "%s: the kernel of the chosen entry" % args.disk)
            found = kernel.look(data, "%s: the kernel of the chosen entry" % args.disk)
            refuse_without_vmi(found, "%s: %s (the kernel of the chosen entry)" % (
                args.disk, found.release or "the kernel"), own_or_none(args))
            return chosen
        if args.reader == "pygrub":
            raise Wrong("%s: %s" % (args.disk, despair))
        if args.debug:
            note(NAME, "%s; looking without it" % despair)
    return by_ourselves(own_disk(args), args, folder)


def own_or_none(args):
    """To name other entries, if they can be read."""
    try:
        return own_disk(args)
    except Wrong:
        return None


def wrapped(chosen, folder, disk):
    """In place of the bzImage, what Xen starts."""
    out = chosen.kernel + ".elf"
    wrap.mkrom_wrap(chosen.kernel, out, "%s: the kernel" % disk)
    os.chmod(out, 0o600)
    os.unlink(chosen.kernel)
    chosen.kernel = out


def passed_on(path):
    """xl would unpack an initrd that begins as gzip does, the first member alone; Linux
    skips zeros (guestfiles.py)."""
    with open(path, "r+b") as file:
        data = file.read()
        if data.startswith(GZIP):
            file.seek(0)
            file.write(NO_GZIP + data)


def answer(chosen, form):
    """As pygrub has it."""
    pairs = [("kernel", chosen.kernel), ("ramdisk", chosen.ramdisk), ("args", chosen.args)]
    pairs = [(name, value) for name, value in pairs if value]
    if form == "sxp":
        return "linux " + "".join("(%s %s)" % (name, repr(value)) for name, value in pairs)
    end = "\n" if form == "simple" else "\0"
    for name, value in pairs:
        if end in value:
            raise Wrong("%s: has %s in it, which --output-format=%s has no way to say" % (
                name, "a line's end" if form == "simple" else "a NUL", form))
    return "".join("%s %s%s" % (name, value, end) for name, value in pairs) + end


def emit(text, output):
    data = os.fsencode(text)
    if output is None:
        sys.stdout.flush()
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
        return
    try:
        with open(output, "wb") as file:
            file.write(data)
    except OSError as error:
        raise Wrong("--output=%s: %s" % (output, error.strerror), USAGE) from None


def list_entries(args):
    disk = own_disk(args)
    entries = disk.entries()
    if not entries:
        raise Wrong(disk.without_menu())
    for _, _, entry in entries:
        show("title: %s" % entry.title)
        show("  root: %s" % (entry.partition or None))
        show("  kernel: %s" % entry.kernel)
        show("  args: %s" % entry.args)
        show("  initrd: %s" % (entry.initrd or None))


def show_config(args):
    """--isconfig: DISK is the menu itself."""
    import menus
    try:
        with open(args.disk, encoding="utf-8", errors="surrogateescape") as file:
            menu = menus.read(args.disk, file.read(image.LISTING))
    except OSError as error:
        raise Wrong("%s: %s" % (args.disk, error.strerror), USAGE) from None
    if not menu.entries:
        raise Wrong("%s: no entry starts a kernel" % args.disk)
    wanted = menu.entries[menu.default]
    for number, entry in enumerate(menu.entries):
        if args.entry in (str(number), entry.title):
            wanted = entry
    show("  kernel: %s" % wanted.kernel)
    if wanted.initrd:
        show("  initrd: %s" % wanted.initrd)
    show("  args: %s" % " ".join(text for text in (wanted.args, args.args) if text))


def boot(argv):
    args = checked(argv)
    if args.isconfig:
        return show_config(args)
    if args.list_entries:
        return list_entries(args)
    if args.not_really:
        emit(answer(choose(args, None), args.output_format), args.output)
        return 0
    wrap.ready()
    folder = args.output_directory
    try:
        if folder == parser().get_default("output_directory"):
            os.makedirs(folder, 0o700, exist_ok=True)
        before = set(os.listdir(folder))
    except OSError as error:
        raise Wrong("--output-directory=%s: %s" % (folder, error.strerror), USAGE) from None
    try:
        chosen = choose(args, folder)
        if len(os.fsencode(chosen.args)) > CMDLINE_MOST:
            raise Wrong("%s: the command line has %d bytes, and Xen passes on %d at most" % (
                args.disk, len(os.fsencode(chosen.args)), CMDLINE_MOST))
        wrapped(chosen, folder, args.disk)
        if chosen.ramdisk:
            passed_on(chosen.ramdisk)
        emit(answer(chosen, args.output_format), args.output)
    except BaseException:
        swept(folder, before)
        raise
    note(NAME, "%s: %s, \"%s\"" % (args.disk, chosen.title, chosen.args))
    return 0
