# SPDX-License-Identifier: GPL-2.0-only
"""A QEMU process, its channels, and the loop that serves them.

Kept true here: QEMU does not outlive us, not even when we are killed, and no
file carries data between us and it: channels are socket pairs, and files are
handed over as descriptors, so a path may hold what it likes.
"""

import ctypes
import json
import os
import selectors
import shutil
import signal
import socket
import subprocess
import tempfile

from clock import Clock
from result import BROKEN, TIMEOUT, USAGE, Result, cut

# SMEP and SMAP cost a 32-bit PV guest a flush of TCG's TLB on each entry to
# Xen; RDTSCP crashes a PVH Linux, MWAIT idle panics Xen.
TCG_CPU = "EPYC,-smap,-smep,-xsave,-monitor,-rdtscp"
KVM_CPU = "host,-smap,-smep"
QEMU = "qemu-system-x86_64"
PR_SET_PDEATHSIG = 1

# A firmware of a few instructions that writes 0x11 to port 0xf4 when the CPU
# has VMX or SVM, 0x10 when not: it proves that KVM runs anything at all.
PROBE = bytes.fromhex(
    "66b801000000" "0fa2" "66c1e905" "6689ce"   # cpuid 1: ecx bit 5 into esi
    "66b801000080" "0fa2" "66c1e902"            # cpuid 80000001: ecx bit 2
    "6609f1" "6683e101" "89c8" "0c10" "e6f4" "f4")


def kvm_works(nested):
    """Whether QEMU can use KVM here and, if nested, hardware virtualization in it."""
    if not os.access("/dev/kvm", os.R_OK | os.W_OK) or shutil.which(QEMU) is None:
        return False
    rom = PROBE.ljust(0xfff0, b"\xf4") + b"\xe9\x0d\x00".ljust(16, b"\xf4")
    fd = os.memfd_create("probe")
    os.write(fd, rom)
    try:
        done = subprocess.run(
            [QEMU, "-accel", "kvm", "-cpu", KVM_CPU, "-m", "16", "-nodefaults", "-no-user-config",
             "-display", "none", "-bios", "/dev/fd/%d" % fd,
             "-device", "isa-debug-exit,iobase=0xf4,iosize=4"],
            pass_fds=[fd], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, timeout=20, check=False)
    except subprocess.TimeoutExpired:
        return False
    finally:
        os.close(fd)
    return done.returncode == 0x11 << 1 | 1 or done.returncode == 0x10 << 1 | 1 and not nested


def uses_kvm(args, nested):
    """Whether it is KVM that carries out the machine's instructions, and not TCG;
    nested: Xen is to run HVM or PVH domains."""
    return args.accel == "kvm" or \
        args.accel == "auto" and args.icount is None and kvm_works(nested)


def accelerator(args, nested):
    """QEMU's arguments for how instructions are carried out."""
    kvm = uses_kvm(args, nested)
    if args.icount is not None and kvm:
        raise Result(USAGE, "--icount needs TCG")
    line = ["-accel", "kvm" if kvm else "tcg", "-cpu", args.cpu or (KVM_CPU if kvm else TCG_CPU)]
    if args.icount is not None:
        # What else would come from this machine: the date and rdrand.
        line += ["-icount", "shift=%d,sleep=off" % args.icount,
                 "-rtc", "base=2026-01-01T00:00:00,clock=vm", "-seed", "1"]
    return line


def die_with_parent():
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


# In seconds that the machine had to run (clock.py).
ANSWER_TIME = 5.0       # for the monitor to say where its guest is
BOOT_TIME = 600.0       # for Xen and dom0 to start the guest: ten to sixty times what it takes


class Qemu:
    """One machine. Channels: name -> function that takes the bytes it sends."""

    def __init__(self, args, log, program=QEMU):
        self.args = args
        self.log = log              # file: what is neither ours nor the guest's
        self.fds = []               # to hand over
        self.channels = {}          # name -> our socket
        self.handlers = {}          # name -> function(bytes)
        self.line = [program, "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot"]
        self.process = None
        self.words = tempfile.TemporaryFile()   # what QEMU itself has to say
        self.clock = None           # the machine's time, once it has started
        self.deadline = 0.0         # on that clock
        self.guest_started = False
        self.time_up = None         # the Result, while the monitor answers
        self.qmp_text = b""
        self.asked = []             # functions that wait for QMP's next answers
        self.line += ["-chardev", self.channel("qmp", self._qmp), "-mon", "chardev=qmp,mode=control"]

    def file(self, source, writable=False):
        """A name under which QEMU finds the file, or the bytes."""
        if isinstance(source, (bytes, bytearray)):
            fd = os.memfd_create("vmixen")
            with os.fdopen(os.dup(fd), "wb") as out:
                out.write(source)
        else:
            fd = os.open(source, os.O_RDWR if writable else os.O_RDONLY)
        self.fds.append(fd)
        return "/dev/fd/%d" % fd

    def channel(self, name, handler):
        """QEMU's -chardev argument for a channel; handler gets what comes from it."""
        ours, theirs = socket.socketpair()
        for end in (ours, theirs):
            end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
        self.channels[name], self.handlers[name] = ours, handler
        self.fds.append(theirs.detach())
        return "socket,id=%s,fd=%d" % (name, self.fds[-1])

    def start(self):
        if shutil.which(self.line[0]) is None:
            raise Result(BROKEN, "%s is not installed; tools/host/deps run" % self.line[0])
        self.log.write(b"$ " + " ".join(self.line).encode("utf-8", "surrogateescape") + b"\n")
        self.process = subprocess.Popen(
            self.line, pass_fds=self.fds, stdin=subprocess.DEVNULL, stdout=self.words,
            stderr=self.words, start_new_session=True, preexec_fn=die_with_parent)
        for fd in self.fds:
            os.close(fd)
        self.fds = []
        self.clock = Clock(self.process.pid)
        self.deadline = BOOT_TIME
        self._qmp_send("qmp_capabilities", lambda answer: None)

    def stop(self):
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.log.write(self.said())

    def said(self):
        """What QEMU itself has written."""
        self.words.seek(0)
        return self.words.read()

    def send(self, name, data):
        self.channels[name].sendall(data)

    # --- the loop -----------------------------------------------------------

    def guest_runs(self):
        """The guest has started: from now on it is given args.timeout, 0: any time."""
        if not self.guest_started:
            self.guest_started = True
            self._time_again()

    def _time_again(self):
        if self.guest_started and not self.time_up:
            self.deadline = self.clock.seconds() + (self.args.timeout or float("inf"))

    def serve(self, console, input_channel, tick, question=None):
        """Serve the channels until a handler or tick raises the Result. tick is
        called after each round, at least every 0.1 s. question: functions that ask the
        guest's monitor when time is up, one after the other, and one that is true when
        the answer is there."""
        keys = b""
        with selectors.DefaultSelector() as selector:
            for name, sock in self.channels.items():
                selector.register(sock, selectors.EVENT_READ, name)
            typing = False
            while True:
                wanted = console.listens and not keys
                if wanted != typing:
                    typing = wanted
                    if wanted:
                        selector.register(0, selectors.EVENT_READ, "keys")
                    else:
                        selector.unregister(0)
                for event, _ in selector.select(0.1):
                    if event.data == "keys":
                        keys = console.keys()
                        if console.interactive:
                            self._time_again()
                    else:
                        self._receive(selector, event)
                if keys:
                    keys = keys[self.type(input_channel, keys):]
                tick()
                self._watch_time(question)

    def _receive(self, selector, event):
        try:
            data = event.fileobj.recv(1 << 16, socket.MSG_DONTWAIT)
        except BlockingIOError:     # another channel's handler has drained it
            return
        except ConnectionError:
            data = b""
        if data:
            self.handlers[event.data](data)
            return
        selector.unregister(event.fileobj)
        if event.data == "qmp":
            self._gone()

    def _watch_time(self, question):
        """Ends what takes too long; the guest's monitor may say first what it knows."""
        now = self.clock.seconds()
        if self.time_up and question[1]():
            raise self.time_up
        if now <= self.deadline:
            return
        if not self.guest_started:
            raise Result(BROKEN, "Xen and dom0 have not started the guest after %g s" % BOOT_TIME)
        self.time_up = self.time_up or \
            Result(TIMEOUT, "time-out: no end after %g s" % self.args.timeout)
        if not question or not question[0]:
            raise self.time_up
        question[0].pop(0)()
        self.deadline = now + ANSWER_TIME

    def type(self, name, data):
        """Send what there is room for; returns how much that was."""
        try:
            return self.channels[name].send(data, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return 0

    def drain(self, *names):
        """Hand out what is left in the channels, after QEMU's end or before it."""
        for name in names:
            try:
                while True:
                    data = self.channels[name].recv(1 << 16, socket.MSG_DONTWAIT)
                    if not data:
                        break
                    self.handlers[name](data)
            except OSError:
                pass

    def _gone(self):
        self.drain(*(name for name in self.channels if name != "qmp"))
        code = self.process.wait()
        self.ended("exit", code)

    # --- QMP ----------------------------------------------------------------

    def _qmp_send(self, command, answer, **arguments):
        """answer gets what the command returns, None when it failed."""
        self.asked.append(answer)
        try:
            self.send("qmp", json.dumps({"execute": command, "arguments": arguments}).encode() + b"\n")
        except OSError:             # gone already; the loop will see that
            pass

    def registers(self, answer):
        """answer gets the first CPU's, as the text of QEMU's monitor."""
        self._qmp_send("human-monitor-command", answer, **{"command-line": "info registers"})

    def _qmp(self, data):
        self.qmp_text += data
        *lines, self.qmp_text = self.qmp_text.split(b"\n")
        for line in lines:
            message = json.loads(line)
            if message.get("event") == "SHUTDOWN":
                self.drain(*(name for name in self.channels if name != "qmp"))
                self.ended(message["data"]["reason"], None)
            elif ("return" in message or "error" in message) and self.asked:
                self.asked.pop(0)(message.get("return"))

    def ended(self, reason, code):
        """The machine's end: QMP's reason, or "exit" and QEMU's exit code. A host
        that knows better replaces this."""
        raise self.broken(reason, code)

    def broken(self, reason, code):
        """The Result of a machine that ended for no good reason."""
        words = self.said().decode("latin-1").strip().splitlines()
        return Result(BROKEN, "QEMU ended (%s)%s" % (
            reason if code is None else "exit code %d" % code,
            ": " + cut(words[-1]) if words else ""))
