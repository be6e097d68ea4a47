# SPDX-License-Identifier: GPL-2.0-only
"""vmixen inspect: what a file is and what vmixen can make of it.

Kept true here: exit code 0 says that there is something in the file that runs; what is
said of compatibility stands in docs/compatibility.md.
"""

import os
import stat
import struct
import subprocess

import image
import kernel
import known
import places
from disk import Disk
from words import FINE, REFUSED, USAGE, Wrong, read_error, show

PAYLOAD = b"VMXENPL2"       # PAYLOAD_MAGIC of include/image.h, behind it address and size of three parts
PT_LOAD = 1
BINDINGS = (("PV", "type = \"pv\", or \"pvh\" with pvshim"), ("PVH", "type = \"pvh\""))


def megabytes(size):
    return "%d MB" % (size >> 20) if size >= 1 << 20 else "%d KB" % (size >> 10)


def kernel_lines(found, indent=""):
    """A Kernel in words."""
    bits = "64-bit" if found.is_64 else "32-bit"
    if found.vmi:
        show("%sVMI: yes, it runs by vmixen" % indent)
    elif found.vmi is None:
        show("%sVMI: cannot be told: %s" % (indent, found.why))
    else:
        show("%sVMI: no (%s): %s" % (indent, bits, found.why))
    if found.release and not found.is_64:
        rows, troubles = known.of(found.release)
        for row in rows:
            show("%stried: %s" % (indent, row))
        for trouble in troubles:
            show("%sknown: %s (docs/compatibility.md)" % (indent, trouble))
        if found.vmi and not rows:
            show("%sdocs/compatibility.md says nothing of %s" % (indent, found.release))


def title(found):
    return found.release or found.banner or "says no version"


def of_kernel(path, data):
    found = kernel.look(data, path)
    show("%s: kernel (bzImage), %s, %s" % (path, title(found), megabytes(len(data))))
    kernel_lines(found, "  ")
    if found.vmi:
        show("  to wrap it: vmixen wrap %s" % path)
    elif found.vmi is False:
        show("  %s" % kernel.advice(found))
    return FINE if found.vmi is not False else REFUSED


# --- a wrapped kernel -------------------------------------------------------------

def parts(data):
    """[(binding's image or kernel as bytes)] of a file that mkrom wrap has made, or None."""
    if data[:5] != b"\x7fELF\x01" or len(data) < 52:
        return None
    at = data.find(PAYLOAD)
    if at < 0 or at + 32 > len(data):
        return None
    offset, = struct.unpack_from("<I", data, 28)
    size, count = struct.unpack_from("<HH", data, 42)
    segments = []
    for n in range(min(count, 64)):
        if offset + n * size + 24 > len(data):
            return None
        kind, start, address, _, length = struct.unpack_from("<5I", data, offset + n * size)
        if kind == PT_LOAD:
            segments.append((address, length, start))
    found = []
    for n in range(3):
        where, length = struct.unpack_from("<2I", data, at + 8 + 8 * n)
        found.append(b"")
        for address, there, start in segments:
            if length and address <= where and where + length <= address + there:
                found[n] = data[start + where - address:start + where - address + length]
    return found if found[2] else None


def rom_version(rom):
    """ "0.2" by the PCI header of an image."""
    at, = struct.unpack_from("<H", rom, 0x18)
    return "%d.%d" % (rom[at + 19], rom[at + 18]) if at + 20 <= len(rom) else "?"


def of_wrapped(path, data):
    *roms, bzimage = parts(data)
    show("%s: wrapped kernel for Xen (kernel= of xl), %s" % (path, megabytes(len(data))))
    for (name, types), rom in zip(BINDINGS, roms):
        show("  %s: %s" % (types, "vmixen %s's ROM, %s image" % (rom_version(rom), name) if rom else
                           "no, it has no %s image" % name))
    found = kernel.look(bzimage, path)
    show("  in it: %s" % title(found))
    kernel_lines(found, "  ")
    return FINE if found.vmi is not False else REFUSED


# --- a disk ----------------------------------------------------------------------

def menu_lines(disk):
    for partition, menu in disk.menus:
        show("menu %s%s:" % ("of %s, " % partition.name if partition.number else "", menu.path))
        if not menu.entries:
            show("  no entry starts a kernel")
        for number, entry in enumerate(menu.entries):
            place = disk._try(disk.file, entry.kernel, partition, entry.partition)
            try:
                found = disk.kernel(place) if place else None
                words = "is not there" if not found else \
                    "%s, %s" % (title(found), {True: "VMI", False: "no VMI", None: "VMI: cannot be told"}[found.vmi])
            except Wrong as wrong:
                words = "is no bzImage" if "bzImage" in str(wrong) else "cannot be read"
            show("  %s %d: %s" % ("*" if number == menu.default else " ", number, entry.title))
            show("       kernel %s (%s)" % (entry.kernel, words))
            if entry.initrd:
                there = disk._try(disk.file, entry.initrd, partition, entry.partition)
                show("       initrd %s%s" % (entry.initrd, "" if there else " (is not there)"))
            if entry.args:
                show("       %s" % entry.args)


def of_disk(path):
    with image.Image(path) as raw:
        disk = Disk(raw)
        if not disk.partitions:
            raise Wrong("%s: is no kernel, no ROM, no wrapped kernel, and no disk with a partition table or a file "
                        "system that is known" % path)
        show("%s: disk image, %s%s" % (path, megabytes(raw.size), ", partition table: " + raw.scheme
                                       if raw.scheme else ""))
        for partition in disk.partitions:
            show("  %s: %s, %s%s" % (partition.name, partition.kind or "unknown", megabytes(partition.size),
                                     ", active" if partition.active else ""))
        if not disk.readable:
            raise Wrong(disk.without_menu())
        menu_lines(disk)
        found, more = disk.kernels()
        for place, one in found:
            show("kernel %s: %s" % (place.name, title(one)))
            kernel_lines(one, "  ")
        if more:
            show("%d more files look like kernels; the first %d were looked at" % (more, len(found)))
        for trouble in disk.troubles:
            show("trouble: %s" % trouble)
        with_vmi = sum(one.vmi is True for _, one in found)
        show("%d %s, %d with VMI" % (len(found), "kernel" if len(found) == 1 else "kernels", with_vmi))
        if with_vmi:
            show("to run it: vmixen cfg NAME --disk %s" % os.path.abspath(path))
        elif found:
            show(kernel.advice(found[0][1]))
    return FINE if with_vmi else REFUSED


def of_rom(path):
    sys_mkrom = places.mkrom()
    if not sys_mkrom:
        raise Wrong("mkrom is missing, which reads ROMs: `make` makes it", USAGE)
    show("%s: VMI ROM" % path)
    return subprocess.run([sys_mkrom, "inspect", path], check=False).returncode


def inspect(path):
    try:
        mode = os.stat(path).st_mode
        if stat.S_ISDIR(mode):
            raise Wrong("%s: is a directory, a file or a disk was expected" % path, USAGE)
        with open(path, "rb") as file:
            start = file.read(0x210)
    except (OSError, ValueError) as error:
        raise read_error(path, error) from None
    if not start:
        raise Wrong("%s: the file is empty" % path, USAGE)
    if kernel.is_bzimage(start):
        return of_kernel(path, kernel.contents(path))
    if start.startswith(b"\x7fELF"):
        data = kernel.contents(path)
        if parts(data):
            return of_wrapped(path, data)
        raise Wrong("%s: is an ELF file that vmixen has not made, perhaps a vmlinux; a bzImage was expected" % path)
    if start.startswith(b"\x55\xaa") and start[8:12] == kernel.VMI:
        return of_rom(path)
    return of_disk(path)
