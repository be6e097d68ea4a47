#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""bench/report.py: the documents have what bench/results has, and DOCS= exchanges it alone."""
import json
import os
import shutil
import sys
import tempfile
import unittest
from unittest import mock

sys.dont_write_bytecode = True
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path[:0] = [os.path.join(ROOT, "bench"), os.path.join(ROOT, "tools", "host")]
import report  # noqa: E402

KINDS = ("linux", "linux-2level", "linux-pvh", "guest")


def result_of(kind):
    with open(os.path.join(ROOT, "bench/results", kind + ".json"), encoding="utf-8") as f:
        return json.load(f)


class BenchTest(unittest.TestCase):
    """On copies of the documents and of bench/results."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        copies = {}
        for name, path in (("DOCS", report.DOCS), ("SUMMARY", report.SUMMARY)):
            copies[name] = shutil.copy(path, folder.name)
        copies["RESULTS"] = shutil.copytree(report.RESULTS, os.path.join(folder.name, "results"))
        for name, path in copies.items():
            patch = mock.patch.object(report, name, path)
            patch.start()
            self.addCleanup(patch.stop)
        patch = mock.patch.object(report, "plot")
        patch.start()
        self.addCleanup(patch.stop)

    def texts(self):
        found = []
        for path in (report.DOCS, report.SUMMARY):
            with open(path, encoding="utf-8") as f:
                found.append(f.read())
        return found

    def test_the_documents_are_what_the_last_runs_counted(self):
        before = self.texts()
        for kind in KINDS:
            report.into_docs(result_of(kind), kind)
        self.assertEqual(self.texts(), before)

    def test_a_run_of_linux_is_in_both(self):
        result = result_of("linux")
        result["worlds"]["rom"]["null call"]["value"] = 765.4
        report.into_docs(result, "linux")
        tables, summary = self.texts()
        self.assertIn("| 765.4 |", tables)
        self.assertIn("| null call | 95.0 | 294.0 | 765.4 | 2.60 |", summary)

    def test_the_summary_is_of_linux_alone(self):
        before = self.texts()[1]
        result = result_of("guest")
        next(iter(result["worlds"]["rom"].values()))["value"] = 765.4
        report.into_docs(result, "guest")
        self.assertIn("| 765.4 |", self.texts()[0])
        self.assertEqual(self.texts()[1], before)

    def test_a_run_of_some_worlds_has_a_summary_of_these(self):
        result = result_of("linux")
        for world in ("xen", "xen-shim"):
            del result["worlds"][world]
        text = report.summary(result)
        self.assertIn("| operation | bare | rom |\n", text)
        self.assertIn("| null call | 95.0 | 294.0 |\n", text)

    def test_every_row_of_the_summary_is_there(self):
        rows = result_of("linux")["worlds"]["rom"]
        self.assertEqual([name for name in report.MAIN if name not in rows], [])

    def test_marks_that_are_gone_are_told_with_their_document(self):
        with open(report.SUMMARY, "w", encoding="utf-8") as f:
            f.write("# Benchmarks\n")
        tables = self.texts()[0]
        result = result_of("linux")
        result["worlds"]["rom"]["null call"]["value"] = 765.4
        with self.assertRaises(SystemExit) as told:
            report.into_docs(result, "linux")
        self.assertEqual(self.texts()[0], tables)
        self.assertIn(report.SUMMARY, str(told.exception))


if __name__ == "__main__":
    unittest.main()
