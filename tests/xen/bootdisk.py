#!/usr/bin/env -S --block-signal=INT --block-signal=TERM --block-signal=HUP python3 -B
# SPDX-License-Identifier: GPL-2.0-only
"""xl boots a guest from a disk: no kernel is given, but bootloader= and disk= as `vmixen cfg`
writes them. The installed vmixen runs in dom0, with Debian's pygrub or without it.

    tests/xen/bootdisk.py [--reader own|pygrub|auto] [--boots BZIMAGE INITRD "COMMAND LINE"]
        --host HOST [options of tools/host/run]

The disk is made here: a partition of ext3 with the test guest's kernel or another, an
initrd, and a menu, whose command line says what the guest does. Exit codes are those of run.
What vmixen-boot and vmixen check-host say in dom0 is in NAME.log.
"""
import importlib.machinery
import importlib.util
import os
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path[:0] = [os.path.join(ROOT, *part) for part in (("tools", "host"), ("tools", "vmixen"), ("tests", "tools"))]
import disks  # noqa: E402
import disks_made as made  # noqa: E402
import guestfiles  # noqa: E402
from guestfiles import newc  # noqa: E402

# What is said in dom0 goes into the bed's log. Busybox's sh is there.
CALLED = b"""\
#!/bin/busybox sh
exec 2>/dev/hvc0
/usr/bin/vmixen check-host >&2
exec /usr/bin/vmixen-boot "$@"
"""

MENU = """\
default 1
title a kernel of now
root (hd0,0)
kernel /boot/vmlinuz-6.1 root=/dev/sda1
title the test guest
root (hd0,0)
kernel /boot/vmlinuz-guest %s
initrd /boot/initrd.img
"""


def disk(path, boots):
    kernel, initrd, cmdline = boots
    files = {**made.usual(), "boot/vmlinuz-guest": guestfiles.contents(kernel), "boot/grub/menu.lst": MENU % cmdline}
    if initrd:
        files["boot/initrd.img"] = guestfiles.contents(initrd)
    with tempfile.TemporaryDirectory() as folder:
        made.filesystem(os.path.join(folder, "fs"), files, megabytes=64)
        made.disk(path, os.path.join(folder, "fs"))


def installed():
    """What `make install` installs, as members of an archive."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["make", "-s", "install", "DESTDIR=" + folder, "PREFIX=/usr"], cwd=ROOT, check=True,
                       stdout=subprocess.DEVNULL,
                       env={name: value for name, value in os.environ.items() if not name.startswith("MAKE")})
        archive = newc("usr/bin", b"", 0o040755) + newc("usr/bin/called", CALLED, 0o100755)
        for where, names, files in os.walk(os.path.join(folder, "usr")):
            place = os.path.relpath(where, folder)
            names[:] = [name for name in names if name != "share"]
            archive += newc(place, b"", 0o040755)
            for name in files:
                path = os.path.join(where, name)
                if os.path.islink(path):
                    archive += newc(os.path.join(place, name), os.fsencode(os.readlink(path)), 0o120777)
                else:
                    archive += newc(os.path.join(place, name), guestfiles.contents(path),
                                    0o100000 | os.stat(path).st_mode & 0o777)
        return archive


def config(args, kind, shim_mb, reader):
    """As `vmixen cfg` writes it, for /guest of dom0's and with the bed's own last lines."""
    image, = disks.names(args.disks)
    done = subprocess.run([os.path.join(ROOT, "tools", "vmixen", "vmixen"), "cfg", args.name, "--type",
                           "shim" if shim_mb else kind, "--memory", str(args.memory), "--cmdline=" + args.cmdline,
                           "--disk", "format=raw,vdev=%s,access=rw,target=/guest/%s" % (args.disks[0].vdev, image)],
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True)
    text = done.stdout.decode().replace(os.path.join(ROOT, "tools", "vmixen", "vmixen-boot"), "/usr/bin/called")
    text = text.replace('[ "-q" ]', '[ "-q", "--debug", "--reader=%s" ]' % reader)
    return text + ("pvshim_extra = %s\n" % guestfiles.quoted(args.shim_args) if shim_mb else "")


def main(argv):
    reader, boots = "auto", (made.GUEST, None, "only=none")
    if argv[:1] == ["--reader"]:
        reader, argv = argv[1], argv[2:]
    if argv[:1] == ["--boots"]:
        boots, argv = argv[1:4], argv[4:]
    tools = guestfiles.contents(subprocess.run([os.path.join(ROOT, "tests", "xen", "mkboot")], stdout=subprocess.PIPE,
                                               check=True).stdout.decode().strip())

    def prepare(args, kind, shim_mb):
        text = config(args, kind, shim_mb, reader)
        archive = newc("guest", b"", 0o040755) + newc("guest/guest.cfg", os.fsencode(text))
        archive += newc("guest/name", args.name.encode()) + newc("guest/disks", disks.names(args.disks)[0].encode() + b"\n")
        return text, tools + installed() + archive + newc("TRAILER!!!", b""), {}

    guestfiles.prepare = prepare
    loader = importlib.machinery.SourceFileLoader("host_run", os.path.join(ROOT, "tools", "host", "run"))
    run = importlib.util.module_from_spec(importlib.util.spec_from_loader(loader.name, loader))
    loader.exec_module(run)
    with tempfile.TemporaryDirectory() as folder:
        image = os.path.join(folder, "legacy.img")
        disk(image, boots)
        sys.argv[1:] = [*argv, "--disk", image, "--name", "legacy"]
        return run.main()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
