# SPDX-License-Identifier: GPL-2.0-only
"""The guest's console on our side: standard output, a log, and the keyboard.

Kept true here: every byte goes out once, unchanged and in order, and the
terminal's settings come back whatever happens.
"""

import os
import re
import sys
import termios
import time

from result import FAILED, LEFT, Result

ESCAPE = b"\x1d"  # Ctrl-]
CHECKS = re.compile(rb"guest: (\d+) passed, (\d+) failed")


class Console:
    def __init__(self, log, stdin_wanted):
        self.log = open(log, "wb", buffering=0)
        self.held = None    # bytes that wait for something to be shown first
        self.lines = [b""]  # the last ones, the unfinished one at the end
        self.checks = None  # (passed, failed) as the guest counted them
        self.seen = 0       # bytes so far
        self.unseen = b""   # what nobody who waits has looked at
        self.awaited = []   # (text, function), called in turn when text has been shown
        self.terminal = None
        self.interactive = os.isatty(0) and os.isatty(1)
        self.stdin_wanted = self.interactive or stdin_wanted
        self.listens = False    # the guest takes what is typed

    def hold(self):
        """Keep output back until release()."""
        self.held = b""

    def release(self):
        held, self.held = self.held, None
        if held:
            self._show(held)

    def feed(self, data):
        """The guest wrote data."""
        self.seen += len(data)
        self.log.write(data)
        if self.held is None:
            self._show(data)
        else:
            self.held += data
        lines = (self.lines.pop() + data).split(b"\n")
        for line in lines[:-1]:
            found = CHECKS.search(line)
            if found:
                self.checks = int(found[1]), int(found[2])
        self.lines = (self.lines + lines)[-30:]
        self.lines[-1] = self.lines[-1][-4096:]
        self._look(data)

    def _look(self, data):
        """Call who waits for what was shown."""
        self.unseen = (self.unseen + data)[-(1 << 16):]
        while self.awaited and self.awaited[0][0] in self.unseen:
            text, call = self.awaited.pop(0)
            self.unseen = self.unseen.partition(text)[2]
            call()

    def tail(self, count=15):
        """The last lines, for a report in words."""
        lines = [line.decode("latin-1").rstrip("\r") for line in self.lines]
        while lines and not lines[-1]:
            lines.pop()
        return lines[-count:]

    @staticmethod
    def _show(data):
        sys.stdout.flush()
        try:
            while data:
                data = data[os.write(1, data):]
        except BrokenPipeError:
            raise Result(FAILED, "nobody reads standard output any more") from None

    # --- the keyboard -------------------------------------------------------

    def open(self):
        """Give every key to the guest, from now on. Output keeps its newline
        handling: a guest that sends bare newlines is readable all the same."""
        self.listens = self.stdin_wanted
        if not self.interactive:
            return
        self.terminal = termios.tcgetattr(0)
        mode = termios.tcgetattr(0)
        mode[0] &= ~(termios.BRKINT | termios.ICRNL | termios.INPCK | termios.ISTRIP | termios.IXON)
        mode[2] |= termios.CS8
        mode[3] &= ~(termios.ECHO | termios.ICANON | termios.IEXTEN | termios.ISIG)
        mode[6][termios.VMIN], mode[6][termios.VTIME] = 1, 0
        termios.tcsetattr(0, termios.TCSADRAIN, mode)

    def close(self):
        """The terminal as it was."""
        if self.terminal is not None:
            if self.lines[-1]:
                self._show(b"\r\n")
            termios.tcsetattr(0, termios.TCSADRAIN, self.terminal)
            self.terminal = None

    def keys(self):
        """What was typed; b"" when there will be no more."""
        data = os.read(0, 1024)
        if self.interactive and ESCAPE in data:
            raise Result(LEFT, "left with Ctrl-]")
        if not data:
            self.listens = False
        return data


class XenLines:
    """Takes apart what Xen and a guest write on one line: Xen's lines begin with
    its mark, wherever the guest was, and end with a newline."""

    MARK = b"(XEN) "
    PATIENCE = 0.2      # seconds that the beginning of a mark is waited for

    def __init__(self, guest, xen):
        self.guest, self.xen = guest, xen   # functions: bytes, and a line of text
        self.text = b""
        self.inside = False
        self.since = 0.0

    def feed(self, data):
        self.text += data
        self.since = time.monotonic()
        while True:
            if self.inside:
                line, newline, rest = self.text.partition(b"\n")
                if not newline:
                    return
                self.text, self.inside = rest, False
                self.xen(line.decode("latin-1").rstrip("\r"))
            else:
                at = self.text.find(self.MARK)
                if at < 0:
                    break
                self.inside = True
                self._guest(at)
        keep = next(n for n in range(len(self.MARK) - 1, -1, -1)
                    if self.text.endswith(self.MARK[:n]))
        self._guest(len(self.text) - keep)

    def tick(self):
        """What looked like the beginning of a mark was none after all."""
        if not self.inside and self.text and time.monotonic() - self.since > self.PATIENCE:
            self.flush()

    def flush(self):
        """There will be no more."""
        if self.inside:
            self.xen(self.text.decode("latin-1"))
            self.text = b""
        self._guest(len(self.text))

    def _guest(self, count):
        data, self.text = self.text[:count], self.text[count:]
        if data:
            self.guest(data)
