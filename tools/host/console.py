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

from logfile import LogFile
from result import FAILED, LEFT, Result, cut, printable

ESCAPE = b"\x1d"  # Ctrl-]
CHECKS = re.compile(rb"guest: (\d{1,9}) passed, (\d{1,9}) failed")
PANIC = re.compile(rb"Kernel panic - not syncing\b.*")     # Linux's words
HELD_MOST = 1 << 20     # bytes that are kept back
LINE_MOST = 4096        # bytes of a line that are looked at


class Console:
    """What is known of a guest by what it writes: never more than some lines of it
    are kept, whatever it writes."""

    def __init__(self, log, stdin_wanted):
        self.log = LogFile(log)
        self.held = None    # bytes that wait for something to be shown first
        self.lines = [b""]  # the last ones, the unfinished one at the end
        self.checks = None  # (passed, failed) as the guest counted them
        self.panic = None   # its kernel's words, when it panicked
        self.spoke = False  # there was a line that is not the ROM's
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
        if self.held is not None:
            self.held += data
            if len(self.held) > HELD_MOST:
                self.release()
        else:
            self._show(data)
        lines = (self.lines.pop() + data).split(b"\n")
        lines = [line[-LINE_MOST:] for line in lines]
        for line in lines[:-1]:
            self._judge(line)
        self.lines = (self.lines + lines)[-30:]
        if self.awaited:
            self._look(data)

    def _judge(self, line):
        """What a whole line tells."""
        found = CHECKS.search(line)
        if found:
            self.checks = int(found[1]), int(found[2])
        found = PANIC.search(line)
        if found and self.panic is None:
            self.panic = cut(printable(found[0].rstrip(b"\r")))
        self.spoke = self.spoke or bool(line.strip()) and not line.startswith(b"vmixen: ")

    def _look(self, data):
        """Call who waits for what was shown."""
        self.unseen = (self.unseen + data)[-(1 << 16):]
        while self.awaited and self.awaited[0][0] in self.unseen:
            text, call = self.awaited.pop(0)
            self.unseen = self.unseen.partition(text)[2]
            call()

    def tail(self, count=15):
        """The last lines, for a report in words."""
        lines = [cut(printable(line.rstrip(b"\r"))) for line in self.lines]
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
    its mark, wherever the guest was, and end with a newline. What a guest writes
    that looks the same cannot be told apart here.

    Kept true here: the work is linear in the bytes, and what is kept back is
    never more than a line of Xen's can have, nor for longer than Xen takes for it.
    """

    MARK = b"(XEN) "
    LONGEST = 2048      # bytes of a line of Xen's; its buffer has half of it
    PATIENCE = {False: 2.0, True: 10.0}     # seconds for a mark's, and a line's rest

    def __init__(self, guest, xen):
        self.guest, self.xen = guest, xen   # functions: bytes, and a line of text
        self.text = b""     # the beginning of a mark, or a mark and what is behind it
        self.since = 0.0

    def feed(self, data):
        self.since = time.monotonic()
        data, self.text = self.text + data, b""
        given = look = 0    # up to where it is handed out, and up to where looked at
        while True:
            mark = data.find(self.MARK, look)
            if mark < 0:
                break
            end = data.find(b"\n", mark, mark + self.LONGEST)
            if end >= 0:
                self._guest(data[given:mark])
                self.xen(data[mark:end].decode("latin-1").rstrip("\r"))
                given = look = end + 1
            elif len(data) - mark < self.LONGEST:
                self._guest(data[given:mark])
                self.text = data[mark:]
                return
            else:
                look = mark + len(self.MARK)
        keep = next(n for n in range(len(self.MARK) - 1, -1, -1) if data.endswith(self.MARK[:n], given))
        self._guest(data[given:len(data) - keep])
        self.text = data[len(data) - keep:]

    def _inside(self):
        return self.text.startswith(self.MARK)

    def tick(self):
        """What looked like Xen's was not after all."""
        if self.text and time.monotonic() - self.since > self.PATIENCE[self._inside()]:
            data, self.text = self.text, b""
            self._guest(data)

    def flush(self):
        """There will be no more."""
        data, self.text = self.text, b""
        if data.startswith(self.MARK):
            self.xen(data.decode("latin-1"))
        else:
            self._guest(data)

    def _guest(self, data):
        if data:
            self.guest(data)
