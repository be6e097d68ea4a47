# SPDX-License-Identifier: GPL-2.0-only
"""The guest as dom0 gets it: an xl configuration and a cpio archive.

Kept true here: the configuration that is written beside the log is the very
one that xl is given. It names its files without a directory, so that it runs
on any Xen host with those files beside it.
"""

import os

import disks
import vifs

GZIP = b"\x1f\x8b"
NO_GZIP = bytes(4)      # Linux skips zeros between the parts of an initramfs
TAKEN = ("guest.cfg", "name", "disks", "vifs", "lifecycle")   # in the archive, by dom0-init's own


# Actions of --at that dom0-init's life() does.
LIFE = ("checkpoint", "save", "migrate")


def lives(args):
    """Is the domain to be saved, or to migrate?"""
    return any(action.partition(" ")[0] in LIFE for _, action in args.at)


# libxlu knows escapes by number, too, but leaves them out of the string.
ESCAPES = {ord(char): "\\" + escape for char, escape in
           zip('"\\\a\b\f\n\r\t\v', '"\\abfnrtv')}


def quoted(text):
    """A string of xl's configuration language, which takes any byte but NUL."""
    return '"%s"' % text.translate(ESCAPES)


def config(args, kind, shim_mb, kernel, initrd):
    lines = [
        "# A vmixen guest. Put the files named below beside this one, then:",
        "#     xl create -c %s.cfg" % args.name,
        "name = %s" % quoted(args.name),
        "type = %s" % quoted(kind),
    ]
    if shim_mb:
        lines += [
            "pvshim = 1",
            "pvshim_extra = %s" % quoted(args.shim_args),
        ]
    lines += ["kernel = %s" % quoted(kernel)]
    if initrd:
        lines += ["ramdisk = %s" % quoted(initrd)]
    if args.cmdline:
        lines += ["extra = %s" % quoted(args.cmdline)]
    if shim_mb:
        lines += ["# %d MB for the guest, the rest for the shim" % args.memory]
    lines += [
        "memory = %d" % (args.memory + shim_mb),
        "vcpus = %d" % args.vcpus,
        *disks.xl_lines(args.disks, quoted),
        *vifs.xl_lines(args.vifs, quoted),
        'tsc_mode = "native"',
        'on_poweroff = "destroy"',
        'on_reboot = "restart"',
        'on_crash = "preserve"',
    ]
    return "\n".join(lines) + "\n"


def newc(name, data, mode=0o100644, device=(0, 0)):
    """One member of a cpio archive, as Documentation/driver-api/early-userspace
    of Linux has it: thirteen fields of eight hexadecimal digits."""
    path = os.fsencode(name) + b"\0"
    fields = (0, mode, 0, 0, 1, 0, len(data), 0, 0, *device, len(path), 0)
    head = b"070701" + b"".join(b"%08X" % field for field in fields) + path
    return head + bytes(-len(head) % 4) + data + bytes(-len(data) % 4)


def contents(path):
    with open(path, "rb") as source:
        return source.read()


def initrd_for_xl(data):
    """xl's domain builder unpacks an initrd that begins as gzip does, but only the
    first of several members; the kernel, which takes any number of them, shall do
    it. For that the file may not begin so."""
    return NO_GZIP + data if data.startswith(GZIP) else data


def prepare(args, kind, shim_mb):
    """Returns the configuration's text (os.fsencode() gives its bytes), the archive for dom0's initramfs, and the
    files, name -> bytes, that the configuration names and nobody has yet."""
    kernel, initrd = os.path.basename(args.kernel), None
    data, new = contents(args.kernel), {}
    if kernel in TAKEN:
        kernel = args.name + ".elf"
        new[kernel] = data
    files = {kernel: data}
    if args.initrd:
        initrd = os.path.basename(args.initrd)
        data = contents(args.initrd)
        usable = initrd_for_xl(data)
        if usable is not data or initrd in TAKEN or initrd == kernel:
            initrd = args.name + ".ramdisk"
            new[initrd] = usable
        files[initrd] = usable
    text = config(args, kind, shim_mb, kernel, initrd)
    archive = newc("guest", b"", 0o040755)
    archive += newc("guest/guest.cfg", os.fsencode(text)) + newc("guest/name", args.name.encode())
    if args.disks:
        archive += newc("guest/disks", "".join(name + "\n" for name in disks.names(args.disks)).encode())
    if args.vifs:
        archive += newc("guest/vifs", b"")
    if lives(args):
        archive += newc("guest/lifecycle", b"")
    for name, data in files.items():
        archive += newc("guest/" + name, data)
    return text, archive + newc("TRAILER!!!", b""), new
