# SPDX-License-Identifier: GPL-2.0-only
"""Where the other parts are: in the tree that make has built, or where `make install`
has put them.

Kept true here: an installed vmixen has the tree's own layout below LIBDIR (tools/host,
tools/vmixen, docs, build), so that every part finds the others in the same way.
"""

import os
import re
import shutil
import sys

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.realpath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
HOST = os.path.join(ROOT, "tools", "host")
BUILD = os.path.join(ROOT, "build")
ROM = os.path.join(BUILD, "vmi.rom")
ENTRY = os.path.join(BUILD, "entry.elf")
KNOWN = os.path.join(ROOT, "docs", "compatibility.md")
BOOT = os.path.join(HERE, "vmixen-boot")
# A source tree has this; what is installed has not.
INSTALLED = not os.path.exists(os.path.join(ROOT, "Makefile"))

if HOST not in sys.path:
    sys.path.append(HOST)       # result.py, guestfiles.py and the like


def mkrom():
    """In the tree's build, or beside it on the path of an installed one."""
    built = os.path.join(BUILD, "mkrom")
    return built if os.path.exists(built) else shutil.which("mkrom")


def program(name):
    """A program of the system's, which root's path has and a user's may not."""
    return shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin:/usr/bin:/bin")


def newest(paths):
    """Of paths that differ in a version the one with the highest, or None."""
    def key(path):
        return [(0, int(word), "") if word.isdigit() else (1, 0, word) for word in re.split(r"(\d+)", path)]
    return max(paths, key=key, default=None)
