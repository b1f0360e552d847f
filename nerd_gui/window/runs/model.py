"""The session's runs as a Qt model with a row for each, the oldest first."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, Qt
from PySide6.QtGui import QImage

from nerd_gui.window.described import in_lines
from nerd_gui.window.runs import words
from nerd_gui.window.runs.thumbnail import thumbnail
from nerd_gui.window.session.run import Run
from nerd_gui.window.session.session import Session

_Role = Qt.ItemDataRole
#: The role with which the delegate asks for a `Row`.
ROW = _Role.UserRole
THUMBNAIL_SIDE = 80  # pixels of the image, twice its size on a screen of usual density
_Index = QModelIndex | QPersistentModelIndex


@dataclass(frozen=True)
class Row:
    """The content of a row of the list.

    Attributes
    ----------
    number : int
        The run's number from 1, which determines its colour.
    progress : float or None
        A fraction from 0 to 1 while the run is under way.
    changed : bool
        Whether the run is the shown one, and a new run would have other settings.
    """

    number: int
    name: str
    asked: str
    found: str
    state: str
    overlaid: bool
    shown: bool
    changed: bool
    progress: float | None
    thumbnail: QImage | None


class RunModel(QAbstractListModel):
    """The rows of the session's list of runs.

    Parameters
    ----------
    session : Session
    """

    def __init__(self, session: Session, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._runs: list[Run] = list(session.runs)
        self._changes = ""
        self._thumbnails: WeakKeyDictionary[Run, tuple[Hashable, QImage]] = WeakKeyDictionary()
        session.runs.changed.connect(self._follow)
        session.runChanged.connect(self._refresh)
        session.progressed.connect(self._refresh)
        session.controller.runningChanged.connect(self._refresh)
        session.controller.pausedChanged.connect(self._refresh)

    def say_changed(self, sentence: str) -> None:
        """Mark the shown run if a new run would have other settings, which `sentence` describes; empty if not."""
        if sentence != self._changes:
            self._changes = sentence
            self._refresh()

    def run(self, index: _Index) -> Run | None:
        """Return the run of a row."""
        return self._runs[index.row()] if index.isValid() and index.row() < len(self._runs) else None

    def index_of(self, run: Run | None) -> QModelIndex:
        """Return the row of a run; an invalid index if it has none."""
        return self.index(self._runs.index(run)) if run in self._runs else QModelIndex()

    def rowCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008  # Qt's own default
        """Return the number of runs."""
        return 0 if parent.isValid() else len(self._runs)

    def flags(self, index: _Index) -> Qt.ItemFlag:
        """Return the flags of a row, which can be selected and renamed."""
        return Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemIsEditable

    def data(self, index: _Index, role: int = _Role.DisplayRole) -> Any:
        """Return the content of a row, or its text for a screen reader or a tooltip."""
        run = self.run(index)
        if run is None:
            return None
        if role in (_Role.DisplayRole, _Role.EditRole):
            return run.name
        if role == ROW:
            return self._row(run)
        if role in (_Role.AccessibleTextRole, _Role.ToolTipRole):
            row = self._row(run)
            lines = [f"{row.name}: {row.state}", row.asked, row.found]
            lines += ["Its curves are drawn beside those of the shown run."] if row.overlaid else []
            lines += [self._changes] if row.changed else []
            text = "\n".join(line for line in lines if line)
            return in_lines(text) if role == _Role.ToolTipRole else text
        return None

    def setData(self, index: _Index, value: Any, role: int = _Role.EditRole) -> bool:
        """Rename a run."""
        run = self.run(index)
        if run is None or role != _Role.EditRole:
            return False
        self._session.runs.rename(run, str(value))
        return True

    # ---- inside -------------------------------------------------------------------------------------------------

    def _row(self, run: Run) -> Row:
        controller, shown = self._session.controller, run is self._session.run
        under_way = run is controller.run
        return Row(
            number=run.number,
            name=run.name,
            asked=words.asked(run),
            found=words.found(run),
            state=words.state(run, under_way=under_way, paused=under_way and controller.paused),
            overlaid=run.overlaid,
            shown=shown,
            changed=shown and bool(self._changes),
            progress=words.progress(run) if under_way else None,
            thumbnail=self._thumbnail(run),
        )

    def _thumbnail(self, run: Run) -> QImage | None:
        trajectory = run.trajectory
        if not trajectory:
            return None
        result = trajectory.result
        key = result, id(trajectory[result].n_hat), run.progress.done if run.progress is not None else None
        kept = self._thumbnails.get(run)
        if kept is None or kept[0] != key:
            self._thumbnails[run] = kept = key, thumbnail(trajectory, result, THUMBNAIL_SIDE)
        return kept[1]

    def _follow(self) -> None:
        """Update the rows: a new run is inserted; after any other change, all rows are replaced."""
        runs = list(self._session.runs)
        if runs == self._runs:
            self._refresh()
        elif runs[:-1] == self._runs:
            self.beginInsertRows(QModelIndex(), len(runs) - 1, len(runs) - 1)
            self._runs = runs
            self.endInsertRows()
        else:
            self.beginResetModel()
            self._runs = runs
            self.endResetModel()

    def _refresh(self) -> None:
        if self._runs:
            self.dataChanged.emit(self.index(0), self.index(len(self._runs) - 1))
