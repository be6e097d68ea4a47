# SPDX-License-Identifier: GPL-2.0-only
"""What is typed: it arrives as it is, or is refused in a sentence that names it."""
import os
import subprocess
import sys
import tempfile
import unittest
from unittest import mock

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tools", "host"))
import arguments  # noqa: E402
from result import USAGE, Result  # noqa: E402

BZIMAGE = bytes(0x202) + b"HdrS" + bytes(100)
ELF = b"\x7fELF" + bytes(0x300)
# What a shell, make, xl or Python might take for something else.
HARD = ("it's", "$5 $$x $(id) ${HOME} $(shell touch made) `id`", "a\nb\tc", "-x", "--name", "a\\ \\\\ \"q\"",
        "x'; touch made; echo '", "#%;&|<>*?[]{}~!=,:@", "\udce9\udcff", "\x01\x1b[31m", " two  blanks ")


class Typed(unittest.TestCase):
    def setUp(self):
        where = tempfile.TemporaryDirectory()
        self.addCleanup(where.cleanup)
        self.where = where.name
        self.kernel = self.file("k.bzImage", BZIMAGE)

    def file(self, name, data):
        path = os.path.join(self.where, name)
        with open(path, "wb") as out:
            out.write(data)
        return path

    def take(self, *argv, **variables):
        """The arguments; by options, or by variables of the environment."""
        if variables:
            variables.setdefault("KERNEL", self.kernel)
            variables.setdefault("RUN_DIR", self.where)
            argv = ("--env", *argv)
        else:
            argv = ("--kernel", self.kernel, "--log", self.where, *argv)
        with mock.patch.dict(os.environ, variables):
            args = arguments.arguments(argv)
            self.assertFalse(set(variables) & set(os.environ))
        return args

    def refused(self, words, *argv, **variables):
        with self.assertRaises(Result) as end:
            self.take(*argv, **variables)
        self.assertEqual(end.exception.code, USAGE)
        self.assertIn(words, str(end.exception))
        self.assertNotIn("usage:", str(end.exception))

    def test_defaults(self):
        args = self.take()
        self.assertEqual((args.host, args.memory, args.vcpus, args.timeout, args.cmdline, args.initrd),
                         ("pvh", 64, 1, 120.0, "", None))
        args = self.take(HOST="", MEMORY="", CMDLINE="", INITRD="")
        self.assertEqual((args.host, args.memory, args.cmdline, args.initrd), ("pvh", 64, "", None))

    def test_the_test_guest_of_a_host(self):
        for host, name, two_level in (("pvh", "guest-2level", True), ("shim", "guest-pae", False)):
            args = arguments.arguments(("--prepare", "--host", host, "--log", self.where))
            self.assertEqual((args.name, args.two_level), (name, two_level))
        self.assertFalse(self.take().two_level)     # what is given may have any tables

    def test_any_text_arrives(self):
        for text in HARD:
            self.assertEqual(self.take("--cmdline", text).cmdline, text)
            self.assertEqual(self.take("--cmdline=" + text).cmdline, text)
            self.assertEqual(self.take(CMDLINE=text).cmdline, text)

    def test_any_file_name_arrives(self):
        for text in HARD:
            if "/" in text or text[0] == "-":
                continue
            path = self.file(text, BZIMAGE)
            self.assertEqual(self.take(KERNEL=path, INITRD=path).initrd, path)
            self.assertRegex(self.take(KERNEL=path).name, r"^[A-Za-z0-9._-]+$")

    def test_a_name_is_the_kernels(self):
        for file, name in (("vmlinuz-2.6.32-686-bigmem", "vmlinuz-2.6.32-686-bigmem"),
                           ("vmlinuz-2.6.24", "vmlinuz-2.6.24"), ("a.b.bzImage", "a.b"), ("g.elf", "g"),
                           ("my kernel.bzImage", "my_kernel"), ("2632", "guest-2632"), ("-k", "guest--k"),
                           ("k" * 200, "k" * arguments.NAME_MOST), ("Domain-0", "guest-Domain-0")):
            path = self.file(file, BZIMAGE)
            self.assertEqual(self.take(KERNEL=path).name, name)

    def test_a_name_is_a_files_and_a_domains(self):
        self.assertEqual(self.take(NAME="a.b-c_1").name, "a.b-c_1")
        for name in ("a/b", "a b", "it's", "-x", "12", "Domain-0", "\u00e9", "x" * 101, "a\n"):
            self.refused("NAME=" + name, NAME=name)
            self.refused("--name " + name, "--name", name)

    def test_numbers(self):
        self.assertEqual(self.take(MEMORY="5", VCPUS="3", TIMEOUT="0.5").memory, 5)
        self.assertEqual(self.take(MEMORY="4").memory, 4)
        for text in ("64M", "abc", "0", "4", "-1", "1e3", "99999999", " 64", "0x40"):
            self.refused("MEMORY=%s: a number of MB from 5 on was expected" % text, MEMORY=text, HOST="shim")
        self.refused("--memory 64M: a number of MB from 5 on", "--memory", "64M", "--host", "shim")
        self.refused("MEMORY=3: a number of MB from 4 on", MEMORY="3", HOST="pv32")
        for text in ("0", "one"):
            self.refused("VCPUS=%s: a number of CPUs from 1 on" % text, VCPUS=text)
        for text in ("nan", "inf", "-1", "2m"):
            self.refused("TIMEOUT=%s: a number of seconds" % text, TIMEOUT=text)

    def test_hosts(self):
        self.refused("HOST=SHIM: no such host; there are: bare dom0 pv32 pvh shim", HOST="SHIM")
        self.refused("--host moon", "--host", "moon")

    def test_files(self):
        self.refused("KERNEL=/no/such: no such file", KERNEL="/no/such")
        self.refused("INITRD=/no: no such file", INITRD="/no")
        self.refused("INITRD=/: is a directory", INITRD="/")
        self.refused("INITRD=/dev/null: is no plain file", INITRD="/dev/null")
        self.refused("the file is empty", INITRD=self.file("empty", b""))
        self.refused("Not a directory", INITRD=self.kernel + "/x")
        self.refused("is no bzImage", KERNEL=self.file("text", b"hello\n" * 1000))
        self.assertTrue(self.take(KERNEL=self.kernel).wrap)
        self.assertFalse(self.take(KERNEL=self.kernel, HOST="bare").wrap)
        self.assertFalse(self.take(KERNEL=self.file("e", ELF)).wrap)

    def test_what_make_makes_may_be_missing_before(self):
        path = os.path.join(arguments.BUILD, "no-such.bzImage")
        self.refused("no such file", KERNEL=path)
        self.assertEqual(self.take("--prepare", KERNEL=path).name, "no-such")
        self.refused("no such file", "--prepare", KERNEL="/no/such")

    def test_xen_cuts_command_lines(self):
        self.assertEqual(len(self.take(CMDLINE="x" * 1023).cmdline), 1023)
        self.refused("CMDLINE: the command line has 1024 bytes, and Xen passes on 1023", CMDLINE="x" * 1024)
        self.refused("--cmdline: the command line has 1024 bytes", "--cmdline", "\u00e9" * 512)
        self.assertEqual(len(self.take(CMDLINE="x" * 3000, HOST="bare").cmdline), 3000)

    def test_where_logs_go(self):
        path = os.path.join(self.where, "new", "folder")
        self.assertEqual(self.take(RUN_DIR=path).log, path)
        self.assertTrue(os.path.isdir(path))
        self.refused("RUN_DIR=%s/x: cannot be made: Not a directory" % self.kernel, RUN_DIR=self.kernel + "/x")
        with mock.patch.object(os, "access", lambda path, mode: not mode & os.W_OK):
            self.refused("may not be written to", RUN_DIR=self.where)

    def test_at(self):
        self.assertEqual(self.take("--at", "x", r"type \x1e\xff\n").at, [["x", r"type \x1e\xff\n"]])
        self.refused("is one of: type, xl", "--at", "x", "press y")
        self.refused("is one of: type", "--host", "dom0", "--at", "x", "xl list")
        self.assertEqual(self.take("--at", "x", "save").at, [["x", "save"]])
        self.refused("is one of: type", "--host", "bare", "--at", "x", "save")
        self.refused("nothing belongs behind save", "--at", "x", "save file")
        self.refused("--at: type \\x1", "--at", "x", "type \\x1")

    def test_unknown_options(self):
        self.refused("unrecognized arguments: --mem 64", "--mem", "64")
        self.refused("--cmdline", "--cmdline")


class Make(unittest.TestCase):
    """The Makefile: nothing in a variable is looked into on the way."""

    def make(self, *argv, **options):
        env = {key: value for key, value in os.environ.items() if key not in ("MAKEFLAGS", "MAKELEVEL")}
        env.update(options.pop("env", {}))
        done = subprocess.run(["make", "-s", "-C", ROOT, *argv], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=env, check=False)
        self.assertFalse(os.path.exists(os.path.join(ROOT, "made")))
        return done.returncode, done.stdout

    SHOW = "--eval=show: ; @printf '%s|' \"$$KERNEL\" \"$$INITRD\" \"$$CMDLINE\" \"$$NAME\" \"$$RUN_DIR\" \"$$ONLY\""

    def test_text_comes_to_recipes_as_it_is(self):
        names = ("KERNEL", "INITRD", "CMDLINE", "NAME", "RUN_DIR", "ONLY")
        for text in HARD:
            # make itself skips blanks behind "="; the environment does not.
            wanted = os.fsencode((text + "|") * len(names))
            code, out = self.make(self.SHOW, "show", env={name: text for name in names})
            self.assertEqual((code, out), (0, wanted))
            wanted = os.fsencode((text.lstrip() + "|") * len(names))
            code, out = self.make(self.SHOW, "show", *("%s=%s" % (name, text) for name in names))
            self.assertEqual((code, out), (0, wanted))

    def test_a_recipe_of_a_make_within_has_it_too(self):
        for text in HARD:
            code, out = self.make("--eval=deep: ; @$(MAKE) -s show", self.SHOW, "deep", "CMDLINE=" + text)
            self.assertEqual((code, out), (0, b"||" + os.fsencode(text.lstrip()) + b"||||"))

    def test_unknown_variables_are_named(self):
        for typed, near in (("KERNL", "KERNEL"), ("cmdline", "CMDLINE"), ("MEMROY", "MEMORY")):
            code, out = self.make("help", typed + "=x")
            self.assertEqual(code, 2)
            self.assertIn(("%s is no variable of this Makefile, is %s meant?" % (typed, near)).encode(), out)
        code, out = self.make("help", "a'; touch made; echo '=x")
        self.assertEqual(code, 2)
        self.assertEqual(self.make("help", "KERNEL=x", "V=1", "CC=gcc")[0], 0)

    def test_the_nearest_is_named(self):
        done = subprocess.run([os.path.join(ROOT, "tools", "host", "nearest"), "KERNEL", "HOST", "--", "KERNL",
                               "\x1b?"], stdout=subprocess.PIPE, check=True)
        self.assertEqual(done.stdout, b"KERNL is no variable of this Makefile, is KERNEL meant?; "
                         b"\\x1b? is no variable of this Makefile (make help lists them)\n")

    def test_every_variable_of_the_help_is_known(self):
        text = self.make("help")[1].decode()
        with open(os.path.join(ROOT, "Makefile"), encoding="utf-8") as file:
            settings = file.read().partition("SETTINGS := ")[2].partition("\n\n")[0].partition("\n# ")[0]
        for name in settings.replace("\\", " ").split():
            self.assertIn(name + "=", text)


if __name__ == "__main__":
    unittest.main()
