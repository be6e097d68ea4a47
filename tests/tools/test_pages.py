# SPDX-License-Identifier: GPL-2.0-only
"""Manual pages, completion and what is installed: they say what the programs do, and the
programs do what they say."""
import argparse
import importlib.machinery
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path[:0] = [os.path.join(ROOT, *part) for part in (("tools", "vmixen"), ("tests", "tools"), ("tools", "host"))]
import arguments  # noqa: E402
import boot  # noqa: E402
import disks_made as made  # noqa: E402
import places  # noqa: E402

OPTION = re.compile(r"(?<![\w-])(--?[a-zA-Z][a-z-]*)")


def page(name):
    """[(section or subsection, tag)] of a page's paragraphs, in plain text."""
    with open(os.path.join(ROOT, "docs", "man", name), encoding="ascii") as file:
        lines = file.read().split("\n")
    found, where = [], ""
    for number, line in enumerate(lines):
        if line.startswith((".SH ", ".SS ")):
            where = plain(line[4:])
        elif line == ".TP":
            found.append((where, plain(lines[number + 1])))
    return found


def plain(text):
    text = re.sub(r"^\.[A-Z]+ ", "", text)
    return re.sub(r"\\f.", "", text).replace("\\-", "-").replace('"', "").replace(" , ", ", ")


def options_of_page(name, section):
    return {option for where, tag in page(name) if where == section for option in OPTION.findall(tag)}


def options_of(parser):
    return {option for action in parser._actions for option in action.option_strings} - {"-h", "--help"}


def vmixen():
    """The script, as a module."""
    loader = importlib.machinery.SourceFileLoader("vmixen_program", os.path.join(ROOT, "tools", "vmixen", "vmixen"))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(loader.name, loader))
    loader.exec_module(module)
    return module


class Pages(unittest.TestCase):
    def test_vmixen_s_commands(self):
        parser = vmixen().parser()
        commands, = (action for action in parser._actions if isinstance(action, argparse._SubParsersAction))
        self.assertEqual(options_of_page("vmixen.1", "OPTIONS"), options_of(parser) | {"-h", "--help"})
        for name, command in commands.choices.items():
            if name != "run":
                self.assertEqual(options_of_page("vmixen.1", name), options_of(command), name)
        sections = [where for where, _ in page("vmixen.1")]
        self.assertLessEqual({name for name, c in commands.choices.items() if options_of(c)}, set(sections))
        with open(os.path.join(ROOT, "docs", "man", "vmixen.1"), encoding="ascii") as file:
            self.assertEqual(re.findall(r"^\.SS (.*)$", file.read().replace("\\-", "-"), re.M), list(commands.choices))

    def test_vmixen_run(self):
        self.assertEqual(options_of_page("vmixen.1", "run"), options_of(arguments.parser()))

    def test_vmixen_boot(self):
        self.assertEqual(options_of_page("vmixen-boot.8", "OPTIONS"), options_of(boot.parser()) | {"-h", "--help"})

    def test_vmixen_boot_has_all_of_pygrub_s_options(self):
        theirs = {"--" + name for name in (
            "quiet interactive list-entries not-really help output output-format output-directory offset runas entry "
            "kernel ramdisk args isconfig debug").split()} | set("-q -i -l -n -h".split())
        self.assertLessEqual(theirs, options_of(boot.parser()) | {"-h", "--help"})

    def test_mkrom_s_commands(self):
        text = subprocess.run([os.path.join(ROOT, "build", "mkrom"), "help"], stdout=subprocess.PIPE, check=True)
        usage = dict(re.findall(r"^  mkrom (\w+) (\S.*)$", text.stdout.decode(), re.M))
        self.assertGreater(len(usage), 3)
        with open(os.path.join(ROOT, "docs", "man", "mkrom.1"), encoding="ascii") as file:
            self.assertEqual(re.findall(r"^\.SS (.*)$", file.read(), re.M), list(usage))
        for name, words in usage.items():
            self.assertEqual(options_of_page("mkrom.1", name), set(OPTION.findall(words)), name)

    def test_vmixen_cfg_5_has_what_vmixen_cfg_writes(self):
        import xlcfg
        parser = vmixen().parser()
        written = set()
        with tempfile.TemporaryDirectory() as folder:
            elf = os.path.join(folder, "k.elf")
            subprocess.run([os.path.join(ROOT, "tools", "vmixen", "vmixen"), "wrap", made.GUEST, "-o", elf], check=True,
                           stdout=subprocess.DEVNULL)
            for argv in (["--disk", "/dev/null", "--type", "shim", "--cmdline", "x", "--vif", ""],
                         ["--kernel", elf, "--initrd", elf]):
                text = xlcfg.config(parser.parse_args(["cfg", "a", *argv]))
                written |= set(re.findall(r"^(\w+) = ", text, re.M))
        tags = {word for where, tag in page("vmixen.cfg.5") if where == "SETTINGS" for word in re.split(r"[, ]+", tag)}
        self.assertEqual(tags - {""}, written)

    @unittest.skipUnless(shutil.which("man"), "there is no man here")
    def test_man_has_nothing_to_say_of_them(self):
        for name in sorted(os.listdir(os.path.join(ROOT, "docs", "man"))):
            done = subprocess.run(["man", "--warnings", "-l", os.path.join(ROOT, "docs", "man", name)],
                                  stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False,
                                  env={**os.environ, "LC_ALL": "C.UTF-8", "MANWIDTH": "80"})
            self.assertEqual((done.returncode, done.stderr), (0, b""), name)


class Documents(unittest.TestCase):
    def test_each_command_that_they_show_is_one(self):
        """Lines of examples that begin with vmixen, its options and all."""
        import shlex
        shown = 0
        for name in ("README.md", "docs/hosts.md"):
            with open(os.path.join(ROOT, name), encoding="utf-8") as file:
                lines = re.findall(r"^ {4,}(vmixen .*)$", file.read(), re.M)
            for line in (part for line in lines for part in line.split(" && ")):
                words = [word for word in shlex.split(line, comments=True)[1:] if not re.match(r"\d?>", word)]
                if words[0] != "run":
                    vmixen().parser().parse_args(words)
                shown += 1
        self.assertGreater(shown, 6)


class Completion(unittest.TestCase):
    SOURCE = "/usr/share/bash-completion/bash_completion"

    def complete(self, function, *words):
        """What bash offers for the last word."""
        script = """
            . %s; . %s/tools/completion/vmixen
            PATH=%s/tools/vmixen:$PATH
            COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMP_LINE="$*"; COMP_POINT=${#COMP_LINE}
            %s "$1" "${@: -1}" "${@: -2:1}"; printf '%%s\\n' "${COMPREPLY[@]}"
        """ % (self.SOURCE, ROOT, ROOT, function)
        done = subprocess.run(["bash", "-c", script, "bash", *words], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                              check=False)
        return set(done.stdout.decode().split())

    @unittest.skipUnless(os.path.exists(SOURCE), "there is no bash-completion here")
    def test_commands_options_and_values(self):
        self.assertEqual(self.complete("_vmixen", "vmixen", "c"), {"cfg", "check-host"})
        self.assertLessEqual({"--output", "--force", "--any-kernel"}, self.complete("_vmixen", "vmixen", "wrap", "--"))
        self.assertEqual(self.complete("_vmixen", "vmixen", "cfg", "--type", "p"), {"pvh", "pv"})
        self.assertIn("--reader", {o.rstrip("=") for o in self.complete("_vmixen_boot", "vmixen-boot", "--r")})


class Install(unittest.TestCase):
    def files(self, folder):
        return {os.path.relpath(os.path.join(where, name), folder) for where, _, names in os.walk(folder) for name in names}

    def test_what_is_installed_works_and_writes_nothing_there(self):
        with tempfile.TemporaryDirectory() as folder:
            to, work = os.path.join(folder, "to"), os.path.join(folder, "work")
            os.mkdir(work)
            environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
            done = subprocess.run(["make", "install", "DESTDIR=" + to, "PREFIX=/usr"], cwd=ROOT, env=environment,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
            self.assertEqual(done.returncode, 0, done.stdout.decode())
            before = self.files(to)
            for path in ("usr/bin/mkrom", "usr/lib/vmixen/build/vmi.rom", "usr/share/man/man8/vmixen-boot.8",
                         "usr/share/bash-completion/completions/vmixen", "usr/share/doc/vmixen/hosts.md"):
                self.assertIn(path, before)
            program = os.path.join(to, "usr", "bin", "vmixen")
            for argv in (["--version"], ["wrap", made.GUEST], ["inspect", "guest-2level.elf"],
                         ["run", "--host", "bare", "--prepare", "--kernel", made.GUEST]):
                done = subprocess.run([program, *argv], cwd=work, env={**environment, "VMIXEN_CACHE": work},
                                      stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
                self.assertEqual(done.returncode, 0, done.stdout.decode())
            text = subprocess.run([program, "cfg", "a", "--disk", "/dev/null"], stdout=subprocess.PIPE, check=True).stdout
            self.assertIn('bootloader = "%s/usr/bin/vmixen-boot"' % to, text.decode())
            self.assertEqual(self.files(to), before)
            self.assertTrue(places.INSTALLED is False)


if __name__ == "__main__":
    unittest.main()
