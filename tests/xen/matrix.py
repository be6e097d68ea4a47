#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""The test guest with each series of Xen that Debian has: on pvh, shim and pv32,
with PAE and with 2-level page tables, one after the other: some checks are of time.

Prints a table and writes it into --out, beside each run's console and logs.
Ends with 0 when every check of every run passed.
"""
import argparse
import os
import re
import subprocess
import sys
from dataclasses import dataclass

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SERIES = ("4.14", "4.17", "4.20")
HOSTS = ("pvh", "shim", "pv32")
KERNELS = ("pae", "2level")
HEAD = ("Xen", "host", "version", "PAE", "2-level")


@dataclass
class Run:
    """One run, and what is read from what it wrote."""
    series: str
    host: str
    kernel: str
    code: int = -1
    text: str = ""

    def version(self):
        found = re.search(r"Xen version (\S+ \([^)@]*)", self.text)
        return found.group(1) + ")" if found else "-"

    def counts(self):
        """Checks that passed and that failed; None when the guest did not say."""
        found = re.findall(r"^guest: (\d+) passed, (\d+) failed", self.text, re.M)
        return tuple(int(n) for n in found[-1]) if found else None

    def good(self):
        return self.code == 0 and self.counts() is not None and self.counts()[1] == 0

    def cell(self):
        if self.counts() is None:
            return "no result"
        passed, failed = self.counts()
        return f"{passed} passed" if self.good() else f"{passed} passed, {failed} failed"

    def trouble(self):
        """What a run that is not good says of it: failed checks and its last words."""
        failed = re.findall(r"^FAIL .*", self.text, re.M)
        return "\n".join(failed + self.text.rstrip().splitlines()[-3:])


def table(runs):
    """The rows, as Markdown: one for each series and host."""
    rows = [HEAD, ("---",) * len(HEAD)]
    for series, host in dict.fromkeys((r.series, r.host) for r in runs):
        these = [r for r in runs if (r.series, r.host) == (series, host)]
        version = next((r.version() for r in these if r.version() != "-"), "-")
        rows.append((series, host, version, *(next((r.cell() for r in these if r.kernel == k), "-")
                                              for k in KERNELS)))
    return "".join("| %s |\n" % " | ".join(row) for row in rows)


def wrap(kernel, out):
    """The domain of a kernel; returns its path."""
    path = os.path.join(out, kernel + ".elf")
    subprocess.run(["build/mkrom", "wrap", "--rom", "build/vmi.rom", "--entry", "build/entry.elf",
                    "--kernel", f"build/guest-{kernel}.bzImage", "-o", path], cwd=ROOT, check=True,
                   stdout=subprocess.DEVNULL)
    return path


def carry_out(run, domain, out):
    """Fills in what became of it. What a series needs is made by the first run that does."""
    name = f"{run.series}-{run.host}-{run.kernel}"
    done = subprocess.run(["tools/host/run", "--host", run.host, "--kernel", domain, "--name", name,
                           "--log", out, "--timeout", "300"], cwd=ROOT, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
                          env=dict(os.environ, XEN_SERIES=run.series))
    run.code, run.text = done.returncode, done.stdout.decode("utf-8", "replace")


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--series", default=" ".join(SERIES), help="(%(default)s)")
    parser.add_argument("--hosts", default=" ".join(HOSTS), help="(%(default)s)")
    parser.add_argument("--out", default="build/matrix", help="(%(default)s)")
    args = parser.parse_args()
    if not set(args.hosts.split()) <= set(HOSTS):
        parser.error(f"--hosts: there are: {' '.join(HOSTS)}")
    os.makedirs(os.path.join(ROOT, args.out), exist_ok=True)
    domains = {kernel: wrap(kernel, args.out) for kernel in KERNELS}
    runs = [Run(s, h, k) for s in args.series.split() for h in args.hosts.split() for k in KERNELS]
    for run in runs:
        carry_out(run, domains[run.kernel], args.out)
        print(f"{'ok  ' if run.good() else 'FAIL'} Xen {run.series}, {run.host}, {run.kernel}: {run.cell()}",
              flush=True)
        if not run.good():
            print("     | " + run.trouble().replace("\n", "\n     | "), flush=True)
    text = table(runs)
    with open(os.path.join(ROOT, args.out, "table.md"), "w", encoding="utf-8") as file:
        file.write(text)
    print("\n" + text)
    print(f"the same in {args.out}/table.md")
    return 0 if all(run.good() for run in runs) else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
