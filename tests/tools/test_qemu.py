# SPDX-License-Identifier: GPL-2.0-only
"""The loop around QEMU, and the watch over Xen, with a program in QEMU's place."""
import io
import json
import os
import re
import stat
import sys
import tempfile
import textwrap
import time
import types
import unittest
from unittest import mock

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "..", "tools", "host"))
import clock  # noqa: E402
import host  # noqa: E402
import hosts  # noqa: E402
import qemu  # noqa: E402
from result import BROKEN, FAILED, FINE, PANICKED, REFUSED, TIMEOUT, Result  # noqa: E402

# What stands in for QEMU: fds by chardev name, files by path, then the test's lines.
HEAD = """\
#!/usr/bin/python3
import json, os, re, select, sys, time
fd = {m[1]: int(m[2]) for m in (re.match(r"socket,id=(\\w+),fd=(\\d+)", a) for a in sys.argv) if m}
def qmp(answers):
    # To QMP's commands, the first of which is none of the test's; it ends when none comes.
    for answer in ["", *answers]:
        if not select.select([fd["qmp"]], [], [], 1)[0]:
            break
        while os.read(fd["qmp"], 1) != b"\\n":
            pass
        os.write(fd["qmp"], json.dumps({"return": answer}).encode() + b"\\n")
def shutdown(reason):
    os.write(fd["qmp"], json.dumps({"event": "SHUTDOWN", "data": {"reason": reason}}).encode() + b"\\n")
    time.sleep(1000)
"""


class Screen:
    """A console that only notes."""

    interactive = listens = False

    def __init__(self):
        self.text = b""

    def feed(self, data):
        self.text += data


class Fake(unittest.TestCase):
    def setUp(self):
        self.bin = tempfile.TemporaryDirectory()
        self.addCleanup(self.bin.cleanup)
        path = mock.patch.dict(os.environ, PATH=self.bin.name + ":" + os.environ["PATH"])
        path.start()
        self.addCleanup(path.stop)

    def program(self, lines):
        path = os.path.join(self.bin.name, "qemu-system-x86_64")
        with open(path, "w", encoding="ascii") as f:
            f.write(HEAD + textwrap.dedent(lines))
        os.chmod(path, stat.S_IRWXU)

    def end_of(self, bed):
        """The Result that a bed's run ends with; all of the bed is closed."""
        with self.assertRaises(Result) as end:
            bed.run()
        bed.console.log.close()
        bed.log.close()
        bed.qemu.words.close()
        for sock in bed.qemu.channels.values():
            sock.close()
        return end.exception


class Machine(Fake):
    def run_it(self, lines, timeout=60, files=(), question=None, tick=lambda: None, runs=True,
               first=None):
        self.program(lines)
        self.log = io.BytesIO()
        self.screen = Screen()
        self.machine = qemu.Qemu(types.SimpleNamespace(timeout=timeout), self.log)
        if first:
            self.machine.line += ["-chardev", self.machine.channel("first", first)]
        self.machine.line += ["-chardev", self.machine.channel("com1", self.screen.feed)]
        self.machine.line += [self.machine.file(f) for f in files]
        try:
            with self.assertRaises(Result) as end:
                self.machine.start()
                if runs:
                    self.machine.guest_runs()
                self.machine.serve(self.screen, "com1", tick, question)
        finally:
            self.machine.stop()
            for sock in self.machine.channels.values():
                sock.close()
            self.machine.words.close()
        return end.exception

    def test_channels_carry_data_and_the_end_has_a_reason(self):
        end = self.run_it("""
            os.write(fd["com1"], b"hello")
            shutdown("guest-shutdown")
            """)
        self.assertEqual(self.screen.text, b"hello")
        self.assertEqual((end.code, str(end)), (BROKEN, "QEMU ended (guest-shutdown)"))

    def test_a_qemu_that_dies_is_quoted(self):
        end = self.run_it("""
            print("qemu: no such device", file=sys.stderr)
            sys.exit(3)
            """)
        self.assertEqual(str(end), "QEMU ended (exit code 3): qemu: no such device")
        self.assertIn(b"no such device", self.log.getvalue())

    def test_files_are_handed_over_as_descriptors(self):
        self.run_it("""
            for path in [a for a in sys.argv if a.startswith("/dev/fd/")]:
                os.write(fd["com1"], open(path, "rb").read())
            shutdown("x")
            """, files=[b"bytes", "/proc/sys/kernel/ostype"])
        self.assertEqual(self.screen.text, b"bytesLinux\n")

    def test_time_runs_out_after_the_question(self):
        with mock.patch.object(qemu, "ANSWER_TIME", 1000):
            end = self.run_it("""
                os.write(fd["com1"], b"asked " + os.read(fd["com1"], 10))
                time.sleep(1000)
                """, timeout=0.2, question=([lambda: self.machine.type("com1", b"r?")],
                                        lambda: self.screen.text == b"asked r?"))
        self.assertEqual((end.code, str(end)), (TIMEOUT, "time-out: no end after 0.2 s"))
        self.assertEqual(self.screen.text, b"asked r?")

    def test_an_answer_is_not_waited_for_for_ever(self):
        with mock.patch.object(qemu, "ANSWER_TIME", 0.2):
            end = self.run_it("time.sleep(1000)", timeout=0.2, question=([lambda: None], lambda: False))
        self.assertEqual(end.code, TIMEOUT)

    def test_what_one_question_leaves_without_an_answer_the_next_asks(self):
        asked = []
        with mock.patch.object(qemu, "ANSWER_TIME", 0.2):
            end = self.run_it("time.sleep(1000)", timeout=0.2, question=(
                [lambda: asked.append(1), lambda: asked.append(2), lambda: asked.append(3)],
                lambda: 2 in asked))
        self.assertEqual((end.code, asked), (TIMEOUT, [1, 2]))

    def test_time_is_the_guests_alone(self):
        def tick():
            if self.screen.text == b"started":
                self.machine.guest_runs()
            elif self.screen.text == b"started, ended":
                raise Result(FINE, "in time")
        end = self.run_it("""
            time.sleep(1)
            os.write(fd["com1"], b"started")
            time.sleep(0.1)
            os.write(fd["com1"], b", ended")
            time.sleep(1000)
            """, timeout=0.9, runs=False, tick=tick)
        self.assertEqual(str(end), "in time")

    def test_a_machine_that_never_starts_its_guest_is_broken(self):
        with mock.patch.object(qemu, "BOOT_TIME", 0.2):
            end = self.run_it("time.sleep(1000)", timeout=0, runs=False)
        self.assertEqual(end.code, BROKEN)
        self.assertIn("have not started the guest", str(end))

    def test_time_without_a_processor_does_not_count(self):
        with tempfile.TemporaryDirectory() as proc:
            def threads(_pattern):
                return [os.path.join(proc, name) for name in os.listdir(proc)]
            for name, waited in (("1", 100), ("2", 7000000000), ("3", 2000000000)):
                with open(os.path.join(proc, name), "w", encoding="ascii") as file:
                    file.write("12345 %d 6" % waited)
            with mock.patch.object(clock.glob, "glob", threads), \
                    mock.patch.object(clock.time, "monotonic", lambda: 100.0):
                watch = clock.Clock(1)
                watch.start = 90.0
                self.assertEqual(watch.seconds(), 3.0)
                os.remove(os.path.join(proc, "2"))      # a thread that ends has waited all the same
                self.assertEqual(watch.seconds(), 3.0)

    def test_a_process_has_a_clock(self):
        watch = clock.Clock(os.getpid())
        self.assertLess(watch.seconds(), 60)
        self.assertIn("/proc/%d/task/%d/schedstat" % (os.getpid(), os.getpid()), watch.waited)

    def test_qmps_answers_go_to_who_has_asked(self):
        got, asked = [], []

        def tick():
            if not asked:
                asked.append(True)
                self.machine.registers(got.append)
                self.machine.registers(got.append)
            if len(got) == 2:
                raise Result(FINE, "answered")
        self.run_it("""
            os.write(fd["qmp"], b'{"QMP": 1}\\n{"event": "RESUME"}\\n')
            qmp(["R"])
            os.write(fd["qmp"], b'{"error": {}}\\n')
            time.sleep(1000)
            """, tick=tick)
        self.assertEqual(got, ["R", None])

    def test_a_channel_that_another_has_drained_holds_up_nothing(self):
        def tick():
            if self.screen.text:
                raise Result(FINE, "still there")
            time.sleep(1)       # both channels have something in the next round
        end = self.run_it("""
            os.write(fd["first"], b"x")
            os.write(fd["com1"], b"text")
            time.sleep(1000)
            """, tick=tick, first=lambda data: self.machine.drain("com1"))
        self.assertEqual(str(end), "still there")

    def test_a_tick_may_end_it(self):
        def tick():
            raise Result(FINE, "enough")
        self.assertEqual(self.run_it("time.sleep(1000)", tick=tick).code, FINE)


class Accelerator(Fake):
    def line(self, nested=False, **more):
        values = dict(accel="auto", icount=None, cpu=None)
        values.update(more)
        return qemu.accelerator(types.SimpleNamespace(**values), nested)

    def test_tcg_unless_kvm_works(self):
        with mock.patch.object(qemu, "kvm_works", return_value=False):
            self.assertEqual(self.line()[:2], ["-accel", "tcg"])
            self.assertIn("-smep", self.line()[3])
        with mock.patch.object(qemu, "kvm_works", return_value=True):
            self.assertEqual(self.line()[:2], ["-accel", "kvm"])
            self.assertEqual(self.line(icount=0)[:2], ["-accel", "tcg"])
        self.assertEqual(self.line(accel="tcg", cpu="max")[3], "max")

    def test_counted_instructions_need_tcg(self):
        self.assertIn("shift=2,sleep=off", self.line(accel="tcg", icount=2))
        with self.assertRaises(Result) as end:
            self.line(accel="kvm", icount=0)
        self.assertEqual(end.exception.code, 2)

    def test_kvm_is_believed_when_it_has_run_something(self):
        for code, nested, works in ((0x23, True, True), (0x21, False, True), (0x21, True, False),
                                    (1, False, False)):
            self.program("sys.exit(%d)" % code)
            with mock.patch.object(os, "access", return_value=True):
                self.assertEqual(qemu.kvm_works(nested), works)
        with mock.patch.object(os, "access", return_value=False):
            self.assertFalse(qemu.kvm_works(False))


class Program(unittest.TestCase):
    def test_pvh_takes_debians_qemu_only_where_it_has_not_the_fault(self):
        def program(kind, kvm=False, **more):
            values = dict(accel="auto", icount=None, qemu=None, two_level=False)
            with mock.patch.object(qemu, "kvm_works", return_value=kvm), \
                    mock.patch.object(host, "built", lambda script: "from " + script), \
                    mock.patch.object(host, "unbuilt", lambda script: script == "mkqemu"):
                args = types.SimpleNamespace(**dict(values, **more))
                return hosts.HOSTS[kind].program(args), hosts.HOSTS[kind].packages(args)

        self.assertEqual(program("pvh"), ("from mkqemu", ("qemu",)))
        self.assertEqual(program("pvh", kvm=True), (qemu.QEMU, ()))
        self.assertEqual(program("pvh", kvm=True, icount=0), ("from mkqemu", ("qemu",)))
        self.assertEqual(program("pvh", qemu="mine"), (qemu.QEMU, ()))
        self.assertEqual(program("pvh", two_level=True), (qemu.QEMU, ()))
        for kind in ("shim", "bare"):
            self.assertEqual(program(kind), (qemu.QEMU, ()))


class Watch(Fake):
    """host.Host: what the guest and Xen write, and how the run ends."""

    def run_it(self, lines, **more):
        class Bed(host.Host):
            input_channel = "com1"

            def machine(self):
                self.qemu.line += ["-chardev", self.qemu.channel("com1", self.com1),
                                   "-chardev", self.qemu.channel("tty", self.tty)]
                self.qemu.ended = lambda reason, code: self.ends(FINE, "powered off")

            def tty(self, data):
                self.qemu.guest_runs()
                self.console.feed(data)

        self.program(lines)
        values = dict(name="g", stdin=False, at=[], accel="tcg", icount=None, cpu=None,
                      qemu=None, qemu_args="", timeout=60, verbose=False)
        with tempfile.TemporaryDirectory() as log, mock.patch.object(host, "say", self.said.append), \
                mock.patch("sys.stdout", io.StringIO()), mock.patch.object(host.Console, "_show"):
            bed = Bed(types.SimpleNamespace(log=log, **dict(values, **more)))
            self.bed = bed
            return self.end_of(bed)

    def setUp(self):
        super().setUp()
        self.said = []

    def test_a_guest_that_powers_off_is_fine(self):
        end = self.run_it("""
            os.write(fd["tty"], b"guest: 5 passed, 0 failed\\n")
            shutdown("x")
            """)
        self.assertEqual(end.code, FINE)
        self.assertTrue(re.fullmatch(r"powered off after \d+\.\d s", str(end)))
        self.assertEqual(self.said, [])

    def test_failed_checks_are_a_failure(self):
        end = self.run_it("""
            os.write(fd["tty"], b"guest: 5 passed, 2 failed\\n")
            shutdown("x")
            """)
        self.assertEqual(end.code, FAILED)
        self.assertIn("2 of its checks failed", str(end))
        self.assertTrue(self.said[-1].startswith("logs: "))

    def test_xens_news_of_a_guest_are_told(self):
        end = self.run_it("""
            os.write(fd["com1"], b"(XEN) Xen version 4\\n(XEN) d1v0 bad\\n(XEN) other\\n")
            os.write(fd["com1"], b"(XEN) Panic on CPU 0:\\n(XEN) why\\n")
            time.sleep(1000)
            """)
        self.assertEqual(end.code, BROKEN)
        self.assertIn("Xen panicked", str(end))
        self.assertEqual(self.said[:3], ["  (XEN) d1v0 bad", "  (XEN) Panic on CPU 0:", "  (XEN) why"])

    def test_dom0_may_panic(self):
        self.assertIn("dom0's kernel panicked", str(self.run_it("""
            os.write(fd["com1"], b"Kernel panic - not syncing: x\\n")
            time.sleep(1000)
            """)))

    def test_a_guest_may_reboot_after_a_panic(self):
        end = self.run_it("""
            os.write(fd["tty"], b"guest: 5 passed, 0 failed\\nKernel panic - not syncing: \\x1bx\\n")
            shutdown("x")
            """)
        self.assertEqual(end.code, PANICKED)
        self.assertIn("powered off, after it had panicked: Kernel panic - not syncing: \\x1bx", str(end))

    def late(self, text):
        """The lines of a run whose time is up after the guest has written text."""
        with mock.patch.object(qemu, "ANSWER_TIME", 0.2):
            end = self.run_it("""
                os.write(fd["tty"], %r)
                time.sleep(1000)
                """ % text, timeout=0.3)
        self.assertEqual(end.code, TIMEOUT)
        return self.said

    def test_a_time_out_shows_the_last_lines(self):
        self.assertIn("  | stuck here", self.late(b"stuck here\n"))

    def test_a_time_out_tells_of_a_panic(self):
        self.assertIn("the guest had panicked: Kernel panic - not syncing: x",
                      self.late(b"Kernel panic - not syncing: x\n"))

    def test_a_silent_kernel_is_told_how_to_speak(self):
        self.assertIn("earlyprintk=serial,ttyS0,115200", "".join(self.late(b"\nvmixen: guest entered\n")))
        self.said.clear()
        self.assertNotIn("earlyprintk", "".join(self.late(b"\nvmixen: guest entered\nLinux\n")))

    def test_an_answer_of_the_monitor_is_recognized(self):
        with mock.patch.object(qemu, "ANSWER_TIME", 1000):
            self.run_it("""
                os.write(fd["tty"], b"x")
                os.read(fd["com1"], 10)
                os.write(fd["tty"], b"\\nvmixen: the guest runs\\nvmixen: last trap: vector 0\\n")
                time.sleep(1000)
                """, timeout=0.3)
        self.assertIn("  | vmixen: last trap: vector 0", self.said)

    def test_single_steps_are_no_news(self):
        self.run_it("""
            os.write(fd["com1"], b"(XEN) d1v0 Hit #DB in Xen context: e008:ffff82d0402f5d4e\\n(XEN) d1v0 bad\\n")
            os.write(fd["tty"], b"guest: 5 passed, 2 failed\\n")
            shutdown("x")
            """)
        self.assertEqual(self.said[0], "  (XEN) d1v0 bad")

    def test_dom0s_panic_may_come_in_parts(self):
        self.assertIn("dom0's kernel panicked", str(self.run_it("""
            os.write(fd["com1"], b"Kernel panic - not s")
            time.sleep(0.3)
            os.write(fd["com1"], b"yncing: x\\n")
            time.sleep(1000)
            """)))

    def test_at_a_text_something_is_typed(self):
        self.run_it("""
            os.write(fd["tty"], b"login: ")
            os.write(fd["tty"], os.read(fd["com1"], 10))
            time.sleep(0.1)
            shutdown("x")
            """, at=[("login:", "type root\\n")])
        self.assertIn("root", self.bed.console.tail()[0] if self.bed.console.tail() else "")


class Hosts(Fake):
    """Each way to run a guest: what its end is told from."""

    def run_it(self, kind, lines, **more):
        self.said = []
        self.program(lines)
        with tempfile.TemporaryDirectory() as where:
            for name in ("xen", "vmlinux", "initramfs", "g.elf", "i.gz"):
                with open(os.path.join(where, name), "w", encoding="ascii") as f:
                    f.write(name)
            values = dict(name="g", stdin=False, at=[], accel="tcg", icount=None, cpu=None, log=where,
                          qemu=None, qemu_args="", timeout=60, verbose=False, memory=64, vcpus=1, smp=1,
                          kernel=os.path.join(where, "g.elf"), initrd=os.path.join(where, "i.gz"),
                          cmdline="a,b", two_level=False, xen=None, xen_debug=False, xen_args="", shim_args="smep=0",
                          disks=[], vifs=[])
            values.update(more)
            found = {"mkdom0": where, "mkxen": os.path.join(where, "xen"),
                     "mkqemu": os.path.join(self.bin.name, "qemu-system-x86_64")}
            with mock.patch.object(hosts, "say", self.said.append), \
                    mock.patch.object(host, "say", self.said.append), \
                    mock.patch.object(hosts, "built", lambda script, *a: found[script]), \
                    mock.patch.object(host, "built", lambda script, *a: found[script]), \
                    mock.patch("sys.stdout", io.StringIO()) as self.out, \
                    mock.patch.object(host.Console, "_show"):
                bed = hosts.HOSTS[kind](types.SimpleNamespace(**values))
                end = self.end_of(bed)
                with open(os.path.join(where, "g.console"), "rb") as f:
                    self.shown = f.read()
            self.line = bed.qemu.line
        return end.code, str(end)

    def after(self, option):
        return self.line[self.line.index(option) + 1]

    def test_xl_starts_a_guest_and_tells_its_end(self):
        for reason, code, words in (("0", FINE, "powered off"), ("3", FAILED, "crashed"),
                                    ("9", FAILED, "gone (reason 9)")):
            end = self.run_it("pv32", """
                os.write(fd["control"], b"list Name ID\\nlist\\nxl done\\n")
                os.write(fd["output"], b"from the guest")
                time.sleep(0.2)
                os.write(fd["control"], b"end %s\\n")
                time.sleep(1000)
                """ % reason)
            self.assertEqual(end[0], code)
            self.assertIn(words, end[1])
            self.assertEqual(self.shown, b"from the guest")
            self.assertEqual(self.out.getvalue(), "Name ID\ndone\n")
            self.assertEqual(self.after("-m"), str(hosts.DOM0_MB + host.XEN_MB + 64))

    def test_a_domain_that_is_saved_has_room_for_its_twin(self):
        end = self.run_it("pv32", """
            os.write(fd["control"], b"list\\n")
            os.write(fd["output"], b"now")
            os.write(fd["output"], b" and " + os.read(fd["control"], 100))
            os.write(fd["control"], b"end 0\\n")
            time.sleep(1000)
            """, at=[("now", "save")])
        self.assertEqual(end[0], FINE)
        self.assertEqual(self.shown, b"now and life save\n")
        self.assertEqual(self.after("-m"), str(hosts.DOM0_MB + hosts.LIFE_MB + host.XEN_MB + 3 * 64))

    def test_xl_may_refuse_or_destroy(self):
        end = self.run_it("pv32", """
            os.write(fd["control"], b"refused bad file\\nrefused\\n")
            time.sleep(1000)
            """)
        self.assertEqual(end[0], REFUSED)
        self.assertIn("  bad file", self.said)
        end = self.run_it("pv32", """
            os.write(fd["control"], b"end gone\\n")
            time.sleep(1000)
            """, at=[("x", "xl destroy")])
        self.assertEqual(end[0], FINE)
        end = self.run_it("pv32", """
            os.write(fd["control"], b"broken no modules\\n")
            time.sleep(1000)
            """)
        self.assertEqual(end, (BROKEN, "no modules"))

    def test_the_shims_lines_are_not_the_guests(self):
        end = self.run_it("shim", """
            os.write(fd["control"], b"list\\n")
            os.write(fd["output"], b"one\\n\\r(XEN) d1v0 note\\n")
            time.sleep(0.1)
            os.write(fd["output"], b"\\rtwo")
            time.sleep(0.1)
            os.write(fd["control"], b"end 3\\n")
            time.sleep(1000)
            """)
        self.assertEqual(end[0], FAILED)
        self.assertEqual(self.shown, b"one\ntwo")
        self.assertIn("  (shim) d1v0 note", self.said)
        self.assertEqual(self.after("-m"), str(hosts.DOM0_MB + host.XEN_MB + 64 + hosts.shim_mb(64)))

    def test_a_shim_that_panics_first_refuses_the_guest(self):
        panic = """
            os.write(fd["control"], b"list\\n")
            os.write(fd["output"], b"%s(XEN) Panic on CPU 0:\\n")
            os.write(fd["control"], b"end %d\\n")
            time.sleep(1000)
            """
        self.assertEqual(self.run_it("shim", panic % ("", 3))[0], REFUSED)
        end = self.run_it("shim", panic % ("hello\\\\n", 3))
        self.assertEqual(end[0], FAILED)
        self.assertIn("the shim panicked", end[1])

    def test_a_guest_cannot_say_that_the_shim_panicked(self):
        self.assertEqual(self.run_it("shim", """
            os.write(fd["output"], b"hello\\n(XEN) Panic on CPU 0:\\n")
            time.sleep(0.5)
            os.write(fd["control"], b"end 0\\n")
            time.sleep(1000)
            """)[0], FINE)

    def test_a_triple_fault_is_no_reboot(self):
        end = """
            os.write(fd["output"], b"from the guest (XEN) d1v0 Triple fault\\n")
            os.write(fd["com1"], b"(XEN) d1v0 %s\\n")
            os.write(fd["control"], b"end 1\\n")
            time.sleep(1000)
            """
        code, words = self.run_it("pvh", end % "Triple fault - invoking HVM shutdown action 1")
        self.assertEqual(code, FAILED)
        self.assertIn("the guest's processor gave up: a triple fault", words)
        self.assertEqual(self.run_it("pvh", end % "note")[0], FINE)

    HALTED = "RIP=1 RFL=00000046 [---Z-P-] CPL=0 II=0 A20=1 SMM=0 HLT=1"

    def test_a_dom0_ends_as_xen_says(self):
        for line, code in (("Hardware Dom0 halted", FINE), ("Hardware Dom0 crashed", FAILED),
                           ("Hardware Dom0 shutdown: watchdog", FAILED), ("Panic on CPU 0:", BROKEN)):
            end = self.run_it("dom0", """
                os.write(fd["com1"], b"text\\r\\n(XEN) %s\\n")
                qmp(["not yet", "%s"])
                time.sleep(1000)
                """ % (line, self.HALTED))
            self.assertEqual(end[0], code)
            self.assertEqual(self.shown, b"text\n")
            self.assertIn("a,,b", self.after("-initrd"))
        end = self.run_it("dom0", """
            os.write(fd["com1"], b"(XEN) Panic on CPU 0:\\n")
            qmp(["%s"])
            time.sleep(1000)
            """ % self.HALTED)
        self.assertEqual(end[0], REFUSED)
        self.assertEqual(self.run_it("dom0", 'shutdown("guest-reset")')[0], FINE)
        end = self.run_it("dom0", """
            os.write(fd["com1"], b"(XEN) Hardware Dom0 shutdown: rebooting machine\\n")
            shutdown("guest-reset")
            """)
        self.assertIn("the guest asked for a reboot", end[1])

    def test_a_dom0_that_writes_xens_words_goes_on(self):
        running = ("RFL=00000246 [---Z-P-] CPL=0 II=0 A20=1 SMM=0 HLT=1",       # Xen is idle
                   "RFL=00000046 [---Z-P-] CPL=1 II=0 A20=1 SMM=0 HLT=0",
                   "RFL=00000046 [---Z-P-] CPL=0 II=0 A20=1 SMM=0 HLT=0", "")
        for text in running:
            with mock.patch.object(hosts.Dom0, "BELIEF", 0.2):
                end = self.run_it("dom0", """
                    os.write(fd["com1"], b"text\\r\\n(XEN) Hardware Dom0 halted\\n")
                    qmp(["%s"] * 1000)
                    shutdown("guest-reset")
                    """ % text)
            self.assertIn("the machine ended", end[1])
            self.assertIn("goes on, though its console says: (XEN) Hardware Dom0 halted", "".join(self.said))

    def test_a_bare_machine_ends_by_power_port_or_words(self):
        for lines, code in (('shutdown("guest-shutdown")', FINE), ('shutdown("host-error")', BROKEN),
                            ("sys.exit(0x21)", FINE), ("sys.exit(1)", BROKEN),
                            ('os.write(fd["com1"], b"x"); sys.exit(3)', FAILED),
                            ('os.write(fd["com1"], b"reboot: System halted\\n"); time.sleep(1000)', FINE)):
            self.assertEqual(self.run_it("bare", lines)[0], code, lines)
        self.assertEqual(self.after("-append"), "a,b")


if __name__ == "__main__":
    unittest.main()
