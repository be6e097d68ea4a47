# SPDX-License-Identifier: GPL-2.0-only
"""vmixen cfg: a configuration for xl, such as one puts into /etc/xen.

Kept true here: it works from any folder, for xendomains runs `xl create` from its own;
a disk or vif that is given in xl's words stays as it is, but for the path of its target.
"""

import os
import re
import sys

import places
from arguments import CMDLINE_MOST, Typed
from disks import VDEV
from guestfiles import GZIP, quoted
from hosts import shim_mb
from look import parts
from words import USAGE, Wrong, new_file, note, read_error, show

TYPES = ("pvh", "shim", "pv")
LEAST = 6               # MB, in which the test guest runs
MOST = 65536


def disk_line(text, number):
    """One disk in xl's words, with an absolute path; a path alone gets the usual ones.
    (xl-disk-configuration(5): "target" comes first, or last and then to the end.)"""
    if "=" not in text and "," not in text:
        return "format=raw,vdev=sd%s,access=rw,target=%s" % (chr(ord("a") + number), there(text, text))
    found = re.search(r"(^|,)(target=)(.*)$", text, re.S)
    if found:
        head, path, tail = text[:found.end(2)], found[3], ""
    else:
        head, path, tail = "", *re.match(r"([^,]*)(.*)$", text, re.S).groups()
    if not path or re.match(r"[a-z]+:", path) or "=" in path and not found:
        return text                     # phy:, file: or no target: xl's own affair
    for vdev in re.findall(r"vdev=([^,]*)", text):
        if not VDEV.fullmatch(vdev):
            raise Wrong("--disk %s: vdev=%s: a disk is one of hda to hdd, sda to sdz, xvda to xvdz" % (text, vdev),
                        USAGE)
    return head + there(path, text) + tail


def there(path, text):
    """An absolute path, with a word if nothing is there yet."""
    if not path:
        raise Wrong("--disk %s: a file or a disk was expected" % text, USAGE)
    path = os.path.abspath(path)
    if not os.path.exists(path):
        note("vmixen", "--disk %s: there is no %s on this machine" % (text, path))
    return path


def kernel_file(path):
    try:
        with open(path, "rb") as file:
            data = file.read(64 << 20)
    except (OSError, ValueError) as error:
        raise read_error("--kernel " + path, error) from None
    if not parts(data):
        raise Wrong("--kernel %s: is no wrapped kernel: `vmixen wrap` makes one of a bzImage" % path, USAGE)
    return os.path.abspath(path)


def initrd_file(path):
    try:
        with open(path, "rb") as file:
            start = file.read(2)
    except (OSError, ValueError) as error:
        raise read_error("--initrd " + path, error) from None
    if start == GZIP:
        raise Wrong("--initrd %s: xl would unpack a file that begins as gzip does; `vmixen wrap KERNEL --initrd %s` "
                    "makes one that it passes on" % (path, path), USAGE)
    return os.path.abspath(path)


def number(text, option, least, most):
    if not re.fullmatch(r"\d{1,6}", text) or not least <= int(text) <= most:
        raise Wrong("%s %s: a number of MB from %d to %d was expected" % (option, text, least, most), USAGE)
    return int(text)


def config(args):
    """The text."""
    fault = Typed.name_fault(args.name)
    if fault:
        raise Wrong("%s: %s" % (args.name, fault), USAGE)
    memory = number(args.memory, "--memory", LEAST, MOST)
    if len(os.fsencode(args.cmdline)) > CMDLINE_MOST:
        raise Wrong("--cmdline: has %d bytes, and Xen passes on %d at most" % (
            len(os.fsencode(args.cmdline)), CMDLINE_MOST), USAGE)
    disks = [disk_line(text, n) for n, text in enumerate(args.disk)]
    if not args.kernel and not disks:
        raise Wrong("%s: needs --kernel FILE, or --disk DISK to boot from" % args.name, USAGE)
    if args.initrd and not args.kernel:
        raise Wrong("--initrd %s: goes with --kernel; without it the disk's own menu says which" % args.initrd, USAGE)
    shim = shim_mb(memory) if args.type == "shim" else 0
    lines = ["# Made by vmixen cfg; vmixen.cfg(5) explains it.", "name = %s" % quoted(args.name)]
    lines += ['type = "%s"' % ("pv" if args.type == "pv" else "pvh")]
    if shim:
        lines += ["pvshim = 1", "# %d MB for the guest, the rest for the shim" % memory]
    lines += ["memory = %d" % (memory + shim), "vcpus = 1"]
    if args.kernel:
        lines += ["kernel = %s" % quoted(kernel_file(args.kernel))]
        if args.initrd:
            lines += ["ramdisk = %s" % quoted(initrd_file(args.initrd))]
    else:
        lines += ["bootloader = %s" % quoted(bootloader())]
        words = (["--entry=" + args.entry] if args.entry else ["-q"])
        lines += ["bootloader_args = [ %s ]" % ", ".join(quoted(word) for word in words)]
    if args.cmdline:
        lines += ["extra = %s" % quoted(args.cmdline)]
    if disks:
        lines += ["disk = [ %s ]" % ",\n         ".join(quoted(text) for text in disks)]
    if args.vif:
        lines += ["vif = [ %s ]" % ",\n        ".join(quoted(text) for text in args.vif)]
    lines += ['tsc_mode = "native"', 'on_poweroff = "destroy"', 'on_reboot = "restart"', 'on_crash = "%s"' % args.on_crash]
    return "\n".join(lines) + "\n"


def bootloader():
    """xl looks for one without a folder in its own, whose name has Xen's version in it."""
    on_path = os.path.join(os.path.dirname(os.path.abspath(sys.argv[0])), "vmixen-boot")
    return on_path if os.path.exists(on_path) else places.BOOT


def cfg(args):
    text = config(args)
    if not args.output:
        show_all(text)
        return
    new_file(args.output, args.force)
    try:
        with open(args.output, "wb") as file:
            file.write(os.fsencode(text))
    except OSError as error:
        raise read_error(args.output, error) from None
    show("%s: written; to start it: xl create -c %s" % (args.output, os.path.abspath(args.output)))


def show_all(text):
    """To standard output as it is: it is for a file."""
    sys.stdout.flush()
    sys.stdout.buffer.write(os.fsencode(text))
    sys.stdout.buffer.flush()
