# SPDX-License-Identifier: GPL-2.0-only
"""The boot menus of the time: GRUB legacy, GRUB 2, LILO, EXTLINUX.

pygrub reads the first two and is asked before; this is for what it does not read, and
to tell what a disk has. Kept true here: a menu is text of a guest's, of which nothing is
carried out; what is not understood is passed by.
"""

import posixpath
import re
import shlex
from dataclasses import dataclass, field

MOST = 200              # entries
# In each of a partition's folders /boot and /.
FILES = ("grub/menu.lst", "grub/grub.conf", "grub/grub.cfg", "grub2/grub.cfg", "extlinux/extlinux.conf",
         "extlinux.conf", "syslinux/syslinux.cfg", "syslinux.cfg")
LILO = "etc/lilo.conf"


@dataclass
class Entry:
    title: str
    kernel: str = ""
    initrd: str = ""
    args: str = ""
    partition: int = 0          # that the menu names, as Linux counts them; 0: its own


@dataclass
class Menu:
    path: str
    entries: list = field(default_factory=list)
    default: int = 0
    words: str = ""             # a default by name, if it is one

    def settle(self):
        """Entries that start a kernel, and a default that is one of them."""
        wanted = self.entries[self.default] if 0 <= self.default < len(self.entries) else None
        for entry in self.entries:
            if self.words and entry.title == self.words:
                wanted = entry
        self.entries = [entry for entry in self.entries if entry.kernel][:MOST]
        self.default = self.entries.index(wanted) if wanted in self.entries else 0
        return self


def lines(text):
    for line in text.split("\n"):
        line = line.strip()
        if line and not line.startswith("#"):
            yield line


def placed(entry, text):
    """A path, which may have GRUB's name of a partition before it: "(hd0,0)/vmlinuz"."""
    found = re.match(r"\(?hd\d+,(?:msdos|gpt)?(\d+)\)?(?=/|$)", text)
    if found:
        return text[found.end():], int(found[1]) + (0 if "msdos" in found[0] or "gpt" in found[0] else entry)
    return text, 0


def grub_legacy(path, text):
    menu, entry, common = Menu(path), None, 0
    for line in lines(text):
        word, _, rest = line.replace("\t", " ").partition(" ")
        if "=" in word and word.split("=")[0] in ("default", "timeout"):
            word, rest = word.split("=", 1)
        word, rest = word.lower(), rest.strip()
        if word == "title":
            entry = Entry(rest, partition=common)
            menu.entries.append(entry)
        elif word == "default" and rest.isdigit():
            menu.default = int(rest)
        elif word in ("root", "rootnoverify"):
            _, part = placed(1, rest)
            if entry:
                entry.partition = part or entry.partition
            else:
                common = part
        elif word == "kernel" and entry:
            words = [w for w in rest.split() if not w.startswith("--")]
            if words:
                entry.kernel, part = placed(1, words[0])
                entry.partition = part or entry.partition
                entry.args = " ".join(words[1:])
        elif word in ("initrd", "module") and entry and not entry.initrd and rest:
            entry.initrd, _ = placed(1, rest.split()[0])
    return menu.settle()


def unquoted(text):
    """A shell's words, of what may be none."""
    try:
        return shlex.split(text, comments=False)
    except ValueError:
        return text.split()


def grub2(path, text):
    menu, entry = Menu(path), None
    for line in lines(text):
        word, _, rest = line.replace("\t", " ").partition(" ")
        rest = rest.strip()
        if word == "menuentry":
            entry = Entry((unquoted(rest) or [""])[0])
            menu.entries.append(entry)
        elif word == "set" and rest.startswith("default="):
            value = "".join(unquoted(rest[8:]))
            if value.isdigit():
                menu.default = int(value)
            elif "$" not in value:
                menu.words = value
        elif word == "set" and rest.startswith("root=") and entry:
            value = "".join(unquoted(rest[5:]))
            # GRUB 2 counts partitions from 1, as Linux does.
            entry.partition = placed(0, value)[1] or entry.partition
        elif word in ("linux", "linux16", "linuxefi") and entry and rest:
            words = [re.sub(r"\$\{?\w+\}?", "", w) for w in unquoted(rest)]
            entry.kernel, part = placed(0, words[0])
            entry.partition = part or entry.partition
            entry.args = " ".join(w for w in words[1:] if w)
        elif word in ("initrd", "initrd16", "initrdefi") and entry and rest:
            entry.initrd, _ = placed(0, unquoted(rest)[0])
    return menu.settle()


def lilo(path, text):
    """Options before the first image= are every image's."""
    menu, entry, common = Menu(path), None, {}
    options = common
    parsed = []
    for line in lines(text):
        word, equals, value = line.partition("=")
        word, value = word.strip().lower(), value.strip()
        value = value[1:-1].replace('\\"', '"') if len(value) > 1 and value[0] == value[-1] == '"' else \
            value.split("#")[0].strip()
        if word in ("image", "other"):
            options = {word: value}
            parsed.append(options)
        else:
            options[word] = value if equals else "y"
    for own in parsed:
        every = {**common, **own}
        if "image" not in every:
            continue
        entry = Entry(every.get("label") or posixpath.basename(every["image"]), every["image"], every.get("initrd", ""))
        words = ["root=" + every["root"]] if "root" in every else []
        words += ["ro"] if "read-only" in every else ["rw"] if "read-write" in every else []
        words += [text for text in (every.get("append"), every.get("addappend")) if text]
        entry.args = every["literal"] if "literal" in every else " ".join(words)
        menu.entries.append(entry)
    menu.words = common.get("default", "")
    return menu.settle()


def extlinux(path, text):
    """Files are named from the menu's own folder on, if they do not begin with "/"."""
    folder = posixpath.dirname(path)
    menu, entry, common = Menu(path), None, ""

    def absolute(name):
        return posixpath.normpath(posixpath.join(folder, name))

    for line in lines(text):
        word, _, rest = line.replace("\t", " ").partition(" ")
        word, rest = word.lower(), rest.strip()
        if word == "label":
            entry = Entry(rest)
            menu.entries.append(entry)
        elif word in ("default", "ontimeout") and not menu.words:
            menu.words = rest
        elif word in ("kernel", "linux") and entry and rest:
            entry.kernel = absolute(rest.split()[0])
        elif word == "initrd" and entry and rest:
            entry.initrd = absolute(rest.split(",")[0])
        elif word == "append" and entry:
            entry.args = rest
        elif word == "append":
            common = rest
    for entry in menu.entries:
        words = []
        for word in (entry.args or common).split():
            if word.startswith("initrd="):
                entry.initrd = entry.initrd or absolute(word[7:].split(",")[0])
            else:
                words.append(word)
        entry.args = "" if words == ["-"] else " ".join(words)
    return menu.settle()


def read(path, text):
    """The Menu of a file's text, which its name says how to read."""
    name = posixpath.basename(path)
    if name == "lilo.conf":
        return lilo(path, text)
    if name in ("extlinux.conf", "syslinux.cfg"):
        return extlinux(path, text)
    return (grub2 if name == "grub.cfg" else grub_legacy)(path, text)
