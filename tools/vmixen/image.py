# SPDX-License-Identifier: GPL-2.0-only
"""Disk images, read without mounting: partitions and what is in them by libblkid's
partx and blkid, files of ext2, ext3 and ext4 by debugfs of e2fsprogs.

The image is a guest's, who may have made it to do harm. Kept true here: it is opened
once and only read; the programs that read it get their time, their memory and what they
may write limited, and if another user is named are that user's (Image.runas); of a name
in the image nothing reaches them, for they are given inode numbers alone; symbolic links
are followed here, a limited number of them.
"""

import os
import re
import resource
import stat
import subprocess
import tempfile
import time
from dataclasses import dataclass

import places
from words import USAGE, Wrong, read_error

LINKS = 8               # symbolic links on the way to one file
DEPTH = 64              # names in one path
LISTING = 4 << 20       # bytes of a folder's list, or of a menu
FILE = 512 << 20        # bytes of a file that is copied out
SECONDS = 60            # for one program
SECONDS_IN_ALL = 600
MEMORY = 1 << 30
PARTITIONS = 60
ROOT_INODE = 2

# What is no raw image: the first bytes of the file (or the last), and what it is.
WRAPPED = ((b"QFI\xfb", "qcow2"), (b"KDMV", "VMDK"), (b"COWD", "VMDK"), (b"# Disk DescriptorFile", "VMDK"),
           (b"conectix", "VHD"), (b"vhdxfile", "VHDX"), (b"<<< ", "VDI"))
PACKED = ((b"\x1f\x8b", "gzip"), (b"BZh", "bzip2"), (b"\xfd7zXZ", "xz"), (b"\x28\xb5\x2f\xfd", "zstd"))
ENTRY = re.compile(rb"/(\d+)/([0-7]{6})/\d+/\d+/([^/\n]*)/(\d*)/")


class Damaged(Wrong):
    """The file system is not what it says."""


@dataclass
class Partition:
    number: int         # 0: the file system is the whole disk
    start: int          # in bytes
    size: int
    kind: str           # blkid's TYPE: ext3, swap, LVM2_member; "" if it knows none
    active: bool = False

    @property
    def name(self):
        return "partition %d" % self.number if self.number else "the whole disk"

    @property
    def is_ext(self):
        return self.kind in ("ext2", "ext3", "ext4")


@dataclass
class Node:
    inode: int
    mode: int
    size: int
    path: str           # from the partition's root, without links

    @property
    def is_file(self):
        return stat.S_ISREG(self.mode)

    @property
    def is_folder(self):
        return stat.S_ISDIR(self.mode)


class Image:
    """A disk that is read; runas is a user's number."""

    def __init__(self, path, runas=None):
        self.path, self.runas = path, runas
        self.deadline = time.monotonic() + SECONDS_IN_ALL
        try:
            self.fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except (OSError, ValueError) as error:
            raise read_error(path, error) from None
        mode = os.fstat(self.fd).st_mode
        if stat.S_ISDIR(mode):
            raise Wrong("%s: is a directory, the image of a disk was expected" % path, USAGE)
        if not stat.S_ISREG(mode) and not stat.S_ISBLK(mode):
            raise Wrong("%s: is no file and no disk" % path, USAGE)
        self.size = os.lseek(self.fd, 0, os.SEEK_END)
        if not self.size:
            raise Wrong("%s: the file is empty" % path, USAGE)
        self._look_at_start()
        self._lists = {}
        self.scheme = ""        # of partitions: dos, gpt; "" if there are none

    def close(self):
        os.close(self.fd)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.close()

    def _look_at_start(self):
        start = os.pread(self.fd, 64, 0)
        end = os.pread(self.fd, 512, max(0, self.size - 512))
        for magic, name in WRAPPED:
            if start.startswith(magic) or name == "VHD" and end.startswith(magic):
                raise Wrong("%s: is a %s image; `qemu-img convert -O raw` makes the raw one that is needed"
                            % (self.path, name))
        for magic, name in PACKED:
            if start.startswith(magic):
                raise Wrong("%s: is packed by %s; it has to be unpacked first" % (self.path, name))

    # --- the programs -----------------------------------------------------------------

    def _limits(self):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        resource.setrlimit(resource.RLIMIT_FSIZE, (FILE, FILE))
        if self.runas is not None:
            os.setgroups([self.runas])
            os.setgid(self.runas)
            os.setuid(self.runas)

    def _run(self, name, argv, out):
        """Exit code and words of a program that writes into the file out."""
        path = places.program(name)
        if not path:
            raise Wrong("%s is missing, which reads disk images (package %s)" % (
                name, "e2fsprogs" if name == "debugfs" else "util-linux"))
        left = min(SECONDS, self.deadline - time.monotonic())
        if left <= 0:
            raise Damaged("%s: has not been read in %d s: it is damaged, or very slow" % (self.path, SECONDS_IN_ALL))
        try:
            done = subprocess.run(
                [path, *argv], stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.PIPE, timeout=left,
                pass_fds=(self.fd,), preexec_fn=self._limits, check=False,
                env={"LC_ALL": "C", "PATH": os.environ.get("PATH", ""), "DEBUGFS_PAGER": "cat", "PAGER": "cat"})
        except subprocess.TimeoutExpired:
            raise Damaged("%s: %s has not read it in %d s: it is damaged" % (self.path, name, left)) from None
        except subprocess.SubprocessError as error:
            raise Wrong("%s cannot be started as user %s: %s" % (name, self.runas, error)) from None
        return done.returncode, done.stderr

    def _text(self, name, argv):
        with tempfile.TemporaryFile() as out:
            code, words = self._run(name, argv, out)
            out.seek(0)
            text = out.read(LISTING + 1)
        return code, text, words

    @property
    def device(self):
        return "/proc/self/fd/%d" % self.fd

    def _kind(self, start, size):
        """blkid's words about a place of the disk, as a dict."""
        _, text, _ = self._text("blkid", ["-p", "-O", str(start), "-S", str(size), "-o", "export", self.device])
        return dict(line.partition("=")[::2] for line in text.decode("latin-1").split("\n") if "=" in line)

    # --- partitions ---------------------------------------------------------------------

    def partitions(self):
        """Those that hold something, in their order on the disk."""
        whole = self._kind(0, self.size)
        if whole.get("TYPE") and "PTTYPE" not in whole:
            return [Partition(0, 0, self.size, whole["TYPE"])]
        self.scheme = whole.get("PTTYPE", "")
        code, text, _ = self._text("partx", ["-g", "-b", "-r", "-o", "NR,START,SIZE,TYPE,FLAGS", self.device])
        if code:
            return []
        found = []
        for line in text.decode("latin-1").split("\n")[:PARTITIONS]:
            words = line.split()
            if len(words) < 4 or not all(word.isdigit() for word in words[:3]) or words[3] in ("0x5", "0xf", "0x85"):
                continue
            number, start, size = int(words[0]), int(words[1]) * 512, int(words[2])
            if start + size > self.size:
                size = max(0, self.size - start)
            kind = self._kind(start, size).get("TYPE", "") if size else "cut off: it begins behind the image's end"
            found.append(Partition(number, start, size, kind, words[-1] == "0x80"))
        return found

    def at(self, offset):
        """The file system that begins there, as pygrub's --offset says."""
        if not 0 <= offset < self.size:
            raise Wrong("--offset=%d: %s ends at %d" % (offset, self.path, self.size), USAGE)
        return Partition(0, offset, self.size - offset, self._kind(offset, self.size - offset).get("TYPE", ""))

    # --- files --------------------------------------------------------------------------

    def _debugfs(self, partition, command, inode, out):
        """A command on an inode; raises when the file system is damaged."""
        device = "%s?offset=%d" % (self.device, partition.start)
        _, words = self._run("debugfs", ["-R", "%s <%d>" % (command, inode), device], out)
        lines = [line for line in words.decode("latin-1").split("\n")
                 if line and not re.match(r"debugfs \d", line)]
        if lines:
            raise Damaged("%s: %s: its %s is damaged: %s" % (
                self.path, partition.name, partition.kind, re.sub(r"(/proc/self/fd/\d+\S*|debugfs): ?", "", lines[0])))

    def folder(self, partition, inode):
        """name (bytes) -> (inode, mode, size)"""
        key = partition.start, inode
        if key not in self._lists:
            with tempfile.TemporaryFile() as out:
                self._debugfs(partition, "ls -p", inode, out)
                out.seek(0)
                text = out.read(LISTING)
            self._lists[key] = {name: (int(number), int(mode, 8), int(size or b"0"))
                                for number, mode, name, size in ENTRY.findall(text)}
        return self._lists[key]

    def _link(self, partition, inode, size):
        """Where a symbolic link leads."""
        if size > 4096:
            raise Damaged("%s: a symbolic link has %d bytes" % (self.path, size))
        with tempfile.TemporaryFile() as out:
            self._debugfs(partition, "stat", inode, out)
            out.seek(0)
            fast = re.search(rb'^Fast link dest: "([^\n]*)"$', out.read(LISTING), re.M)
        return fast[1] if fast else self.read(partition, Node(inode, 0, size, ""), 4096)

    def find(self, partition, path):
        """The Node at a path, or None. A loop of links is told."""
        names = os.fsencode(path).split(b"/")
        trail = [(ROOT_INODE, b"")]
        node, links, steps = Node(ROOT_INODE, stat.S_IFDIR, 0, "/"), 0, 0
        while names:
            name = names.pop(0)
            steps += 1
            if steps > DEPTH * (LINKS + 1):
                raise Damaged("%s: %s: has too many names" % (self.path, path))
            if name in (b"", b"."):
                continue
            if not node.is_folder:
                return None
            if name == b"..":
                trail = trail[:-1] or trail
                node = Node(trail[-1][0], stat.S_IFDIR, 0, "")
                continue
            found = self.folder(partition, trail[-1][0]).get(name)
            if found is None:
                return None
            inode, mode, size = found
            if stat.S_ISLNK(mode):
                links += 1
                if links > LINKS:
                    raise Damaged("%s: %s:%s leads through more than %d symbolic links: a loop" % (
                        self.path, partition.name, path, LINKS))
                target = self._link(partition, inode, size)
                if target.startswith(b"/"):
                    trail = trail[:1]
                    node = Node(ROOT_INODE, stat.S_IFDIR, 0, "/")
                names = target.split(b"/") + names
                continue
            node = Node(inode, mode, size, os.fsdecode(b"/".join([part for _, part in trail] + [name])))
            if node.is_folder:
                trail.append((inode, name))
        return node

    def read(self, partition, node, most=LISTING):
        """A file's first bytes."""
        with tempfile.TemporaryFile() as out:
            self._copy(partition, node, most, out)
            out.seek(0)
            return out.read(most)

    def copy(self, partition, node, path):
        """A whole file out of the image, into one that is there and empty."""
        if node.size > FILE:
            raise Wrong("%s: %s has %d MB, more than is copied out of an image" % (
                self.path, node.path, node.size >> 20))
        with open(path, "r+b") as out:
            self._copy(partition, node, FILE, out)
            size = out.seek(0, os.SEEK_END)
        if size != node.size:
            raise Damaged("%s: %s: %s has %d bytes, %d could be read: it is damaged, or there is no room for it in %s"
                          % (self.path, partition.name, node.path, node.size, size, os.path.dirname(path)))

    def _copy(self, partition, node, most, out):
        if node.size > most:
            raise Wrong("%s: %s:%s has %d bytes, %d at most were expected" % (
                self.path, partition.name, node.path, node.size, most))
        self._debugfs(partition, "cat", node.inode, out)
