# SPDX-License-Identifier: GPL-2.0-only
"""How long a process has had to run, which is what it may be judged by.

Kept true here: the seconds in which a thread of it was ready and had no
processor do not count, as far as Linux tells (CONFIG_SCHED_INFO; without, they
are seconds as they pass). So a busy machine makes no guest late.
"""

import glob
import time


class Clock:
    """Starts with 0."""

    def __init__(self, pid):
        self.pid = pid
        self.waited = {}        # thread -> ns of waiting, as last seen
        self.start = time.monotonic()

    def _look(self):
        for path in glob.glob("/proc/%d/task/*/schedstat" % self.pid):
            try:
                with open(path, encoding="ascii") as file:
                    self.waited[path] = int(file.read().split()[1])
            except (OSError, IndexError, ValueError):
                pass

    def seconds(self):
        """The thread that waited longest is the one that carries out the guest."""
        self._look()
        return time.monotonic() - self.start - max(self.waited.values(), default=0) / 1e9
