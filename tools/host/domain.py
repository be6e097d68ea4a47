# SPDX-License-Identifier: GPL-2.0-only
"""From a bzImage to the ELF file that Xen starts, by mkrom.

Kept true here: what is wrapped is what one build has made; nobody builds in this
tree meanwhile.
"""

import contextlib
import fcntl
import os
import subprocess

import child
from arguments import BUILD, ROOT
from result import REFUSED, USAGE, Result, say

PARTS = "mkrom", "vmi.rom", "entry.elf"     # what is needed, in build/


@contextlib.contextmanager
def build_lock():
    """The lock of tools/host/locked. What is installed needs none, nor a tree that nobody
    can write to."""
    if not os.path.exists(os.path.join(ROOT, "Makefile")):
        yield
        return
    try:
        file = open(os.path.join(BUILD, ".lock"), "ab")
    except OSError:
        yield
        return
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("waiting for a build in this tree")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def wrap(args):
    """Makes args.kernel, a bzImage, the ELF file NAME.elf beside the log."""
    for part in PARTS:
        if not os.path.exists(os.path.join(BUILD, part)):
            raise Result(USAGE, "build/%s is missing: `make` makes it" % part)
    out = os.path.join(args.log, args.name + ".elf")
    if os.path.exists(out) and os.path.samefile(out, args.kernel):
        raise Result(USAGE, "%s: is where the wrapped kernel goes; give the domain another name" % out)
    mkrom, rom, entry = (os.path.join(BUILD, part) for part in PARTS)
    with build_lock():
        done = child.run([mkrom, "wrap", "--rom", rom, "--entry", entry, "--kernel", args.kernel,
                          "-o", out], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    if done.returncode:
        words = done.stderr.decode("utf-8", "surrogateescape").strip()
        raise Result(REFUSED, words.splitlines()[-1] if words else "mkrom ended with %d" % done.returncode)
    args.kernel = out
