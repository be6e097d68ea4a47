# SPDX-License-Identifier: GPL-2.0-only
"""From a bzImage to what xl takes: mkrom does it, with the ROM and the entry of ours.

Kept true here: mkrom's words are passed on with the name that was typed; nothing is left
where it failed.
"""

import os
import subprocess

import kernel
import places
from guestfiles import initrd_for_xl
from words import USAGE, Wrong, new_file, read_error, show


def ready():
    """What wrapping needs is there."""
    mkrom = places.mkrom()
    for path, name in ((mkrom, "mkrom"), (places.ROM, "vmi.rom"), (places.ENTRY, "entry.elf")):
        if not path or not os.path.exists(path):
            raise Wrong("%s is missing%s" % (
                name, "" if places.INSTALLED else " in build/: `make` makes it"), USAGE)
    return mkrom


def mkrom_wrap(path, out, name=None):
    """mkrom on a file; its words speak of name."""
    done = subprocess.run([ready(), "wrap", "--rom", places.ROM, "--entry", places.ENTRY, "--kernel",
                           os.path.abspath(path), "-o", out], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          stdin=subprocess.DEVNULL, check=False)
    if done.returncode:
        lines = done.stderr.decode("utf-8", "surrogateescape").strip().split("\n")
        words = lines[-1].removeprefix("mkrom: ") or "mkrom ended with %d" % done.returncode
        raise Wrong(words.replace(os.path.abspath(path), name or path))


def base(path):
    name = os.path.basename(path)
    return name.removesuffix(".bzImage")


def ramdisk(path, out, force):
    """An initrd in a form that xl leaves to the guest to unpack; returns its name."""
    try:
        with open(path, "rb") as file:
            data = file.read()
    except (OSError, ValueError) as error:
        raise read_error(path, error) from None
    if not data:
        raise Wrong("%s: the file is empty" % path, USAGE)
    usable = initrd_for_xl(data)
    if usable is data:
        return path
    new_file(out, force)
    with open(out, "wb") as file:
        file.write(usable)
    return out


def wrap(args):
    data = kernel.contents(args.kernel)
    if data.startswith(b"\x7fELF"):
        raise Wrong("%s: is an ELF file, a bzImage was expected; `vmixen inspect` says which" % args.kernel)
    found = kernel.look(data, args.kernel)
    if found.vmi is False and not args.any_kernel:
        raise Wrong("%s: has no VMI: %s; %s (--any-kernel wraps it all the same)" % (
            args.kernel, found.why, kernel.advice(found)))
    out = args.output or base(args.kernel) + ".elf"
    new_file(out, args.force, "--force")
    if os.path.exists(out) and os.path.samefile(out, args.kernel):
        raise Wrong("%s: is the kernel itself; -o names another file" % out, USAGE)
    initrd = None
    if args.initrd:
        initrd = ramdisk(args.initrd, os.path.join(os.path.dirname(out), base(args.initrd) + ".ramdisk"), args.force)
    mkrom_wrap(args.kernel, out)
    show("%s: %s with the ROM; runs as type \"pvh\", \"pv\" and in xen-shim" % (out, args.kernel))
    if found.vmi is None:
        show("%s: VMI: cannot be told: %s" % (args.kernel, found.why))
    show("kernel = \"%s\"" % os.path.abspath(out))
    if initrd:
        show("ramdisk = \"%s\"" % os.path.abspath(initrd))
