"""The changes that a person can undo: pins, noise, region, and the list of runs."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from PySide6.QtCore import QObject
from PySide6.QtGui import QUndoCommand, QUndoStack

T = TypeVar("T")
_LIMIT = 100  # changes that can be undone
_MERGED = 1.0  # seconds; closer changes count as one, such as the digits of a number or the turns of a wheel
_MERGE_ID = 1


class History(QUndoStack):
    """The undo stack of one photo, with the newest change at the end; opening another photo clears it."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.setUndoLimit(_LIMIT)

    def record(self, text: str, before: T, after: T, apply: Callable[[T], object], *, merge: bool = False) -> None:
        """Make a change that can be undone.

        Parameters
        ----------
        text : str
            The name of the change, which follows “Undo” in the menu.
        before, after
            States for `apply`; `after` is applied now.
        merge : bool
            Whether to merge the change with one of the same name that was made a moment ago.
        """
        if before != after:
            self.push(_Change(text, lambda: apply(before), lambda: apply(after), merge))


class _Change(QUndoCommand):
    def __init__(self, text: str, undo: Callable[[], object], redo: Callable[[], object], merge: bool) -> None:
        super().__init__(text)
        self._undo, self._redo, self._merge = undo, redo, merge
        self._when = time.monotonic()

    def undo(self) -> None:
        self._undo()

    def redo(self) -> None:
        self._redo()

    def id(self) -> int:
        return _MERGE_ID if self._merge else -1

    def mergeWith(self, other: QUndoCommand) -> bool:
        if not isinstance(other, _Change) or other.text() != self.text() or other._when - self._when > _MERGED:
            return False
        self._redo, self._when = other._redo, other._when
        return True
