# SPDX-License-Identifier: GPL-2.0-only
"""A result as a table, as JSON, as Markdown, as a plot, and in the docs.

Kept true here: all of them are made of the one result that bench/run hands
over, and of nothing else; the docs' tables are never written by hand, nor is the
summary that stands before them.
"""

import json
import os
import re
import subprocess

import worlds

# What the ROM's figure is to be at most, as a ratio to native Xen's; 1 for all others.
TARGETS = (
    (r"fork, (exit|exec), wait", 0.35),
    (r"fork, sh -c, wait", 0.5),
    (r"pipe latency|context switch,.*", 0.7),
    (r"page fault, anonymous|mmap, touch, munmap 4 MB", 0.65),
    (r"protection fault, handler", 0.5),
    (r"clock_gettime", 0.4),
    (r"signal handler", 0.8),
)
# The same for calls of the test guest, in instructions; call, arguments and return
# are counted. IRET: 20, and five of the row's own.
LIMITS = {
    "EnableInterrupts": 8, "DisableInterrupts": 8, "GetInterruptMask": 8, "SetInterruptMask": 8,
    "IRET in the kernel": 25, "SetPxE, table in no space, lazy": 30,
}
# What the ROM's figure is to be at most on pvh, as a ratio to the bare machine's; 1 for all
# others.  A protection fault is a page fault and a signal.
PVH_TARGETS = (
    (r"null call|null I/O", 1.15),
    (r"stat|open, close|select,.*", 1.04),
    (r"signal.*|protection fault, handler", 1.05),
    (r"clock_gettime|gettimeofday|sched_yield|context switch,.*|.* latency|.* bandwidth", 1.06),
    (r"mprotect.*", 1.04),
    (r"fork.*|shell script|compiler-like process|page fault.*|mmap.*|munmap.*", 1.03),
)
# The same for calls of the test guest, in instructions.
PVH_LIMITS = {"port read": 400, "device register read": 500}
TITLES = {w.name: w.title for w in worlds.WORLDS}
DOCS = os.path.join(worlds.ROOT, "docs/benchmarks-tables.md")
SUMMARY = os.path.join(worlds.ROOT, "docs/benchmarks.md")
RESULTS = os.path.join(worlds.ROOT, "bench/results")
HISTORY_COLUMNS = 6
# The rows of the summary.
MAIN = (
    "null call", "stat", "clock_gettime", "signal handler", "pipe latency",
    "context switch, 2p/0K", "fork, exit, wait", "fork, exec, wait", "fork, sh -c, wait",
    "page fault, anonymous", "page fault, copy on write", "mmap, touch, munmap 4 MB",
    "mprotect twice, one page", "shell script", "compiler-like process",
)
SUMMARIZED = {
    "linux": ("bare", "xen", "rom", "rom / xen", "rom-shim / xen-shim"),
    "linux-pvh": ("bare", "rom-shim", "pvh", "pvh / bare", "pvh target", "exits"),
}


def target(name, targets=TARGETS):
    return next((limit for pattern, limit in targets if re.fullmatch(pattern, name)), 1.0)


def short(value):
    """At most two digits behind the point."""
    return ("%.2f" % value).rstrip("0").rstrip(".")


def figure(value):
    """At least three digits, and none behind the point of a large one."""
    return "%.1f" % value if abs(value) < 1000 else "%.0f" % value


def ratio(result, name, over, under):
    """None where one of the two is missing or 0."""
    values = [result["worlds"].get(w, {}).get(name, {}).get("value") for w in (over, under)]
    return values[0] / values[1] if None not in values and values[1] > 0 else None


def names(result):
    """All rows, in the order of the first world that has each."""
    found = {}
    for rows in result["worlds"].values():
        found.update((name, row["unit"]) for name, row in rows.items() if name not in found)
    return found


def verdict(result, name, linux):
    """What the row is to be at most, and whether it is."""
    rom = result["worlds"].get("rom", {}).get(name, {}).get("value")
    if linux:
        r, goal, form = ratio(result, name, "rom", "xen"), target(name), "%.2f"
    else:
        r, goal, form = rom, LIMITS.get(name), "%d"
    if r is None or goal is None or name == "nothing":
        return "-"
    return form % goal + (" met" if round(r, 2) <= goal else " missed")


def verdict_on_pvh(result, name, linux):
    """The same on pvh, beside the bare machine."""
    value = result["worlds"]["pvh"].get(name, {}).get("value")
    goal, form = PVH_LIMITS.get(name), "%d"
    if linux:
        bare = worlds.bare_of("pvh", result["worlds"])
        value, goal, form = ratio(result, name, "pvh", bare), target(name, PVH_TARGETS), "%.2f"
    if value is None or goal is None or name == "nothing" or name.startswith("sleep"):
        return "-"
    return form % goal + (" met" if round(value, 2) <= goal else " missed")


def exits(counted):
    """What made the processor leave the domain, as far as the monitor knows: kind -> how often."""
    kinds = {}
    for counter, value in counted.items():
        group, name = counter.split(".")
        if group in ("hypercall", "exit") or counter == "event.upcall":
            kinds[name] = value
    return kinds


def least(result, name):
    """Of an operation of the test guest: the least that is known to be possible. Where the ROM
    makes a hypercall, that is what the native guest needs with its own; else what it or the
    bare machine needs. None where that was not measured."""
    counted = result["counters"].get(name)
    if counted is None:
        return None
    hypercalls = sum(v for c, v in counted.items() if c.startswith("hypercall."))
    places = ("xen",) if hypercalls >= 0.5 else ("bare", "xen")
    values = [result["worlds"].get(w, {}).get(name, {}).get("value") for w in places]
    return min(values) if None not in values else None


def lines(result):
    """The table: a list of lists of text, its head first."""
    there = list(result["worlds"])
    pairs = [(a, b) for a, b in (("rom", "xen"), ("rom-shim", "xen-shim"))
             if a in there and b in there]
    bare = worlds.bare_of("pvh", there)
    on_pvh = [("pvh", bare)] if "pvh" in there and bare in there else []
    head = ["operation", "unit"] + there + ["%s / %s" % p for p in pairs]
    linux = not result["versions"]["guest"].startswith("the test")
    goals = ("rom", "xen") in pairs or not linux
    if goals:
        head.append("target")
    if not linux:
        head.append("least")
    if on_pvh:
        head += ["pvh / bare", "pvh target", "exits"]
    table = [head]
    for name, unit in names(result).items():
        line = [name, unit]
        for world in there:
            row = result["worlds"][world].get(name)
            line.append(figure(row["value"]) if row else "-")
        for over, under in pairs:
            r = ratio(result, name, over, under)
            line.append("%.2f" % r if r is not None else "-")
        if goals:
            line.append(verdict(result, name, linux))
        if not linux:
            value = least(result, name)
            line.append(figure(value) if value is not None else "-")
        for pair in on_pvh:
            r, counted = ratio(result, name, *pair), result["exits"].get(name)
            line += ["%.2f" % r if r is not None else "-", verdict_on_pvh(result, name, linux),
                     "-" if counted is None else short(sum(exits(counted).values()))]
        table.append(line)
    return table


def table(result):
    """For the terminal."""
    rows = lines(result)
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return "\n".join("  ".join(cell.ljust(w) if i < 2 else cell.rjust(w)
                               for i, (cell, w) in enumerate(zip(row, widths))) for row in rows)


def markdown_table(rows):
    out = ["| " + " | ".join(rows[0]) + " |", "|---|" + "---:|" * (len(rows[0]) - 1)]
    return "\n".join(out + ["| " + " | ".join(row) + " |" for row in rows[1:]])


# --- why -----------------------------------------------------------------------------

PORTS = ("event.in", "event.out")      # emulated.in and .out say the same


def listed(counted):
    """Names with their figures, the largest first."""
    return ", ".join("%s %s" % (n, short(v)) for n, v in sorted(counted.items(), key=lambda c: -c[1]))


def ways_out(result):
    """Per operation, how often the domain on pvh was left, by kind."""
    return [["operation", "exits"]] + [
        [name, listed({n: v for n, v in exits(counted).items() if v >= 0.01})]
        for name, counted in result["exits"].items()]


def why(result):
    """Per operation, what the monitor counted: hypercalls by name, calls, faults."""
    rows = [["operation", "hypercalls", "VMI calls in C", "faults, instructions, events"]]
    for name, counted in result["counters"].items():
        def group(*groups, least=0.01):
            chosen = [(c.split(".")[1], v) for c, v in counted.items()
                      if c.split(".")[0] in groups and v >= least and c not in PORTS]
            return listed(dict(chosen))
        rows.append([name, group("hypercall"), group("vmi", least=0.05),
                     group("exception", "fault", "emulated", "event", least=0.05)])
    return rows


def memory_lines(result):
    memory = result["memory"]
    out = []
    bare, pvh = memory.get("bare"), memory.get("pvh")
    xen, rom = memory.get("xen"), memory.get("rom")
    if xen and rom and xen["MemTotal"] and rom["MemTotal"]:
        out.append("- MemTotal of a domain of 256 MB: native %d KB, under the ROM %d KB: **%.1f %%** "
                   "(to be at least 98 %%)." % (xen["MemTotal"], rom["MemTotal"],
                                                100 * rom["MemTotal"] / xen["MemTotal"]))
        if rom["pool"]:
            size = rom["pool"].get("size", 0)
            used = size - rom["pool"].get("fresh", 0)
            out.append("- The shadow pool there has %d pages (%d KB), of which an idle guest with an "
                       "init uses %d." % (size, size * 4, used))
        if xen["boot"] and rom["boot"]:
            out.append("- From the domain's first instruction to init's: native %.1f million, under the "
                       "ROM %.1f million: **%.2f** (to be at most 1.20)." % (
                           xen["boot"] / 1e6, rom["boot"] / 1e6, rom["boot"] / xen["boot"]))
    if bare and pvh and bare["MemTotal"] and pvh["MemTotal"]:
        out.append("- MemTotal of 256 MB: bare %d KB, on pvh %d KB: **%.1f %%**." % (
            bare["MemTotal"], pvh["MemTotal"], 100 * pvh["MemTotal"] / bare["MemTotal"]))
        if bare["boot"] and pvh["boot"]:
            out.append("- To init's first instruction: the bare machine, from power-on, %.1f million; on "
                       "pvh, from the domain's first instruction, %.1f million: **%.2f** (to be at "
                       "most 1.10)." % (bare["boot"] / 1e6, pvh["boot"] / 1e6,
                                        pvh["boot"] / bare["boot"]))
    sleepers = memory.get("sleepers")
    if sleepers and sleepers["before"] and sleepers["with"]:
        def pages(pool):
            return pool.get("size", 0) - pool.get("fresh", 0) - pool.get("free", 0)
        more = pages(sleepers["with"]) - pages(sleepers["before"])
        out.append("- %d sleeping processes take %d pages of the pool more than none: %.1f pages "
                   "(%.0f KB) each. Native Xen needs no shadow tables." % (
                       sleepers["processes"], more, more / sleepers["processes"],
                       4 * more / sleepers["processes"]))
    out.append("- The ROM's window takes 24 MB of every address space, F4000000 to F5800000%s." % (
        "; on pvh 4 MB" if "pvh" in result["worlds"] else ""))
    return out


def version_lines(result):
    v = result["versions"]
    out = ["- commit %s of %s; ROM sha256 %s, entry %s" % (
        v["commit"], v["date"], v["rom"][:16], v["entry"][:16]),
        "- guest: %s, sha256 %s, %d MB, one vCPU" % (v["guest"], v["kernel"][:16], v["memory"]),
        "- %s; %s" % (v["qemu"], v["gcc"])]
    if v.get("native", v["kernel"]) != v["kernel"]:
        out.append("- the native columns are another build's: sha256 %s" % v["native"][:16])
    if "musl" in v:
        out.append("- programs: initrd sha256 %s; %s" % (v["initrd"][:16], "; ".join(v["musl"])))
    for name, log in v["worlds"].items():
        if "xen" in log:
            out.append("- %s: Xen %s" % (name, log["xen"]))
    for key, line in v["command lines"].items():
        out.append("- %s: `%s`" % (key, line))
    first = next(iter(v["worlds"]))
    out.append("- QEMU of %s: `%s`" % (first, v["worlds"][first]["qemu"]))
    return out


def markdown(result):
    """The generated part of the docs, and report.md."""
    unit = ("Instructions per operation (\"op\"), or per 64 KB, or ns of virtual time. Worlds: " +
            "; ".join("%s: %s" % (w, TITLES[w]) for w in result["worlds"]) + ".")
    parts = ["Guest: %s.\n" % result["versions"]["guest"], unit + "\n", markdown_table(lines(result))]
    if result["counters"]:
        parts += ["\nWhat the monitor did, per operation (world rom, a run of its own):\n",
                  markdown_table(why(result)).replace("---:|", "---|")]
    if result.get("exits"):
        parts += ["\nHow often the domain on pvh was left, per operation (a run of its own; an upcall is "
                  "an event of Xen's, by which it is left, too):\n",
                  markdown_table(ways_out(result)).replace("---:|", "---|")]
    parts += ["\nMemory and start:\n", "\n".join(memory_lines(result)),
              "\nMade with:\n", "\n".join(version_lines(result))]
    return "\n".join(parts) + "\n"


def summary(result, columns=SUMMARIZED["linux"]):
    """The main rows and ratios, with what they were counted on."""
    table = lines(result)
    there = [c for c in columns if c in table[0]]
    rows = {row[0]: row for row in table[1:]}
    main = [["operation"] + there]
    for name in MAIN:
        if name in rows:
            main.append([name] + [rows[name][table[0].index(c)] for c in there])
    v = result["versions"]
    return "Instructions an operation; Linux %s, commit %s of %s.\n\n%s\n" % (
        v["guest"], v["commit"], v["date"], markdown_table(main))


PLOT_MOST = 2.0         # longer bars end at the frame


# --- the plot --------------------------------------------------------------------------

def plot(result, path):
    rows = []
    for name in names(result):
        values = [ratio(result, name, *pair) for pair in (("rom", "xen"), ("rom-shim", "xen-shim"))]
        if name != "nothing" and values[0] is not None:
            rows.append((name, values[0], values[1]))
    if not rows:
        return
    rows = [(name, min(a, PLOT_MOST), b and min(b, PLOT_MOST)) for name, a, b in rows]
    data = "\n".join('"%s" %f %s %f' % (name, a, "NaN" if b is None else "%f" % b, target(name))
                     for name, a, b in reversed(rows))
    goals = ""
    if not result["versions"]["guest"].startswith("the test"):
        goals = ', $data using 4:0 with points pt 2 ps 0.6 lc rgb "#000000" title "target"'
    script = """
set terminal svg noenhanced size 900,%d font "sans,11" background "white"
set output "%s"
set title "VMI by the ROM to native Xen, instructions: below 1 the ROM needs fewer"
set xrange [0:%g]
set yrange [-1:%d]
set grid xtics
set key outside bottom center horizontal
set arrow from 1, graph 0 to 1, graph 1 nohead lw 2 lc rgb "#888888"
$data << EOD
%s
EOD
set linetype 1 lc rgb "#336699"
set linetype 2 lc rgb "#cc8833"
plot $data using ($2/2):($0+0.15):($2/2):(0.14):ytic(1) with boxxyerror fs solid lt 1 title "pv32", \\
     $data using ($3/2):($0-0.15):($3/2):(0.14) with boxxyerror fs solid lt 2 title "shim"%s
""" % (18 * len(rows) + 140, path, PLOT_MOST, len(rows), data, goals)
    subprocess.run(["gnuplot"], input=script, text=True, check=True)


def write(result, out):
    with open(os.path.join(out, "result.json"), "w", encoding="utf-8") as file:
        json.dump(result, file, indent=1)
        file.write("\n")
    plot(result, os.path.join(out, "ratios.svg"))
    with open(os.path.join(out, "report.md"), "w", encoding="utf-8") as file:
        file.write("# vmixen: benchmarks\n\n![ratios](ratios.svg)\n\n" + markdown(result))


# --- the docs -------------------------------------------------------------------------------

def replaced(text, what, new, path):
    """The text between two marks of that document, exchanged."""
    begin, end = "<!-- %s: made by bench/run -->" % what, "<!-- end of %s -->" % what
    if begin not in text or end not in text:
        raise SystemExit("bench: %s: the marks of %s are gone" % (path, what))
    return text[:text.index(begin) + len(begin)] + "\n" + new + text[text.index(end):]


def rom_of(kind):
    """The world whose figures the history has."""
    return "pvh" if kind == "linux-pvh" else "rom"


def remember(result, kind):
    """bench/results/history-KIND.json: the ROM's figures by commit. Returns them."""
    path = os.path.join(RESULTS, "history-%s.json" % kind)
    history = []
    if os.path.exists(path):
        with open(path, encoding="utf-8") as file:
            history = json.load(file)
    commit = result["versions"]["commit"]
    entry = {"commit": commit, "date": result["versions"]["date"],
             "kernel": result["versions"]["kernel"],
             "rows": {n: r["value"] for n, r in result["worlds"].get(rom_of(kind), {}).items()}}
    history = [e for e in history if e["commit"] != commit] + [entry]
    with open(path, "w", encoding="utf-8") as file:
        json.dump(history, file, indent=1)
        file.write("\n")
    return history


def history_table(history):
    shown = history[-HISTORY_COLUMNS:]
    rows = [["operation"] + ["%s (%s)" % (e["commit"], e["date"]) for e in shown]]
    for name in shown[-1]["rows"]:
        rows.append([name] + [figure(e["rows"][name]) if name in e["rows"] else "-" for e in shown])
    return markdown_table(rows) + "\n"


def into_documents(parts_of):
    """Exchanges parts, text by mark, of documents; all of them or none."""
    texts = {}
    for path, parts in parts_of.items():
        with open(path, encoding="utf-8") as file:
            texts[path] = file.read()
        for what, new in parts.items():
            texts[path] = replaced(texts[path], what, new, path)
    for path, text in texts.items():
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)


def into_docs(result, kind):
    os.makedirs(RESULTS, exist_ok=True)
    with open(os.path.join(RESULTS, kind + ".json"), "w", encoding="utf-8") as file:
        json.dump(result, file, indent=1)
        file.write("\n")
    plot(result, os.path.join(RESULTS, kind + ".svg"))
    history = remember(result, kind)
    parts_of = {DOCS: {kind: markdown(result), "history of " + kind: history_table(history)}}
    if kind in SUMMARIZED:
        parts_of[SUMMARY] = {"summary of " + kind: summary(result, SUMMARIZED[kind])}
    into_documents(parts_of)
