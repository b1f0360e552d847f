"""The film strip below the picture: all iterates of the current run side by side, small."""

from __future__ import annotations

from PySide6.QtCore import QAbstractListModel, QModelIndex, QPersistentModelIndex, QRect, QSize, Qt
from PySide6.QtGui import (
    QFocusEvent,
    QHideEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
    QShowEvent,
)
from PySide6.QtWidgets import QListView, QSizePolicy, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from nerd_gui.window.described import described
from nerd_gui.window.picture.view import PictureView
from nerd_gui.window.session.session import Session
from nerd_gui.window.strip.cells import MARGIN, Cell, height_beside_picture, paint
from nerd_gui.window.strip.thumbnails import Thumbnails
from nerd_gui.window.style.tokens import SMALL

_PICTURE = 54  # pixels of a picture's height, if the window has room
_LEAST_PICTURE = 24
_NARROWEST = 62  # pixels, the least width of a picture: number, mark and change fit below it
_NOTHING = "The iterates of a run appear here, one after another."

_Index = QModelIndex | QPersistentModelIndex


class _Iterates(QAbstractListModel):
    """The iterates of the current run as a list that Qt can show and read aloud."""

    def __init__(self, session: Session, thumbnails: Thumbnails, parent: QWidget) -> None:
        super().__init__(parent)
        self._session, self._thumbnails = session, thumbnails
        self._count = 0

    def rowCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        return 0 if parent.isValid() else self._count

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if not index.isValid():
            return None
        roles = Qt.ItemDataRole.AccessibleTextRole, Qt.ItemDataRole.ToolTipRole, Qt.ItemDataRole.DisplayRole
        return self.cell(index.row()).sentence if role in roles else None

    def cell(self, row: int) -> Cell:
        """Return what is shown of an iterate."""
        trajectory, thumbnails = self._session.trajectory, self._thumbnails
        assert trajectory is not None
        restarted, current = trajectory[row].restarted, row == self._session.index
        return Cell(row, thumbnails.tile(row), thumbnails.change(row), row == trajectory.result, restarted, current)

    def begin_again(self) -> None:
        """Show another run."""
        self.beginResetModel()
        self._count = self._session.newest + 1
        self.endResetModel()

    def grow(self) -> None:
        """Add the iterates that have arrived."""
        count = self._session.newest + 1
        if count > self._count:
            self.beginInsertRows(QModelIndex(), self._count, count - 1)
            self._count = count
            self.endInsertRows()

    def tell_changed(self, first: int, last: int) -> None:
        """Report that what is shown of these iterates has changed."""
        if 0 <= first <= last < self._count:
            self.dataChanged.emit(self.index(first), self.index(last))


class _Painter(QStyledItemDelegate):
    """Paints the cells, which all have the same size."""

    def __init__(self, parent: FilmStrip) -> None:
        super().__init__(parent)
        self._strip = parent

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        painter.save()
        strip = self._strip
        place = strip.place_of(index.row())
        paint(painter, place, strip.cell(index.row()), strip.palette(), strip.font())
        painter.restore()

    def sizeHint(self, option: QStyleOptionViewItem, index: _Index) -> QSize:
        return self._strip.cell_size()


class FilmStrip(QListView):
    """A small picture of every iterate with its number and its change; a click or a drag goes to the iterate.

    The pictures show the part in view in the picture view, and are made only while the strip is visible.

    Parameters
    ----------
    session : Session
    view : PictureView
    """

    def __init__(self, session: Session, view: PictureView, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        described(
            self,
            "filmStrip",
            "Film strip of the iterates",
            "Every iterate of the run, and by how many of 255 grey levels its picture changed from the previous one "
            "(root mean square). The bar is logarithmic, from 0.01 to 100. ▲ marks the result, ○ a restarted step. "
            "Click or drag to go to an iterate",
        )
        self._session = session
        self._thumbnails = Thumbnails(session, view, self)
        self._iterates = _Iterates(session, self._thumbnails, self)
        self._shown = -1  # the framed iterate
        self._dragging = False
        self._focus_shown = False
        self.setModel(self._iterates)
        self.setItemDelegate(_Painter(self))
        self.setFlow(QListView.Flow.LeftToRight)
        self.setWrapping(False)
        self.setUniformItemSizes(True)
        self.setFrameShape(QListView.Shape.NoFrame)
        self.setSelectionMode(QListView.SelectionMode.NoSelection)
        self.setEditTriggers(QListView.EditTrigger.NoEditTriggers)
        self.setHorizontalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAsNeeded)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.viewport().setAutoFillBackground(False)
        self._connect(session, view)

    def _connect(self, session: Session, view: PictureView) -> None:
        session.trajectoryChanged.connect(self._show_run)
        session.iterateAdded.connect(self._show_arrived)
        session.progressed.connect(self._show_progress)
        session.indexChanged.connect(self._show_index)
        session.lookChanged.connect(self._make)
        session.controller.ended.connect(self._show_all)  # another iterate may have become the result
        view.viewChanged.connect(self._on_view)
        self._thumbnails.made.connect(lambda index: self._iterates.tell_changed(index, index))
        self._thumbnails.partChanged.connect(self._fit_cells)
        self.horizontalScrollBar().valueChanged.connect(self._make)

    # ---- cells --------------------------------------------------------------------------------------------------

    def cell(self, index: int) -> Cell:
        """Return what is shown of an iterate."""
        return self._iterates.cell(index)

    def is_ready(self, index: int) -> bool:
        """Whether an iterate's picture and change are up to date."""
        return self._thumbnails.is_ready(index)

    def cell_size(self) -> QSize:
        """Return the size of all cells, which depends on the shape of the part in view and on the strip's height."""
        width, height = self._picture_size()
        return QSize(width + 2 * MARGIN, height + height_beside_picture(self.font()))

    def place_of(self, index: int) -> QRect:
        """Return the place of an iterate's cell in the viewport."""
        # The rectangle that Qt gives a cell has the height of the whole viewport.
        return QRect(self.visualRect(self._iterates.index(index)).topLeft(), self.cell_size())

    def _picture_size(self) -> tuple[int, int]:
        room = self.height() - self.horizontalScrollBar().sizeHint().height() - height_beside_picture(self.font())
        height = min(max(room, _LEAST_PICTURE), _PICTURE)
        part = self._thumbnails.part
        wide = height if part is None else round(height * part[3] / part[2])
        return max(wide, _NARROWEST), height

    def sizeHint(self) -> QSize:
        """The height for pictures of the usual size; without a run, for one line of text."""
        return QSize(200, self._height_for(_PICTURE))

    def minimumSizeHint(self) -> QSize:
        """The height for very small pictures, since a low window needs its height for the large picture."""
        return QSize(120, self._height_for(_LEAST_PICTURE))

    def _height_for(self, picture: int) -> int:
        if self._session.run is None:
            return self.fontMetrics().height() + 2 * SMALL
        return picture + height_beside_picture(self.font()) + self.horizontalScrollBar().sizeHint().height()

    # ---- following the session ----------------------------------------------------------------------------------

    def _show_run(self) -> None:
        self._thumbnails.clear()
        self._iterates.begin_again()
        self._shown = self._session.index
        self._fit_cells()

    def _show_arrived(self) -> None:
        self._iterates.grow()
        self._show_all()
        self._make()

    def _show_progress(self) -> None:
        self._iterates.grow()
        self._thumbnails.outdate()
        self._show_all()
        self._make()

    def _show_all(self) -> None:
        self._iterates.tell_changed(0, self._iterates.rowCount() - 1)

    def _show_index(self, index: int) -> None:
        self._iterates.grow()
        before, self._shown = self._shown, index
        for changed in (before, index):
            self._iterates.tell_changed(changed, changed)
        self.setCurrentIndex(self._iterates.index(index))  # the current item is read aloud by screen readers
        self._keep_in_view()

    def _keep_in_view(self) -> None:
        """Scroll so that the current iterate and its neighbours are visible."""
        if self._shown >= 0 and self.isVisible():
            place, bar = self.place_of(self._shown), self.horizontalScrollBar()
            aside = place.width() if 3 * place.width() <= self.viewport().width() else 0
            beyond = place.right() + aside - self.viewport().width()
            if place.left() < aside:
                bar.setValue(bar.value() + place.left() - aside)
            elif beyond > 0:
                bar.setValue(bar.value() + beyond)

    def _on_view(self) -> None:
        if self.isVisible():
            self._thumbnails.follow_view()

    # ---- making -------------------------------------------------------------------------------------------------

    def _fit_cells(self) -> None:
        """Lay out the cells again, and make the pictures in view."""
        self.scheduleDelayedItemsLayout()
        self.updateGeometry()
        self._keep_in_view()
        self._make()

    def _make(self) -> None:
        if self.isVisible():
            ratio = self.devicePixelRatioF()
            width, height = self._picture_size()
            self._thumbnails.want(self._wanted, self._fitted(round(width * ratio), round(height * ratio)))

    def _fitted(self, width: int, height: int) -> tuple[int, int]:
        """Return the size of the part in view when fitted into width x height."""
        part = self._thumbnails.part
        if part is None:
            return width, height
        _, _, rows, cols = part
        scale = min(width / cols, height / rows)
        return max(1, round(cols * scale)), max(1, round(rows * scale))

    def _wanted(self) -> list[int]:
        """Return the iterates in view, the current one first."""
        size, seen = self.cell_size().width(), self.viewport().width()
        start = self.horizontalScrollBar().value()
        rows = range(max(0, start // size), min(self._iterates.rowCount(), (start + seen) // size + 1))
        return sorted(rows, key=lambda row: (row != self._shown, row))

    # ---- events -------------------------------------------------------------------------------------------------

    def showEvent(self, event: QShowEvent) -> None:
        """Catch up with what has changed while the strip was hidden."""
        super().showEvent(event)
        self._thumbnails.follow_view()
        self._fit_cells()

    def hideEvent(self, event: QHideEvent) -> None:
        """Stop making pictures while the strip is hidden."""
        self._thumbnails.rest()
        super().hideEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Make the pictures as high as the strip allows."""
        super().resizeEvent(event)
        self._fit_cells()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the cells; without a run, a sentence."""
        super().paintEvent(event)
        painter = QPainter(self.viewport())
        if not self._iterates.rowCount():
            painter.setPen(self.palette().placeholderText().color())
            painter.drawText(self.viewport().rect(), Qt.AlignmentFlag.AlignCenter, _NOTHING)
        if self._focus_shown:
            painter.setPen(self.palette().highlight().color())
            painter.drawRect(self.viewport().rect().adjusted(0, 0, -1, -1))

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Show a frame if the focus came by the keyboard."""
        self._focus_shown = event.reason() in (Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason)
        super().focusInEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Remove the frame."""
        self._focus_shown = False
        super().focusOutEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Go to the iterate under the pointer."""
        if event.button() == Qt.MouseButton.LeftButton and self._iterates.rowCount():
            self._dragging = True
            self._session.hold()
            self._go_to(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """While the button is held, follow the pointer from iterate to iterate."""
        if self._dragging:
            self._go_to(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Release the iterate."""
        if event.button() == Qt.MouseButton.LeftButton and self._dragging:
            self._dragging = False
            self._session.release()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Treat the second click like any other."""
        self.mousePressEvent(event)

    def _go_to(self, event: QMouseEvent) -> None:
        index = self.indexAt(event.position().toPoint())
        if index.isValid():
            self._session.go(index.row())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Leave all keys to the window, where the scrubber's keys go to other iterates."""
        event.ignore()
