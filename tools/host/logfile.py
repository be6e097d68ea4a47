# SPDX-License-Identifier: GPL-2.0-only
"""Files of what a machine writes, which may be without end.

Kept true here: a file is whole up to LIMIT bytes. Of what comes behind them it
has the last TAIL bytes, and a line that says how many are left out.
"""

import fcntl
import os

from result import USAGE, Result

LIMIT = 64 << 20
TAIL = 1 << 20


class LogFile:
    """Opened for one run alone: a second one with the same name is refused."""

    def __init__(self, path):
        # Not made empty before it is ours.
        self.file = open(path, "ab", buffering=0)
        try:
            fcntl.flock(self.file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self.file.close()
            raise Result(USAGE, "%s is the log of a run that goes on: give this one another name "
                         "(NAME=, --name) or folder (RUN_DIR=, --log)" % os.path.relpath(path)) from None
        self.file.truncate(0)
        self.room = LIMIT
        self.tail = bytearray()
        self.left_out = 0

    def write(self, data):
        if self.room:
            self.file.write(data[:self.room])
            data, self.room = data[self.room:], max(0, self.room - len(data))
        if data:
            self.tail += data
            if len(self.tail) > 2 * TAIL:
                self._forget()

    def _forget(self):
        self.left_out += len(self.tail) - TAIL
        del self.tail[:-TAIL]

    def close(self):
        """Idempotent."""
        if self.file.closed:
            return
        if len(self.tail) > TAIL:
            self._forget()
        if self.left_out:
            self.file.write(b"\n[%d bytes are left out here]\n" % self.left_out)
        self.file.write(self.tail)
        self.file.close()
