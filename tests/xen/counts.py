# SPDX-License-Identifier: GPL-2.0-only
"""How many checks each system case makes: a group that vanishes fails no check.

The numbers are in counts.json, {case: {where: number}}, where "xen" stands for
every host with the PV ROM, "pvh" for the other binding's and "bare" for none: nothing else changes
them, neither memory nor which Xen it is.  They are renewed by
tests/run --renew-counts, after a look at what came and went.
"""
import json
import os
import re

PATH = os.path.join(os.path.dirname(os.path.abspath(__file__)), "counts.json")
RENEW = 'tests/run --renew-counts --hosts "bare dom0 pvh"'


def load():
    with open(PATH, encoding="ascii") as f:
        return json.load(f)


def where(host):
    return host if host in ("bare", "pvh") else "xen"


def counted(text):
    """The guest's own number of checks, failed ones too; None: it says none."""
    found = re.search(r"^guest: (\d+) passed, (\d+) failed\s*$", text.replace("\r", ""), re.M)
    return int(found[1]) + int(found[2]) if found else None


def problem(case, host, text, counts):
    """What is wrong with the number on that console, in words; "" if nothing."""
    wanted, found = counts.get(case, {}).get(where(host)), counted(text)
    if found is not None and found == wanted:
        return ""
    if wanted is None:
        return f"tests/xen/counts.json has no number for {case} on {where(host)}: {RENEW}"
    return (f"{found} checks, but {case} on {where(host)} makes {wanted}: if checks came or went on "
            f"purpose, renew the numbers by {RENEW}, and read what git diff says")


def save(counts):
    with open(PATH, "w", encoding="ascii") as f:
        lines = [f"  {json.dumps(case)}: {json.dumps(counts[case], sort_keys=True)}"
                 for case in sorted(counts)]
        f.write("{\n" + ",\n".join(lines) + "\n}\n")
