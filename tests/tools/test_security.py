#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""docs/security.md names tests: each of them is there."""
import glob
import os
import re
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SOURCES = ("tests/guest/*.c", "tests/unit/*.c", "tests/tools/*.py", "tests/fuzz/*.py",
           "tests/xen/*.py", "tests/run")


def text_of(pattern):
    for path in sorted(glob.glob(os.path.join(ROOT, pattern))):
        if path != os.path.abspath(__file__):
            with open(path, encoding="utf-8") as f:
                yield f.read()


class SecurityTest(unittest.TestCase):
    def test_every_test_that_is_named_exists(self):
        page = "".join(text_of("docs/security.md"))
        names = [name for line in page.split("\n") if line.startswith("- ")
                 for name in re.findall("`([^`]+)`", line) if not name.startswith("make ")]
        tests = "\n".join(text for pattern in SOURCES for text in text_of(pattern))
        self.assertGreater(len(names), 40)
        self.assertEqual([name for name in names if name not in tests], [])


if __name__ == "__main__":
    unittest.main()
