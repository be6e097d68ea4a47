# SPDX-License-Identifier: GPL-2.0-only
"""Kernels and disk images that the tests of tools/vmixen make: by mke2fs -d, without mounting."""
import gzip
import os
import shutil
import struct
import subprocess

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
GUEST = os.path.join(ROOT, "build", "guest-2level.bzImage")
SECTOR = 512
FIRST = 63              # where disks of the time have their first partition


def without_vmi():
    """The test guest, as if it had never heard of VMI."""
    with open(GUEST, "rb") as file:
        return file.read().replace(b"cVmi", b"none")


def bzimage(payload, version=0x20A, release=b"2.6.32-5-486 (builder@host) #1", is_64=False):
    """What kernel.look() takes for a bzImage; no processor would."""
    head = bytearray(2 * SECTOR)
    head[0x1F1] = 1
    head[0x1FE:0x200] = b"\x55\xaa"
    head[0x202:0x206] = b"HdrS"
    struct.pack_into("<H", head, 0x206, version)
    struct.pack_into("<H", head, 0x20E, 0x300 - 0x200 if release else 0)
    head[0x236] = is_64
    if version >= 0x208:
        struct.pack_into("<II", head, 0x248, 16, len(payload))
    head[0x300:0x300 + len(release)] = release
    return bytes(head) + bytes(16) + payload + bytes(32)


def packed(text, pack=gzip.compress):
    return bzimage(pack(bytes(4096) + text + bytes(4096)))


def tree(folder, files):
    """{path: bytes or str; a str beginning with "->" is a symbolic link}"""
    for path, data in files.items():
        full = os.path.join(folder, path)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        if isinstance(data, str) and data.startswith("->"):
            os.symlink(data[2:], full)
            continue
        with open(full, "wb") as file:
            file.write(data.encode() if isinstance(data, str) else data)


def program(name):
    return shutil.which(name, path="/usr/sbin:/sbin:/usr/bin:/bin")


def filesystem(path, files, kind="ext3", megabytes=8):
    folder = path + ".tree"
    os.makedirs(folder)
    tree(folder, files)
    subprocess.run([program("mke2fs"), "-q", "-t", kind, "-d", folder, "-F", path, "%dM" % megabytes], check=True,
                   stdout=subprocess.DEVNULL)
    shutil.rmtree(folder)


def swap(path):
    """The bytes of a swap space."""
    with open(path, "wb") as file:
        file.truncate(1 << 20)
    os.chmod(path, 0o600)
    subprocess.run([program("mkswap"), path], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    with open(path, "rb") as file:
        return file.read()


def disk(path, *partitions):
    """Partitions are files, or (type, bytes); the first one is active."""
    at, table, contents = FIRST, b"", b""
    for number, part in enumerate(partitions):
        kind = 0x83
        if isinstance(part, tuple):
            kind, data = part
        else:
            with open(part, "rb") as file:
                data = file.read()
        data += bytes(-len(data) % SECTOR)
        table += struct.pack("<B3sB3sII", 0 if number else 0x80, b"", kind, b"", at, len(data) // SECTOR)
        contents += data
        at += len(data) // SECTOR
    head = bytearray(FIRST * SECTOR)
    head[446:446 + len(table)] = table
    head[510:512] = b"\x55\xaa"
    with open(path, "wb") as file:
        file.write(bytes(head) + contents)


MENU = """\
default 0
timeout 5
title Linux of then
root (hd0,0)
kernel /boot/vmlinuz-2.6.32-5-486 root=/dev/sda1 ro quiet
initrd /boot/initrd.img

title Linux of now
root (hd0,0)
kernel /boot/vmlinuz-6.1 root=/dev/sda1 ro
"""


def with_guest():
    with open(GUEST, "rb") as file:
        return file.read()


def usual():
    """The files of a disk as it was then, with a newer kernel beside the old one."""
    return {"boot/vmlinuz-2.6.32-5-486": with_guest(), "boot/vmlinuz-6.1": without_vmi(),
            "boot/initrd.img": gzip.compress(b"an initrd" * 100), "boot/grub/menu.lst": MENU,
            "vmlinuz": "->boot/vmlinuz-2.6.32-5-486"}
