# SPDX-License-Identifier: GPL-2.0-only
"""What a guest's disk would boot: its menus, and the kernels in it.

Kept true here: a menu's entry is followed as its boot loader would, and where that
leads nowhere, the file is looked for where a separate /boot would have it; what is not
found is told with its name.
"""

import os
import re
import stat
from dataclasses import dataclass

import image
import kernel
import menus
from words import Wrong

NAME = re.compile(rb"(?i)(vmlinu|bzimage|kernel|linux)")
KERNELS = 64            # that are looked at in one disk
SMALLEST = 64 << 10     # bytes; no kernel is smaller


@dataclass
class Place:
    partition: image.Partition
    node: image.Node

    @property
    def name(self):
        """Of a file, as we say it."""
        return "%s%s" % ("partition %d:" % self.partition.number if self.partition.number else "", self.node.path)

    @property
    def key(self):
        return self.partition.start, self.node.inode


class Disk:
    def __init__(self, disk, offset=None):
        self.image = disk
        self.partitions = [disk.at(offset)] if offset is not None else disk.partitions()
        self.troubles = []      # sentences about parts that cannot be read
        self.menus = self._menus()
        self._looked = {}

    @property
    def readable(self):
        """The partition that is marked as active before the others, as a PC does."""
        return sorted((p for p in self.partitions if p.is_ext), key=lambda p: not p.active)

    def _try(self, function, *args):
        """What damage does to one part is told, and the rest is looked at."""
        try:
            return function(*args)
        except Wrong as wrong:
            if str(wrong) not in self.troubles:
                self.troubles.append(str(wrong))
            return None

    def _menus(self):
        """[(partition, Menu)], each file once."""
        found, seen = [], set()
        paths = [folder + name for name in menus.FILES for folder in ("/boot/", "/")] + ["/" + menus.LILO]
        for partition in self.readable:
            for path in paths:
                node = self._try(self.image.find, partition, path)
                if not node or not node.is_file or (partition.start, node.inode) in seen:
                    continue
                seen.add((partition.start, node.inode))
                text = self._try(self.image.read, partition, node)
                if text is not None:
                    menu = menus.read(path, text.decode("utf-8", "surrogateescape"))
                    found.append((partition, menu))
        return found

    def file(self, path, partition, number=0):
        """The Place of a file that a menu in partition names, or None."""
        first = [p for p in self.readable if number and p.number == number]
        rest = [p for p in [partition, *self.readable] if p and p not in first]
        for shown in (path, re.sub("^/boot(?=/)", "", path), "/boot" + path):
            for candidate in first + rest:
                node = self.image.find(candidate, shown)
                if node and node.is_file:
                    return Place(candidate, node)
        return None

    def kernel(self, place):
        """The Kernel at a Place; Wrong if it is none."""
        if place.key not in self._looked:
            try:
                data = self.image.read(place.partition, place.node, kernel.MOST)
                self._looked[place.key] = kernel.look(data, "%s: %s" % (self.image.path, place.name))
            except Wrong as wrong:
                self._looked[place.key] = wrong
        found = self._looked[place.key]
        if isinstance(found, Wrong):
            raise found
        return found

    def entries(self):
        """[(partition, Menu, Entry)] of the first menu, which is the one that boots."""
        return [(partition, menu, entry) for partition, menu in self.menus[:1] for entry in menu.entries]

    def chosen(self, wanted=None):
        """(partition, Entry) by number or title, or the menu's default."""
        for partition, menu in self.menus:
            if not menu.entries:
                continue
            if wanted is None:
                return partition, menu.entries[menu.default]
            if wanted.isdigit() and int(wanted) < len(menu.entries):
                return partition, menu.entries[int(wanted)]
            for entry in menu.entries:
                if entry.title == wanted:
                    return partition, entry
            raise Wrong("--entry=%s: %s has no such entry; it has: %s" % (
                wanted, menu.path, ", ".join("%d (%s)" % pair for pair in list(
                    enumerate(entry.title for entry in menu.entries))[:20])))
        raise Wrong(self.without_menu())

    def without_menu(self):
        """Why there is nothing to boot, and what to do."""
        path = self.image.path
        if self.troubles:
            return self.troubles[0]
        if not self.partitions:
            return "%s: there is no partition table and no file system in it that is known" % path
        if not self.readable:
            return "%s: has no ext2, ext3 or ext4 file system but %s; copy kernel and initrd out of it by other means, " \
                "and give the wrapped kernel as kernel= instead of bootloader=" % (
                    path, ", ".join("%s (%s)" % (p.kind or "an unknown one", p.name) for p in self.partitions))
        return "%s: no menu of GRUB, LILO or EXTLINUX starts a kernel; kernel= and ramdisk= in the configuration " \
            "name the files in the image" % path

    def _candidates(self):
        """Places of what may be kernels, each once."""
        seen = set()
        for partition, menu in self.menus:
            for entry in menu.entries:
                place = self._try(self.file, entry.kernel, partition, entry.partition)
                if place and place.key not in seen:
                    seen.add(place.key)
                    yield place
        for partition in self.readable:
            for path in ("/boot", "/"):
                node = self._try(self.image.find, partition, path)
                names = self._try(self.image.folder, partition, node.inode) if node and node.is_folder else None
                for name, (inode, mode, size) in sorted((names or {}).items()):
                    place = Place(partition, image.Node(inode, mode, size, path.rstrip("/") + "/" + os.fsdecode(name)))
                    if stat.S_ISREG(mode) and SMALLEST <= size <= kernel.MOST and NAME.match(name) and \
                            place.key not in seen:
                        seen.add(place.key)
                        yield place

    def kernels(self):
        """([(Place, Kernel)], how many more there are that were not looked at)."""
        found, more = [], 0
        for place in self._candidates():
            if len(found) == KERNELS:
                more += 1
                continue
            try:
                found.append((place, self.kernel(place)))
            except Wrong:
                continue        # a vmlinux, a README, an initrd
        return found, more
