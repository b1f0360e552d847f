"""Threads that have been asked to end: they are waited for, but not for ever."""

import os

from PySide6.QtCore import QThread
from shiboken6 import isValid

PATIENCE = 15_000  # milliseconds that closing waits for a thread: several evaluations of f
_left: list[QThread] = []


def wait_for(thread: QThread) -> None:
    """Return when a thread has ended, or does not in time: then it is left alone, and ends with the program."""
    if not thread.wait(PATIENCE):
        thread.setParent(None)  # to destroy it while it runs would be an error in Qt
        _left.append(thread)


def end_with(code: int) -> int:
    """Return the program's exit code; where a thread was left to itself, end the program at once with it."""
    if any(isValid(thread) and thread.isRunning() for thread in _left):
        os._exit(code)
    return code
