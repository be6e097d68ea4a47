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


def _notes(elf):
    """Each note's (name, type), and where its content is: offset, address, length."""
    phoff, = struct.unpack_from("<I", elf, 28)
    size, count = struct.unpack_from("<HH", elf, 42)
    found = {}
    for i in range(count):
        kind, offset, virtual, _, length = struct.unpack_from("<IIIII", elf, phoff + i * size)
        at = offset
        while kind == 4 and at < offset + length:
            name_size, content_size, number = struct.unpack_from("<III", elf, at)
            content = at + 12 + (name_size + 3 & ~3)
            name = elf[at + 12:at + 12 + name_size].rstrip(b"\0").decode("latin-1")
            found[name, number] = content, virtual + content - offset, content_size
            at = content + (content_size + 3 & ~3)
    return found


XEN_ENTRY = ("Xen", 1)
XEN_PAE_MODE = ("Xen", 9)
BUILD_ID = ("GNU", 3)


def stamped(elf):
    """The kernel with an entry point that notes when it is entered: the TSC takes
    the place of the build ID's first 8 bytes, where user mode can read it. The
    code that does this is in the build ID, too, and writes over itself. Without a
    build ID the kernel is returned as it was."""
    notes = _notes(elf)
    if BUILD_ID not in notes or notes[BUILD_ID][2] < 18:
        return elf
    offset, address, _ = notes[BUILD_ID]
    entry_offset, _, _ = notes[XEN_ENTRY]
    entry, = struct.unpack_from("<I", elf, entry_offset)
    code = b"\x0f\x31"                                     # rdtsc
    code += b"\xa3" + struct.pack("<I", address)            # mov [address], eax
    code += b"\x89\x15" + struct.pack("<I", address + 4)    # mov [address + 4], edx
    code += b"\xe9" + struct.pack("<I", entry - (address + 18) & 0xffffffff)
    elf = bytearray(elf)
    elf[offset:offset + 18] = code
    struct.pack_into("<I", elf, entry_offset, address)
    return bytes(elf)


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
                if XEN_ENTRY not in _notes(elf):
                    raise BadKernel("%s: the kernel has no Xen guest (CONFIG_XEN) in it" % path)
                return elf
    raise BadKernel("%s: holds no ELF file that could start as a PV guest (Linux before 2.6.26 does not)" % path)


def is_pae(path):
    """Is the kernel known to use PAE? Its note for Xen says so; one without is not known."""
    try:
        elf = vmlinux(path)
    except BadKernel:
        return False
    offset, _, length = _notes(elf).get(XEN_PAE_MODE, (0, 0, 0))
    return elf[offset:offset + length].startswith(b"yes")
