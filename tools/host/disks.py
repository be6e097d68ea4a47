# SPDX-License-Identifier: GPL-2.0-only
"""A guest's disks: what is typed of them, and how QEMU and xl are told.

Kept true here: a file changes only if it was given to be written to, and then by
what the guest writes and by nothing else.
"""

import os
import re
import stat
from dataclasses import dataclass

SECTOR = 512
MOST = 8                # DISKS of pc/disk.h
VDEV = re.compile(r"(hd[a-d]|(sd|xvd)[a-z])")
OPTION = re.compile(r"(ro|snapshot|vdev=[^,]*)")


@dataclass
class Disk:
    path: str
    vdev: str           # the name that xl gives it
    ro: bool            # the guest may not write
    snapshot: bool      # what it writes is gone with the run

    @property
    def name(self):
        """Of the image in dom0 and in the xl configuration."""
        return re.sub(r"[^A-Za-z0-9._-]", "_", os.path.basename(self.path))

    def drive(self, qemu, number):
        """QEMU's arguments for the file itself; its id is diskN."""
        return ["-drive", "file=%s,format=raw,if=none,id=disk%d%s%s" % (
            qemu.file(self.path, writable=not (self.ro or self.snapshot)), number,
            ",snapshot=on" if self.snapshot else "", ",readonly=on" if self.ro else "")]


def parsed(text, used):
    """FILE[,vdev=NAME][,ro][,snapshot]; a file's name may have commas in it. Without
    a name it is the first of sda, sdb, ... that is not in used."""
    path, words = text, []
    while True:
        rest, comma, word = path.rpartition(",")
        if not comma or not OPTION.fullmatch(word):
            break
        path, words = rest, [word] + words
    vdev = [word[5:] for word in words if word.startswith("vdev=")]
    free = ("sd" + chr(ord("a") + i) for i in range(26))
    return Disk(path, vdev[-1] if vdev else next(name for name in free if name not in used),
                "ro" in words, "snapshot" in words)


def fault(disk, used):
    """What is wrong with it; None: nothing."""
    if not VDEV.fullmatch(disk.vdev):
        return "vdev=%s: a disk is one of hda to hdd, sda to sdz, xvda to xvdz" % disk.vdev
    if disk.vdev in used:
        return "vdev=%s: there is one already" % disk.vdev
    try:
        found = os.stat(disk.path)
    except (OSError, ValueError) as error:
        return "no such file" if isinstance(error, FileNotFoundError) else \
            getattr(error, "strerror", None) or str(error)
    if stat.S_ISDIR(found.st_mode):
        return "is a directory, the image of a disk was expected"
    if not stat.S_ISREG(found.st_mode):
        return "is no plain file"
    if not found.st_size:
        return "the file is empty"
    if found.st_size % SECTOR:
        return "has %d bytes, which is no multiple of %d: no image of a disk" % (found.st_size, SECTOR)
    if not os.access(disk.path, os.R_OK):
        return "may not be read by you"
    if not disk.ro and not disk.snapshot and not os.access(disk.path, os.W_OK):
        return "may not be written to by you; with \",ro\" or \",snapshot\" behind it, it need not be"
    return None


def taken(texts, wrong):
    """The Disks of what was typed, [(name of the option, text)]; wrong(name, text,
    words) raises."""
    disks, used = [], set()
    for name, text in texts:
        disk = parsed(text, used)
        words = fault(disk, used)
        if words is None and any(os.path.samefile(disk.path, other.path) and
                                 not (disk.ro and other.ro) for other in disks):
            words = "is given twice, and written to"
        if words is None and len(disks) == MOST:
            words = "a guest has %d disks at most" % MOST
        if words:
            wrong(name, text, words)
        disks.append(disk)
        used.add(disk.vdev)
    return disks


# --- for xl ---------------------------------------------------------------------

def names(disks):
    """Of the images beside the configuration, each once."""
    found = []
    for disk in disks:
        name = disk.name
        if name in found or not name.strip("."):
            name = "%s-%s" % (disk.vdev, name)
        found.append(name)
    return found


def xl_lines(disks, quoted):
    """The configuration's; target= takes the rest of the text, whatever is in it."""
    return ["disk = [ %s ]" % ", ".join(
        quoted("format=raw,vdev=%s,access=%s,target=%s" % (disk.vdev, "ro" if disk.ro else "rw", name))
        for disk, name in zip(disks, names(disks)))] if disks else []


def for_dom0(disks, qemu):
    """Dom0 has the first image as /dev/vda, and so on."""
    line = []
    for number, disk in enumerate(disks):
        line += disk.drive(qemu, number) + [
            "-device", "virtio-blk-pci,drive=disk%d,ioeventfd=off" % number]
    return line


# --- for the bare machine -----------------------------------------------------------

def for_bare(disks, qemu):
    """The controllers that the ROM has models of: the 440FX's own IDE, and AHCI."""
    line, ports = [], 0
    if any(not disk.vdev.startswith("hd") for disk in disks):
        line += ["-device", "ich9-ahci,id=ahci"]
    for number, disk in enumerate(disks):
        line += disk.drive(qemu, number)
        if disk.vdev.startswith("hd"):
            place = ord(disk.vdev[2]) - ord("a")
            line += ["-device", "ide-hd,drive=disk%d,bus=ide.%d,unit=%d" % (number, place // 2, place % 2)]
        else:
            line += ["-device", "ide-hd,drive=disk%d,bus=ahci.%d" % (number, ports)]
            ports += 1
    return line

