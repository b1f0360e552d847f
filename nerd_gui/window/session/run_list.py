"""The runs of the photo on the table, which stay until a person removes them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from PySide6.QtCore import QObject, Signal

from nerd_gui.window.session.history import History
from nerd_gui.window.session.run import Run


class RunList(QObject):
    """The runs of a photo, the oldest first.

    Signals
    -------
    changed
        A run came, went, was renamed, overlaid or not, or has got further.
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
        """Those whose curves are drawn beside the current one's."""
        return [run for run in self._runs if run.overlaid]

    def add(self, run: Run) -> None:
        """Put a run at the end, and give it its number."""
        self._count += 1
        run.number = self._count
        run.name = run.name or f"Run {run.number}"
        self._runs.append(run)
        self.changed.emit()

    def insert(self, index: int, run: Run) -> None:
        """Put a run back where it was."""
        self._runs.insert(index, run)
        self.changed.emit()

    def drop(self, run: Run) -> int:
        """Take a run out and return where it was."""
        index = self._runs.index(run)
        del self._runs[index]
        self.changed.emit()
        return index

    def replace(self, runs: Iterable[Run]) -> None:
        """Take up the runs of another photo, which have their numbers, or none; whoever asks for it emits `changed`."""
        self._runs = list(runs)
        self._count = max((run.number for run in self._runs), default=0)

    def rename(self, run: Run, name: str) -> None:
        """Give a run another name; an empty one gives it back its first."""

        def apply(name: str) -> None:
            run.name = name
            self.changed.emit()

        self._history.record("renaming a run", run.name, name.strip() or f"Run {run.number}", apply)

    def set_overlaid(self, run: Run, overlaid: bool) -> None:
        """Draw the curves of a run beside those of the current one, or leave it."""
        if overlaid != run.overlaid:
            run.overlaid = overlaid
            self.changed.emit()
