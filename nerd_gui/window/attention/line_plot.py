"""A small plot of one quantity for each head over the iterates, with a cursor at the shown iterate."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFontMetrics, QMouseEvent, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from nerd_gui.window.style.tokens import CAPTION_PIXELS, TIGHT, colours, is_dark, series_colour, sized

_DOT = 2.5
_SAMPLE, _APART = 25, 14  # pixels for the line before a head's name, and between two entries
_LINES = (Qt.PenStyle.SolidLine, Qt.PenStyle.DashLine, Qt.PenStyle.DotLine, Qt.PenStyle.DashDotLine)


def head_pen(head: int, *, dark: bool) -> QPen:
    """Return the pen with which a head's line is drawn."""
    return QPen(series_colour(head, dark=dark), 1.6, _LINES[head % len(_LINES)])


class LinePlot(QWidget):
    """A plot with one line for each head.

    Signals
    -------
    iterateRequested(int)
        The iterate nearest to the pointer during a click or a drag.
    """

    iterateRequested = Signal(int)

    def __init__(self, title: str, form: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._title, self._form = title, form
        self._points: dict[int, NDArray[np.float64]] = {}
        self._last, self._index = 1, -1
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setCursor(Qt.CursorShape.CrossCursor)

    def set_points(self, points: dict[int, NDArray[np.float64]], last: int, index: int) -> None:
        """Draw the values (heads,) of some iterates, with an axis from 0 to `last` and the cursor at `index`."""
        self._points, self._last, self._index = points, max(last, 1), index
        here = points.get(index)
        values = ", ".join(self._form.format(value) for value in here) if here is not None else "not known yet"
        self.setAccessibleDescription(f"iterate {index}: {values}")
        self.update()

    def points(self, head: int) -> list[tuple[int, float]]:
        """Return the drawn points of a head: iterate and value."""
        return [(index, float(values[head])) for index, values in sorted(self._points.items())]

    def position_of(self, index: int, value: float) -> QPointF:
        """Return the position at which an iterate's value is drawn."""
        area, (low, high) = self._area(), self._ends()
        down = (value - low) / (high - low)
        return QPointF(area.left() + area.width() * index / self._last, area.bottom() - area.height() * down)

    def sizeHint(self) -> QSize:
        """A size that lets three plots fit side by side."""
        return QSize(160, 110)

    def minimumSizeHint(self) -> QSize:
        """The least size at which the lines can be followed."""
        return QSize(96, 66)

    def _ends(self) -> tuple[float, float]:
        values = np.concatenate(list(self._points.values())) if self._points else np.array([0.0, 1.0])
        low, high = float(values.min()), float(values.max())
        room = max(high - low, 1e-3 * max(abs(high), 1e-6))
        return max(low - 0.05 * room, min(low, 0.0)), high + 0.05 * room  # none of the quantities can be negative

    def _area(self) -> QRectF:
        metrics = QFontMetrics(sized(self.font(), CAPTION_PIXELS))
        left = metrics.horizontalAdvance(self._form.format(888.8)) + TIGHT
        top, bottom = metrics.height() + TIGHT, metrics.height()
        return QRectF(left, top, max(self.width() - left - 6, 1), max(self.height() - top - bottom, 1))

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the title, the ends of the axes, the cursor and the lines."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(sized(self.font(), CAPTION_PIXELS))
        scheme, area, (low, high) = colours(self.palette()), self._area(), self._ends()
        text, line = QColor(scheme.text), QColor(scheme.frame)
        height = painter.fontMetrics().height()
        painter.setPen(text)
        painter.drawText(QRectF(0, 0, self.width(), height), Qt.AlignmentFlag.AlignLeft, self._title)
        if self._points:
            for value, top in ((high, area.top()), (low, area.bottom() - height)):
                place = QRectF(0, top, area.left() - TIGHT, height)
                painter.drawText(
                    place, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, self._form.format(value)
                )
        for words, side in (("0", Qt.AlignmentFlag.AlignLeft), (str(self._last), Qt.AlignmentFlag.AlignRight)):
            painter.drawText(QRectF(area.left() - 3, area.bottom(), area.width() + 6, height), side, words)
        painter.setPen(QPen(line, 1))
        painter.drawLine(area.topLeft(), area.bottomLeft())
        painter.drawLine(area.bottomLeft(), area.bottomRight())
        if self._index >= 0:
            x = area.left() + area.width() * self._index / self._last
            painter.setPen(QPen(text, 1))
            painter.drawLine(QPointF(x, area.top()), QPointF(x, area.bottom()))
        dark = is_dark(self.palette())
        heads = len(next(iter(self._points.values()))) if self._points else 0
        for head in range(heads):
            points = [self.position_of(index, value) for index, value in self.points(head)]
            pen = head_pen(head, dark=dark)
            painter.setPen(pen)
            painter.drawPolyline(QPolygonF(points))
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(pen.color())
            for point in points:
                painter.drawEllipse(point, _DOT, _DOT)
        painter.end()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Request the iterate under the pointer."""
        self._ask(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Request each iterate that the pointer is dragged over."""
        self._ask(event)

    def _ask(self, event: QMouseEvent) -> None:
        if not event.buttons() & Qt.MouseButton.LeftButton or not self._points:
            event.ignore()
            return
        area = self._area()
        index = round((event.position().x() - area.left()) / area.width() * self._last)
        self.iterateRequested.emit(min(max(index, 0), self._last))


class HeadLegend(QWidget):
    """A legend that says which line belongs to which head."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._heads = 0
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def set_heads(self, heads: int) -> None:
        """Set the number of entries."""
        if heads != self._heads:
            self._heads = heads
            self.update()

    def sizeHint(self) -> QSize:
        """The height of one line of small text."""
        return QSize(200, QFontMetrics(sized(self.font(), CAPTION_PIXELS)).height() + 2)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw a sample of each line with the number of its head; in a narrow legend only the first one says “head”."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(sized(self.font(), CAPTION_PIXELS))
        left, middle, dark = 0.0, self.height() / 2, is_dark(self.palette())
        names = [f"head {head + 1}" for head in range(self._heads)]
        metrics = painter.fontMetrics()
        if sum(_SAMPLE + metrics.horizontalAdvance(name) + _APART for name in names) > self.width():
            names[1:] = [str(head + 1) for head in range(1, self._heads)]
        for head, words in enumerate(names):
            painter.setPen(head_pen(head, dark=dark))
            painter.drawLine(QPointF(left, middle), QPointF(left + _SAMPLE - 5, middle))
            painter.setPen(QColor(colours(self.palette()).text))
            width = metrics.horizontalAdvance(words)
            painter.drawText(QRectF(left + _SAMPLE, 0, width + 1, self.height()), Qt.AlignmentFlag.AlignVCenter, words)
            left += _SAMPLE + width + _APART
        painter.end()


def values_of(found: Sequence[tuple[int, NDArray[np.float64]]]) -> dict[int, NDArray[np.float64]]:
    """Return the values by iterate, without iterates that have non-finite values."""
    return {index: values for index, values in found if np.isfinite(values).all()}
