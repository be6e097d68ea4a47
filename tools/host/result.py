# SPDX-License-Identifier: GPL-2.0-only
"""How a run ends: an exit code and one line in words; and words of ours, which
may quote anybody.

Kept true here: no byte that comes from elsewhere, a guest's or a file name's,
does anything to the terminal when a line of ours quotes it.
"""

import sys

# Exit codes; `run --help` is their documentation.
FINE = 0
FAILED = 1
USAGE = 2
TIMEOUT = 3
REFUSED = 4
BROKEN = 5
PANICKED = 6
LEFT = 130

MOST = 400              # characters of one line that is quoted


class Result(Exception):
    """Raised wherever it is known that and how the run has ended."""

    def __init__(self, code, words):
        super().__init__(words)
        self.code = code


def _escaped(char):
    number = ord(char)
    if 0xdc80 <= number <= 0xdcff:      # a byte that was no UTF-8
        number -= 0xdc00
    return "\\x%02x" % number if number < 0x100 else "\\u%04x" % number


def printable(text):
    """Text, or bytes, as one line: what is no letter, sign or blank becomes
    \\xNN or \\uNNNN."""
    if isinstance(text, (bytes, bytearray)):
        text = text.decode("utf-8", "surrogateescape")
    return "".join(c if c.isprintable() else _escaped(c) for c in text)


def cut(text):
    """No more of a line than is of use in a report."""
    return text if len(text) <= MOST else "%s... (%d characters)" % (text[:MOST], len(text))


def lines_printable(text):
    """The same for lines, which stay lines."""
    return "\n".join(printable(line.rstrip("\r").expandtabs()) for line in text.split("\n"))


def show(words):
    """A line on standard output that is not the guest's."""
    print(printable(words.expandtabs()).encode("ascii", "backslashreplace").decode(), flush=True)


def say(words):
    """A line of ours, apart from the guest's on standard output."""
    sys.stdout.flush()
    print("run: " + printable(words), file=sys.stderr, flush=True)
