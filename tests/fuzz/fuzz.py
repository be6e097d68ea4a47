#!/usr/bin/env -S --block-signal=INT --block-signal=TERM --block-signal=HUP python3 -B
# SPDX-License-Identifier: GPL-2.0-only
"""The fuzzers of build/fuzz: a long run each, for TIME seconds in all.

A target's inputs are those of tests/fuzz/corpus/NAME and what earlier runs
here have found (build/fuzz/corpus/NAME).  A finding is kept in build/fuzz and
the run ends with 1.  --keep puts the inputs that reach more, minimised, into
tests/fuzz/corpus.  tests/run uses bounded() for a short run that repeats
exactly.
"""
import argparse
import collections
import glob
import os
import re
import shutil
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tools", "host"))
sys.dont_write_bytecode = True
import child  # noqa: E402

WORK = "build/fuzz"
HANGS = 7200            # seconds after which a program does; none takes a tenth of it

Target = collections.namedtuple("Target", "name max_len runs sentence")
TARGETS = [
    Target("shadow", 3000, 1500, "the shadow MMU is a processor's to random guests"),
    Target("decode", 16, 150000, "the decoder agrees with Zydis on random instructions"),
    Target("emul", 100, 10000, "the emulator gives user mode what a processor would, and no more"),
    Target("pc", 400, 40000, "the PC's devices bear random accesses"),
    Target("xenbus", 400, 60000, "devices bear a xenstored that answers anything"),
    Target("blk", 400, 60000, "a disk bears a backend that writes anything into its ring"),
    Target("vif", 400, 30000, "a network interface bears a backend that writes anything into its rings"),
    Target("ahci", 400, 15000, "the AHCI controller bears a hostile guest and a hostile backend"),
    Target("ide", 400, 6000, "the IDE channels bear a hostile guest and a hostile backend"),
    Target("e1000", 400, 15000, "the network card bears a hostile guest and a hostile backend"),
    Target("mkrom", 6000, 5000, "mkrom takes random files or refuses them"),
]

Result = collections.namedtuple("Result", "good text")


def kept(target):
    return f"tests/fuzz/corpus/{target.name}"


def fuzz(target, corpora, options, timeout):
    """One run of libFuzzer; what it finds goes to the first corpus."""
    argv = [f"{WORK}/{target.name}", f"-max_len={target.max_len}", "-print_final_stats=1",
            "-timeout=600", f"-artifact_prefix={WORK}/{target.name}-"] + options + corpora
    try:
        done = child.run(argv, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=timeout)
        return Result(done.returncode == 0, done.stdout.decode("utf-8", "replace"))
    except subprocess.TimeoutExpired as e:
        return Result(False, (e.stdout or b"").decode("utf-8", "replace") + "\n(time-out)")
    except OSError as e:
        return Result(False, f"{e} (make fuzzers builds it)")


def bounded(target):
    """The kept corpus and a fixed number of changes of it; always the same."""
    scratch = os.path.join(ROOT, WORK, "scratch", target.name)
    shutil.rmtree(scratch, ignore_errors=True)
    os.makedirs(scratch)
    os.makedirs(os.path.join(ROOT, kept(target)), exist_ok=True)
    return fuzz(target, [scratch, kept(target)], ["-seed=1", f"-runs={target.runs}"], HANGS)


def finding(text):
    """The file that libFuzzer wrote, and the words before it."""
    found = re.search(r"Test unit written to (\S+)", text)
    return found.group(1) if found else None


def long_run(target, seconds):
    corpus = f"{WORK}/corpus/{target.name}"
    os.makedirs(os.path.join(ROOT, corpus), exist_ok=True)
    os.makedirs(os.path.join(ROOT, kept(target)), exist_ok=True)
    result = fuzz(target, [corpus, kept(target)], [f"-max_total_time={seconds}", "-len_control=20"],
                  seconds + HANGS)
    status = re.findall(r"cov: (\d+) ft: (\d+) corp: (\d+)/(\S+)", result.text)
    edges, features, inputs, size = status[-1] if status else ("?", "?", "?", "?")
    runs = re.search(r"number_of_executed_units: (\d+)", result.text)
    print(f"{target.name:8} {runs.group(1) if runs else '?':>9} runs  corpus {inputs} inputs, {size}"
          f"  coverage {edges} edges, {features} features", flush=True)
    if result.good:
        print(f"{target.name:8} no finding", flush=True)
    else:
        where = finding(result.text) or "(no input was written)"
        print(result.text[-3000:])
        print(f"{target.name:8} FINDING: {where}\n"
              f"{'':8} again: {WORK}/{target.name} {where}", flush=True)
    return result.good


def keep(target):
    """The fewest inputs that reach all that is reached."""
    merged = os.path.join(ROOT, WORK, "merged", target.name)
    shutil.rmtree(merged, ignore_errors=True)
    os.makedirs(merged)
    result = fuzz(target, [merged, kept(target), f"{WORK}/corpus/{target.name}"],
                  ["-set_cover_merge=1", "-use_counters=0"], 1800)
    if not result.good or not os.listdir(merged):
        sys.exit(f"fuzz: {kept(target)} stays as it is; merging failed:\n{result.text[-3000:]}")
    shutil.rmtree(os.path.join(ROOT, kept(target)))
    shutil.move(merged, os.path.join(ROOT, kept(target)))
    files = glob.glob(os.path.join(ROOT, kept(target), "*"))
    print(f"{target.name:8} kept {len(files)} inputs, {sum(map(os.path.getsize, files))} bytes")


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--time", type=int, default=600, help="seconds in all (%(default)s)")
    parser.add_argument("--only", default="", help="the target with this name")
    parser.add_argument("--keep", action="store_true", help="renew tests/fuzz/corpus")
    args = parser.parse_args()
    targets = [t for t in TARGETS if args.only in ("", t.name)]
    if not targets:
        sys.exit(f"fuzz: no target {args.only}; there are: {' '.join(t.name for t in TARGETS)}")
    start = time.monotonic()
    good = [long_run(t, max(1, args.time // len(targets))) for t in targets]
    if args.keep:
        for t in targets:
            keep(t)
    print(f"{len(targets)} targets, {time.monotonic() - start:.0f} s: "
          f"{'no finding' if all(good) else f'{good.count(False)} with a finding'}")
    return 0 if all(good) else 1


if __name__ == "__main__":
    child.on_signals(child.leave)
    sys.exit(main())
