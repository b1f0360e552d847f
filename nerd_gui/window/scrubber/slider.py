"""The scrubber's slider: a click moves the handle to the pointer, and marks stand below the groove."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPointF, QRect, QSize, Qt
from PySide6.QtGui import QHelpEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSlider, QStyle, QStyleOptionSlider, QToolTip, QWidget

_MARK_ROOM = 10  # pixels for marks below the handle; the same margin above it keeps the groove centred
_REACH = 7  # pixels; the tooltip of a mark appears within this distance

RESULT_TIP = "result: the iterate with the smallest residual"
RESTARTED_TIP = "restarted: the safeguard dropped the step from this iterate"


class IterateSlider(QSlider):
    """A horizontal slider over the iterates.

    A press on the groove moves the handle to the nearest iterate and holds it there; QSlider would move by a page.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(Qt.Orientation.Horizontal, parent)
        self._result: int | None = None
        self._restarted: list[int] = []
        self._grip = 0  # distance in pixels from the handle's middle to the point where it was grabbed

    def set_marks(self, result: int | None, restarted: list[int]) -> None:
        """Mark the result with a filled triangle and the restarted iterates with hollow circles."""
        if (result, restarted) != (self._result, self._restarted):
            self._result, self._restarted = result, list(restarted)
            self.update()

    def position_of(self, index: int) -> int:
        """Return the x at which the middle of the handle stands for an iterate."""
        groove, handle = self._rects()
        span = groove.width() - handle.width()
        offset = QStyle.sliderPositionFromValue(self.minimum(), self.maximum(), index, span)
        return groove.left() + offset + handle.width() // 2

    def mark_at(self, x: int) -> str:
        """Return the tooltip of the marks near `x`; empty if there are none."""
        marks = [(index, RESTARTED_TIP) for index in self._restarted]
        marks += [] if self._result is None else [(self._result, RESULT_TIP)]
        near = [(abs(self.position_of(index) - x), tip) for index, tip in marks if index <= self.maximum()]
        near = [(distance, tip) for distance, tip in near if distance <= _REACH]
        return "\n".join(dict.fromkeys(tip for _, tip in sorted(near)))

    def _rects(self) -> tuple[QRect, QRect]:
        option = QStyleOptionSlider()
        self.initStyleOption(option)
        style, control = self.style(), QStyle.ComplexControl.CC_Slider
        return (
            style.subControlRect(control, option, QStyle.SubControl.SC_SliderGroove, self),
            style.subControlRect(control, option, QStyle.SubControl.SC_SliderHandle, self),
        )

    def _value_at(self, x: float) -> int:
        groove, handle = self._rects()
        offset = round(x) - groove.left() - handle.width() // 2
        span = groove.width() - handle.width()
        return QStyle.sliderValueFromPosition(self.minimum(), self.maximum(), offset, span)

    def sizeHint(self) -> QSize:
        """The style's size, with room for the marks."""
        return self._roomy(super().sizeHint())

    def minimumSizeHint(self) -> QSize:
        """The style's size, with room for the marks."""
        return self._roomy(super().minimumSizeHint())

    def _roomy(self, size: QSize) -> QSize:
        _, handle = self._rects()
        return size.expandedTo(QSize(0, handle.height() + 2 * _MARK_ROOM))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Grab the handle; a press on the groove moves it to the pointer first."""
        if event.button() != Qt.MouseButton.LeftButton:
            event.ignore()
            return
        _, handle = self._rects()
        point = event.position()
        held = handle.contains(point.toPoint())
        self._grip = round(point.x()) - self.position_of(self.sliderPosition()) if held else 0
        self.setSliderDown(True)
        if not held:
            self.setSliderPosition(self._value_at(point.x()))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Drag the handle."""
        if self.isSliderDown():
            self.setSliderPosition(self._value_at(event.position().x() - self._grip))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Release the handle."""
        if event.button() == Qt.MouseButton.LeftButton and self.isSliderDown():
            self.setSliderDown(False)

    def event(self, event: QEvent) -> bool:
        """Show the tooltip of the mark under the pointer."""
        if isinstance(event, QHelpEvent) and (tip := self.mark_at(event.pos().x())):
            QToolTip.showText(event.globalPos(), tip, self)
            return True
        return super().event(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the slider, and the marks below it."""
        super().paintEvent(event)
        if not self.isEnabled():
            return
        _, handle = self._rects()
        top = float(min(handle.bottom() + 2, self.height() - _MARK_ROOM + 1))
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        text = self.palette().windowText().color()
        painter.setPen(QPen(text, 1.2))
        for index in self._restarted:
            if index <= self.maximum() and index != self._result:
                painter.drawEllipse(QPointF(self.position_of(index) + 0.5, top + 4), 2.5, 2.5)
        if self._result is not None and self._result <= self.maximum():
            x = self.position_of(self._result) + 0.5
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(text)
            painter.drawPolygon(QPolygonF([QPointF(x, top), QPointF(x - 5, top + 8), QPointF(x + 5, top + 8)]))
        painter.end()
