# SPDX-License-Identifier: GPL-2.0-only
"""How a run ends: an exit code and one line in words."""

import sys

# Exit codes; `run --help` is their documentation.
FINE = 0
FAILED = 1
TIMEOUT = 3
REFUSED = 4
BROKEN = 5
LEFT = 130


class Result(Exception):
    """Raised wherever it is known that and how the run has ended."""

    def __init__(self, code, words):
        super().__init__(words)
        self.code = code


def say(words):
    """A line of ours, apart from the guest's on standard output."""
    sys.stdout.flush()
    print("run: " + words, file=sys.stderr, flush=True)
