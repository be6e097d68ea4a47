# SPDX-License-Identifier: GPL-2.0-only
"""What make matrix reads from a run, and the table that it makes."""
import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "xen"))
import matrix  # noqa: E402

XEN = "(XEN) Xen version 4.20.5-pre (Debian 4.20.4+63-1) (x@y) (gcc (Debian 14) 14) debug=n\n"
PV32 = "(XEN) Xen version 4.14.6-pv32 (Debian 4.14.6-1@pv32) (gcc (Debian 12) 12) debug=n\n"


def run(code, text, series="4.20", host="shim", kernel="pae"):
    return matrix.Run(series, host, kernel, code, text)


class Runs(unittest.TestCase):
    def test_a_good_one(self):
        got = run(0, XEN + "guest: 12 passed, 0 failed\nrun: the guest powered off\n")
        self.assertTrue(got.good())
        self.assertEqual(got.cell(), "12 passed")
        self.assertEqual(got.version(), "4.20.5-pre (Debian 4.20.4+63-1)")

    def test_a_xen_of_our_own(self):
        self.assertEqual(run(0, PV32).version(), "4.14.6-pv32 (Debian 4.14.6-1)")

    def test_failed_checks_are_named(self):
        got = run(1, XEN + "FAIL pte: a\nok   b\nguest: 11 passed, 1 failed\nrun: x\n")
        self.assertFalse(got.good())
        self.assertEqual(got.cell(), "11 passed, 1 failed")
        self.assertIn("FAIL pte: a", got.trouble())

    def test_a_good_count_is_not_enough(self):
        self.assertFalse(run(3, "guest: 12 passed, 0 failed\nrun: time-out\n").good())

    def test_no_xen_no_result(self):
        got = run(5, "mkxen: no source of Xen 4.20\nrun: mkxen failed\n")
        self.assertFalse(got.good())
        self.assertEqual(got.cell(), "no result")
        self.assertIn("no source", got.trouble())


class Table(unittest.TestCase):
    def test_a_row_for_each_series_and_host(self):
        good = XEN + "guest: 12 passed, 0 failed\n"
        self.assertEqual(matrix.table([
            run(0, good), run(0, good.replace("12", "9"), kernel="2level"),
            run(5, "", host="pv32"), run(5, "", host="pv32", kernel="2level")]), """\
| Xen | host | version | PAE | 2-level |
| --- | --- | --- | --- | --- |
| 4.20 | shim | 4.20.5-pre (Debian 4.20.4+63-1) | 12 passed | 9 passed |
| 4.20 | pv32 | - | no result | no result |
""")


if __name__ == "__main__":
    unittest.main()
