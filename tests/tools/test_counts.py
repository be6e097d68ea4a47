#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""tests/xen/counts.py: a group of checks that vanishes is told."""
import os
import sys
import unittest

sys.dont_write_bytecode = True
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tests", "xen"))
import cases  # noqa: E402
import counts  # noqa: E402

CONSOLE = "ok   one\r\nguest: 41 passed, %d failed\r\nrun: the guest powered off after 1.0 s\n"


class CountsTest(unittest.TestCase):
    def test_the_number_that_is_written_down_is_right(self):
        self.assertEqual(counts.problem("a", "shim", CONSOLE % 0, {"a": {"xen": 41}}), "")

    def test_a_failed_check_is_a_check(self):
        self.assertEqual(counts.problem("a", "bare", CONSOLE % 1, {"a": {"bare": 42}}), "")

    def test_one_check_fewer_is_told_with_both_numbers_and_how_to_renew_them(self):
        words = counts.problem("a", "dom0", CONSOLE % 0, {"a": {"xen": 42, "bare": 41}})
        for part in ("41 checks", "makes 42", "on xen", counts.RENEW):
            self.assertIn(part, words)

    def test_a_console_without_a_number_is_told(self):
        self.assertIn("None checks", counts.problem("a", "dom0", "ok   one\n", {"a": {"xen": 1}}))

    def test_a_case_without_a_number_is_told(self):
        self.assertIn("no number for a", counts.problem("a", "dom0", CONSOLE % 0, {}))

    def test_every_case_that_counts_has_its_number_and_no_other_has_one(self):
        wanted = {c.name: {counts.where(host) for host in c.hosts} for c in cases.CASES if c.counts()}
        self.assertEqual({case: set(known) for case, known in counts.load().items()}, wanted)

    def test_what_is_saved_is_loaded(self):
        with open(counts.PATH, encoding="ascii") as f:
            before = f.read()
        counts.save(counts.load())
        with open(counts.PATH, encoding="ascii") as f:
            self.assertEqual(f.read(), before)


if __name__ == "__main__":
    unittest.main()
