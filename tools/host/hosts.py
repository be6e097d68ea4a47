# SPDX-License-Identifier: GPL-2.0-only
"""What a guest can run on: three ways with Xen, and one without.

Kept true here: each host knows how its machine is set up and from what it can
tell how the guest ended; nothing else does.
"""

import os
import re
import time

import disks  # a guest's, as QEMU is told of them
import vifs   # likewise
import guestfiles  # the xl configuration and the files, as dom0 gets them
from console import XenLines
from host import (XEN_LINE, XEN_MB, Host, built, pae_qemu, pv32_xen, qemu_packages,
                  xen_packages)
from result import BROKEN, FAILED, FINE, REFUSED, Result, say, show

# What it leaves out takes seconds under TCG.
DOM0_LINE = ("console=hvc0 quiet mitigations=off rodata=off lsm= cryptomgr.notests "
             "rdinit=/init")
DOM0_MB = 224
LIFE_MB = 24            # of dom0's, for what a saved domain has beside its memory, and for the programs
EXIT_FINE = 0x10        # at port 0xf4; 0 would look like an error of QEMU's own
REASONS = {             # SHUTDOWN_*, xen/include/public/sched.h
    "0": (FINE, "the guest powered off"),
    "1": (FINE, "the guest asked for a reboot"),
    "2": (FAILED, "the guest suspended itself"),
    "3": (FAILED, "the guest crashed"),
    "4": (FAILED, "the guest's watchdog fired"),
    "5": (FAILED, "the guest asked for a soft reset"),
}


def shim_mb(guest_mb):
    """What xen-shim takes off a domain's memory: measured 22.2 MB, and from
    256 MB on 1/128 of the rest. Rounded up."""
    return 24 + guest_mb // 100


class Toolstack(Host):
    """A domain that xl starts, in a dom0 of Debian's."""

    input_channel = "input"
    actions = ("type", "xl", *guestfiles.LIFE)
    shim = False

    @classmethod
    def files(cls, args):
        cls.xen_of(args, built("mkdom0"))

    @staticmethod
    def xen_of(args, dom0):
        return args.xen or os.path.join(dom0, "xen")

    def machine(self):
        args = self.args
        dom0 = built("mkdom0")
        xen = self.xen_of(args, dom0)
        shim = shim_mb(args.memory) if self.shim else 0
        config, extra, files = guestfiles.prepare(args, self.kind, shim)
        files[args.name + ".cfg"] = os.fsencode(config)
        for name, data in files.items():
            with open(os.path.join(args.log, name), "wb") as out:
                out.write(data)
        with open(os.path.join(dom0, "initramfs"), "rb") as base:
            initramfs = base.read() + extra
        dom0_mb = DOM0_MB + len(extra) * 3 // (1 << 20)
        other = 0               # a domain has a twin while it migrates, and dom0 a file of its memory
        if guestfiles.lives(args):
            other = args.memory + shim
            dom0_mb += other + LIFE_MB
        qemu = self.qemu
        qemu.line += [
            "-smp", str(args.smp), "-m", str(dom0_mb + XEN_MB + shim + args.memory + other),
            "-kernel", qemu.file(xen),
            "-append", "%s dom0_mem=%dM,max:%dM dom0_max_vcpus=1 %s" %
            (XEN_LINE, dom0_mb, dom0_mb, args.xen_args),
            "-initrd", "%s %s,%s" % (qemu.file(os.path.join(dom0, "vmlinux")), DOM0_LINE,
                                     qemu.file(initramfs)),
            "-chardev", qemu.channel("com1", self.com1), "-serial", "chardev:com1",
            "-device", "virtio-serial-pci,ioeventfd=off"]
        for name, handler in (("control", self.control), ("output", self.output),
                              ("input", lambda data: None)):
            qemu.line += ["-chardev", qemu.channel(name, handler),
                          "-device", "virtserialport,chardev=" + name]
        qemu.line += disks.for_dom0(args.disks, qemu)
        self.control_text = b""
        self.refused = []
        self.console.hold()
        say("starting Xen and dom0, about 10 s" +
            ("; Ctrl-] leaves" if self.console.interactive else ""))

    def output(self, data):
        """The guest's console."""
        self.qemu.guest_runs()
        self.console.feed(data)

    def ended(self, reason):
        """What a SHUTDOWN_* of the domain means."""
        return REASONS.get(reason, (FAILED, "the guest is gone (reason %s)" % reason))

    def control(self, data):
        """Lines from dom0-init, which says what they are."""
        *lines, self.control_text = (self.control_text + data).split(b"\n")
        for line in lines:
            word, _, text = line.decode("latin-1").partition(" ")
            if word == "list" and text:
                show(text)
            elif word == "list":
                self.qemu.guest_runs()
                self.console.release()
                self.console.open()
            elif word == "refused" and text:
                self.refused.append(text)
            elif word == "refused":
                for text in self.refused:
                    say("  " + text)
                raise Result(REFUSED, "xl create refused the guest")
            elif word == "xl":
                show(text)
            elif word == "end" and text == "gone" and ["xl destroy"] == \
                    [action for _, action in self.args.at][-1:]:
                self.ends(FINE, "the domain was destroyed")
            elif word == "end":
                self.qemu.drain("output")
                self.flush()
                self.ends(*self.ended(text))
            elif word == "broken":
                raise Result(BROKEN, text)


class Shim(Toolstack):
    """The shim, a Xen itself, writes on its guest's console, too. A guest can write
    the like, so its lines explain an end, but dom0 alone tells that there is one."""

    nested = True
    shim = True
    kind = "pvh"
    least_mb = 5            # below, the shim has none for its guest

    def __init__(self, args):
        super().__init__(args)
        self.shim_lines = XenLines(self.guest_text, self.shim_news)
        self.newline = False    # it wrote one last
        self.panicked = None    # how that ends, if it is true

    def guest_text(self, data):
        self.qemu.guest_runs()
        self.console.feed(data)

    def output(self, data):
        """Drops the carriage return that the shim puts after each newline."""
        if self.newline and data.startswith(b"\r"):
            data = data[1:]
            self.newline = False
        if data:
            self.newline = data.endswith(b"\n")
            self.shim_lines.feed(data.replace(b"\n\r", b"\n"))

    def tick(self):
        self.shim_lines.tick()
        super().tick()

    def flush(self):
        self.shim_lines.flush()
        super().flush()

    def shim_news(self, line):
        line = line.replace("(XEN)", "(shim)", 1)
        self.chatter(line.encode("latin-1") + b"\n")
        self.xen_news(line)

    def panic(self):
        if self.panicked is None:
            self.panicked = (FAILED, "the shim panicked") if self.console.seen else \
                (REFUSED, "the shim could not start the guest")

    def ended(self, reason):
        code, words = super().ended(reason)
        return self.panicked if self.panicked and code == FAILED else (code, words)


class Pvh(Toolstack):
    """A plain PVH domain of stock Xen."""

    nested = True
    kind = "pvh"

    @classmethod
    def packages(cls, args):
        return qemu_packages(args)

    @classmethod
    def files(cls, args):
        super().files(args)
        cls.program(args)

    @classmethod
    def program(cls, args):
        return pae_qemu(args)

    def questions(self):
        """Before Init no key is heard, but an NMI is. Later it would be the guest's."""
        return super().questions() + [lambda: self.act("xl trigger 1 nmi 0")]

    def ended(self, reason):
        """A guest that takes the ROM out of its own page tables leaves nobody to report:
        the processor gives up, which Xen takes for a reboot, and says so."""
        self.qemu.drain("com1")
        if any("Triple fault" in line for line in self.xen_lines):
            return FAILED, "the guest's processor gave up: a triple fault"
        return super().ended(reason)


class Pv32(Toolstack):
    kind = "pv"

    @classmethod
    def packages(cls, args):
        return xen_packages(args)

    @staticmethod
    def xen_of(args, _dom0):
        return pv32_xen(args)


class Dom0(Host):
    """The guest as dom0 of a PV32 Xen. Its console is Xen's, and so its output
    is what of that is not Xen's own lines. A guest can write the like; that the
    machine stands still in ring 0 with interrupts off, it cannot bring about
    but by ending, and so no word of Xen's about an end counts without that."""

    input_channel = "com1"
    disks = vifs = False    # nobody serves them
    LAUNCHED = "Serial input to DOM0"   # the last that Xen does before dom0 runs
    ENDS = (
        ("Hardware Dom0 halted", FINE, "the guest powered off"),
        ("Hardware Dom0 shutdown: rebooting", FINE, "the guest asked for a reboot"),
        ("Hardware Dom0 crashed", FAILED, "the guest crashed"),
        ("Hardware Dom0 shutdown: watchdog", FAILED, "the guest's watchdog fired"),
        ("Hardware Dom0 shutdown", FAILED, "the guest ended for a reason unknown to Xen"),
    )
    HALTED = re.compile(r"CPL=0.* HLT=1")
    FLAGS = re.compile(r"[ER]FL=([0-9a-f]+)")
    FLAG_IF = 0x200
    BELIEF = 3.0            # of the machine's seconds in which that has to show

    @classmethod
    def packages(cls, args):
        return xen_packages(args)

    @classmethod
    def files(cls, args):
        pv32_xen(args)

    def machine(self):
        args, qemu = self.args, self.qemu
        modules = "%s %s" % (qemu.file(args.kernel), args.cmdline.replace(",", ",,"))
        if args.initrd:
            modules += "," + qemu.file(args.initrd)
        qemu.line += [
            "-smp", str(args.smp), "-m", str(args.memory + XEN_MB), "-kernel", qemu.file(pv32_xen(args)),
            "-append", "%s dom0_mem=%dM,max:%dM dom0_max_vcpus=%d %s" %
            (XEN_LINE, args.memory, args.memory, args.vcpus, args.xen_args),
            "-initrd", modules, "-chardev", qemu.channel("com1", self.com1),
            "-serial", "chardev:com1", "-device", "isa-debug-exit,iobase=0xf4,iosize=4"]
        qemu.ended = self.machine_ended
        self.console.open()
        self.carriage = b""     # one that waits for its newline
        self.told = None        # (code, words, line, when): an end by Xen's words
        self.asked = 0.0        # when the machine's state was asked for last

    def dom0_text(self, data):
        """The guest's. Xen has put a carriage return before each newline."""
        self.qemu.guest_runs()
        data = (self.carriage + data).replace(b"\r\n", b"\n")
        self.carriage = b"\r" if data.endswith(b"\r") else b""
        self.console.feed(data[:-1] if self.carriage else data)

    def xen_news(self, line):
        super().xen_news(line)
        if self.LAUNCHED in line:
            self.qemu.guest_runs()
        for text, code, words in self.ENDS:
            if text in line:
                self.tells(code, words, line)
                return

    def panic(self):
        code, words = (BROKEN, "Xen panicked") if self.console.seen else \
            (REFUSED, "Xen could not start the guest as dom0")
        self.tells(code, words, "(XEN) Panic on CPU")

    def tells(self, code, words, line):
        """Xen's words of an end, or what looks like them; the last ones count."""
        self.told = code, words, line, self.qemu.clock.seconds()

    def registers(self, text):
        """The answer: an end is one when Xen stands still."""
        flags = self.FLAGS.search(text or "")
        if self.told is None:
            return
        if flags and self.HALTED.search(text) and not int(flags[1], 16) & self.FLAG_IF:
            self.ends(*self.told[:2], after=0.1)
        elif self.qemu.clock.seconds() - self.told[3] > self.BELIEF:
            say("the guest goes on, though its console says: " + self.told[2])
            self.told = None

    def tick(self):
        if self.told and not self.end and time.monotonic() - self.asked > 0.1:
            self.asked = time.monotonic()
            self.qemu.registers(self.registers)
        super().tick()

    def machine_ended(self, reason, code):
        if reason == "exit":
            exit_port(self, code)
        if self.told:
            self.ends(*self.told[:2])
        self.ends(FINE if reason == "guest-reset" else BROKEN, "the machine ended (%s)" % reason)
        raise self.end[1]


class Bare(Host):
    """The guest on the machine itself."""

    input_channel = "com1"
    at_once = True

    def questions(self):
        return []

    def machine(self):
        args, qemu = self.args, self.qemu
        qemu.line += [
            "-smp", str(args.vcpus), "-m", str(args.memory), "-kernel", qemu.file(args.kernel),
            "-append", args.cmdline, "-chardev", qemu.channel("com1", self.com1),
            "-serial", "chardev:com1", "-device", "isa-debug-exit,iobase=0xf4,iosize=4"]
        if args.initrd:
            qemu.line += ["-initrd", qemu.file(args.initrd)]
        qemu.line += disks.for_bare(args.disks, qemu) + vifs.for_bare(args.vifs)
        qemu.ended = self.machine_ended
        self.console.open()

    def com1(self, data):
        self.console.feed(data)
        if re.search(rb"(?m)(^|\] )(reboot: )?(System halted|Power down)", b"\n".join(
                self.console.lines[-4:])):
            self.ends(FINE, "the guest halted", 1.0)

    def machine_ended(self, reason, code):
        if reason == "exit":
            exit_port(self, code)
        words = {"guest-shutdown": "the guest powered off",
                 "guest-reset": "the guest reset the machine (a reboot or a triple fault)"}
        self.end = None
        self.ends(FINE if reason in words else BROKEN,
                  words.get(reason, "the machine ended (%s)" % reason))
        raise self.end[1]


def exit_port(host, code):
    """QEMU's exit code after a write of V to isa-debug-exit is 2 V + 1."""
    host.end = None
    if code >> 1 == EXIT_FINE:
        host.ends(FINE, "the guest ended")
    elif code & 1 and host.console.seen:
        host.ends(FAILED, "the guest ended with %#x at port 0xf4" % (code >> 1))
    else:
        raise host.qemu.broken("exit", code)
    raise host.end[1]


HOSTS = {"shim": Shim, "pvh": Pvh, "pv32": Pv32, "dom0": Dom0, "bare": Bare}
