# SPDX-License-Identifier: GPL-2.0-only
"""What is inside a bzImage: its version, and the kernel as an ELF file, which is
what Xen starts as a native PV guest.

Kept true here: an image that is not understood is refused with the reason; what
is returned is an ELF file whose notes name a Xen entry point.
"""

import bz2
import lzma
import struct
import zlib

MAGICS = (              # of the payload, and who unpacks it
    (b"\x1f\x8b\x08", lambda data: zlib.decompressobj(31).decompress(data)),
    (b"BZh", lambda data: bz2.BZ2Decompressor().decompress(data)),
    (b"\xfd7zXZ", lambda data: lzma.LZMADecompressor().decompress(data)),
    (b"\x5d\x00\x00", lambda data: lzma.LZMADecompressor(lzma.FORMAT_ALONE).decompress(data)),
)


class BadKernel(Exception):
    """Words that name the file and what is wrong with it."""


def read(path):
    with open(path, "rb") as file:
        image = file.read()
    if image[0x202:0x206] != b"HdrS":
        raise BadKernel("%s: not a bzImage" % path)
    return image


def version(path):
    """The kernel's own version text; the real-mode header points to it."""
    image = read(path)
    at = 0x200 + struct.unpack_from("<H", image, 0x20e)[0]
    return image[at:image.index(b"\0", at)].decode("latin-1").split(" #")[0] if at > 0x200 else "?"


def _payloads(image):
    """Where packed data may begin: protocol 2.08 says it; before, by its magic."""
    setup = ((image[0x1f1] or 4) + 1) * 512
    if struct.unpack_from("<H", image, 0x206)[0] >= 0x208:
        offset, length = struct.unpack_from("<II", image, 0x248)
        yield image[setup + offset:setup + offset + length]
        return
    at = image.find(MAGICS[0][0], setup)
    while at >= 0:
        yield image[at:]
        at = image.find(MAGICS[0][0], at + 1)


def _xen_notes(elf):
    """True if one of the notes is Xen's."""
    phoff, = struct.unpack_from("<I", elf, 28)
    size, count = struct.unpack_from("<HH", elf, 42)
    for i in range(count):
        kind, offset, _, _, length = struct.unpack_from("<IIIII", elf, phoff + i * size)
        if kind == 4 and b"Xen\0" in elf[offset:offset + length]:
            return True
    return False


def vmlinux(path):
    """The ELF file inside."""
    for payload in _payloads(read(path)):
        for magic, unpack in MAGICS:
            if not payload.startswith(magic):
                continue
            try:
                elf = unpack(payload)
            except (zlib.error, OSError, lzma.LZMAError):
                continue
            if elf[:6] == b"\x7fELF\x01\x01":
                if not _xen_notes(elf):
                    raise BadKernel("%s: the kernel has no Xen guest (CONFIG_XEN) in it" % path)
                return elf
    raise BadKernel("%s: holds no ELF file that could start as a PV guest (Linux before 2.6.26 does not)" % path)
