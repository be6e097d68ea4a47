# SPDX-License-Identifier: GPL-2.0-only
"""What the host bed's shell scripts share: which release of Debian, from where,
what is in its packages, and that nothing outlives a build."""
import os
import signal
import subprocess
import tempfile
import time
import unittest

HOST = os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "..", "tools", "host")
BEGIN = "set -eu; me=test; . %s/lib.sh; . %s/debs.sh; " % (HOST, HOST)


def shell(text, *arguments, stdin="", code=0, **environment):
    """What a script of this text prints; its messages when it is to fail."""
    done = subprocess.run(["bash", "-c", BEGIN + text, "test", *arguments], input=stdin, text=True,
                          capture_output=True, env=dict(os.environ, **environment), check=False)
    if done.returncode != code:
        raise AssertionError("exit code %d\n%s" % (done.returncode, done.stdout + done.stderr))
    return done.stdout if code == 0 else done.stderr


class Place(unittest.TestCase):
    """A test with a folder of its own."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.where = folder.name

    def path(self, name, content=None):
        """A path in the folder, and a file there if it has content."""
        path = os.path.join(self.where, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        if content is not None:
            with open(path, "w" if isinstance(content, str) else "wb") as file:
                file.write(content)
        return path


class Series(Place):
    def choose(self, machine, series="", code=0):
        return shell('machine_release() { echo %s; }; choose_series; echo "$XEN_SERIES $release"' % machine,
                     XEN_SERIES=series, code=code).strip()

    def test_a_release_is_read_from_os_release(self):
        file = self.path("os-release", 'NAME="Debian GNU/Linux"\nVERSION_CODENAME=trixie\n')
        self.assertEqual(shell("machine_release %s" % file), "trixie\n")
        file = self.path("os-release", "NAME=Arch\n")
        self.assertEqual(shell("machine_release %s" % file), "\n")

    def test_each_release_has_its_series(self):
        for machine, series in (("bullseye", "4.14"), ("bookworm", "4.17"), ("trixie", "4.20")):
            self.assertEqual(self.choose(machine), "%s %s" % (series, machine))

    def test_another_series_is_of_another_release(self):
        self.assertEqual(self.choose("bookworm", "4.20"), "4.20 trixie")
        self.assertEqual(self.choose("trixie", "4.14"), "4.14 bullseye")
        self.assertEqual(self.choose("sid", "4.17"), "4.17 bookworm")

    def test_a_wrong_series_is_told_which_there_are(self):
        words = self.choose("bookworm", "4.19", code=2)
        self.assertIn("XEN_SERIES=4.19", words)
        self.assertIn("4.14 (Debian 11), 4.17 (Debian 12), 4.20 (Debian 13)", words)

    def test_a_machine_that_is_no_debian_is_told_so(self):
        self.assertIn("4.20 (Debian 13)", self.choose("jammy", code=1))

    def test_the_scripts_ask_before_they_do_anything(self):
        for script in ("mkdom0", "mkxen"):
            done = subprocess.run([os.path.join(HOST, script)], capture_output=True, text=True, check=False,
                                  env=dict(os.environ, XEN_SERIES="5", VMIXEN_CACHE=self.path("cache")))
            self.assertEqual(done.returncode, 2)
            self.assertIn("XEN_SERIES=5", done.stderr)
            self.assertFalse(os.path.exists(self.path("cache")))


class Sources(Place):
    def turned(self, name, text, kind="deb", origin="bookworm", to="trixie"):
        return shell('apt_sources "$@"', kind, origin, to, self.path(name, text))

    def test_lines_of_the_release_become_those_of_another(self):
        got = self.turned("a.list", """\
# deb http://m/debian bookworm main
deb http://m/debian bookworm main contrib non-free-firmware
deb-src http://m/debian bookworm-updates main
  deb\t[arch=amd64 signed-by=/k.gpg] http://m/security bookworm-security main
deb http://m/debian bookworm-backports main
deb http://other/apt bookworm-pgdg main
deb http://other/apt bookworm stable
deb cdrom:[Debian 12]/ bookworm main
deb http://other/flat ./
""")
        self.assertEqual(got, """\
deb http://m/debian trixie main
deb http://m/debian trixie-updates main
deb [signed-by=/k.gpg] http://m/security trixie-security main
""")

    def test_a_mirror_by_stable_counts(self):
        self.assertEqual(self.turned("a.list", "deb http://m/debian oldstable main\n", to="bullseye"),
                         "deb http://m/debian bullseye main\n")

    def test_the_machines_own_release_stays(self):
        line = "deb http://m/debian bookworm main\n"
        self.assertEqual(self.turned("a.list", line, to="bookworm"), line)

    def test_paragraphs_become_those_of_another(self):
        got = self.turned("debian.sources", """\
Types: deb deb-src
# a remark
URIs: http://m/debian
Suites: bookworm
 bookworm-updates bookworm-backports
Components: main non-free-firmware
Architectures: amd64
Signed-By: /usr/share/keyrings/debian-archive-bookworm-stable.gpg

Types: deb
URIs: http://m/security
Suites: bookworm-security
Components: main
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 abc

Types: deb
URIs: http://off/debian
Suites: bookworm
Components: main
Enabled: no

Types: deb
URIs: http://other/node
Suites: nodistro
Components: main
""", kind="deb-src")
        self.assertEqual(got, """\
Types: deb-src
Suites: trixie trixie-updates
Components: main
URIs: http://m/debian
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb-src
Suites: trixie-security
Components: main
URIs: http://m/security
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 abc

""")

    def test_apt_reads_no_other_files(self):
        self.assertEqual(self.turned("a.list.off", "deb http://m/debian bookworm main\n"), "")


class Words(unittest.TestCase):
    def why(self, log):
        return shell("apt_release=trixie; apt_why", stdin=log)

    def test_no_list_has_a_reason(self):
        self.assertIn("network", self.why(
            "Err:1 http://m/debian bookworm InRelease\n  Temporary failure resolving 'm'\n"))
        self.assertIn("network", self.why("Err:1 x\n  Could not connect to m:80 (1.2.3.4)\n"))
        self.assertIn("mirror has no Debian trixie", self.why(
            "Err:1 http://m/debian trixie Release\n  404  Not Found [IP: 1.2.3.4 80]\n"))
        self.assertIn("debian-archive-keyring", self.why(
            "W: GPG error: http://m/debian trixie InRelease: The following signatures couldn't be "
            "verified because the public key is not available: NO_PUBKEY 6ED0E7B82643E131\n"))

    def test_no_message_names_the_mirror(self):
        said = """\
W: Failed to fetch http://mirror.example/debian/dists/trixie/InRelease  Temporary failure resolving 'mirror.example'
E: Failed to fetch https://me:secret@mirror.example:8080/debian/pool/x.deb  404  Not Found [IP: 203.0.113.9 80]
E: Could not connect to mirror.example:80 (203.0.113.9), connection timed out
E: The repository 'http://mirror.example/debian trixie Release' does not have a Release file.
"""
        words = shell("apt_scrub", stdin=said)
        for secret in ("mirror.example", "203.0.113", "secret"):
            self.assertNotIn(secret, words)
        for kept in ("Temporary failure resolving", "404  Not Found", "timed out", "x.deb", "trixie Release"):
            self.assertIn(kept, words)

    def test_sizes_are_read_from_apts_plan(self):
        plan = """\
0 upgraded, 134 newly installed, 0 to remove and 0 not upgraded.
Need to get 1,044 kB/161 MB of archives.
Need to get 161 MB of archives.
After this operation, 1.5 GB of additional disk space will be used.
"""
        self.assertEqual(shell("megabytes 'Need to get'", stdin=plan.replace("1,044 kB/161 MB", "x")), "161")
        self.assertEqual(shell("megabytes 'After this operation'", stdin=plan), "1500")

    def test_progress_is_told_and_the_rest_kept(self):
        with tempfile.NamedTemporaryFile("r") as log:
            written = """\
Get:1 some: thing
dlstatus:1:12.3456:Retrieving file 1 of 2
pmstatus:libc6:99.0:Installed libc6 (amd64)
E: what is wrong
"""
            said = shell("apt_progress %s 0 2>&1" % log.name, stdin=written)
            self.assertEqual(said, "test:   downloaded 12 %\ntest:   installed 99 %\n")
            self.assertEqual(log.read(), "Get:1 some: thing\nE: what is wrong\n")
            self.assertEqual(shell("apt_progress %s 2>&1" % log.name, stdin=written), "")


class Packages(Place):
    def deb(self, name, files):
        """A package of these files."""
        self.path("%s/DEBIAN/control" % name, "Package: %s\nVersion: 1\nArchitecture: all\n"
                  "Maintainer: x <x@x>\nDescription: x\n" % name)
        for path, content in files.items():
            self.path("%s/%s" % (name, path), content)
        subprocess.run(["dpkg-deb", "-b", self.path(name), self.path(name + ".deb")], check=True,
                       stdout=subprocess.DEVNULL)
        return self.path(name + ".deb")

    def test_old_and_new_packages_unpack_alike(self):
        old = self.deb("old", {"lib/modules/5/a.ko": "a", "bin/tool": "t", "lib/modules/5/modules.builtin": ""})
        new = self.deb("new", {"usr/lib/modules/5/b.ko": "b", "usr/lib/x": "x"})
        tree = self.path("tree")
        said = shell('merged_tree "$1"; unpack_debs "$@"', tree, old, new)
        self.assertEqual(said, "old all 1\nnew all 1\n")
        for file in ("usr/lib/modules/5/a.ko", "usr/lib/modules/5/b.ko", "usr/lib/x", "usr/bin/tool",
                     "bin/tool", "lib/x"):
            self.assertTrue(os.path.isfile(os.path.join(tree, file)), file)
        self.assertTrue(os.path.islink(os.path.join(tree, "lib")))

    def test_a_module_may_be_compressed_or_built_in(self):
        import gzip
        import lzma
        text = b"depends=\0" + bytes(1000)
        base = "usr/lib/modules/6.12/kernel/drivers/"
        self.path(base + "plain-one.ko", text)
        self.path(base + "xz_one.ko.xz", lzma.compress(text))
        self.path(base + "gz.ko.gz", gzip.compress(text))
        zst = subprocess.run(["zstd", "-cq"], input=text, stdout=subprocess.PIPE, check=True).stdout
        self.path(base + "zst.ko.zst", zst)
        self.path("usr/lib/modules/6.12/modules.builtin", "kernel/drivers/virtio/virtio_pci.ko\n")
        for name in ("plain_one", "xz-one", "gz", "zst"):
            got = subprocess.run(["bash", "-c", BEGIN + 'uncompressed "$(module_file "$1" "$2")"', "test",
                                  self.where, name], stdout=subprocess.PIPE, check=True).stdout
            self.assertEqual(got, text, name)
        self.assertEqual(shell('module_file "$1" virtio-pci', self.where), "")
        shell('module_file "$1" virtio_net', self.where, code=1)


class Work(Place):
    """A build: its work folder, and what it starts."""

    BUILD = 'cache_lock x; cache_work x 1; echo "$work"; patiently bash -c "sleep 99.%s & sleep 98.%s"'

    def build(self):
        """Starts one, and waits until both of its programs run."""
        self.mark = str(os.getpid()) + str(time.monotonic_ns())
        process = subprocess.Popen(["bash", "-c", BEGIN + self.BUILD % (self.mark, self.mark)],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                   env=dict(os.environ, VMIXEN_CACHE=self.where))
        self.addCleanup(process.stderr.close)
        self.addCleanup(process.stdout.close)
        self.work = process.stdout.readline().strip()
        self.wait(2)
        return process

    def wait(self, count):
        """Until so many of its programs run, for some seconds at most."""
        for _ in range(100):
            found = 0
            for process in filter(str.isdigit, os.listdir("/proc")):
                try:
                    with open("/proc/%s/cmdline" % process, "rb") as file:
                        line = file.read()
                except OSError:
                    continue
                found += line.startswith(b"sleep") and self.mark.encode() in line
            if found == count:
                return
            time.sleep(0.1)
        self.fail("%d programs, wanted: %d" % (found, count))

    def test_a_signal_ends_it_with_all_that_it_started(self):
        for number, code in ((signal.SIGTERM, 143), (signal.SIGINT, 130), (signal.SIGHUP, 143)):
            process = self.build()
            self.assertTrue(os.path.isdir(self.work))
            process.send_signal(number)
            self.assertEqual(process.wait(10), code)
            self.wait(0)
            self.assertFalse(os.path.exists(self.work))

    def test_the_next_one_clears_up_after_one_that_was_killed(self):
        process = self.build()
        process.kill()
        process.wait()
        self.assertTrue(os.path.isdir(self.work))
        said = shell('cache_lock x; cache_work x 1; ls -A "$work"', VMIXEN_CACHE=self.where)
        self.assertEqual(said, "")
        self.wait(0)
        self.assertFalse(os.path.exists(self.work))

    def test_two_builds_of_different_things_leave_each_other_alone(self):
        process = self.build()
        shell('cache_lock xy; cache_work xy 1', VMIXEN_CACHE=self.where)
        self.wait(2)
        process.terminate()
        process.wait()

    def test_what_fails_leaves_nothing(self):
        words = shell('cache_lock x; cache_work x 1; patiently false || die "no luck"', code=1,
                      VMIXEN_CACHE=self.where)
        self.assertEqual(words, "test: no luck\n")
        self.assertEqual(os.listdir(self.where), [".lock-x"])


if __name__ == "__main__":
    unittest.main()
