# SPDX-License-Identifier: GPL-2.0-only
"""System tests as a table: a guest, what it is told, how its run must end.

A sentence says what the test proves; code is tools/host/run's exit code;
words are regular expressions that must be on the console.
"""
from dataclasses import dataclass, field

XEN = ("shim", "pv32", "dom0")
ALL = XEN + ("bare",)
HOSTS = ALL + ("pvh",)
WITH_XL = ("shim", "pv32", "pvh")
# What costs a whole domain start is shown once with xl, once without, and once with
# the other binding.
SOME = ("shim", "dom0", "pvh")
OF_PV = ("shim", "dom0")        # what the other binding has not

PAE = "build/guest-pae.bzImage"
TWO_LEVEL = "build/guest-2level.bzImage"
AT_16_MB = "build/guest-pae-16m.bzImage"
DISK = "build/guest-disk.img"

# How many they must be is in counts.json.
PASSED = r"guest: \d+ passed, 0 failed"
ONE_FAILED = r"guest: \d+ passed, 1 failed"


# Where the guest's group life waits.
WAITS = ("before Init", "halted", "with an alarm", "with interrupts off", "in lazy mode", "in user mode")


def life(step, *waits):
    """run's options: the step where the guest waits so, and elsewhere it is typed to."""
    assert all(wait in WAITS for wait in waits)
    return [word for wait in WAITS
            for word in ("--at", "guest: waits " + wait, step if wait in waits else r"type \n")]


@dataclass
class Case:
    name: str
    sentence: str
    kernel: str
    code: int
    words: list
    cmdline: str = ""
    memory: int = 64
    hosts: tuple = ALL
    timeout: int = 120
    options: list = field(default_factory=list)
    rom: str = "build/vmi.rom"

    def counts(self):
        """Does its guest come to the end of its checks, so that their number is known?"""
        return PASSED in self.words or ONE_FAILED in self.words


CASES = [
    Case("pae", "the PAE test guest boots, and every check passes", PAE, 0,
         [PASSED], hosts=HOSTS),
    Case("2level", "the 2-level test guest boots, and every check passes", TWO_LEVEL, 0,
         [PASSED], hosts=HOSTS),
    Case("ring", "the kernel finds the ROM and is in ring 1 after Init", PAE, 0,
         [r"VMI: found ", r"guest: ring 1 after Init"], hosts=SOME),
    Case("onlypv", "the ROM for PV domains alone starts no PVH domain, and says so", TWO_LEVEL, 1,
         [r"cannot start the guest: this is a PVH domain, and its kernel is wrapped with a ROM for PV "],
         hosts=("pvh",), rom="build/rom/pv.rom"),
    Case("onlypvh", "the ROM for PVH domains alone starts no PV domain, and says so", TWO_LEVEL, 1,
         [r"cannot start the guest: this is a PV domain, and its kernel is wrapped with a ROM for PVH "],
         hosts=OF_PV, rom="build/rom/pvh.rom"),
    Case("fail", "a failed check of the guest ends with exit code 1", PAE, 1,
         [ONE_FAILED], cmdline="fail=1"),
    Case("fault", "a triple fault ends in a report and a crash", PAE, 1,
         [r"vmixen: the guest died: triple fault", r"vmixen: eip [0-9a-f]{8}"],
         cmdline="die=fault", hosts=SOME),
    Case("triple", "one that is meant, with an empty IDT, is a reboot", PAE, 0,
         [r"vmixen: the guest faults with an empty IDT", r"the guest asked for a reboot"],
         cmdline="die=triple", hosts=SOME),
    Case("real", "so is the way to real mode, as reboot=b goes it", TWO_LEVEL, 0,
         [r"vmixen: the guest takes a stack of 16 bits", r"the guest asked for a reboot"],
         cmdline="die=real", hosts=SOME),
    Case("pe", "so is the end of protected mode", PAE, 0,
         [r"vmixen: the guest turns protected mode off", r"the guest asked for a reboot"],
         cmdline="die=pe", hosts=("dom0",)),
    Case("kexec", "kexec ends in a report", PAE, 1,
         [r"vmixen: the guest died: .* as those of kexec"], cmdline="die=kexec", hosts=OF_PV),
    Case("nowhere", "a directory where no memory is ends in a report", TWO_LEVEL, 1,
         [r"vmixen: the guest died: .* no memory at fffff000"], cmdline="die=nowhere", hosts=("pvh",)),
    Case("stack", "a stack that is not mapped ends in the kernel's own task for double faults", TWO_LEVEL, 1,
         [r"double fault: eip c01[0-9a-f]{5} esp 00000000", r"guest: died: double fault"],
         cmdline="die=stack", hosts=("pvh",)),
    Case("stackgate", "in a report, if the kernel has no such task", TWO_LEVEL, 1,
         [r"vmixen: the guest died: triple fault: a double fault without a handler"],
         cmdline="die=stack nogate", hosts=("pvh",)),
    Case("int", "so does an INT that is the ROM's own, without what belongs to it", TWO_LEVEL, 1,
         [r"vmixen: the guest died: no frame at 00001000 to return to"], cmdline="die=int",
         hosts=("pvh",)),
    Case("window", "a guest that takes the ROM out of its page tables is told of, if not by the ROM",
         TWO_LEVEL, 1, [r"Triple fault", r"the guest's processor gave up: a triple fault"],
         cmdline="die=window", hosts=("pvh",)),
    Case("kexec2", "kexec of a 2-level kernel ends in a report", TWO_LEVEL, 1,
         [r"vmixen: the guest died: .* as those of kexec"], cmdline="die=kexec", hosts=("dom0",)),
    Case("pointer", "a pointer to no entry ends in a report", PAE, 1,
         [r"vmixen: the guest died: VMI page table call: no entry can be at 00000001"],
         cmdline="die=pointer pointer=1", hosts=("dom0",)),
    Case("pointer2", "so does one that would be no table's, of a 2-level kernel", TWO_LEVEL, 1,
         [r"vmixen: the guest died: VMI page table call: no entry can be at 00000008"],
         cmdline="die=pointer pointer=8", hosts=("dom0",)),
    Case("hang", "a guest that hangs ends by time-out, with its last lines", PAE, 3,
         [r"time-out"], cmdline="die=hang", hosts=("dom0", "shim"), timeout=15),
    Case("keys", "on keys the monitor zeroes its counters, and shows them", PAE, 3,
         [r"counters are at 0\s+vmixen: counter time: ms=\d{1,4}\s",
          r"counters are at 0\s+.*time.*\s+vmixen: counter hypercall: (\w+=\d{1,2}\s+)+vmixen: counter pool: size="],
         cmdline="die=spin", hosts=OF_PV, timeout=15,
         options=["--at", "guest: die=spin", r"type \x1ez\x1ec"]),
    Case("spin", "when time is up, the monitor says where the guest is", PAE, 3,
         [r"time-out", r"vmixen: the guest runs", r"vmixen: eip c01[0-9a-f]{5} cs 0061"],
         cmdline="die=spin", hosts=SOME, timeout=15),
    Case("reboot", "a guest's reboot is told as such", PAE, 0,
         [r"the guest asked for a reboot"],
         cmdline="die=reboot", hosts=SOME),
    Case("panic", "a reboot after a kernel's panic has an exit code of its own", PAE, 6,
         [r"the guest asked for a reboot, after it had panicked: Kernel panic - not syncing: die=panic"],
         cmdline="die=panic panic=1", hosts=SOME),
    Case("forge", "Xen's words of an end, written by a guest, are no end", PAE, 0,
         [PASSED, r"the guest powered off"], cmdline="forge only=none", hosts=XEN),
    Case("shutdown", "xl shutdown presses the power button", PAE, 0,
         [r"the power button was pressed", r"the guest powered off"], cmdline="die=button",
         options=["--at", "waits to be asked", "xl shutdown"], hosts=WITH_XL),
    Case("shutkeys", "xl shutdown ends a guest that hears only Ctrl-Alt-Del, as powered off", PAE, 0,
         [r"Ctrl-Alt-Del was typed", r"the guest powered off"], cmdline="die=keys",
         options=["--at", "waits to be asked", "xl shutdown"], hosts=WITH_XL),
    Case("again", "xl shutdown, given again, types Ctrl-Alt-Del if the button was of no use", PAE, 0,
         [r"button was pressed\s+(Shutting down .*\s+)*guest: Ctrl-Alt-Del was typed", r"the guest powered off"],
         cmdline="die=keys acpi", hosts=WITH_XL,
         options=["--at", "waits to be asked", "xl shutdown", "--at", "was pressed", "xl shutdown"]),
    Case("rebootkeys", "xl reboot types Ctrl-Alt-Del", PAE, 0,
         [r"Ctrl-Alt-Del was typed", r"the guest asked for a reboot"], cmdline="die=keys",
         options=["--at", "waits to be asked", "xl reboot"], hosts=WITH_XL),
    Case("rebootbutton", "xl reboot ends a guest that hears only the power button, as a reboot",
         PAE, 0, [r"the power button was pressed", r"the guest asked for a reboot"],
         cmdline="die=button", options=["--at", "waits to be asked", "xl reboot"], hosts=WITH_XL),
    Case("deaf", "xl shutdown of a guest that hears nothing ends in a sentence; xl destroy works",
         PAE, 0, [r"it listens neither to the power button", r"the domain was destroyed"],
         cmdline="die=deaf", hosts=WITH_XL,
         options=["--at", "waits to be asked", "xl shutdown", "--at", "listens neither", "xl destroy"]),
    Case("halt", "a guest that halts for good is taken for powered off", PAE, 0,
         [r"the guest has halted for good"], cmdline="die=halt", hosts=SOME),
    Case("nmi", "xl trigger nmi reaches a guest that is idle, again, and with interrupts off", PAE, 0,
         [r"guest: NMI 1, interrupts on", r"guest: NMI 2, interrupts on",
          r"guest: NMI 3, interrupts off", r"the guest powered off"],
         cmdline="die=nmi", hosts=("pv32", "pvh"),
         options=[word for text in ("waits to be asked", "NMI 1", "NMI 2")
                  for word in ("--at", text, "xl trigger 1 nmi 0")]),
    Case("busy", "NMIs come in the midst of faults, calls and returns, and nothing goes wrong", PAE, 0,
         [r"guest: NMIs have come, 0 things went wrong", r"the guest powered off"],
         cmdline="die=busy", hosts=("pv32", "pvh"),
         options=[word for text in ["waits to be asked"] + ["NMI %d," % n for n in range(1, 8)]
                  for word in ("--at", text, "xl trigger 1 nmi 0")]),
    Case("tiny", "too little memory is told with how much it takes", PAE, 1,
         [r"cannot start the guest: the domain has 4 MB.* the ROM.*: give it [67] MB or more"], memory=4,
         hosts=("dom0", "pvh")),
    Case("least", "the test guest runs in 6 MB, the least that it is told to have", PAE, 0,
         [PASSED], memory=6, hosts=("dom0",)),
    Case("room", "the initrd keeps out of the way of a kernel that unpacks itself", AT_16_MB, 0,
         [r"ok   boot: and keeps out of the kernel's way", PASSED], memory=19,
         cmdline="only=none", hosts=("dom0",), options=["--initrd", PAE]),
    Case("noroom", "a kernel that has no room to unpack itself is told how much it takes", AT_16_MB, 1,
         [r"the kernel needs \d MB from 16 MB on, .* the domain has 16 MB, give it 19 MB or more"],
         memory=16, hosts=("dom0",)),
    Case("novmi", "a kernel that does not use VMI is told so", PAE, 1,
         [r"before VMI_Init"], cmdline="vmi=off", hosts=SOME),
    Case("mute", "a guest that spins before VMI_Init and prints nothing is told of, once", TWO_LEVEL, 0,
         [r"printed nothing for 10 s, and runs\s+vmixen: eip c01[0-9a-f]{5} .* before Init, 2-level",
          r'text at the stack: "words of a panic that nobody reads"',
          r"vmixen: earlyprintk=serial,ttyS0,115200"], cmdline="mute=boot", hosts=OF_PV),
    Case("mutetime", "where no event comes before VMI_Init, it is told of when time is up", TWO_LEVEL, 3,
         [r"time-out", r"vmixen: the guest runs\s+vmixen: eip c01[0-9a-f]{5} .* before Init, 2-level",
          r"vmixen: last trap: vector 2,"], cmdline="mute=boot forever", hosts=("pvh",), timeout=5),
    Case("muteinit", "so is one that does so after VMI_Init", PAE, 0,
         [r"printed nothing for 10 s, and runs\s+vmixen: eip c01[0-9a-f]{5} .* paravirtual, PAE"],
         cmdline="mute=init", hosts=("dom0",)),
    Case("counters", "the word vmixen.counters shows what the monitor did", PAE, 0,
         [r"vmixen: counter exception: (\w+=\d+ )*PF=\d+", r"vmixen: counter hypercall: .*mmu_update=\d+",
          r"vmixen: counter vmi: ", r"vmixen: counter batch: to1=\d+", r"vmixen: counter pool: size=\d+"],
         cmdline="vmixen.counters only=none", hosts=OF_PV),
    Case("disk", "a disk at an AHCI controller is read, written and flushed", PAE, 0,
         [r"ok   disk: it is what was written", r"ok   disk: it has interrupted once", PASSED],
         cmdline="only=disk disk", hosts=("shim", "pv32", "pvh", "bare"),
         options=["--disk", DISK + ",snapshot"]),
    Case("net", "a network card sends and receives, and leaves checksums and segments to the backend", PAE, 0,
         [r"vmixen: network 0: 00:16:3e:76:6d:00", r"ok   net: so does one of 1472 bytes",
          r"ok   net: they come back, too", PASSED],
         cmdline="only=net net", hosts=("shim", "pv32", "pvh"), options=["--vif", "dom0"]),
    Case("netbare", "so does QEMU's own, to the same checks", PAE, 0,
         [r"ok   net: it has interrupted", r"ok   net: they come back, too", PASSED],
         cmdline="only=net net", hosts=("bare",), options=["--vif", "dom0"]),
    Case("checkpoint", "xl save -c is nothing to a guest that is halted, has interrupts off, runs a process",
         TWO_LEVEL, 0, [r"(?s)(checkpoint: exit code 0.*){3}", PASSED], cmdline="life only=life", hosts=("pvh",),
         timeout=600, options=life("checkpoint", "halted", "with interrupts off", "in user mode")),
    Case("restore", "a guest is saved and restored in whatever state it is, and then passes every other check",
         PAE, 0, [r"(?s)(vmixen: the domain goes on, after .*){6}", r"(?s)(save: exit code 0.*){6}", PASSED],
         cmdline="life", hosts=("pvh",), timeout=600, options=life("save", *WAITS)),
    Case("migrate", "a guest migrates live before Init, with an alarm armed, and while it runs a process",
         TWO_LEVEL, 0, [r"(?s)(vmixen: the domain goes on, after .*){3}", r"(?s)(migrate: exit code 0.*){3}", PASSED],
         cmdline="life only=life", hosts=("pvh",), timeout=600,
         options=life("migrate", "before Init", "with an alarm", "in user mode")),
    Case("diskrestore", "a guest that was restored reads and writes its disk, which another backend serves", PAE, 0,
         [r"(?s)vmixen: disk 2048: 8 MB.*vmixen: the domain goes on, after", r"save: exit code 0",
          r"ok   disk: it is what was written", PASSED], cmdline="life disk only=life,disk", hosts=("pvh",),
         timeout=600, options=["--disk", DISK + ",snapshot", *life("save", "halted")]),
    Case("netrestore", "a guest that was restored has its network again, from another backend", PAE, 0,
         [r"(?s)vmixen: network 0: .*vmixen: the domain goes on, after", r"save: exit code 0",
          r"ok   net: they come back, too", PASSED], cmdline="life net only=life,net", hosts=("pvh",),
         timeout=600, options=["--vif", "dom0", *life("save", "halted")]),
    Case("nosave", "of a PV domain xl refuses a save at once, and the guest goes on", PAE, 0,
         [r"Suspend event channel initialization failed", r"save: exit code [1-9]", r"the guest powered off"],
         cmdline="die=button", hosts=("shim", "pv32"), timeout=50,
         options=["--at", "guest: waits to", "save", "--at", "be asked", "xl shutdown"]),
    Case("unplug", "xl takes a disk from a guest that is idle", PAE, 0,
         [r"vmixen: disk 2048: 8 MB", r"vmixen: disk 2048 is gone", r"the guest powered off"],
         cmdline="die=button", hosts=("shim", "pv32", "pvh"),
         options=["--disk", DISK + ",snapshot", "--at", "waits to be asked", "xl block-detach 1 2048",
                  "--at", "is gone", "xl shutdown"]),
    Case("small", "the test guest runs in 16 MB", PAE, 0, [PASSED],
         memory=16, hosts=XEN),
    Case("latenx", "NX that is turned on after Init counts", PAE, 0, [PASSED],
         cmdline="latenx only=cpu,pte", hosts=OF_PV),
    Case("xsave", "a kernel may use XSAVE where the processor has it", PAE, 0,
         [r"ok   SetCR4: with OSXSAVE XSAVE and XRSTOR work", PASSED], cmdline="only=cpu",
         options=["--cpu", "EPYC,-smap,-smep,-monitor,-rdtscp"], hosts=("dom0",)),
    Case("large", "the test guest runs in 1 GB", PAE, 0, [PASSED],
         memory=1024, hosts=OF_PV),
    Case("huge", "a domain of 4 GB has memory on both sides of the ROM's own, and above 4 GB", TWO_LEVEL, 0,
         [r"guest entered at 00100000, 409\d MB", r"RAM up to frame b[0-9a-f]{4}\s",
          r"RAM up to frame fbfff\s", r"RAM up to frame 103fff\s",
          r"ok   space: each range of the E820 map ends with memory"],
         cmdline="only=space", memory=4096, hosts=("pvh",)),
    Case("api13", "the test guest runs as one of API 13.0, by fixed slots", PAE, 0,
         [r"used as 13\.0", PASSED], cmdline="api=13 minor=0", hosts=SOME),
    Case("slots", "the test guest runs by the fixed slots of API 3.0", TWO_LEVEL, 0,
         [PASSED], cmdline="bind=slot", hosts=("dom0",)),
    Case("nullrom", "the test guest runs under a ROM without a hypervisor", PAE, 0,
         [r"VMI: found vmixen native test ROM", PASSED],
         cmdline="nullrom", hosts=("bare",),
         options=["--qemu-args", "-option-rom build/guest-null.rom"]),
]
