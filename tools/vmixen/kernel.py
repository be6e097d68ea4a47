# SPDX-License-Identifier: GPL-2.0-only
"""What a kernel's file says of itself: is it a bzImage, which version, has it VMI?

A kernel with VMI compares a ROM's second signature with "cVmi", so the kernel proper
has these four bytes in an instruction; no other part of Linux has. The kernel proper is
packed, and the boot protocol says where it is from 2.08 on (Linux's
Documentation/x86/boot.txt); before, it was always gzip's.

Kept true here: what comes from a file is looked at, not believed, and unpacks to no
more than MOST. Whether the domain entry can start it is mkrom's to say.
"""

import bz2
import lzma
import os
import stat
import struct
import subprocess
import zlib
from dataclasses import dataclass

import places
from words import USAGE, Wrong, read_error

VMI = b"cVmi"           # VMI_SIGNATURE of include/image.h
MOST = 64 << 20         # bytes of a kernel, packed or not
SECTOR = 512
PROTOCOL_PAYLOAD = 0x208
PROTOCOL_XLOADFLAGS = 0x20C
EM_X86_64 = 62
GZIP = b"\x1f\x8b\x08"
FIRST, LAST = (2, 6, 21), (2, 6, 36)    # Linux's with VMI


@dataclass
class Kernel:
    release: str = ""       # as `uname -r` has it; "" if it does not say
    banner: str = ""        # the rest of what the setup header says
    is_64: bool = False
    vmi: object = None      # True, False; None: cannot be told
    why: str = ""           # if it has none, or cannot be told


def is_bzimage(start):
    """By the first bytes of a file."""
    return start[0x1FE:0x200] == b"\x55\xaa" and start[0x202:0x206] == b"HdrS"


def contents(path, name=None):
    """Of a kernel's file; name is what was typed, if that is another."""
    name = name or path
    try:
        found = os.stat(path)
        if stat.S_ISDIR(found.st_mode):
            raise Wrong("%s: is a directory, a kernel's file was expected" % name, USAGE)
        if not stat.S_ISREG(found.st_mode):
            raise Wrong("%s: is no plain file" % name, USAGE)
        if not found.st_size:
            raise Wrong("%s: the file is empty" % name, USAGE)
        if found.st_size > MOST:
            raise Wrong("%s: has %d MB, more than a kernel" % (name, found.st_size >> 20), USAGE)
        with open(path, "rb") as file:
            return file.read(MOST)
    except (OSError, ValueError) as error:
        raise read_error(name, error) from None


# --- unpacking --------------------------------------------------------------------

def _zlib(data):
    return zlib.decompressobj(31).decompress(data, MOST)


def _bz2(data):
    return bz2.BZ2Decompressor().decompress(data, MOST)


def _lzma(data):
    """Linux writes -1 for the length, and the real one behind the data."""
    return lzma.LZMADecompressor(lzma.FORMAT_ALONE, memlimit=MOST * 2).decompress(data, MOST)


def _xz(data):
    return lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=MOST * 2).decompress(data, MOST)


def _lzo(data):
    lzop = places.program("lzop")
    if not lzop:
        raise LookupError("it is packed by lzop, which is not installed here")
    done = subprocess.run([lzop, "-dc"], input=data, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                          timeout=60, check=False)
    return done.stdout[:MOST]       # the length behind the data is an error to lzop


FORMATS = ((GZIP, "gzip", _zlib), (b"BZh", "bzip2", _bz2), (b"\x5d\0\0", "lzma", _lzma),
           (b"\xfd7zXZ", "xz", _xz), (b"\x89LZO", "lzo", _lzo))


def _payload(data, version):
    """The packed kernel, or what is left of the file where it begins."""
    body = data[((data[0x1F1] or 4) + 1) * SECTOR:]
    if version >= PROTOCOL_PAYLOAD:
        offset, length = struct.unpack_from("<II", data, 0x248)
        return body[offset:offset + length] if 0 < length <= len(body) - offset else b""
    at = body.find(GZIP)
    return body[at:] if at >= 0 else b""


def _proper(data, version):
    """The kernel proper; LookupError says why there is none."""
    payload = _payload(data, version)
    for magic, name, unpack in FORMATS:
        if payload.startswith(magic):
            try:
                plain = unpack(payload)
            except (OSError, EOFError, ValueError, zlib.error, lzma.LZMAError, subprocess.SubprocessError):
                plain = b""
            if len(plain) < SECTOR:
                raise LookupError("what it holds is no whole %s file: it is damaged" % name)
            return plain
    return data             # not packed, such as the test guest


def _text(data, at):
    return data[at:at + 200].split(b"\0")[0].decode("latin-1").strip()


def look(data, name):
    """The Kernel of a bzImage's bytes; Wrong if it is none."""
    if not is_bzimage(data) or len(data) < 0x250:
        raise Wrong("%s: is no bzImage" % name)
    version, = struct.unpack_from("<H", data, 0x206)
    at, = struct.unpack_from("<H", data, 0x20E)
    text = _text(data, at + 0x200) if at else ""
    release, _, banner = text.partition(" ")
    if not release[:1].isdigit():
        release, banner = "", text
    found = Kernel(release, banner)
    found.is_64 = version >= PROTOCOL_XLOADFLAGS and bool(data[0x236] & 1)
    try:
        plain = _proper(data, version)
    except LookupError as error:
        found.why = str(error)
        return found
    found.is_64 |= plain.startswith(b"\x7fELF") and plain[18] == EM_X86_64
    found.vmi = VMI in plain and not found.is_64
    if not found.vmi:
        found.why = _why_not(found)
    return found


def version_of(release):
    """(2, 6, 32) of "2.6.32-5-486"; () if it says none."""
    numbers = []
    for word in release.split("-")[0].split(".")[:3]:
        if not word.isdigit():
            break
        numbers.append(int(word))
    return tuple(numbers)


def _why_not(found):
    if found.is_64:
        return "it is a 64-bit kernel, and VMI is for 32-bit ones"
    version = version_of(found.release)
    if len(version) == 3 and not FIRST <= version <= LAST:
        return "Linux has VMI from 2.6.21 to 2.6.36"
    return "it was built without CONFIG_VMI"


def advice(found):
    """What to do with a kernel that has no VMI."""
    return "take a 32-bit kernel of 2.6.21 to 2.6.36 with CONFIG_VMI=y, or run it with type=\"hvm\", which needs none"
