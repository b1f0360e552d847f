"""The table of a queue's photos: name, state and result of each."""

from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt, Signal
from PySide6.QtGui import QBrush, QColor, QGuiApplication, QKeyEvent
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView, QWidget

from nerd_gui.denoising.time_left import about
from nerd_gui.window.described import described
from nerd_gui.window.queue.queue import Item, Phase, PhotoQueue

_Index = QModelIndex | QPersistentModelIndex
_COLUMNS = ("Photo", "State", "Result")
PHOTO, STATE, RESULT = range(3)
_ERROR_ON_DARK, _ERROR_ON_LIGHT = "#ff7a70", "#b3261e"


def in_words(item: Item, phase: Phase) -> str:
    """Return the state of a photo in words."""
    if item.state == "under way":
        far = f"{item.fraction:.0%}".replace("%", " %")
        return f"{'Paused' if phase is Phase.PAUSED else 'Waiting' if phase is Phase.HELD else 'Under way'}, {far}"
    if item.state == "saved":
        return _saved(item)
    return {"waiting": "Waiting", "skipped": "Already done", "failed": f"Failed: {item.reason}"}[item.state]


def _saved(item: Item) -> str:
    if item.report is None:
        return "Saved unchanged: hardly any noise"
    level = item.report["iterations"][item.report["result"]]["noise_level"]
    noise = "" if level is None else f", noise level {level:.1f} removed"
    return f"Saved{noise}, {about(item.report['seconds'])}"


class QueueModel(QAbstractTableModel):
    """The queue as a model for Qt's views."""

    def __init__(self, queue: PhotoQueue) -> None:
        super().__init__(queue)
        self._queue = queue
        queue.listChanged.connect(self._on_list)
        queue.itemChanged.connect(self._on_item)
        queue.phaseChanged.connect(self._on_phase)

    def rowCount(self, parent: _Index | None = None) -> int:
        """Return the number of photos."""
        return 0 if parent is not None and parent.isValid() else len(self._queue.items)

    def columnCount(self, parent: _Index | None = None) -> int:
        """Return the number of columns: photo, state and result."""
        return 0 if parent is not None and parent.isValid() else len(_COLUMNS)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return the names of the columns."""
        if orientation is not Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        return _COLUMNS[section] if role == Qt.ItemDataRole.DisplayRole else None

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return a cell's text, its tooltip or its colour."""
        item, column = self._queue.items[index.row()], index.column()
        words = in_words(item, self._queue.phase)
        if role == Qt.ItemDataRole.DisplayRole:
            return (item.job.source.name, words, item.job.target.name)[column]
        if role == Qt.ItemDataRole.ToolTipRole:
            return (str(item.job.source), "\n".join([words, *item.notes]), str(item.job.target))[column]
        if role == Qt.ItemDataRole.ForegroundRole and column == STATE and item.state == "failed":
            dark = QGuiApplication.palette().base().color().lightness() < 128
            return QBrush(QColor(_ERROR_ON_DARK if dark else _ERROR_ON_LIGHT))
        return None

    def flags(self, index: _Index) -> Qt.ItemFlag:
        """Return the flags of a cell, which cannot be edited; a result that does not exist yet is dimmed."""
        flags = super().flags(index)
        item = self._queue.items[index.row()]
        if index.column() == RESULT and item.state not in ("saved", "skipped"):
            return flags & ~Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
        return flags

    def _on_list(self) -> None:
        self.beginResetModel()
        self.endResetModel()

    def _on_item(self, row: int) -> None:
        self.dataChanged.emit(self.index(row, 0), self.index(row, len(_COLUMNS) - 1))

    def _on_phase(self) -> None:
        if self._queue.items:
            self.dataChanged.emit(self.index(0, STATE), self.index(len(self._queue.items) - 1, STATE))


class QueueTable(QTableView):
    """Shows the queue; rows are selected as a whole.

    Signals
    -------
    openWanted : QModelIndex
        A person double-clicked a cell, or pressed Return.
    removeWanted
        A person wants to remove the selected rows.
    """

    openWanted = Signal(QModelIndex)
    removeWanted = Signal()

    def __init__(self, queue: PhotoQueue, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        described(
            self,
            "queueTable",
            "Photos of the queue",
            "Double-click to open the result in the window, or the photo's name to open the photo.",
        )
        self._queue = queue
        self._followed = -1
        self.setModel(QueueModel(queue))
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setWordWrap(False)
        self.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.setShowGrid(False)
        self.setAlternatingRowColors(True)
        self.setTabKeyNavigation(False)
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(self.fontMetrics().height() + 8)
        header = self.horizontalHeader()
        header.setHighlightSections(False)
        header.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        header.setSectionResizeMode(STATE, QHeaderView.ResizeMode.Stretch)
        self.setColumnWidth(PHOTO, 200)
        self.setColumnWidth(RESULT, 220)
        self.doubleClicked.connect(self.openWanted)
        queue.itemChanged.connect(self._follow)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Open with Return, remove with Delete."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.currentIndex().isValid():
            self.openWanted.emit(self.currentIndex())
        elif event.key() == Qt.Key.Key_Delete:
            self.removeWanted.emit()
        else:
            super().keyPressEvent(event)

    def _follow(self, row: int) -> None:
        """Scroll to the photo that is now under way, unless the person has scrolled away from the previous one."""
        if self._queue.items[row].state != "under way" or row == self._followed:
            return
        before, self._followed = self.model().index(self._followed, PHOTO), row
        if not before.isValid() or self.viewport().rect().intersects(self.visualRect(before)):
            self.scrollTo(self.model().index(row, PHOTO))

    @property
    def chosen(self) -> list[int]:
        """The selected rows."""
        return sorted(index.row() for index in self.selectionModel().selectedRows())
