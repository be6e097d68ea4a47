# SPDX-License-Identifier: GPL-2.0-only
"""tools/host/run: what it says when nothing but the end is left to say. No machine is started."""
import contextlib
import importlib.machinery
import importlib.util
import io
import os
import sys
import tempfile
import unittest
from unittest import mock

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tools", "host"))
import child  # noqa: E402
import hosts  # noqa: E402
from result import BROKEN, FINE, Result  # noqa: E402


def load():
    """The script, as a module."""
    loader = importlib.machinery.SourceFileLoader("host_run", os.path.join(ROOT, "tools", "host", "run"))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(loader.name, loader))
    loader.exec_module(module)
    return module


class Host:
    """One that ends at once, as it is told to."""
    def __init__(self, args):
        pass

    @staticmethod
    def packages(args):
        return []

    @staticmethod
    def files(args):
        pass

    def run(self):
        raise self.end


class Run(unittest.TestCase):
    def setUp(self):
        where = tempfile.TemporaryDirectory()
        self.addCleanup(where.cleanup)
        self.where = where.name
        self.kernel = os.path.join(self.where, "k.elf")
        with open(self.kernel, "wb") as out:
            out.write(b"\x7fELF" + bytes(0x300))

    def run_it(self, end, *argv, **variables):
        """(exit code, lines on standard error)."""
        run = load()
        # What the arguments ask a host for is still the host's.
        fakes = {name: type(name, (Host, host), {"end": end}) for name, host in hosts.HOSTS.items()}
        variables.setdefault("KERNEL", self.kernel)
        variables.setdefault("RUN_DIR", self.where)
        said = io.StringIO()
        with mock.patch.dict(os.environ, variables), mock.patch.object(hosts, "HOSTS", fakes), \
                mock.patch.object(run, "install", lambda *groups: None), \
                mock.patch.object(child, "on_signals", lambda end: None), \
                mock.patch.object(sys, "argv", ["run", "--env", *argv]), contextlib.redirect_stderr(said):
            code = run.main()
        return code, said.getvalue().splitlines()

    def test_other_cpus_are_told_of(self):
        fine = Result(FINE, "")
        self.assertEqual(self.run_it(fine, VCPUS="4"),
                         (0, ["run: the ROM runs one CPU; the guest does not see the other 3"]))
        self.assertEqual(self.run_it(fine, VCPUS="1"), (0, []))
        self.assertEqual(self.run_it(fine), (0, []))
        # Without the ROM they are the guest's.
        self.assertEqual(self.run_it(fine, VCPUS="4", HOST="bare"), (0, []))

    def test_the_last_line_has_the_exit_code(self):
        for code in (1, 3, 4, 5, 130):
            self.assertEqual(self.run_it(Result(code, "the guest is so")),
                             (code, ["run: the guest is so (exit code %d)" % code]))
        self.assertEqual(self.run_it(Result(FINE, "it is well")), (0, ["run: it is well"]))
        # make's own is always 2: what is wrong with the arguments has none to tell.
        code, lines = self.run_it(Result(FINE, ""), MEMORY="none")
        self.assertEqual(code, 2)
        self.assertNotIn("exit code", lines[-1])

    def test_an_error_of_the_system_has_one_too(self):
        self.assertEqual(self.run_it(OSError(28, "No space left on device")),
                         (BROKEN, ["run: [Errno 28] No space left on device (exit code %d)" % BROKEN]))


if __name__ == "__main__":
    unittest.main()
