# SPDX-License-Identifier: GPL-2.0-only
"""How many instructions the ROM and Xen may add at most to what the test guest's
operations cost on the bare machine.

The table is bench/ceilings.json: column -> row -> count. `make test` holds the
test guest against it (tests/run), on each host that it has a column for. A
column is a host's; one that names a Xen, as "shim, Xen 4.20", is for that Xen, as
its Debian's QEMU counts, and one without a name for all others. That
the bare machine's count is taken off leaves the guest's own work out of it.

Kept true here: a count is exact and repeats, so there is no tolerance in the
comparison; it is in the table, which a run of `make bench CEILINGS=1` makes
from its own counts. A row without a ceiling, and a ceiling without a row, fail.
"""

import json
import os
import re

import worlds

PATH = os.path.join(worlds.ROOT, "bench/ceilings.json")
FIRST = "4.17"          # the Xen that the columns without a name were counted on
WORLD_OF_HOST = {"pv32": "rom", "shim": "rom-shim", "pvh": "pvh"}
ADVICE = ("If this is a mistake, find it with `make bench ONLY=words` before and after; if the cost is "
          "worth it, raise the ceiling by `make bench CEILINGS=1` and say why in the commit.")


def load():
    with open(PATH, encoding="utf-8") as file:
        return json.load(file)


def column(host, version):
    """Where the counts on that Xen belong."""
    series = re.match(r"\d+\.\d+", version)[0]
    return host if series == FIRST else "%s, Xen %s" % (host, series)


def of_console(table, host, text):
    """The ceilings for a guest that says on its console which Xen it is on."""
    version = re.search(r" on Xen (\d+\.\d+)", text)
    return table.get(column(host, version[1]) if version else host, table[host])


def added(rows, bare):
    """name -> what the bare machine does not need."""
    return {name: rows[name]["value"] - bare[name]["value"] for name in rows if name in bare}


def problems(text, bare_text, ceilings):
    """Sentences; none when every row of a console's text is within its ceiling."""
    rows = added(worlds.rows(text), worlds.rows(bare_text))
    found = []
    for name, value in rows.items():
        if name not in ceilings:
            found.append("%s: %.1f instructions more than bare, and no ceiling is known" % (name, value))
        elif value > ceilings[name]:
            found.append("%s: %.1f instructions more than bare, the ceiling is %d" % (
                name, value, ceilings[name]))
    found += ["%s: has a ceiling, but was not measured" % name for name in ceilings if name not in rows]
    return found + [ADVICE] if found else found


def headroom(value):
    """The ceiling for a count: 2 % and three instructions above it."""
    return int(value + abs(value) * 0.02) + 3


def remember(result):
    """Writes the table anew, from a result of bench/run without a kernel."""
    ceilings = load() if os.path.exists(PATH) else {}
    for host, world in WORLD_OF_HOST.items():
        bare = worlds.bare_of(world, result["worlds"])
        rows = added(result["worlds"].get(world, {}), result["worlds"].get(bare, {}))
        if rows:
            version = result["versions"]["worlds"][world]["xen"]
            ceilings[column(host, version)] = {name: headroom(value) for name, value in rows.items()}
    with open(PATH, "w", encoding="utf-8") as file:
        json.dump(ceilings, file, indent=1)
        file.write("\n")
