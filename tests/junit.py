# SPDX-License-Identifier: GPL-2.0-only
"""Results as JUnit XML, which GitHub's, GitLab's and Jenkins's machinery reads.

Kept true here: the file is well-formed whatever a guest printed, its numbers
are those of the testcases in it, and it is there completely or not at all,
never as an earlier run left it.
"""
import os
import stat
import sys
import tempfile
import xml.etree.ElementTree as ET

from result import lines_printable, printable

PASSED, FAILED, SKIPPED = "passed", "failed", "skipped"


class Junit:
    """The cases of one run, to be written to a path; without a path nothing is."""

    def __init__(self, name, path=""):
        """Raises OSError where the path cannot be a file."""
        self.name = name
        self.path = os.path.abspath(path) if path else ""
        self.cases = []
        if not self.path:
            return
        try:
            mode = os.lstat(self.path).st_mode
        except FileNotFoundError:
            mode = None
        if mode is not None and not stat.S_ISREG(mode):
            raise FileExistsError(f"{printable(path)}: is no ordinary file")
        # What would fail at the end fails here; and what was there is not this run's.
        self._replace(b"")
        os.unlink(self.path)

    def add(self, group, sentence, state, detail=""):
        self.cases.append((group, sentence, state, detail))

    def xml(self):
        """The document, as bytes."""
        number = {state: sum(case[2] == state for case in self.cases) for state in (FAILED, SKIPPED)}
        totals = {"tests": str(len(self.cases)), "failures": str(number[FAILED]), "errors": "0",
                  "skipped": str(number[SKIPPED])}
        top = ET.Element("testsuites", totals)
        suite = ET.SubElement(top, "testsuite", {"name": printable(self.name), **totals})
        for group, sentence, state, detail in self.cases:
            case = ET.SubElement(suite, "testcase", {"classname": printable(f"{self.name}.{group}"),
                                                     "name": printable(sentence)})
            if state == PASSED and not detail:
                continue
            words = lines_printable(detail.rstrip())
            kind = {PASSED: "system-out", FAILED: "failure", SKIPPED: "skipped"}[state]
            inner = ET.SubElement(case, kind)
            if state != PASSED:
                inner.set("message", words.partition("\n")[0])
            inner.text = words
        ET.indent(top, " ")
        return ET.tostring(top, encoding="utf-8", xml_declaration=True) + b"\n"

    def write(self):
        if self.path:
            self._replace(self.xml())

    def _replace(self, data):
        """Another file, renamed when it is whole."""
        fd, part = tempfile.mkstemp(prefix=".junit-", dir=os.path.dirname(self.path))
        try:
            with os.fdopen(fd, "wb") as f:
                f.write(data)
            os.chmod(part, 0o644)
            os.replace(part, self.path)
        except BaseException:
            os.unlink(part)
            raise


def written(results):
    """Writes them; False, and a line that says why, where that fails."""
    try:
        results.write()
        return True
    except OSError as e:
        print(f"junit: {printable(results.path)}: {e.strerror}", file=sys.stderr)
        return False
