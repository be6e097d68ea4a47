# SPDX-License-Identifier: GPL-2.0-only
"""What a guest can run on: three ways with Xen, and one without.

Kept true here: each host knows how its machine is set up and from what it can
tell how the guest ended; nothing else does.
"""

import os
import re
import subprocess
import time

import guestfiles  # the xl configuration and the files, as dom0 gets them
from console import Console, XenLines
from qemu import Qemu, accelerator
from result import BROKEN, FAILED, FINE, REFUSED, Result, say

HERE = os.path.dirname(os.path.realpath(__file__))

# com1 is Xen's. The rest spares time under TCG and things that QEMU has not.
XEN_LINE = ("console=com1 com1=115200,8n1 cpuidle=0 spec-ctrl=no xpti=no smt=0 smep=0 smap=0 "
            "no-real-mode edd=off watchdog=0 bootscrub=0 noreboot guest_loglvl=all")
DOM0_LINE = "console=hvc0 quiet mitigations=off rdinit=/init"
DOM0_MB = 224
XEN_MB = 128            # Xen's own memory, with some to spare


def shim_mb(guest_mb):
    """What xen-shim takes off a domain's memory: measured 22.2 MB, and from
    256 MB on 1/128 of the rest. Rounded up."""
    return 24 + guest_mb // 100


# Lines of Xen's that tell of a guest in trouble, and how many follow them.
NEWS = re.compile(r"d\d+v\d+ (?!save|restore)|domain_crash|Hardware Dom0 [cs]")
DUMPS = (("crashed on cpu", 18), ("Panic on CPU", 2))

REASONS = {             # SHUTDOWN_*, xen/include/public/sched.h
    "0": (FINE, "the guest powered off"),
    "1": (FINE, "the guest asked for a reboot"),
    "2": (FAILED, "the guest suspended itself"),
    "3": (FAILED, "the guest crashed"),
    "4": (FAILED, "the guest's watchdog fired"),
    "5": (FAILED, "the guest asked for a soft reset"),
}


def built(script, *arguments):
    """The path that one of our build scripts prints."""
    done = subprocess.run([os.path.join(HERE, script), *arguments],
                          stdout=subprocess.PIPE, text=True, check=True)
    return done.stdout.strip()


class Host:
    """Common to all: the log, the console, the result."""

    nested = False

    def __init__(self, args):
        self.args = args
        self.base = os.path.join(args.log, args.name)
        self.console = Console(self.base + ".console", args.stdin)
        self.log = open(self.base + ".log", "wb", buffering=0)
        self.qemu = Qemu(args, self.log)
        self.qemu.line += accelerator(args, self.nested) + args.qemu_args.split()
        self.started = time.monotonic()
        self.end = None         # (when, Result): the guest has ended
        self.com1_lines = XenLines(self.dom0_text, self.xen_news)
        self.xen_lines = []     # what Xen wrote about guests, the last lines
        self.dump = -1          # how many lines of a register dump are to come
        self.said_version = False

    def run(self):
        """Does not return: raises the Result."""
        try:
            self.machine()
            self.qemu.start()
            self.qemu.serve(self.console, self.input_channel, self.tick)
        except Result as result:
            self.console.close()
            self.explain(result)
            raise
        finally:
            self.console.close()
            self.qemu.stop()

    def explain(self, result):
        """Words that go before the last line of a run that did not go well."""
        if result.code not in (FAILED, REFUSED, BROKEN, 3):
            return
        for line in self.xen_lines:
            say("  " + line)
        if result.code == 3:
            say("the console's last lines:")
            for line in self.console.tail():
                say("  | " + line)
        say("logs: %s.log, %s.console" % (os.path.relpath(self.base), os.path.basename(self.base)))

    def tick(self):
        self.com1_lines.tick()
        if self.end and time.monotonic() >= self.end[0]:
            self.qemu.drain(*(name for name in self.qemu.channels if name != "qmp"))
            raise self.end[1]

    def ends(self, code, words, after=0.0):
        """The guest has ended; what it printed counts, too."""
        if self.end is None:
            when = time.monotonic()
            checks = self.console.checks
            if code == FINE and checks and checks[1]:
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
        if b"Kernel panic - not syncing" in data:
            self.ends(BROKEN, "dom0's kernel panicked", 0.3)

    def xen_news(self, line):
        """A line of Xen's: is it news of a guest?"""
        if not self.said_version and "Xen version" in line:
            self.said_version = True
            print(line, flush=True)
        self.dump = max([self.dump - 1] + [n for text, n in DUMPS if text in line])
        if self.dump >= 0 or NEWS.search(line):
            self.xen_lines = (self.xen_lines + [line])[-30:]
        if "Panic on CPU" in line:
            self.panic()

    def panic(self):
        self.ends(BROKEN, "Xen panicked", 0.3)

    def xen(self):
        """The hypervisor's file."""
        if self.args.xen:
            return self.args.xen
        return built("mkxen", *(["--debug"] if self.args.xen_debug else []))


class Toolstack(Host):
    """A domain that xl starts, in a dom0 of Debian's."""

    input_channel = "input"

    def machine(self):
        args = self.args
        dom0 = built("mkdom0")
        xen = args.xen or self.xen_of(dom0)
        shim = shim_mb(args.memory) if self.kind == "pvh" else 0
        config, extra = guestfiles.prepare(args, self.kind, shim)
        with open(self.base + ".cfg", "w", encoding="utf-8") as out:
            out.write(config)
        with open(os.path.join(dom0, "initramfs"), "rb") as base:
            initramfs = base.read() + extra
        dom0_mb = DOM0_MB + len(extra) * 3 // (1 << 20)
        qemu = self.qemu
        qemu.line += [
            "-smp", str(args.smp), "-m", str(dom0_mb + XEN_MB + shim + args.memory),
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
        self.control_text = b""
        self.refused = []
        self.console.hold()
        say("starting Xen and dom0, about 10 s" +
            ("; Ctrl-] leaves" if self.console.interactive else ""))

    def output(self, data):
        """The guest's console."""
        self.console.feed(data)

    def control(self, data):
        """Lines from dom0-init, which says what they are."""
        *lines, self.control_text = (self.control_text + data).split(b"\n")
        for line in lines:
            word, _, text = line.decode("latin-1").partition(" ")
            if word == "list" and text:
                print(text, flush=True)
            elif word == "list":
                self.console.release()
                self.console.open()
            elif word == "refused" and text:
                self.refused.append(text)
            elif word == "refused":
                for text in self.refused:
                    say("  " + text)
                raise Result(REFUSED, "xl create refused the guest")
            elif word == "end":
                self.qemu.drain("output")
                self.ends(*REASONS.get(text, (FAILED, "the guest is gone (reason %s)" % text)))
            elif word == "broken":
                raise Result(BROKEN, text)


class Shim(Toolstack):
    """The shim, a Xen itself, writes on its guest's console, too."""

    nested = True
    kind = "pvh"

    def __init__(self, args):
        super().__init__(args)
        self.shim_lines = XenLines(self.console.feed, self.shim_news)
        self.newline = False    # it wrote one last

    @staticmethod
    def xen_of(dom0):
        return os.path.join(dom0, "xen")

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

    def shim_news(self, line):
        line = line.replace("(XEN)", "(shim)", 1)
        self.chatter(line.encode("latin-1") + b"\n")
        self.xen_news(line)

    def panic(self):
        if self.console.seen:
            self.ends(FAILED, "the shim panicked", 0.3)
        else:
            self.ends(REFUSED, "the shim could not start the guest", 0.3)


class Pv32(Toolstack):
    kind = "pv"

    def xen_of(self, _dom0):
        return self.xen()


class Dom0(Host):
    """The guest as dom0 of a PV32 Xen. Its console is Xen's, and so its output
    is what of that is not Xen's own lines."""

    input_channel = "com1"
    ENDS = (
        ("Hardware Dom0 halted", FINE, "the guest powered off"),
        ("Hardware Dom0 shutdown: rebooting", FINE, "the guest asked for a reboot"),
        ("Hardware Dom0 crashed", FAILED, "the guest crashed"),
        ("Hardware Dom0 shutdown: watchdog", FAILED, "the guest's watchdog fired"),
        ("Hardware Dom0 shutdown", FAILED, "the guest ended for a reason unknown to Xen"),
    )

    def machine(self):
        args, qemu = self.args, self.qemu
        modules = "%s %s" % (qemu.file(args.kernel), args.cmdline.replace(",", ",,"))
        if args.initrd:
            modules += "," + qemu.file(args.initrd)
        qemu.line += [
            "-smp", str(args.smp), "-m", str(args.memory + XEN_MB), "-kernel", qemu.file(self.xen()),
            "-append", "%s dom0_mem=%dM,max:%dM dom0_max_vcpus=%d %s" %
            (XEN_LINE, args.memory, args.memory, args.vcpus, args.xen_args),
            "-initrd", modules, "-chardev", qemu.channel("com1", self.com1),
            "-serial", "chardev:com1", "-device", "isa-debug-exit,iobase=0xf4,iosize=4"]
        qemu.ended = self.machine_ended
        self.console.open()
        self.carriage = b""     # one that waits for its newline

    def dom0_text(self, data):
        """The guest's. Xen has put a carriage return before each newline."""
        data = (self.carriage + data).replace(b"\r\n", b"\n")
        self.carriage = b"\r" if data.endswith(b"\r") else b""
        self.console.feed(data[:-1] if self.carriage else data)

    def xen_news(self, line):
        super().xen_news(line)
        for text, code, words in self.ENDS:
            if text in line:
                self.ends(code, words, 0.1)
                return

    def panic(self):
        if self.console.seen:
            super().panic()
        else:
            self.ends(REFUSED, "Xen could not start the guest as dom0", 0.3)

    def machine_ended(self, reason, code):
        if reason == "exit":
            exit_port(self, code)
        self.ends(FINE if reason == "guest-reset" else BROKEN, "the machine ended (%s)" % reason)
        raise self.end[1]


class Bare(Host):
    """The guest on the machine itself."""

    input_channel = "com1"

    def machine(self):
        args, qemu = self.args, self.qemu
        qemu.line += [
            "-smp", str(args.vcpus), "-m", str(args.memory), "-kernel", qemu.file(args.kernel),
            "-append", args.cmdline, "-chardev", qemu.channel("com1", self.com1),
            "-serial", "chardev:com1", "-device", "isa-debug-exit,iobase=0xf4,iosize=4"]
        if args.initrd:
            qemu.line += ["-initrd", qemu.file(args.initrd)]
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
    if code & 1 and host.console.seen:
        value = code >> 1
        host.ends(FAILED if value else FINE, "the guest ended with %d at port 0xf4" % value)
    else:
        host.ends(BROKEN, "QEMU failed with exit code %d" % code)
    raise host.end[1]


HOSTS = {"shim": Shim, "pv32": Pv32, "dom0": Dom0, "bare": Bare}
