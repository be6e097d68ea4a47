# SPDX-License-Identifier: GPL-2.0-only
"""The worlds in which the same programs run, and what a run's console says.

A guest on pvh is held against the bare machine, and so in the same mode of paging.

Kept true here: a run that did not end well, or lacks its last line, is no
result but an error; nothing is filled in.
"""

import os
import re
import subprocess
import sys
from dataclasses import dataclass

ROOT = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "tools", "host"))
import child  # noqa: E402  what we start, and signals
from hosts import HOSTS  # noqa: E402  which modes of paging each has
from result import lines_printable, printable  # noqa: E402


@dataclass(frozen=True)
class World:
    name: str
    host: str           # tools/host/run's
    guest: str          # rom, xen (native PV), bare, 2level (the same without PAE), pvh
    title: str


WORLDS = (
    World("bare", "bare", "bare", "bare machine"),
    World("bare-2level", "bare", "2level", "bare machine, 2-level"),
    World("xen", "pv32", "xen", "native Xen guest, pv32"),
    World("rom", "pv32", "rom", "VMI by the ROM, pv32"),
    World("xen-shim", "shim", "xen", "native Xen guest, shim"),
    World("rom-shim", "shim", "rom", "VMI by the ROM, shim"),
    World("pvh", "pvh", "pvh", "VMI by the ROM, pvh"),
)
PAE_ON_PVH = "pae" in HOSTS["pvh"].paging


def bare_of(world, there):
    """The world of the bare machine for this one: that with the same guest, if it is there."""
    return "bare-2level" if world == "pvh" and "bare-2level" in there else "bare"


class Failed(Exception):
    """A run without a result."""


def run(world, kernel, initrd, cmdline, memory, out, name):
    """Returns the console's text. kernel: what --kernel takes on this host."""
    line = [os.path.join(ROOT, "tools/host/run"), "--icount", "--timeout", "0", "--host", world.host,
            "--kernel", kernel, "--memory", str(memory), "--cmdline", cmdline, "--log", out,
            "--name", name]
    if initrd:
        line += ["--initrd", initrd]
    done = child.run(line, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        with open(os.path.join(out, name + ".console"), encoding="latin-1") as file:
            text = file.read()
    except OSError:     # the run did not get so far; its words say why
        text = ""
    if done.returncode or "bench: done" not in text:
        raise Failed("%s: no result (exit code %d)\n%s\n%s" % (
            world.title, done.returncode, lines_printable(text[-1500:]), done.stderr[-1500:]))
    return text


VALUE = r"(-?\d{1,18}(?:\.\d{1,9})?)"
ROW = re.compile(r"^bench:\t([^\t\n]+)\t%s\t([^\t\n]+)\t(\d{1,9})\t(\d{1,9})\t%s\t%s" % ((VALUE,) * 3),
                 re.M)
COUNTER = re.compile(r"^vmixen: counter (\w+):(.*)$", re.M)


def rows(text):
    """name -> {value, unit, rounds, ops, least, most}, in the console's order."""
    found = {}
    for name, value, unit, rounds, ops, least, most in ROW.findall(text):
        found[printable(name)] = {
            "value": float(value), "unit": printable(unit), "rounds": int(rounds), "ops": int(ops),
            "least": float(least), "most": float(most)}
    return found


def counters(text):
    """name of a row -> {"group.counter": per operation}: the last report before a row
    is of its measured rounds."""
    found = {}
    report = {}
    for line in text.splitlines():
        counter = COUNTER.match(line)
        row = ROW.match(line)
        if counter:
            group, values = counter.groups()
            if group == "time":
                report = {}
            for name, value in re.findall(r" (\w+)=(\d{1,18})\b", values):
                report[group + "." + name] = int(value)
        elif row and report:
            times = int(row[4]) * int(row[5])
            found[printable(row[1])] = {
                name: round(value / times, 4) for name, value in report.items()
                if not name.startswith(("time.", "pool."))}
            report = {}
    return found


def pool(text):
    """The last line about the shadow pool, in pages."""
    values = [v for group, v in COUNTER.findall(text) if group == "pool"]
    return {n: int(v) for n, v in re.findall(r" (\w+)=(\d{1,18})\b", values[-1])} if values else {}


def number(pattern, text, base=10):
    found = re.search(pattern, text)
    return int(found[1], base) if found else None


def boot_ticks(text, start=None):
    """From the domain's first instruction, or the time given, to the first one of init."""
    end = number(r"init: started at TSC ([0-9a-f]{1,16})\b", text, 16)
    if start is None:
        start = number(r"vmixen: domain started at TSC ([0-9a-f]{1,16})\b", text, 16)
    stamp = re.search(r"init: build ID ([0-9a-f]{16})", text)
    if start is None and stamp:
        start = int.from_bytes(bytes.fromhex(stamp[1]), "little")
    return end - start if end and start is not None and start < end else None
