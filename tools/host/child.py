# SPDX-License-Identifier: GPL-2.0-only
"""Programs that we start, each with its own children in a process group.

Kept true here: when a program is given up, by a signal to us or by its
time-out, its whole group is asked to end, waited for, and killed if it does not
listen; so a script has removed what it had begun before we end, and nothing of
it goes on. Only SIGKILL to ourselves is beyond that.

A group of its own is not the terminal's foreground: what asks the user
something is to be started by other means.
"""

import os
import signal
import subprocess
import threading
import time

GRACE = 30.0            # seconds to remove what was begun
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

_live = set()           # the programs that run
_lock = threading.Lock()        # over _live and _ending
_ending = False         # no more may be started
_delayed = 0            # nesting of what a signal must not interrupt
_pending = None         # a signal that came meanwhile
_raise = None           # function: signal number -> what on_signals() raises


class Ending(Exception):
    """Nothing is started any more."""


def on_signals(make):
    """From now on the first of SIGNALS raises make(number) in the main thread;
    those behind it do nothing, since what ends a run may not be interrupted. What
    our caller ignores, as under nohup, stays ignored."""
    global _raise
    _raise = make
    for number in SIGNALS:
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, _arrived)
    # A caller may have had them wait until somebody is there to take them.
    signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)


def _arrived(number, _frame):
    global _pending
    if _delayed:
        _pending = number
        return
    for other in SIGNALS:
        signal.signal(other, signal.SIG_IGN)
    raise _raise(number)


class _Delayed:
    """With this, a signal raises at the end of the block."""

    def __enter__(self):
        global _delayed
        if threading.current_thread() is threading.main_thread():
            _delayed += 1

    def __exit__(self, *error):
        global _delayed
        if threading.current_thread() is threading.main_thread():
            _delayed -= 1
            if _pending and not _delayed:
                _arrived(_pending, None)


def run(argv, text_in=None, timeout=None, **options):
    """As subprocess.run(): waits for the program and returns what became of it.
    options are Popen's. Raises TimeoutExpired, with what there is of its output
    as stdout, after timeout seconds."""
    options.setdefault("stdin", subprocess.DEVNULL if text_in is None else subprocess.PIPE)
    process = None
    try:
        with _Delayed(), _lock:
            if _ending:
                raise Ending()
            process = subprocess.Popen(argv, process_group=0, **options)
            _live.add(process)
        out, err = process.communicate(text_in, timeout)
    except subprocess.TimeoutExpired as error:
        end(process)
        error.stdout = process.communicate()[0]
        raise
    except BaseException:
        if process is not None:
            end(process)
        raise
    finally:
        with _lock:
            _live.discard(process)
    return subprocess.CompletedProcess(argv, process.returncode, out, err)


def _signal(process, number):
    try:
        os.killpg(process.pid, number)
    except ProcessLookupError:
        pass


def end(process):
    """Ends a program and its group, and waits until they are gone."""
    if process.returncode is None:
        _signal(process, signal.SIGTERM)
        _signal(process, signal.SIGCONT)
        try:
            process.wait(GRACE)
        except subprocess.TimeoutExpired:
            _signal(process, signal.SIGKILL)
            process.wait()
    _signal(process, signal.SIGKILL)    # what has outlived its leader


def end_all():
    """Ends what other threads run; nothing is started after this."""
    global _ending
    with _lock:
        _ending = True
        programs = list(_live)
    for process in programs:
        _signal(process, signal.SIGTERM)
    until = time.monotonic() + GRACE
    for process in programs:
        while process.poll() is None and time.monotonic() < until:
            time.sleep(0.02)
        _signal(process, signal.SIGKILL)


def leave(number):
    """For on_signals(), in a program whose threads run others: ends all of it."""
    end_all()
    return SystemExit(128 + number)
