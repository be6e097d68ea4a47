# SPDX-License-Identifier: GPL-2.0-only
"""What docs/compatibility.md says of a kernel.

Kept true here: nothing is said that is not written there; its tables and its list of
what does not work are read as they stand.
"""

import re

import kernel
import places

TABLES = ("What runs", "What distributions built")
TROUBLES = "What does not, and why"
LINK = re.compile(r"\[([^\]]*)\]\([^)]*\)")
VERSION = re.compile(r"2\.6\.\d+")


def plain(text):
    """Markdown's signs left out."""
    return LINK.sub(r"\1", text).replace("**", "").replace("`", "").strip()


def sections(text):
    """Heading -> lines."""
    found, name = {}, ""
    for line in text.split("\n"):
        if line.startswith("## "):
            name = line[3:].strip()
        found.setdefault(name, []).append(line)
    return found


def rows(lines):
    """The tables' rows, each as [(column, cell)]."""
    head = None
    for line in lines:
        if not line.startswith("|"):
            head = None
            continue
        cells = [plain(cell) for cell in line.strip().strip("|").split("|")]
        if head is None:
            head = cells
        elif not set("".join(cells)) <= set("-: "):
            yield list(zip(head, cells))


def versions(cell):
    return VERSION.findall(cell)


def sentence(row):
    """A row as one line."""
    (_, name), *rest = row
    return "%s: %s" % (name, "; ".join("%s: %s" % pair for pair in rest if pair[1]))


def of(release):
    """What is known of `uname -r`: (words of the most exact rows, troubles)."""
    try:
        with open(places.KNOWN, encoding="utf-8") as file:
            text = sections(file.read())
    except OSError:
        return ["docs/compatibility.md is not installed"], []
    base = ".".join(str(n) for n in kernel.version_of(release))
    if not base:
        return [], []
    table = [row for name in TABLES for row in rows(text.get(name, []))]
    exact = [row for row in table if re.search(r"(^|[ ,(])%s($|[ ,)])" % re.escape(release), row[0][1])]
    near = [row for row in table if base in versions(row[0][1])]
    troubles = [plain(line[2:]).split(": ")[0].split(". ")[0] for line in text.get(TROUBLES, [])
                if line.startswith("- ") and base in versions(line.split("**")[1] if "**" in line else line[:40])]
    return [sentence(row) for row in exact or near[:3]], troubles
