#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""tests/arrows: an include against the table of rooms is told, by file and line."""
import importlib.machinery
import importlib.util
import os
import tempfile
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
LOADER = importlib.machinery.SourceFileLoader("arrows", os.path.join(ROOT, "tests", "arrows"))
arrows = importlib.util.module_from_spec(importlib.util.spec_from_loader("arrows", LOADER))
LOADER.exec_module(arrows)

TABLE = """# Design

## Rooms

| room | what is in it | uses |
|---|---|---|
| `include` | types | |
| `pc` | devices | `include` |
| `xen` | Xen | `include` |

## Next
"""


class ArrowsTest(unittest.TestCase):
    def look(self, table=TABLE, **files):
        with tempfile.TemporaryDirectory() as root:
            for path, text in {"docs/design.md": table, **files}.items():
                os.makedirs(os.path.join(root, os.path.dirname(path)), exist_ok=True)
                with open(os.path.join(root, path), "w", encoding="utf-8") as out:
                    out.write(text)
            return arrows.look(root)

    def test_this_tree_is_in_order(self):
        self.assertEqual(arrows.look(ROOT), [])

    def test_an_allowed_include_is_none(self):
        self.assertEqual(self.look(**{"include/base.h": "", "pc/pic.h": '#include "base.h"\n'}), [])

    def test_a_room_that_is_not_in_the_column_is_refused_with_its_place(self):
        wrong = self.look(**{"xen/ring.h": "", "pc/ide.c": '\n#include "xen/ring.h"\n'})
        self.assertEqual(len(wrong), 1)
        self.assertIn("pc/ide.c:2: pc may not use xen/ring.h", wrong[0])

    def test_a_circle_of_headers_is_told(self):
        wrong = self.look(**{"pc/a.h": '#include "b.h"\n', "pc/b.h": '#include "a.h"\n'})
        self.assertEqual(wrong, ["headers that include each other: pc/a.h -> pc/b.h -> pc/a.h"])

    def test_a_folder_without_a_row_is_told(self):
        self.assertIn("pc/ide/disk.c: its folder is no room", self.look(**{"pc/ide/disk.c": ""})[0])

    def test_a_header_of_ten_headers_is_told(self):
        files = {f"pc/{n}.h": "" for n in range(10)}
        files["pc/all.h"] = "".join(f'#include "{n}.h"\n' for n in range(10))
        self.assertIn("pc/all.h: includes 10 headers", self.look(**files)[0])

    def test_a_room_that_is_none_is_told(self):
        wrong = self.look(TABLE.replace("| devices | `include` |", "| devices | `sound` |"))
        self.assertEqual(wrong, ["docs/design.md: pc uses sound, which is no room"])


if __name__ == "__main__":
    unittest.main()
