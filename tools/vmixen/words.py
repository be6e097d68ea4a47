# SPDX-License-Identifier: GPL-2.0-only
"""What a program of ours says when it cannot do what it was told.

Kept true here: one sentence, with what was typed or found in it, on standard error;
no byte of a disk image does anything to the terminal.
"""

import argparse
import os
import sys

import places  # noqa: F401  finds result.py
from result import printable

FINE = 0
REFUSED = 1     # the file, the image or the host will not do
USAGE = 2       # what was typed is wrong, or a file is missing


class Wrong(Exception):
    """Raised wherever it is known that it goes no further, with a sentence."""

    def __init__(self, words, code=REFUSED):
        super().__init__(words)
        self.code = code


class Parser(argparse.ArgumentParser):
    """One sentence, and not a page of usage, for what is wrong."""

    def __init__(self, **options):
        super().__init__(allow_abbrev=False, formatter_class=argparse.RawDescriptionHelpFormatter, **options)

    def error(self, message):
        raise Wrong("%s (%s --help lists the options)" % (message, self.prog), USAGE)


def read_error(path, error):
    words = "no such file" if isinstance(error, FileNotFoundError) else \
        getattr(error, "strerror", None) or str(error)
    return Wrong("%s: %s" % (path, words), USAGE)


def show(text=""):
    """A line of the answer."""
    print(printable(text).encode("ascii", "backslashreplace").decode())


def note(program, words):
    """A line beside it."""
    sys.stdout.flush()
    print("%s: %s" % (program, printable(words)), file=sys.stderr, flush=True)


def program(name, body):
    """Runs body() and returns the exit code; each failure is a sentence."""
    try:
        code = body() or FINE
        sys.stdout.flush()
        return code
    except Wrong as wrong:
        note(name, str(wrong))
        return wrong.code
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return REFUSED
    except OSError as error:
        note(name, str(error))
        return REFUSED
    except KeyboardInterrupt:
        return 130


def new_file(path, force, option="--force"):
    """Raises if path is there and may not be written over."""
    if os.path.isdir(path):
        raise Wrong("%s: is a directory, a file's name was expected" % path, USAGE)
    if os.path.lexists(path) and not force:
        raise Wrong("%s: is there already; %s writes over it" % (path, option), USAGE)
    folder = os.path.dirname(path) or "."
    if not os.path.isdir(folder):
        raise Wrong("%s: there is no folder %s" % (path, folder), USAGE)
