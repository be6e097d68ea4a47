# SPDX-License-Identifier: GPL-2.0-only
"""tools/host/mkqemu: what it is told, what it finds, and that it builds no QEMU that
has not the change. Nothing is downloaded, installed or compiled."""
import os
import re
import subprocess
import tarfile
import tempfile
import unittest

MKQEMU = os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "..", "tools", "host", "mkqemu")
WALK = """\
        restart_3_nolma:
            pte = ptw_ldq(&pte_trans);
            if (pte & (rsvd_mask | PG_NX_MASK)) {
                goto do_fault_rsvd;
            }
            if (!ptw_setl(&pte_trans, pte, PG_ACCESSED_MASK)) {
                goto restart_3_nolma;
            }
            ptep = PG_NX_MASK | PG_USER_MASK | PG_RW_MASK;
        }

        /*
         * Page table level 2
"""
STATEMENT = re.search(r" *if \(!ptw_setl.*?\}\n", WALK, re.S)[0]
# All that apt could install is there.
DPKG_QUERY = """\
#!/bin/sh
shift 3
for name; do printf 'installed:%s ' "$name"; done
"""
CONFIGURE = """\
#!/bin/sh
grep -q 'goto restart_3_nolma' ../src/target/i386/tcg/*/excp_helper.c && echo "it is as it was"
echo "it shall not be built, with $*"
exit 1
"""


class MkQemu(unittest.TestCase):
    def setUp(self):
        where = tempfile.TemporaryDirectory()
        self.addCleanup(where.cleanup)
        self.where = where.name
        self.cache = os.path.join(self.where, "cache")

    def file(self, name, content, mode=0o644):
        path = os.path.join(self.where, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="ascii") as f:
            f.write(content)
        os.chmod(path, mode)
        return path

    def run_it(self, *arguments, trace=False, **variables):
        path = os.path.join(self.where, "bin") + ":" + os.environ["PATH"]
        environment = dict(os.environ, VMIXEN_CACHE=self.cache, PATH=path, **variables)
        return subprocess.run(["bash", *(["-x"] if trace else []), MKQEMU, *arguments],
                              capture_output=True, text=True, env=environment, check=False)

    def source(self, walk, folder="sysemu"):
        """What comes of the build of a tarball that has this page walk."""
        self.file("bin/dpkg-query", DPKG_QUERY, 0o755)
        self.file("qemu/configure", CONFIGURE, 0o755)
        self.file("qemu/configs/devices/x86_64-softmmu/default.mak", "")
        self.file(f"qemu/target/i386/tcg/{folder}/excp_helper.c", walk)
        tarball = os.path.join(self.where, "qemu-9.tar.gz")
        with tarfile.open(tarball, "w:gz") as out:
            out.add(os.path.join(self.where, "qemu"), "qemu-9")
        done = self.run_it(QEMU_SOURCE=tarball)
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        return done.stderr

    def test_help_and_what_it_does_not_know(self):
        done = self.run_it("--help")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertTrue(done.stdout.startswith("usage: mkqemu [--find]\n"))
        done = self.run_it("--fnid")
        self.assertEqual((done.returncode, done.stdout), (2, ""))
        self.assertTrue(done.stderr.startswith("usage: mkqemu"))
        self.assertFalse(os.path.exists(self.cache))

    def test_find_finds_what_is_there_and_builds_nothing(self):
        done = self.run_it("--find", trace=True)
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertFalse(os.path.exists(self.cache))
        key = re.search(r"(?m)^\+ key=(\w{8})$", done.stderr)[1]
        for name in (f"qemu-7.2-{key}", f"qemu-7.10-{key}", "qemu-8.0-01234567"):
            self.file(f"cache/{name}/qemu-system-x86_64", "", 0o755)
        newest = os.path.join(self.cache, f"qemu-7.10-{key}", "qemu-system-x86_64")
        for arguments in ((), ("--find",)):
            done = self.run_it(*arguments)
            self.assertEqual((done.returncode, done.stdout, done.stderr), (0, newest + "\n", ""))

    def test_the_statement_is_taken_out_wherever_the_file_is(self):
        for folder in ("sysemu", "system"):
            with self.subTest(folder):
                said = self.source("/* above */\n" * 100 + WALK, folder)
                self.assertIn("it shall not be built, with --target-list=x86_64-softmmu ", said)
                self.assertNotIn("it is as it was", said)
                self.assertIn("QEMU's configuration failed: ", said)
                self.setUp()

    def test_without_the_statement_nothing_is_built(self):
        for walk in ("", WALK.replace(STATEMENT, ""), WALK.replace("restart_3_nolma", "restart_3_lma"),
                     WALK.replace("PG_ACCESSED_MASK", "0")):
            with self.subTest(walk):
                said = self.source(walk)
                self.assertIn("mkqemu: qemu-9 has not the statement that is to be removed", said)
                self.assertNotIn("it shall not be built", said)
                self.assertEqual(os.listdir(self.cache), [".lock-qemu"])


if __name__ == "__main__":
    unittest.main()
