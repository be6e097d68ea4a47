#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""The maps in docs/design.md are what the headers say, and the traces name what there is."""
import os
import re
import sys
import unittest

sys.dont_write_bytecode = True
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PAGE = 4096
# Of which name's value the pages of a place are, where it is not NAME_PAGES or 1.
PAGES = {"WIN_SLOTS": "WIN_SLOT_COUNT", "WIN_POOL": "WIN_POOL_MAX"}
# An end, or a table as long as the domain is large.
ENDLESS = {"WIN_FRAME_TOP", "WIN_STACK_TOP", "WIN_GMFN", "WIN_HEADS", "WINDOW_END"}
# A beginning, or a place in another.
INNER = {"WINDOW_BASE", "WIN_DATA", "WIN_VCPU_INFO"}
MADE = ("stub_", "trap_")       # names that NASM's macros put together
LINE = re.compile(r"^    ([0-9A-F]{8})  (\w+)?(?: {2,}(\d+)(?!\w))?", re.M)


def read(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as f:
        return f.read()


def constants(*paths):
    """The numbers that headers define, by name."""
    text = "\n".join(read(path) for path in paths)
    texts = dict(re.findall(r"^#define (\w+) +([^\n]*?)\s*(?:/\*.*)?$", text, re.M))
    found = {}

    def value(name):
        if name not in found:
            words = re.sub(r"\b(0x[0-9A-Fa-f]+|\d+)u\b", r"\1", texts[name])
            words = re.sub(r"\b[A-Z]\w+", lambda m: str(value(m[0])), words)
            found[name] = eval(words, {"__builtins__": {}})  # numbers, + - * << >> ( )
        return found[name]

    for name, words in texts.items():
        if words and re.fullmatch(r"[\w ()+*<>-]+", words):
            try:
                value(name)
            except (KeyError, SyntaxError, NameError, TypeError):
                pass
    return found


def shown(mark, text=None):
    """[(address, name, pages or None)] of the map behind that mark."""
    part = re.search(rf"(?s)<!-- {mark}: .*?-->\n(.*?)<!-- end -->", text or read("docs/design.md"))[1]
    return [(int(at, 16), name, int(pages) if pages else None) for at, name, pages in LINE.findall(part)]


def problems(text=None):
    """What of the window's map is not so."""
    known = constants("include/layout.h")
    lines, wrong = shown("window", text), []
    for at, name, pages in lines:
        size = known.get(PAGES.get(name, name + "_PAGES"), 1)
        if name == "WIN_VCPU":
            size = (known["WIN_COUNTERS"] - at) // PAGE
        if known.get(name) != at:
            wrong.append(f"{name}: {at:08X} in the map, {known.get(name, 0):08X} in layout.h")
        if pages != (None if name in ENDLESS else size):
            wrong.append(f"{name}: {pages} pages in the map, {size} in layout.h")
    for (at, name, pages), (after, other, _) in zip(lines, lines[1:]):
        if at + (pages or 0) * PAGE > after:
            wrong.append(f"{name} reaches into {other}")
    there = {name for _, name, _ in lines}
    wrong += [f"{name} is missing" for name, at in known.items()
              if known["WINDOW_BASE"] <= at <= known["WINDOW_END"] and name not in there | INNER]
    return wrong


def sources():
    """All that the product's rooms are made of."""
    for room in ("entry", "include", "monitor", "pc", "rom", "xenbind"):
        for folder, _, names in os.walk(os.path.join(ROOT, room)):
            for name in names:
                if name.endswith((".c", ".h", ".asm", ".def", ".lds")):
                    yield os.path.relpath(os.path.join(folder, name), ROOT)


def unknown(text):
    """What that text has in backquotes and no source has: files, or words."""
    paths = set(sources())
    files = paths | {os.path.basename(path) for path in paths}
    words = set(re.findall(r"\w+", "\n".join(map(read, paths))))

    def known(name):
        if re.search(r"/|\.(c|h|asm|def)$", name):
            return name in files
        return all(word in words or word.startswith(MADE) for word in re.findall(r"\w+", name))

    return [name for name in re.findall(r"`([^`]+)`", text) if not known(name)]


def traces():
    return re.search(r"(?s)(### Traced: .*?)\n### (?!Traced)", read("docs/design.md"))[1]


class MapTest(unittest.TestCase):
    def test_the_window_is_as_the_layout_says(self):
        self.assertEqual(problems(), [])

    def test_it_is_all_there(self):
        self.assertGreater(len(shown("window")), 20)

    def test_a_stale_line_is_told(self):
        text = read("docs/design.md")
        for old, new, words in (
                ("F40A0000  WIN_MONITOR", "F40A1000  WIN_MONITOR", "WIN_MONITOR: F40A1000 in the map, F40A0000"),
                ("WIN_LDT            16", "WIN_LDT            17", "WIN_LDT: 17 pages in the map, 16"),
                ("    F4090000  WIN_RUN", "    (gone)", "WIN_RUN is missing")):
            self.assertEqual(text.count(old), 1)
            self.assertTrue([w for w in problems(text.replace(old, new)) if w.startswith(words)], words)

    def test_memory_is_as_the_entry_lays_it_out(self):
        known = constants("entry/boot/entry.h", "entry/boot/room.h", "entry/boot/loader.c", "entry/pv/memory.c")
        named = [(name, at) for at, name, _ in shown("memory") if name]
        self.assertGreater(len(named), 8)
        for name, at in named:
            frames = name in ("HOLE_FIRST", "HOLE_END")
            self.assertEqual((name, known[name] * (PAGE if frames else 1)), (name, at))

    def test_what_the_traces_name_is_there(self):
        self.assertEqual(unknown(traces()), [])
        self.assertGreater(traces().count("`"), 100)

    def test_a_name_that_is_gone_is_told(self):
        self.assertEqual(unknown("`shadow_fault` of `shadow.c`, `shadow_wault` of `monitor/none.c`"),
                         ["shadow_wault", "monitor/none.c"])


if __name__ == "__main__":
    unittest.main()
