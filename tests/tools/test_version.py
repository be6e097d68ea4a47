#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""The version that include/image.h has is the one that the documents tell."""
import os
import re
import sys
import unittest

sys.dont_write_bytecode = True
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def read(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as f:
        return f.read()


def version():
    """As "MAJOR.MINOR"."""
    text = read("include/image.h")
    return ".".join(re.search(rf"#define VMIXEN_{part} (\d+)\n", text)[1] for part in ("MAJOR", "MINOR"))


class VersionTest(unittest.TestCase):
    def test_the_readme_shows_it(self):
        self.assertEqual(set(re.findall(r"ROM version (\d+\.\d+)", read("README.md"))), {version()})

    def test_the_newest_entry_of_the_changelog_is_its(self):
        self.assertEqual(re.findall(r"^## (\d+\.\d+)", read("CHANGELOG.md"), re.M)[0], version())

    def test_so_is_that_of_debian_s_package(self):
        self.assertEqual(re.match(r"vmixen \((\d+\.\d+)-\d+\) ", read("debian/changelog"))[1], version())


if __name__ == "__main__":
    unittest.main()
