# SPDX-License-Identifier: GPL-2.0-only
"""What a run is told: options, or with --env the variables of `make run`.

Kept true here: a text reaches the guest as it was typed, byte for byte, or is
refused in one sentence that names what was typed. Nothing is made, asked for or
waited for before all of it has been looked at.
"""

import argparse
import os
import re
import stat

import disks
import vifs
from guestfiles import LIFE
from host import unescaped
from hosts import HOSTS
from qemu import TCG_CPU
from result import USAGE, Result

HERE = os.path.dirname(os.path.realpath(__file__))
ROOT = os.path.normpath(os.path.join(HERE, "..", ".."))
BUILD = os.path.join(ROOT, "build")
LOGS = os.path.join(BUILD, "run")
TEST_GUEST = os.path.join(BUILD, "guest-pae.bzImage")
TEST_GUEST_2LEVEL = os.path.join(BUILD, "guest-2level.bzImage")

CMDLINE_MOST = 1023     # bytes: Xen's start_info has room for 1024 with the NUL
NAME_MOST = 100         # characters: it becomes a file's and a domain's name
NUMBER = re.compile(r"\d{1,7}")

# Options that have a variable of make's.
VARIABLES = {
    "host": "HOST", "kernel": "KERNEL", "initrd": "INITRD", "cmdline": "CMDLINE", "memory": "MEMORY",
    "vcpus": "VCPUS", "name": "NAME", "log": "RUN_DIR", "timeout": "TIMEOUT",
}
DISKS = ("DISK", *("DISK%d" % n for n in range(2, disks.MOST + 1)))
VIFS = ("VIF", *("VIF%d" % n for n in range(2, vifs.MOST + 1)))

DESCRIPTION = "Starts a machine in QEMU, runs one guest in it, and ends with its result."

EPILOG = """\
hosts:
  pvh    stock Debian Xen with a real dom0; the guest in a plain PVH domain. In TCG, in a
         QEMU without its fault in PAE tables (mkqemu), but for the test guest that runs
         without --kernel, which has 2-level tables
  shim   the same Xen; the guest as a PV domain in xen-shim, which is a PVH domain
  pv32   the same with a Xen built with CONFIG_PV32 (mkxen); a PV domain
  dom0   that Xen alone; the guest as dom0. Its console is Xen's; no xl
  bare   no Xen, for comparison
FILE is a bzImage. For all but bare it may be an ELF file with Xen's notes, too; a
bzImage is wrapped with build/vmi.rom first.

exit codes:
  0    the guest powered off or asked for a reboot, and no check of its failed
  1    the guest crashed, or wrote "guest: N passed, M failed" with M > 0
  2    usage, or a file is missing
  3    time-out
  4    the guest was refused: by mkrom, by xl, or by Xen when it builds dom0
  5    the host bed itself failed
  6    the guest powered off or asked for a reboot after its kernel had panicked
  130  interrupted, or left with Ctrl-] (129, 143: SIGHUP, SIGTERM)

A guest on bare QEMU ends by ACPI power-off, by a reset, by halting after the
line "System halted." or "Power down", or by writing to I/O port 0xf4: 0x10 says
that all is well. A triple fault looks like a reset.

With a terminal on standard input and output the guest's console is
interactive; Ctrl-] leaves, and each key gives another time-out's time.

environment: V=1 is --verbose, ICOUNT=1 is --icount, VMIXEN_CACHE is the cache
directory ($XDG_CACHE_HOME/vmixen or ~/.cache/vmixen without), XEN_SERIES and
XEN_SOURCE say which Xen, QEMU_SOURCE which QEMU (docs/hosts.md). With --env,
HOST, KERNEL, INITRD, CMDLINE, MEMORY, VCPUS, NAME, RUN_DIR (--log), TIMEOUT and
DISK, DISK2 to DISK8, VIF and VIF2 are what the options of these names are.
"""


class Parser(argparse.ArgumentParser):
    """One sentence, and not a page of usage, for what is wrong."""

    def error(self, message):
        raise Result(USAGE, message + " (--help lists the options)")


def parser():
    p = Parser(prog="run", description=DESCRIPTION, epilog=EPILOG, allow_abbrev=False,
               formatter_class=argparse.RawDescriptionHelpFormatter)
    add = p.add_argument
    add("--host", metavar="HOST", help="pvh, shim, pv32, dom0 or bare (pvh)")
    add("--kernel", metavar="FILE", help="(build/guest-pae.bzImage; pvh: build/guest-2level.bzImage)")
    add("--initrd", metavar="FILE")
    add("--cmdline", default="", metavar="STR", help="the guest's command line")
    add("--memory", metavar="MB", help="the guest's memory (64)")
    add("--vcpus", metavar="N", help="the guest's CPUs (1); the ROM runs one")
    add("--disk", action="append", default=[], metavar="FILE[,vdev=NAME][,ro][,snapshot]",
        help="a disk, the image in FILE; repeated, another one. NAME is hda to hdd (IDE), sda to sdz or xvda "
        "to xvdz (AHCI); sda, sdb, ... without. The image is as the guest leaves it; with snapshot it stays as it is")
    add("--vif", action="append", default=[], metavar="dom0[,mac=ADDRESS]",
        help="a network card, whose other end is dom0 (192.168.76.1: DHCP, ping, TCP echo, a web server); repeated, "
        "another one")
    add("--name", metavar="NAME", help="the domain's name and the log's (the kernel file's)")
    add("--log", metavar="DIR", help="where the logs go (build/run)")
    add("--timeout", metavar="S", help="seconds from the guest's start; 0 for none (120)")
    add("--env", action="store_true", help="HOST, KERNEL, ... of the environment, as make run has them")
    add("--prepare", action="store_true", help="check all this, and have ready what the host needs; run nothing")
    add("--icount", type=int, nargs="?", const=0, metavar="SHIFT",
        default=0 if os.environ.get("ICOUNT", "") not in ("", "0") else None,
        help="QEMU counts instructions, 2^SHIFT ns each (0): runs repeat exactly")
    add("--accel", choices=("auto", "tcg", "kvm"), default="auto", help="auto takes KVM where it works")
    add("--cpu", metavar="MODEL", help="QEMU's -cpu (TCG: %s)" % TCG_CPU)
    add("--smp", type=int, default=1, metavar="N", help="the machine's own CPUs under Xen (1)")
    add("--xen", metavar="FILE", help="another hypervisor, unpacked")
    add("--xen-debug", action="store_true", help="pv32, dom0: the Xen of mkxen --debug")
    add("--xen-args", default="", metavar="STR", help="more for Xen's command line")
    add("--shim-args", default="smep=0 smap=0", metavar="STR", help="more for the shim's command line")
    add("--qemu", metavar="FILE", help="another QEMU (pvh: that of mkqemu)")
    add("--qemu-args", default="", metavar="STR", help="more for QEMU's command line")
    add("--at", nargs=2, action="append", default=[], metavar=("TEXT", "ACTION"),
        help="when the guest's console has shown TEXT, once; ACTION: \"type KEYS\", with "
        r"\n, \x1e and the like, " "or \"xl COMMAND\", which xl gets with the domain's name (shim, pvh, pv32), "
        "or checkpoint (xl save -c), save (xl save and xl restore) or migrate (xl migrate, to the same host), behind "
        "which a newline is typed; "
        "repeated, the next one waits for the one before")
    add("--stdin", action="store_true", help="give the guest standard input, terminal or not")
    add("--verbose", action="store_true", default=os.environ.get("V", "") not in ("", "0"),
        help="show what Xen and dom0 write, too")
    return p


def joined(argv, p):
    """Options that take one value with it in one word, so that a value may begin
    with a dash."""
    single = {o for a in p._actions if a.nargs is None for o in a.option_strings}
    words, rest = [], list(argv)
    while rest:
        word = rest.pop(0)
        words.append(word + "=" + rest.pop(0) if word in single and rest else word)
    return words


class Typed:
    """The checks; each raises a Result that names what was typed."""

    def __init__(self, args):
        self.args = args
        if args.env:
            # Programs that we start have other meanings for such names.
            for option, variable in VARIABLES.items():
                value = os.environ.pop(variable, "")
                if value:
                    setattr(args, option, value)
            args.disk += [(v, value) for v in DISKS for value in [os.environ.pop(v, "")] if value]
            args.vif += [(v, value) for v in VIFS for value in [os.environ.pop(v, "")] if value]

    def wrong(self, option, words):
        name = VARIABLES[option] if self.args.env and option in VARIABLES else "--" + option
        value = getattr(self.args, option)
        raise Result(USAGE, "%s=%s: %s" % (name, value, words) if self.args.env else
                     "%s %s: %s" % (name, value, words))

    def number(self, option, otherwise, least, what):
        text = getattr(self.args, option)
        if text is None:
            return otherwise
        if not NUMBER.fullmatch(text) or int(text) < least:
            self.wrong(option, "a number of %s from %d on was expected" % (what, least))
        return int(text)

    def file(self, option):
        """Is there a file with contents that can be read?"""
        path = getattr(self.args, option)
        try:
            found = os.stat(path)
        except (OSError, ValueError) as error:
            self.wrong(option, "no such file" if isinstance(error, FileNotFoundError) else
                       getattr(error, "strerror", None) or str(error))
        if stat.S_ISDIR(found.st_mode):
            self.wrong(option, "is a directory, a file was expected")
        if not stat.S_ISREG(found.st_mode):
            self.wrong(option, "is no plain file")
        if not found.st_size:
            self.wrong(option, "the file is empty")
        if not os.access(path, os.R_OK):
            self.wrong(option, "may not be read by you")

    def host(self):
        if self.args.host is None:
            self.args.host = "pvh"
        if self.args.host not in HOSTS:
            self.wrong("host", "no such host; there are: %s" % " ".join(sorted(HOSTS)))

    def kernel(self):
        """bzImage or, with Xen, an ELF file; what the tree makes may not be there yet."""
        args = self.args
        args.wrap = False
        args.two_level = args.kernel is None and args.host == "pvh"
        if args.kernel is None:
            args.kernel = TEST_GUEST_2LEVEL if args.two_level else TEST_GUEST
        if not os.path.exists(args.kernel) and args.prepare and \
                os.path.realpath(args.kernel).startswith(BUILD + "/"):
            return
        self.file("kernel")
        with open(args.kernel, "rb") as file:
            start = file.read(0x206)
        args.wrap = args.host != "bare" and not start.startswith(b"\x7fELF")
        if args.wrap and start[0x202:] != b"HdrS":
            self.wrong("kernel", "is no bzImage")

    def name(self):
        args = self.args
        if args.name is None:
            base = os.path.basename(args.kernel)
            for suffix in (".bzImage", ".elf"):
                base = base[:-len(suffix)] if base.endswith(suffix) else base
            name = re.sub(r"[^A-Za-z0-9._-]", "_", os.fsencode(base).decode("latin-1"))[:NAME_MOST]
            args.name = name if self.name_fault(name) is None else "guest-" + name[:NAME_MOST - 6]
        fault = self.name_fault(args.name)
        if fault:
            self.wrong("name", fault)

    @staticmethod
    def name_fault(name):
        """What is wrong with a domain's name; None: nothing."""
        if not re.fullmatch(r"[A-Za-z0-9._-]+", name):
            return "a domain's name has letters, digits, '.', '_' and '-'"
        if len(name) > NAME_MOST:
            return "a domain's name has %d characters at most" % NAME_MOST
        if name.isdigit() or name.startswith("-") or name == "Domain-0":
            return "to xl that is no new domain's name"
        return None

    def disks(self):
        args = self.args
        texts = [text if isinstance(text, tuple) else ("--disk", text) for text in args.disk]
        if texts and not HOSTS[args.host].disks:
            raise Result(USAGE, "%s: on the host %s nobody serves a disk; there is one with: %s" % (
                texts[0][0], args.host, " ".join(sorted(h for h in HOSTS if HOSTS[h].disks))))
        args.disks = disks.taken(texts, self.wrong_disk)

    def vifs(self):
        args = self.args
        texts = [text if isinstance(text, tuple) else ("--vif", text) for text in args.vif]
        if texts and not HOSTS[args.host].vifs:
            raise Result(USAGE, "%s: on the host %s there is no network; there is one with: %s" % (
                texts[0][0], args.host, " ".join(sorted(h for h in HOSTS if HOSTS[h].vifs))))
        args.vifs = vifs.taken(texts, self.wrong_disk)

    @staticmethod
    def wrong_disk(name, text, words):
        raise Result(USAGE, "%s%s%s: %s" % (name, " " if name.startswith("-") else "=", text, words))

    def cmdline(self):
        size = len(os.fsencode(self.args.cmdline))
        if self.args.host != "bare" and size > CMDLINE_MOST:
            raise Result(USAGE, "%s: the command line has %d bytes, and Xen passes on %d at most" % (
                "CMDLINE" if self.args.env else "--cmdline", size, CMDLINE_MOST))

    def timeout(self):
        text = self.args.timeout
        if text is not None and not re.fullmatch(r"\d{1,7}(\.\d{1,3})?", text):
            self.wrong("timeout", "a number of seconds was expected, 0 for none")
        self.args.timeout = float(text or 120)

    def log(self):
        """The folder, which must be ours to write in."""
        if self.args.log is None:
            self.args.log = LOGS
        try:
            os.makedirs(self.args.log, exist_ok=True)
        except OSError as error:
            self.wrong("log", "cannot be made: %s; RUN_DIR= (--log) names another folder" % error.strerror)
        if not os.access(self.args.log, os.W_OK | os.X_OK):
            self.wrong("log", "may not be written to by you; RUN_DIR= (--log) names another folder")

    def at(self):
        actions = HOSTS[self.args.host].actions
        for text, action in self.args.at:
            word, _, keys = action.partition(" ")
            if word not in actions:
                raise Result(USAGE, "--at: %s: on this host an action is one of: %s" % (
                    action, ", ".join(actions)))
            if word in LIFE and keys:
                raise Result(USAGE, "--at: %s: nothing belongs behind %s" % (action, word))
            try:
                unescaped(keys)
            except UnicodeError as error:
                raise Result(USAGE, "--at: %s: %s" % (action, error)) from None


def arguments(argv):
    """The checked arguments of a run; a Result when something is wrong, SystemExit
    after --help."""
    p = parser()
    args = p.parse_args(joined(argv, p))
    typed = Typed(args)
    typed.host()
    typed.kernel()
    for option in ("initrd", "xen", "qemu"):
        if getattr(args, option) is not None:
            typed.file(option)
    typed.name()
    typed.disks()
    typed.vifs()
    typed.cmdline()
    args.memory = typed.number("memory", 64, HOSTS[args.host].least_mb, "MB")
    args.vcpus = typed.number("vcpus", 1, 1, "CPUs")
    typed.timeout()
    typed.at()
    typed.log()
    return args
