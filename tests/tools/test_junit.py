#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""tests/junit.py: XML whatever a guest printed, whole or not there."""
import contextlib
import importlib.machinery
import importlib.util
import io
import os
import sys
import tempfile
import unittest
import xml.etree.ElementTree as ET
from unittest import mock

sys.dont_write_bytecode = True
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path[:0] = [os.path.join(ROOT, "tests"), os.path.join(ROOT, "tools", "host")]
import junit  # noqa: E402


def program(name):
    loader = importlib.machinery.SourceFileLoader("tests_" + name, os.path.join(ROOT, "tests", name))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(loader.name, loader))
    loader.exec_module(module)
    return module


HOSTILE = ("".join(map(chr, range(0x20))) + "\x7f\x80\x9f\x85\u2028\ufeff\ufffe\uffff\U000e0001\U0010ffff\udcff\ud800"
           "</failure></testcase><testcase name='none'/>]]>&amp;&#0;&x;\"'<!-- <![CDATA[\x1b[2J\x1b]0;x\x07\u202e")


class JunitTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.path = os.path.join(folder.name, "file.xml")

    def read(self):
        with open(self.path, "rb") as f:
            return f.read()

    def test_hostile_text_leaves_one_case_and_no_control_character(self):
        results = junit.Junit("a" + HOSTILE, self.path)
        for state in (junit.PASSED, junit.FAILED, junit.SKIPPED):
            results.add(HOSTILE, HOSTILE, state, HOSTILE)
        results.write()
        cases = ET.fromstring(self.read()).findall("testsuite/testcase")
        self.assertEqual([len(case) for case in cases], [1, 1, 1])
        self.assertEqual([case[0].tag for case in cases], ["system-out", "failure", "skipped"])
        for char in self.read().decode("utf-8"):
            self.assertTrue(char == "\n" or char.isprintable(), ascii(char))
        self.assertIn("\\x1b[2J", cases[1][0].text)
        self.assertIn("</failure></testcase><testcase name='none'/>]]>&amp;&#0;&x;", cases[1][0].text)

    def test_every_character_alone_is_valid(self):
        for number in [*range(0x3000), *range(0xd7f0, 0xe010), *range(0xfdc0, 0x10010), 0x10ffff]:
            results = junit.Junit("a")
            results.add("b", chr(number), junit.FAILED, chr(number))
            ET.fromstring(results.xml())

    def test_the_numbers_are_those_of_the_cases(self):
        results = junit.Junit("a", self.path)
        for state in (junit.PASSED, junit.FAILED, junit.FAILED, junit.SKIPPED):
            results.add("b", state, state, "one\ntwo" if state != junit.PASSED else "")
        results.write()
        top = ET.fromstring(self.read())
        for element in (top, top[0]):
            self.assertEqual([element.get(k) for k in ("tests", "failures", "errors", "skipped")],
                             ["4", "2", "0", "1"])
        self.assertEqual((len(top.findall(".//testcase")), len(top.findall(".//failure"))), (4, 2))
        self.assertEqual((top.find(".//failure").get("message"), top.find(".//failure").text),
                         ("one", "one\ntwo"))

    def test_what_an_earlier_run_left_is_gone_as_soon_as_one_begins(self):
        with open(self.path, "w", encoding="ascii") as f:
            f.write("old")
        junit.Junit("a", self.path)
        self.assertEqual(os.listdir(self.folder), [])

    def test_a_write_that_fails_leaves_nothing_and_is_told(self):
        results = junit.Junit("a", self.path)
        told = io.StringIO()
        with mock.patch("os.replace", side_effect=OSError(28, "No space left on device")):
            with contextlib.redirect_stderr(told):
                self.assertFalse(junit.written(results))
        self.assertIn("No space left", told.getvalue())
        self.assertEqual(os.listdir(self.folder), [])

    def test_a_place_that_takes_no_file_is_told_at_the_beginning(self):
        link = os.path.join(self.folder, "link")
        os.symlink("/dev/null", link)
        for path in (self.folder, "/dev/null", link, os.path.join(self.folder, "none", "file.xml")):
            with self.assertRaises(OSError):
                junit.Junit("a", path)
        self.assertTrue(os.path.islink(link))

    def test_without_a_path_nothing_is_written(self):
        results = junit.Junit("a")
        results.add("b", "c", junit.PASSED)
        self.assertTrue(junit.written(results))
        self.assertEqual(os.listdir(self.folder), [])


class RunTest(unittest.TestCase):
    """tests/run hands over what it counts."""

    def report(self):
        run = program("run")
        report = run.Report(junit.Junit("vmixen"))
        with contextlib.redirect_stdout(io.StringIO()):
            report.add(True, "image: one", "not shown")
            report.add(False, "system: two, on shim", HOSTILE)
            report.count(7, 0, "unit: test_a")
            report.count(6, 1, "unit: test_b", "why")
            report.count(0, 0, "tools: nothing ran")
        return report

    def test_each_sentence_is_a_case(self):
        top = ET.fromstring(self.report().results.xml())
        self.assertEqual([(c.get("classname"), c.get("name"), [e.tag for e in c]) for c in top.iter("testcase")], [
            ("vmixen.image", "one", []), ("vmixen.system", "two, on shim", ["failure"]),
            ("vmixen.unit", "test_a", ["system-out"]), ("vmixen.unit", "test_b", ["failure"]),
            ("vmixen.tools", "nothing ran", ["failure"])])
        self.assertEqual([c.text for c in top.iter("system-out")], ["7 passed, 0 failed"])
        self.assertIn("why", top.findall(".//failure")[1].text)


class ConformanceTest(unittest.TestCase):
    def judged(self, console, partial, absent):
        conformance = program("conformance")
        results = junit.Junit("conformance-shim")
        counted = conformance.judge([("pae", console + "guest: 1 passed, 1 failed\n")])
        with contextlib.redirect_stdout(io.StringIO()):
            conformance.report(*counted, partial, absent)
        conformance.as_junit(results, *counted, partial, absent)
        return {c.get("name").partition(":")[0]: c for c in ET.fromstring(results.xml()).iter("testcase")}

    def test_calls_and_rules_are_cases(self):
        cases = self.judged("ok   SetCR3: loads\nFAIL CLTS: \x1b[2J]]>\n", False, {"SetLazyMode"})
        self.assertEqual(cases["SetCR3"][0].tag, "system-out")
        self.assertEqual(cases["CLTS"][0].text, "pae: CLTS: \\x1b[2J]]>")
        self.assertEqual((cases["SetLazyMode"][0].tag, cases["GetCR0"][0].tag), ("skipped", "failure"))
        self.assertNotIn("Unassigned", cases)

    def test_what_is_not_checked_is_no_failure_of_a_partial_rom(self):
        self.assertEqual(self.judged("", True, set())["GetCR0"][0].tag, "skipped")


if __name__ == "__main__":
    unittest.main()
