"""Waits for threads that have been asked to end, but not forever, and frees those that have ended."""

import os

from PySide6.QtCore import QThread
from shiboken6 import isValid

PATIENCE = 15_000  # milliseconds to wait for a thread when the window closes; f is evaluated several times in it
_left: list[QThread] = []


def wait_for(thread: QThread) -> None:
    """Return when a thread has ended, or after `PATIENCE`; a thread that still runs then ends with the program."""
    if not thread.wait(PATIENCE):
        thread.setParent(None)  # its parent must not destroy it, which would be an error in Qt while it runs
        _left.append(thread)


def release(thread: QThread) -> None:
    """Free a thread that has sent `finished`, in the next turn of the event loop.

    It is waited for, because it ends just after the signal, and destroying a running QThread is an error.
    """
    thread.wait()
    thread.deleteLater()


def end_with(code: int) -> int:
    """Return the program's exit code; if a thread is still running, end the program at once with that code."""
    if any(isValid(thread) and thread.isRunning() for thread in _left):
        os._exit(code)
    return code
