# SPDX-License-Identifier: GPL-2.0-only
"""What the test guest's operations may cost at most, in instructions.

The table is bench/ceilings.json: host -> row -> count. `make test` holds the
test guest against it (tests/run), on each host that it has a column for.

Kept true here: a count is exact and repeats, so there is no tolerance in the
comparison; it is in the table, which a run of `make bench CEILINGS=1` makes
from its own counts. A row without a ceiling, and a ceiling without a row, fail.
"""

import json
import os

import worlds

PATH = os.path.join(worlds.ROOT, "bench/ceilings.json")
WORLD_OF_HOST = {"pv32": "rom", "shim": "rom-shim"}
ADVICE = ("If this is a mistake, find it with `make bench ONLY=words` before and after; if the cost is "
          "worth it, raise the ceiling by `make bench CEILINGS=1` and say why in the commit.")


def load():
    with open(PATH, encoding="utf-8") as file:
        return json.load(file)


def problems(text, ceilings):
    """Sentences; none when every row of a console's text is within its ceiling."""
    rows = worlds.rows(text)
    found = []
    for name, row in rows.items():
        if name not in ceilings:
            found.append("%s: %.1f instructions, and no ceiling is known" % (name, row["value"]))
        elif row["value"] > ceilings[name]:
            found.append("%s: %.1f instructions, the ceiling is %d" % (name, row["value"], ceilings[name]))
    found += ["%s: has a ceiling, but was not measured" % name for name in ceilings if name not in rows]
    return found + [ADVICE] if found else found


def headroom(value):
    """The ceiling for a count: 2 % and two instructions above it."""
    return int(value * 1.02) + 2


def remember(result):
    """Writes the table anew, from a result of bench/run without a kernel."""
    ceilings = load() if os.path.exists(PATH) else {}
    for host, world in WORLD_OF_HOST.items():
        rows = result["worlds"].get(world)
        if rows:
            ceilings[host] = {name: headroom(row["value"]) for name, row in rows.items()}
    with open(PATH, "w", encoding="utf-8") as file:
        json.dump(ceilings, file, indent=1)
        file.write("\n")
