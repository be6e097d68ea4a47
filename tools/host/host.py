# SPDX-License-Identifier: GPL-2.0-only
"""What the ways to run a guest have in common: a machine, its log, the guest's
console, and the watch over what Xen writes.

Kept true here: a run ends with exactly one Result, and not before everything
that the guest wrote has been shown.
"""

import os
import re
import subprocess
import time

import child
from console import Console, XenLines
from logfile import LogFile
from qemu import QEMU, Qemu, accelerator, uses_kvm
from result import BROKEN, FAILED, FINE, PANICKED, REFUSED, TIMEOUT, Result, cut, say, show

HERE = os.path.dirname(os.path.realpath(__file__))

# com1 is Xen's. The rest spares time under TCG and things that QEMU has not.
XEN_LINE = ("console=com1 com1=115200,8n1 cpuidle=0 spec-ctrl=no xpti=no smt=0 smep=0 smap=0 "
            "no-real-mode edd=off watchdog=0 bootscrub=0 noreboot guest_loglvl=all")
XEN_MB = 128            # Xen's own memory, with some to spare

# Lines of Xen's that tell of a guest in trouble, and how many follow them. A
# guest that single-steps is in none.
NEWS = re.compile(r"d\d+v\d+ (?!save|restore|Hit #DB in Xen context)|domain_crash|Hardware Dom0 [cs]")
DUMPS = (("crashed on cpu", 18), ("Panic on CPU", 2))


def built(script, *arguments):
    """The path that one of our build scripts prints."""
    done = child.run([os.path.join(HERE, script), *arguments], stdout=subprocess.PIPE, text=True)
    if done.returncode:
        raise Result(BROKEN, "%s failed" % script)
    return done.stdout.strip()


def unescaped(keys):
    """The bytes that keys with Python's escapes stand for."""
    return os.fsencode(keys).decode("unicode_escape").encode("latin-1")


class Host:
    """Common to all: the log, the console, the result."""

    least_mb = 4            # of a guest; what it needs, the domain's entry says
    nested = False
    at_once = False         # there is nothing before the guest
    KEYS = b"\x1er"         # Ctrl-^ r: the monitor says where its guest is
    ANSWERED = b"vmixen: last trap:"    # how the last line of what it says begins
    actions = ("type",)     # what --at can do
    disks = True            # are there any for the guest?
    vifs = True             # and network cards?

    def __init__(self, args):
        self.args = args
        self.base = os.path.join(args.log, args.name)
        self.log = LogFile(self.base + ".log")
        self.console = Console(self.base + ".console", args.stdin)
        self.console.awaited = [(os.fsencode(text), lambda action=action: self.act(action))
                                for text, action in args.at]
        self.qemu = Qemu(args, self.log, args.qemu or self.program(args))
        self.qemu.line += accelerator(args, self.nested) + args.qemu_args.split()
        self.started = time.monotonic()
        self.end = None         # (when, Result): the guest has ended
        self.com1_lines = XenLines(self.dom0_text, self.xen_news)
        self.xen_lines = []     # what Xen wrote about guests, the last lines
        self.dump = -1          # how many lines of a register dump are to come
        self.said_version = False
        self.dom0_last = b""    # what dom0 wrote, the end

    @classmethod
    def packages(cls, args):
        """The groups of tools/host/deps that this host needs, besides "run"."""
        return ()

    @classmethod
    def files(cls, args):
        """Has ready what the machine consists of; what cannot be had ends the run."""

    @classmethod
    def program(cls, args):
        """The QEMU that the machine runs in."""
        return QEMU

    def run(self):
        """Does not return: raises the Result."""
        try:
            self.machine()
            self.started = time.monotonic()
            self.qemu.start()
            if self.at_once:
                self.qemu.guest_runs()
            self.qemu.serve(self.console, self.input_channel, self.tick,
                            (self.questions(), self.answered))
        except Result as result:
            self.console.close()
            if self.console.lines[-1] and not self.console.interactive:
                os.write(2, b"\n")      # the guest's last line has no end, ours shall begin one
            self.explain(result)
            raise
        finally:
            self.console.close()
            self.qemu.stop()
            self.console.log.close()
            self.log.close()

    def questions(self):
        """Functions that ask the monitor where its guest is."""
        return [lambda: self.qemu.type(self.input_channel, self.KEYS)]

    def answered(self):
        """The monitor's answer is on the console."""
        return any(line.startswith(self.ANSWERED) for line in self.console.lines[:-1])

    def explain(self, result):
        """Words that go before the last line of a run that did not go well."""
        if result.code not in (FAILED, REFUSED, BROKEN, PANICKED, TIMEOUT):
            return
        for line in self.xen_lines:
            say("  " + line)
        if result.code == TIMEOUT:
            say("the console's last lines:")
            for line in self.console.tail():
                say("  | " + line)
        if result.code in (FAILED, TIMEOUT) and self.console.panic:
            say("the guest had panicked: " + self.console.panic)
        elif result.code == TIMEOUT and not self.console.spoke:
            say("the guest's kernel has written nothing: with earlyprintk=serial,ttyS0,115200 on its "
                "command line a Linux does so from its start")
        base = os.path.relpath(self.base)
        say("logs: %s.log and .console" % (self.base if base.startswith("..") else base))

    def act(self, action):
        """--at's time has come."""
        word, _, text = action.partition(" ")
        if word == "type":
            self.qemu.send(self.input_channel, unescaped(text))
        elif word == "xl":
            self.qemu.send("control", os.fsencode(text) + b"\n")
        else:
            self.qemu.send("control", b"life %s\n" % word.encode())

    def tick(self):
        self.com1_lines.tick()
        if self.end and time.monotonic() >= self.end[0]:
            self.qemu.drain(*(name for name in self.qemu.channels if name != "qmp"))
            self.flush()
            raise self.end[1]

    def flush(self):
        """No more will come; hand out what was held back."""
        self.com1_lines.flush()

    def ends(self, code, words, after=0.0):
        """The guest has ended; what it printed counts, too."""
        if self.end is None:
            when = time.monotonic()
            checks = self.console.checks
            if code == FINE and self.console.panic:
                code, words = PANICKED, "%s, after it had panicked: %s" % (words, self.console.panic)
            elif code == FINE and checks and checks[1]:
                code, words = FAILED, words + "; %d of its checks failed" % checks[1]
            words += " after %.1f s" % (when - self.started)
            self.end = when + after, Result(code, words)

    # --- Xen's console ------------------------------------------------------

    def chatter(self, data):
        """What is neither the guest's nor ours."""
        self.log.write(data)
        if self.args.verbose:
            os.write(2, data)

    def com1(self, data):
        """What Xen and dom0 write."""
        self.chatter(data)
        self.com1_lines.feed(data)

    def dom0_text(self, data):
        self.dom0_last = (self.dom0_last + data)[-1000:]
        if b"Kernel panic - not syncing" in self.dom0_last:
            self.ends(BROKEN, "dom0's kernel panicked", 0.3)

    def xen_news(self, line):
        """A line of Xen's: is it news of a guest?"""
        if not self.said_version and "Xen version" in line:
            self.said_version = True
            show(line)
        self.dump = max([self.dump - 1] + [n for text, n in DUMPS if text in line])
        if self.dump >= 0 or NEWS.search(line):
            self.xen_lines = (self.xen_lines + [cut(line)])[-30:]
        if "Panic on CPU" in line:
            self.panic()

    def panic(self):
        self.ends(BROKEN, "Xen panicked", 0.3)


def unbuilt(script, *arguments):
    """Is what one of our build scripts makes still to be made?"""
    line = [os.path.join(HERE, script), "--find", *arguments]
    return child.run(line, stdout=subprocess.DEVNULL).returncode != 0


def xen_packages(args):
    """What is needed to build a Xen with CONFIG_PV32, where that is still to be done."""
    return () if args.xen or not unbuilt("mkxen", *xen_variant(args)) else ("pv32",)


def pv32_xen(args):
    """The hypervisor's file."""
    return args.xen or built("mkxen", *xen_variant(args))


def xen_variant(args):
    return ["--debug"] if args.xen_debug else []


def own_qemu(args):
    """Does the host need a QEMU of our own? KVM has not the fault of TCG that it is for
    (docs/pvh.md), and a guest that is known to have 2-level tables does not meet it."""
    return not args.qemu and not args.two_level and not uses_kvm(args, True)


def qemu_packages(args):
    """What is needed to build it, where that is still to be done."""
    return ("qemu",) if own_qemu(args) and unbuilt("mkqemu") else ()


def pae_qemu(args):
    """The QEMU in which a PVH domain with PAE tables works."""
    return built("mkqemu") if own_qemu(args) else QEMU
