"""The surface that paints the pictures and turns the mouse into zoom, pan, wipe, pins and regions.

It paints by hand rather than through a graphics scene: a single mapping from picture to screen serves every layer and
both panes, so that layers always line up. The mapping counts in device pixels, so that 100 % is exact on any screen.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import floor, hypot

from PySide6.QtCore import QEvent, QPoint, QPointF, Qt, QTimer, Signal
from PySide6.QtGui import (
    QColor,
    QFocusEvent,
    QGuiApplication,
    QImage,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPalette,
    QPen,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from nerd_gui.window.picture.comparison import Comparison, Region
from nerd_gui.window.picture.marks import HANDLE_RADIUS, PIN_RADIUS
from nerd_gui.window.picture.painter import Marks, divider_handle, paint
from nerd_gui.window.session.pins import Pin, PinBoard
from nerd_gui.window.style.tokens import HEADING_PIXELS, colours, sized

HINT = "Open a photo, or drop one here"
_PANE_GAP = 6
_GRAB_DISTANCE = 6
_DRAG_DISTANCE = 4
_WHEEL_PER_DOUBLING = 360.0  # eighths of a degree: three notches double the zoom


@dataclass
class _Press:
    """A mouse button that is held down."""

    button: Qt.MouseButton
    start: QPoint
    last: QPoint
    divider: bool
    region: bool  # whether the press draws a rectangle when it is dragged
    pin: int | None  # the number of the pin under the press
    dragged: bool = False


class PictureCanvas(QWidget):
    """Paints a `Comparison` with the session's pins, and turns the mouse into zoom, pan, wipe, pins and regions.

    Positions are in logical pixels of this widget. `ComparisonView` sets up `comparison` and calls `refresh`.
    """

    regionChosen = Signal(int, int, int, int)
    regionCancelled = Signal()
    candidateChanged = Signal()
    zoomChanged = Signal(float)

    def __init__(self, comparison: Comparison, pins: PinBoard, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.comparison = comparison
        self._pins = pins
        self._corner = 0, 0
        self.region: Region | None = None
        self.overlay: tuple[QImage, int, int] | None = None  # image, top, left
        self.pointed: tuple[int, int] | None = None  # pixel of the photo that the keyboard points at
        self._choosing: tuple[int, int] | None = None  # rows, cols of the region that a click chooses
        self._press: _Press | None = None
        self._pointer: QPoint | None = None
        self._focus_shown = False
        self.setObjectName("pictureCanvas")
        self.setAccessibleName("Picture")
        self.setAccessibleDescription(
            "Drag the divider to wipe, turn the wheel to zoom, drag to pan, click to pin a pixel, drag a pin to move "
            "it, hold Shift and drag to choose a region; Shift and arrows point at a pixel, Return pins it"
        )
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(160, 120)
        pins.changed.connect(self.update)
        self._unfinished = QTimer(self, singleShot=True, interval=0)  # so that each turn of the event loop paints once
        self._unfinished.timeout.connect(self.update)

    def refresh(self) -> None:
        """Lay out and paint again after the comparison has changed."""
        ratio = self.devicePixelRatioF()
        view, shape = self.comparison.viewport, self.comparison.layers.shape
        same_picture = shape == (view.rows, view.cols)
        self.comparison.lay_out(round(self.width() * ratio), round(self.height() * ratio), round(_PANE_GAP * ratio))
        self.update()
        self.zoomChanged.emit(view.zoom)
        self._point_at(self._pointer)
        if not same_picture:
            self.cancel_region()  # the region was to be chosen in another picture

    def pixel_at(self, position: QPoint) -> tuple[int, int] | None:
        """Return the (row, col) of the picture's pixel at a position, in either pane; None outside the picture."""
        return self.comparison.pixel_at(*self._device(position))

    def position_of(self, row: float, col: float, pane: int = 0) -> QPoint:
        """Return the position of a pixel's middle, which may be out of view; `pane` 1 is the right one."""
        point = (
            self.comparison.position_of(self.comparison.panes[pane], row + 0.5, col + 0.5) / self.devicePixelRatioF()
        )
        return QPoint(floor(point.x()), floor(point.y()))

    def divider_handle(self) -> QPoint | None:
        """Return the middle of the wipe divider's handle; None while there is no divider."""
        return (
            (divider_handle(self.comparison) / self.devicePixelRatioF()).toPoint() if self.comparison.wiping else None
        )

    def choose_region(self, rows: int, cols: int) -> None:
        """Let a person drag a rectangle, or click for one of the given size around the pointer, until `cancel_region`.

        Raises
        ------
        ValueError
            If there is no picture.
        """
        if self.comparison.layers.shape is None:
            raise ValueError("There is no picture to choose a region in: open a photo first.")
        self._choosing = rows, cols
        self._point_at(self._pointer)
        self.setFocus()
        self.update()

    def cancel_region(self) -> bool:
        """Stop choosing a region; return False if none was being chosen."""
        if self._choosing is None:
            return False
        self._choosing = None
        if self._press is not None and self._press.region:
            self._press = None
        self.regionCancelled.emit()
        self.update()
        return True

    def candidate(self) -> Region | None:
        """Return the region that releasing the mouse or a click would choose; None while no region is being chosen."""
        if self._choosing is None:
            return None
        if self.dragging_region and self._press is not None:
            ends = self._device(self._press.start), self._device(self._press.last)
            return self.comparison.region_between(*ends[0], *ends[1])
        position = self._pointer if self._pointer is not None else self.rect().center()
        if self.pointed is not None:
            position = self.position_of(*self.shown(*self.pointed))
        return self.comparison.region_around(*self._device(position), *self._choosing)

    @property
    def dragging_region(self) -> bool:
        """Whether a person is drawing a rectangle."""
        return self._press is not None and self._press.region and self._press.dragged

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the picture with its marks, or a hint if there is no picture."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(colours(self.palette()).picture))
        if self.comparison.layers.shape is not None:
            if not paint(painter, self.comparison, self._marks(), self.devicePixelRatioF()):
                self._unfinished.start()
        else:
            painter.setFont(sized(painter.font(), HEADING_PIXELS))
            painter.setPen(self.palette().color(QPalette.ColorRole.WindowText))
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap, HINT)
        if self._focus_shown:
            painter.setPen(QPen(self.palette().color(QPalette.ColorRole.Highlight), 2))
            painter.drawRect(self.rect().adjusted(1, 1, -1, -1))

    def _marks(self) -> Marks:
        cursor = self.shown(*self.pointed) if self.pointed is not None else None
        if self._choosing is not None:  # the whole photo is shown, but the other marks belong to the run's part
            return Marks(candidate=self.candidate(), cursor=cursor)
        pointer = None
        if self._pointer is not None and self._pins.hovered is not None:
            pane = self.comparison.pane_at(self._device(self._pointer)[0])
            pointer = None if pane is None else (pane, *self.shown(*self._pins.hovered))
        if self.comparison.plain:
            return Marks()
        selected = self._pins.selected.number if self._pins.selected is not None else None
        return Marks(self._shown_pins(), self.overlay, self.region, None, pointer, selected, cursor)

    def set_corner(self, row: int, col: int) -> None:
        """Set the row and column of the photo at which the shown pictures begin."""
        self._corner = row, col
        self.update()

    def shown(self, row: int, col: int) -> tuple[int, int]:
        """Return the (row, col) in the shown pictures of a pixel of the photo; it may lie outside them."""
        return row - self._corner[0], col - self._corner[1]

    def in_photo(self, row: int, col: int) -> tuple[int, int]:
        """Return the (row, col) in the photo of a pixel of the shown pictures."""
        return row + self._corner[0], col + self._corner[1]

    def _shown_pins(self) -> list[Pin]:
        rows, cols = self.comparison.layers.shape or (0, 0)
        moved = [replace(pin, row=row, col=col) for pin in self._pins.all for row, col in [self.shown(*pin.pixel)]]
        return [pin for pin in moved if 0 <= pin.row < rows and 0 <= pin.col < cols]

    def show_cursor(self, row: int, col: int) -> None:
        """Point at a pixel of the photo with the keyboard, and bring it into view."""
        self.pointed, self._pointer = (row, col), None
        view, (shown_row, shown_col) = self.comparison.viewport, self.shown(row, col)
        x, y = view.position_of(shown_row + 0.5, shown_col + 0.5)
        dx, dy = min(max(x, 0.0), view.width - 1.0) - x, min(max(y, 0.0), view.height - 1.0) - y
        if dx or dy:
            view.pan(dx, dy)
            self.refresh()
        self._pins.hover((row, col), preview=True)
        self.update()
        if self._choosing is not None:
            self.candidateChanged.emit()

    def take_candidate(self) -> None:
        """Choose the region that a click would choose."""
        self._choose()

    def _pin_at(self, position: QPoint) -> Pin | None:
        """Return the nearest pin whose ring is under a position, in either pane."""
        near = []
        for pin in self._shown_pins():
            for pane in range(len(self.comparison.panes)):
                off = self.position_of(pin.row, pin.col, pane) - position
                near.append((hypot(off.x(), off.y()), pin.number))
        distance, number = min(near, default=(PIN_RADIUS + 1, 0))
        return next((pin for pin in self._pins.all if pin.number == number and distance <= PIN_RADIUS), None)

    # -- mouse ---------------------------------------------------------------------------------------------------

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Begin to drag the pin, the divider, the region or the picture under the pointer."""
        held = event.button() in (Qt.MouseButton.LeftButton, Qt.MouseButton.MiddleButton)
        if not held or self._press is not None or self.comparison.layers.shape is None:
            event.ignore()
            return
        position = event.position().toPoint()
        self._point_at(position)
        left, shift = event.button() == Qt.MouseButton.LeftButton, event.modifiers() & Qt.KeyboardModifier.ShiftModifier
        region = left and (self._choosing is not None or bool(shift))
        pin = self._pin_at(position) if left and not region else None
        divider = left and not region and pin is None and self._on_divider(position)
        self._press = _Press(event.button(), position, position, divider, region, pin.number if pin else None)
        if pin is not None:
            self._pins.select(pin)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Drag what is held, and report the pixel under the pointer."""
        position = event.position().toPoint()
        self.pointed = None
        press = self._press
        if press is not None and not press.dragged:
            press.dragged = (position - press.start).manhattanLength() >= _DRAG_DISTANCE
        if press is not None and press.dragged:
            self._drag(press, position)
        self._point_at(position)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """End a drag; a press without a drag is a click on a pixel."""
        press = self._press
        if press is None or event.button() != press.button:
            event.ignore()
            return
        if press.button == Qt.MouseButton.LeftButton and not press.dragged:
            if press.pin is None:
                self._click(press.start)
        elif press.region:
            self._choose()
        self._press = None
        self._update_cursor()

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Zoom in or out around the pointer."""
        x, y = self._device(event.position().toPoint())
        pane = self.comparison.pane_at(x)
        if pane is None or self.comparison.layers.shape is None or event.angleDelta().y() == 0:
            event.ignore()
            return
        factor = 2 ** (event.angleDelta().y() / _WHEEL_PER_DOUBLING)
        self.comparison.viewport.zoom_by(factor, (x - pane.left(), y - pane.top()))
        self._pointer = event.position().toPoint()
        self.refresh()

    def leaveEvent(self, event: QEvent) -> None:
        """Forget the pixel that the pointer was over."""
        self._point_at(None)

    def _drag(self, press: _Press, position: QPoint) -> None:
        step, press.last = (position - press.last) * self.devicePixelRatioF(), position
        if press.region:
            self._choosing = self._choosing or (1, 1)
        elif press.pin is not None:
            self._drag_pin(press.pin, position)
        elif press.divider:
            self.comparison.move_divider(floor(self._device(position)[0]))
            self.update()
        elif press.button == Qt.MouseButton.MiddleButton or self.comparison.viewport.overflows:
            self.comparison.viewport.pan(step.x(), step.y())
            self.refresh()

    def _drag_pin(self, number: int, position: QPoint) -> None:
        pixel = self.pixel_at(position)
        pin = next((pin for pin in self._pins.all if pin.number == number), None)
        if pixel is not None and pin is not None:
            self._pins.move(pin, *self.in_photo(*pixel))

    def _click(self, position: QPoint) -> None:
        pixel = self.pixel_at(position)
        if pixel is None:
            return
        if self._choosing is not None:
            self._choose()
        elif not self.comparison.plain:
            beside = bool(QGuiApplication.keyboardModifiers() & Qt.KeyboardModifier.ControlModifier)
            self._pins.put(*self.in_photo(*pixel), beside=beside)

    def _choose(self) -> None:
        region = self.candidate()
        self._choosing = None
        self.update()
        if region is not None:
            self.regionChosen.emit(*region)

    def _point_at(self, position: QPoint | None) -> None:
        """Follow the pointer to `position`; None means that it has left the widget."""
        self._pointer = position
        pixel = None if position is None or self._choosing is not None else self.pixel_at(position)
        hovered = None if pixel is None else self.in_photo(*pixel)
        changed = hovered != self._pins.hovered
        shift = bool(QGuiApplication.keyboardModifiers() & Qt.KeyboardModifier.ShiftModifier)
        self._pins.hover(hovered, preview=shift and self._press is None)
        if self._choosing is not None or (changed and len(self.comparison.panes) > 1):
            self.update()
        if self._choosing is not None:
            self.candidateChanged.emit()
        self._update_cursor()

    def _update_cursor(self) -> None:
        press, over = self._press, self._pointer
        panning = press is not None and press.dragged and not press.divider and not press.region
        if press.pin is not None if press is not None else over is not None and self._pin_at(over) is not None:
            shape = Qt.CursorShape.SizeAllCursor if press is not None else Qt.CursorShape.PointingHandCursor
        elif panning and self.comparison.viewport.overflows:
            shape = Qt.CursorShape.ClosedHandCursor
        elif press.divider if press is not None else over is not None and self._on_divider(over):
            shape = Qt.CursorShape.SplitHCursor
        else:
            on_picture = over is not None and self.pixel_at(over) is not None
            shape = Qt.CursorShape.CrossCursor if on_picture else Qt.CursorShape.ArrowCursor
        self.setCursor(shape)

    def _on_divider(self, position: QPoint) -> bool:
        if not self.comparison.wiping or self._choosing is not None:
            return False
        ratio = self.devicePixelRatioF()
        x, y = self._device(position)
        visible = self.comparison.visible(self.comparison.panes[0])
        off = QPointF(x, y) - divider_handle(self.comparison)
        on_line = abs(off.x()) <= _GRAB_DISTANCE * ratio and visible.top() <= y <= visible.bottom() + 1
        return on_line or hypot(off.x(), off.y()) <= HANDLE_RADIUS * ratio

    # -- other events --------------------------------------------------------------------------------------------

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Lay out the picture for the new size."""
        self.refresh()

    def event(self, event: QEvent) -> bool:
        """Paint again when the window has moved to a screen with another scale."""
        if event.type() == QEvent.Type.DevicePixelRatioChange:
            self.refresh()
        return super().event(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Show a frame if the focus came by the keyboard."""
        # A person who uses the mouse sees where it is; one who uses the keyboard needs the frame.
        self._focus_shown = event.reason() in (Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason)
        self.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Remove the frame and the keyboard's cursor."""
        self._focus_shown = False
        self.pointed = None
        self.comparison.flipped = False  # this widget will not get the key's release
        self.update()

    def _device(self, position: QPoint) -> tuple[float, float]:
        """Return the middle of the device pixel at a position, in device pixels."""
        ratio = self.devicePixelRatioF()
        return floor(position.x() * ratio) + 0.5, floor(position.y() * ratio) + 0.5
