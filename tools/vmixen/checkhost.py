# SPDX-License-Identifier: GPL-2.0-only
"""vmixen check-host: can this machine run a guest, and as which type= of domain?

What Xen can do is `xl info`'s to say. Whether a shim runs 32-bit guests is in its file:
a Xen with CONFIG_PV32 has the name of that capability as a format.

Kept true here: nothing is changed and nothing is started; root stands before every path.
"""

import glob
import os
import re
import subprocess

import places
from words import FINE, REFUSED, Wrong, show

PV32_FORMAT = b"xen-%d.%d-x86_32p"
PV32_CAP = "xen-3.0-x86_32p"
TRIED = ("4.14", "4.17", "4.20")
OLDEST = (4, 10)        # with xen-shim
HAP_KNOWN = (4, 12)     # from which on xl info tells it
SHIMS = ("usr/lib/xen*/boot/xen-shim", "usr/libexec/xen*/boot/xen-shim", "usr/lib64/xen*/boot/xen-shim",
         "usr/local/lib/xen*/boot/xen-shim", "usr/local/libexec/xen*/boot/xen-shim")
PYGRUBS = ("usr/lib/xen*/bin/pygrub", "usr/libexec/xen*/bin/pygrub", "usr/lib64/xen*/bin/pygrub",
           "usr/local/lib/xen*/bin/pygrub", "usr/local/libexec/xen*/bin/pygrub")


def read(root, path):
    try:
        with open(os.path.join(root, path), encoding="latin-1") as file:
            return file.read().strip()
    except OSError:
        return ""


def find(root, patterns, series=""):
    """Of one program's copies that of the Xen that runs, or the newest."""
    found = [path for pattern in patterns for path in glob.glob(os.path.join(root, pattern))]
    running = [path for path in found if series and "xen-" + series in path]
    return places.newest(running or found)


def has_pv32(path):
    try:
        with open(path, "rb") as file:
            return PV32_FORMAT in file.read(64 << 20)
    except OSError:
        return None


def xl_info(root):
    """xl info's words as a dict; Wrong says why there are none."""
    if read(root, "sys/hypervisor/type") != "xen":
        raise Wrong("this machine does not run on Xen (/sys/hypervisor/type is not \"xen\"): boot it with Xen; "
                    "on Debian `apt install xen-system-amd64` and a restart. `vmixen run` needs no Xen")
    if "control_d" not in read(root, "proc/xen/capabilities"):
        raise Wrong("this is a guest of Xen's and not its dom0, in which xl works")
    xl = places.program("xl")
    if not xl:
        raise Wrong("xl is missing (on Debian: apt install xen-utils)")
    done = subprocess.run([xl, "info"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          check=False, timeout=60)
    text = done.stdout.decode("latin-1")
    info = {name.strip(): value.strip() for name, colon, value in
            (line.partition(":") for line in text.split("\n")) if colon}
    if done.returncode or "xen_version" not in info:
        words = (done.stderr.decode("latin-1").strip().split("\n") or [""])[0]
        raise Wrong("xl info says nothing of Xen: %s%s" % (
            words or "exit code %d" % done.returncode, "" if os.geteuid() == 0 else " (it needs root)"))
    return info


def version(info):
    found = re.match(r"(\d+)\.(\d+)", info["xen_version"])
    return (int(found[1]), int(found[2])) if found else (0, 0)


def number(info, name):
    value = info.get(name, "")
    return int(value) if value.isdigit() else None


class Host:
    """What was found, each as True, False or None (cannot be told)."""

    def __init__(self, root="/"):
        info = xl_info(root)
        self.release, self.version = info["xen_version"], version(info)
        self.series = "%d.%d" % self.version
        words = info.get("virt_caps", "").split()
        self.hvm = "hvm" in words or "hvm-3.0-x86_32" in info.get("xen_caps", "")
        self.hap = True if "hap" in words else False if self.version >= HAP_KNOWN else None
        self.pv32 = PV32_CAP in info.get("xen_caps", "").split()
        self.shim = find(root, SHIMS, self.series)
        self.shim_pv32 = has_pv32(self.shim) if self.shim else False
        self.pygrub = find(root, PYGRUBS, self.series)
        self.free, self.total = number(info, "free_memory"), number(info, "total_memory")

    def type(self):
        """(what cfg calls it, the lines of a configuration, why), or (None, (), why not)."""
        if self.hvm and self.hap is not False and self.version >= OLDEST:
            return "pvh", ('type = "pvh"',), "Xen has hardware virtualization and hardware-assisted paging: the " \
                "guest runs on its own page tables"
        if self.pv32:
            return "pv", ('type = "pv"',), "Xen itself runs 32-bit PV guests (CONFIG_PV32)" + (
                "" if self.hvm else ", and there is no hardware virtualization")
        if self.hvm and self.shim_pv32 and self.version >= OLDEST:
            return "shim", ('type = "pvh"', "pvshim = 1"), "there is hardware virtualization, but no " \
                "hardware-assisted paging; the shim runs 32-bit PV guests"
        if not self.hvm:
            return None, (), "there is no hardware virtualization (VT-x or AMD-V; is it switched off in the firmware?), " \
                "and this Xen was built without CONFIG_PV32"
        if self.version < OLDEST:
            return None, (), "Xen %s is older than 4.10, which brought PVH domains and the shim" % self.release
        return None, (), "there is no hardware-assisted paging, and %s" % (
            "the shim has no CONFIG_PV32" if self.shim else "there is no xen-shim")


def yes(value):
    return {True: "yes", False: "no", None: "cannot be told"}[value]


def check(root="/"):
    host = Host(root)
    show("Xen:                       %s%s" % (host.release, "" if host.series in TRIED else
                                              " (not tried; tried were %s)" % ", ".join(TRIED)))
    show("hardware virtualization:   %s" % yes(host.hvm))
    show("hardware-assisted paging:  %s" % yes(host.hap))
    show("32-bit PV of Xen itself:   %s" % yes(host.pv32))
    show("xen-shim:                  %s" % (host.shim or "not installed"))
    if host.shim:
        show("  it runs 32-bit guests:   %s" % yes(host.shim_pv32))
    if host.free is not None and host.total is not None:
        show("memory:                    %d MB free of %d; a guest of 128 MB takes %d" % (host.free, host.total, 128))
        if host.free < 128:
            show("  little is free: xl takes it from dom0 if autoballoon is on (xl.conf(5)), else dom0_mem= has to shrink")
    show("pygrub:                    %s" % (host.pygrub or "not installed; vmixen-boot reads menus itself"))
    show("debugfs (e2fsprogs):       %s" % (places.program("debugfs") or "not installed; without it no disk is read"))
    name, lines, why = host.type()
    if not name:
        show("no type= of domain works here: %s" % why)
        return REFUSED
    show("use:                       %s   (vmixen cfg --type %s)" % (", ".join(lines), name))
    show("  why:                     %s" % why)
    if name == "pvh" and host.shim_pv32:
        show("  or:                      type = \"pvh\", pvshim = 1   (vmixen cfg --type shim): in the shim")
    return FINE
