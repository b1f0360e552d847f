"""The list of runs with its heading, its keys and its context menu."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QItemSelectionModel, QModelIndex, QPersistentModelIndex, QPoint, QSize, Qt, Signal
from PySide6.QtGui import QAction, QContextMenuEvent, QKeyEvent, QMouseEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QHBoxLayout,
    QLabel,
    QListView,
    QMenu,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from nerd_gui.window.described import described
from nerd_gui.window.runs.delegate import RunDelegate, check_rect, row_height
from nerd_gui.window.runs.model import RunModel
from nerd_gui.window.session.run import Run
from nerd_gui.window.session.session import Session

_Index = QModelIndex | QPersistentModelIndex
_MOST_ROWS = 3  # rows that are visible at once
_LIST_KEYS = (Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_PageUp, Qt.Key.Key_PageDown, Qt.Key.Key_F2)
_EMPTY = "The runs of this photo will be listed here, so that you can look at them again and compare them."


class RunsPanel(QWidget):
    """The runs of the photo, the newest at the bottom, below a heading that hides or shows them.

    A click, or Up and Down, shows a run at the iterate that was shown last. The check box, or O, draws its curves
    beside those of the shown run. F2 or a double click renames it, Delete removes it.

    Signals
    -------
    keepWanted : Run, int
        A person wants to keep an iterate of a run for comparison.
    saveWanted : Run
        A person wants to save the picture of a run.
    """

    keepWanted = Signal(object, int)
    saveWanted = Signal(object)

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        described(self, "runsPanel", "Runs of this photo", "")
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self._session = session
        self._model = RunModel(session, self)
        self._heading = described(
            QToolButton(), "runsHeading", "Show or hide the list of runs", "Show or hide the runs of this photo."
        )
        self._heading.setCheckable(True)
        self._heading.setChecked(True)
        self._heading.setAutoRaise(True)
        self._heading.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self._heading.toggled.connect(self._fold)
        self._empty = QLabel(_EMPTY)
        self._empty.setObjectName("noRunsLabel")
        self._empty.setWordWrap(True)
        self._empty.setProperty("quiet", True)
        self._empty.setContentsMargins(8, 0, 8, 4)
        self.view = RunView(self._model, session)
        self.view.menuWanted.connect(self._show_menu)
        column = QVBoxLayout(self)
        column.setContentsMargins(6, 4, 6, 0)
        column.setSpacing(2)
        self._head = QHBoxLayout()
        self._head.addWidget(self._heading)
        self._head.addStretch(1)
        column.addLayout(self._head)
        column.addWidget(self._empty)
        column.addWidget(self.view)
        session.runs.changed.connect(self._show_count)
        self._show_count()

    def add_beside_heading(self, widget: QWidget) -> None:
        """Put a widget at the right end of the heading's line."""
        self._head.addWidget(widget)

    @property
    def folded(self) -> bool:
        """Whether the list is hidden, with only the heading visible."""
        return not self._heading.isChecked()

    def set_folded(self, folded: bool) -> None:
        """Hide or show the list."""
        self._heading.setChecked(not folded)

    def say_changed(self, sentence: str) -> None:
        """Mark the shown run if a new run would have other settings, which `sentence` describes; empty if not."""
        self._model.say_changed(sentence)

    def menu(self, run: Run) -> QMenu:
        """Return the context menu of a run."""
        session = self._session
        menu = QMenu(self)
        menu.setObjectName("runMenu")
        menu.setToolTipsVisible(True)
        kept = run.index if run.index >= 0 else run.newest
        has_iterate = run.newest >= 0

        def add(name: str, text: str, tip: str, do: Callable[[], object], *, enabled: bool = True) -> QAction:
            action = menu.addAction(text)
            action.setObjectName(name)
            action.setToolTip(tip)
            action.setEnabled(enabled)
            action.triggered.connect(lambda _=False: do())
            return action

        add("showRunAction", "&Show", "Show the pictures and numbers of this run.", lambda: session.show_run(run))
        add("renameRunAction", "Re&name\tF2", "Give this run a name.", lambda: self.view.rename(run))
        add(
            "keepRunIterateAction",
            f"&Keep iterate {kept} for comparison",
            "Keep this iterate, so that you can compare other iterates and runs with it.",
            lambda: self.keepWanted.emit(run, kept),
            enabled=has_iterate,
        )
        overlay = add(
            "overlayRunAction",
            "&Overlay curves\tO",
            "Draw the curves of this run beside those of the shown run.",
            lambda: session.runs.set_overlaid(run, not run.overlaid),
        )
        overlay.setCheckable(True)
        overlay.setChecked(run.overlaid)
        menu.addSeparator()
        add(
            "saveRunAction",
            "S&ave picture…",
            "Save the picture of this run.",
            lambda: self.saveWanted.emit(run),
            enabled=has_iterate,
        )
        menu.addSeparator()
        add(
            "removeRunAction",
            "&Remove\tDel",
            "Remove this run from the list; you can undo this.",
            lambda: session.remove_run(run),
        )
        return menu

    def _show_menu(self, run: Run, place: QPoint) -> None:
        menu = self.menu(run)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(place)

    def _show_count(self) -> None:
        count = len(self._session.runs)
        self._heading.setText(f"Runs ({count})" if count else "Runs")
        self._fold()

    def _fold(self) -> None:
        open_, some = self._heading.isChecked(), len(self._session.runs) > 0
        self._heading.setArrowType(Qt.ArrowType.DownArrow if open_ else Qt.ArrowType.RightArrow)
        self._empty.setVisible(open_ and not some)
        self.view.setVisible(open_ and some)
        self.view.updateGeometry()


class RunView(QListView):
    """The list's rows, with the keys that act on the focused one; all other keys are left to the window.

    Signals
    -------
    menuWanted : Run, QPoint
        A person asked for the menu of a run, at this place on the screen.
    """

    menuWanted = Signal(object, object)

    def __init__(self, model: RunModel, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        described(
            self,
            "runList",
            "Runs of this photo",
            "Click: show the run. Check box or O: its curves beside those of the shown run. F2: rename. Del: remove.",
        )
        self._session = session
        self._runs = model
        self._checking = False
        self.setModel(model)
        self.setItemDelegate(RunDelegate(self))
        self.setUniformItemSizes(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        triggers = QAbstractItemView.EditTrigger
        self.setEditTriggers(triggers.DoubleClicked | triggers.EditKeyPressed)
        model.modelReset.connect(self._show_current)
        model.rowsInserted.connect(self._show_current)
        session.runChanged.connect(self._show_current)
        self._show_current()

    def rename(self, run: Run) -> None:
        """Let a person type a new name for a run."""
        self.edit(self._runs.index_of(run))

    def _show_current(self) -> None:
        self.updateGeometry()
        index = self._runs.index_of(self._session.run)
        self.selectionModel().setCurrentIndex(index, QItemSelectionModel.SelectionFlag.ClearAndSelect)
        if index.isValid():
            self.scrollTo(index)

    def currentChanged(self, current: _Index, previous: _Index) -> None:
        """Show the run that became current by a click or a key."""
        super().currentChanged(current, previous)
        run = self._runs.run(current)
        if run is not None and run is not self._session.run:
            self._session.show_run(run)

    # ---- mouse and keys -----------------------------------------------------------------------------------------

    def _box_at(self, event: QMouseEvent) -> Run | None:
        """Return the run whose check box is under the pointer."""
        place = event.position().toPoint()
        index = self.indexAt(place)
        box = check_rect(self.visualRect(index)).adjusted(-6, -8, 4, 8)
        return self._runs.run(index) if box.contains(place) else None

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Check or uncheck a run's box without showing the run; handle any other press as a click on the row."""
        run = self._box_at(event)
        self._checking = run is not None and event.button() == Qt.MouseButton.LeftButton
        if run is None or not self._checking:
            super().mousePressEvent(event)
        else:
            self._session.runs.set_overlaid(run, not run.overlaid)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Ignore a drag that began on a check box."""
        if not self._checking:
            super().mouseMoveEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """End a press; one on a check box does not select the row."""
        if not self._checking:
            super().mouseReleaseEvent(event)
        self._checking = False

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Treat the second click on a check box like the first."""
        if self._box_at(event) is not None:
            self.mousePressEvent(event)
        else:
            super().mouseDoubleClickEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Act on the keys of the list, and leave all others to the scrubber and the picture."""
        run, plain = self._runs.run(self.currentIndex()), event.modifiers() == Qt.KeyboardModifier.NoModifier
        if run is not None and plain and event.key() == Qt.Key.Key_Delete:
            self._session.remove_run(run)
        elif run is not None and plain and event.key() == Qt.Key.Key_O:
            self._session.runs.set_overlaid(run, not run.overlaid)
        elif event.key() in _LIST_KEYS:
            super().keyPressEvent(event)
        else:
            event.ignore()

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Request the menu of the run under the pointer, or with the keyboard, of the focused run."""
        by_key = event.reason() == QContextMenuEvent.Reason.Keyboard
        index = self.currentIndex() if by_key else self.indexAt(event.pos())
        if (run := self._runs.run(index)) is not None:
            place = self.viewport().mapToGlobal(self.visualRect(index).center()) if by_key else event.globalPos()
            self.menuWanted.emit(run, place)

    # ---- size ---------------------------------------------------------------------------------------------------

    def _height_of(self, rows: int) -> int:
        return max(1, rows) * row_height(self.font()) + 2 * self.frameWidth()

    def sizeHint(self) -> QSize:
        """The height of the rows, up to three of them."""
        return QSize(240, self._height_of(min(self._runs.rowCount(), _MOST_ROWS)))

    def minimumSizeHint(self) -> QSize:
        """The height of one row."""
        return QSize(160, self._height_of(1))

    def changeEvent(self, event: QEvent) -> None:
        """Update the size when the font has changed."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange:
            self.updateGeometry()
