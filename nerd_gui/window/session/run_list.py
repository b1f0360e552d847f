"""The runs of the open photo, which stay until a person removes them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from PySide6.QtCore import QObject, Signal

from nerd_gui.window.session.history import History
from nerd_gui.window.session.run import Run


class RunList(QObject):
    """The runs of a photo, with the oldest first.

    Signals
    -------
    changed
        A run was added, removed, renamed or overlaid, or it has made progress.
    """

    changed = Signal()

    def __init__(self, history: History, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._history = history
        self._runs: list[Run] = []
        self._count = 0

    def __iter__(self) -> Iterator[Run]:
        return iter(self._runs)

    def __reversed__(self) -> Iterator[Run]:
        return reversed(self._runs)

    def __len__(self) -> int:
        return len(self._runs)

    def __getitem__(self, index: int) -> Run:
        return self._runs[index]

    def __contains__(self, run: object) -> bool:
        return run in self._runs

    @property
    def overlaid(self) -> list[Run]:
        """The runs whose curves are drawn beside those of the current run."""
        return [run for run in self._runs if run.overlaid]

    def add(self, run: Run) -> None:
        """Append a run and give it its number."""
        self._count += 1
        run.number = self._count
        run.name = run.name or f"Run {run.number}"
        self._runs.append(run)
        self.changed.emit()

    def insert(self, index: int, run: Run) -> None:
        """Put a removed run back at its place."""
        self._runs.insert(index, run)
        self.changed.emit()

    def drop(self, run: Run) -> int:
        """Remove a run and return the place where it was."""
        index = self._runs.index(run)
        del self._runs[index]
        self.changed.emit()
        return index

    def replace(self, runs: Iterable[Run]) -> None:
        """Replace all runs by those of another photo, which keep their numbers; the caller emits `changed`."""
        self._runs = list(runs)
        self._count = max((run.number for run in self._runs), default=0)

    def rename(self, run: Run, name: str) -> None:
        """Rename a run; an empty name restores its first name."""

        def apply(name: str) -> None:
            run.name = name
            self.changed.emit()

        self._history.record("renaming a run", run.name, name.strip() or f"Run {run.number}", apply)

    def set_overlaid(self, run: Run, overlaid: bool) -> None:
        """Draw a run's curves beside those of the current run, or stop doing so."""
        if overlaid != run.overlaid:
            run.overlaid = overlaid
            self.changed.emit()
