#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""The same source makes the same binaries, whatever folder it lies in."""
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
MADE = ("vmi.rom", "mkrom", "entry.elf")
NOT_COPIED = shutil.ignore_patterns(".git", "build", "corpus", "results", "__pycache__")


def made_in(folder, out, env):
    """What make makes of a copy of this tree; env: what else the environment says."""
    shutil.copytree(ROOT, folder, ignore=NOT_COPIED)
    inherited = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MAKELEVEL", "B")}
    subprocess.run(["make", "-s", "-j2", "B=" + out, *(f"{out}/{name}" for name in MADE)],
                   cwd=folder, env={**inherited, **env}, stdin=subprocess.DEVNULL,
                   stdout=subprocess.DEVNULL, check=True)
    files = {}
    for name in MADE:
        with open(os.path.join(folder, out, name), "rb") as f:
            files[name] = f.read()
    return files


class SameTest(unittest.TestCase):
    def test_two_folders_make_the_same(self):
        with tempfile.TemporaryDirectory() as top:
            top = os.path.realpath(top)
            link = os.path.join(top, "by-another-name")
            long = os.path.join(top, "one that is longer, with blanks")
            os.symlink(long, link)
            # A shell that came by a link says so in PWD.
            one = made_in(long, "build", {"PWD": link})
            two = made_in(os.path.join(top, "b"), "other/out", {"LC_ALL": "C"})
            self.assertEqual([name for name in MADE if one[name] != two[name]], [])
            self.assertEqual([name for name in MADE if top.encode() in one[name]], [])


if __name__ == "__main__":
    unittest.main()
