# SPDX-License-Identifier: GPL-2.0-only
"""The guest as dom0 gets it: an xl configuration and a cpio archive.

Kept true here: the configuration that is written beside the log is the very
one that xl is given. It names its files without a directory, so that it runs
on any Xen host with those files beside it.
"""

import os


def quoted(text):
    """A string of xl's configuration language."""
    return '"%s"' % text.replace("\\", "\\\\").replace('"', '\\"')


def config(args, kind, shim_mb, kernel, initrd):
    lines = [
        "# A vmixen guest. Put the files named below beside this one, then:",
        "#     xl create -c %s.cfg" % args.name,
        "name = %s" % quoted(args.name),
        "type = %s" % quoted(kind),
    ]
    if kind == "pvh":
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
        'tsc_mode = "native"',
        'on_poweroff = "destroy"',
        'on_reboot = "restart"',
        'on_crash = "preserve"',
    ]
    return "\n".join(lines) + "\n"


def newc(name, data, mode=0o100644, device=(0, 0)):
    """One member of a cpio archive, as Documentation/driver-api/early-userspace
    of Linux has it: thirteen fields of eight hexadecimal digits."""
    path = name.encode() + b"\0"
    fields = (0, mode, 0, 0, 1, 0, len(data), 0, 0, *device, len(path), 0)
    head = b"070701" + b"".join(b"%08X" % field for field in fields) + path
    return head + bytes(-len(head) % 4) + data + bytes(-len(data) % 4)


def prepare(args, kind, shim_mb):
    """Returns the configuration's text and the archive for dom0's initramfs."""
    names = {"kernel": os.path.basename(args.kernel)}
    if args.initrd:
        names["initrd"] = os.path.basename(args.initrd)
        if names["initrd"] in (names["kernel"], "guest.cfg", "name"):
            names["initrd"] = args.name + ".initrd"
    if names["kernel"] in ("guest.cfg", "name"):
        names["kernel"] = args.name + ".elf"
    text = config(args, kind, shim_mb, names["kernel"], names.get("initrd"))
    archive = newc("guest", b"", 0o040755)
    archive += newc("guest/guest.cfg", text.encode()) + newc("guest/name", args.name.encode())
    for what, name in names.items():
        with open(getattr(args, what), "rb") as source:
            archive += newc("guest/" + name, source.read())
    return text, archive + newc("TRAILER!!!", b"")
