"""Draws a plot of an answer, on the screen or for a file."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QPolygonF

from nerd_gui.analysis.catalogue import Axis, Curve, Plot

_LEFT, _BOTTOM, _TOP, _RIGHT = 52.0, 34.0, 8.0, 12.0
_SAMPLE, _GAP = 20.0, 14.0
_DOT = 3.5
_LINES = (Qt.PenStyle.SolidLine, Qt.PenStyle.DashLine, Qt.PenStyle.DotLine, Qt.PenStyle.DashDotLine)
_ROOM = 1.15  # half side of the complex plane, relative to the unit circle's radius


@dataclass(frozen=True)
class Ink:
    """The colours of a plot.

    Attributes
    ----------
    text, second, grid : QColor
    series : callable
        Returns the colour of a curve, given its index from 0.
    """

    text: QColor
    second: QColor
    grid: QColor
    series: Callable[[int], QColor]


class PlotDrawing:
    """The drawing of a plot in a rectangle.

    Parameters
    ----------
    plot : Plot
    place : QRectF
        The rectangle, including the labels of the axes and the legend.
    line : float
        The height of a line of text.
    """

    def __init__(self, plot: Plot, place: QRectF, line: float) -> None:
        self._plot, self._line = plot, line
        legend = line + 4 if len(plot.curves) > 1 else 0.0
        self._place = place
        self.area = place.adjusted(_LEFT, _TOP + legend, -_RIGHT, -_BOTTOM)
        self._x = _range(plot.x, [value for curve in plot.curves for value in curve.x])
        self._y = _range(plot.y, [value for curve in plot.curves for value in curve.y])
        if plot.unit_circle:
            reach = _ROOM * max([1.0, *(math.hypot(*point) for curve in plot.curves for point in _points(curve))])
            self._x = self._y = (-reach, reach)
            side = min(self.area.width(), self.area.height())
            self.area = QRectF(self.area.center().x() - side / 2, self.area.top(), side, side)

    def position(self, x: float, y: float) -> QPointF:
        """Return where a point is drawn; on a logarithmic axis, the argument is the value itself."""
        return QPointF(
            self.area.left() + self.area.width() * _share(self._plot.x, self._x, x),
            self.area.bottom() - self.area.height() * _share(self._plot.y, self._y, y),
        )

    def of_iterate(self, index: int) -> list[QPointF]:
        """Return where an iterate's points are drawn; empty if the plot has none."""
        iterates = self._plot.iterates
        if index not in iterates:
            return []
        place = iterates.index(index)
        curves = (curve for curve in self._plot.curves if curve.joined and len(curve.x) == len(iterates))
        points = ((curve.x[place], curve.y[place]) for curve in curves)
        return [self.position(x, y) for x, y in points if math.isfinite(y) and (y > 0 or not self._plot.y.log)]

    def draw(self, painter: QPainter, ink: Ink) -> None:
        """Draw legend, axes and curves."""
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._draw_axes(painter, ink)
        if self._plot.unit_circle:
            painter.setPen(QPen(ink.second, 1.2))
            radius = self.position(1, 0).x() - self.position(0, 0).x()
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawEllipse(self.position(0, 0), radius, radius)
        for slot, curve in enumerate(self._plot.curves):
            self._draw_curve(painter, curve, ink.series(slot), _LINES[slot % len(_LINES)])
        if len(self._plot.curves) > 1:
            self._draw_legend(painter, ink)
        painter.restore()

    # ---- inside -------------------------------------------------------------------------------------------------

    def _draw_axes(self, painter: QPainter, ink: Ink) -> None:
        area, line = self.area, self._line
        middle, right = Qt.AlignmentFlag.AlignHCenter, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        for value, words in _ticks(self._plot.y, self._y, area.height() / (2.2 * line)):
            y = self.position(self._origin(self._plot.x, self._x), value).y()
            painter.setPen(QPen(ink.grid, 1))
            painter.drawLine(QPointF(area.left(), y), QPointF(area.right(), y))
            painter.setPen(ink.text)
            painter.drawText(QRectF(area.left() - _LEFT, y - line / 2, _LEFT - 6, line), right, words)
        for value, words in _ticks(self._plot.x, self._x, area.width() / 52):
            x = self.position(value, self._origin(self._plot.y, self._y)).x()
            painter.setPen(QPen(ink.grid, 1))
            painter.drawLine(QPointF(x, area.bottom()), QPointF(x, area.bottom() + 4))
            if self._plot.unit_circle:
                painter.drawLine(QPointF(x, area.top()), QPointF(x, area.bottom()))
            painter.setPen(ink.text)
            painter.drawText(QRectF(x - 30, area.bottom() + 4, 60, line), middle, words)
        painter.setPen(QPen(ink.second, 1))
        painter.drawLine(area.topLeft(), area.bottomLeft())
        painter.drawLine(area.bottomLeft(), area.bottomRight())
        painter.setPen(ink.second)
        painter.drawText(QRectF(area.left(), area.bottom() + 5 + line, area.width(), line), middle, self._plot.x.label)
        painter.save()
        painter.translate(area.left() - _LEFT, area.center().y())
        painter.rotate(-90)
        painter.drawText(QRectF(-area.height() / 2, -2, area.height(), line), middle, self._plot.y.label)
        painter.restore()

    @staticmethod
    def _origin(axis: Axis, ends: tuple[float, float]) -> float:
        return 10 ** ends[0] if axis.log else ends[0]

    def _draw_curve(self, painter: QPainter, curve: Curve, colour: QColor, style: Qt.PenStyle) -> None:
        drawn = [self.position(x, y) for x, y in _points(curve) if not (self._plot.y.log and y <= 0)]
        painter.setBrush(Qt.BrushStyle.NoBrush)
        if curve.joined:
            painter.setPen(QPen(colour, 1.8, style))
            painter.drawPolyline(QPolygonF(drawn))
            return
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour)
        for point in drawn:
            painter.drawEllipse(point, _DOT, _DOT)

    def _draw_legend(self, painter: QPainter, ink: Ink) -> None:
        left, middle = self.area.left(), self._place.top() + self._line / 2
        for slot, curve in enumerate(self._plot.curves):
            painter.setPen(QPen(ink.series(slot), 1.8, _LINES[slot % len(_LINES)]))
            if curve.joined:
                painter.drawLine(QPointF(left, middle), QPointF(left + _SAMPLE, middle))
            else:
                painter.setPen(Qt.PenStyle.NoPen)
                painter.setBrush(ink.series(slot))
                painter.drawEllipse(QPointF(left + _SAMPLE / 2, middle), _DOT, _DOT)
            painter.setPen(ink.text)
            width = painter.fontMetrics().horizontalAdvance(curve.name) + 2
            place = QRectF(left + _SAMPLE + 5, self._place.top(), width, self._line)
            painter.drawText(place, Qt.AlignmentFlag.AlignVCenter, curve.name)
            left += _SAMPLE + 5 + width + _GAP


def _points(curve: Curve) -> Iterator[tuple[float, float]]:
    """Yield the points whose coordinates are both finite."""
    for x, y in zip(curve.x, curve.y, strict=True):
        if math.isfinite(x) and math.isfinite(y):
            yield x, y


def _range(axis: Axis, values: list[float]) -> tuple[float, float]:
    """Return the ends of an axis, or their logarithms to base 10 if the axis is logarithmic."""
    usable = [value for value in values if math.isfinite(value) and (value > 0 or not axis.log)]
    if not usable:
        return (-1.0, 0.0) if axis.log else (0.0, 1.0)
    low, high = min(usable), max(usable)
    if axis.log:
        low, high = math.log10(low), math.log10(high)
    room = 0.04 * max(high - low, 0.5 if axis.log else 1e-9 * max(abs(high), 1.0))
    return low - room, high + room


def _share(axis: Axis, ends: tuple[float, float], value: float) -> float:
    at = math.log10(value) if axis.log else value
    return (at - ends[0]) / (ends[1] - ends[0])


def _ticks(axis: Axis, ends: tuple[float, float], most: float) -> list[tuple[float, str]]:
    """Return the values to mark on an axis with their labels, at most about `most` of them."""
    low, high = ends
    if axis.log:
        step = max(1, math.ceil((high - low) / max(most, 1)))
        powers = range(math.ceil(low / step) * step, math.floor(high) + 1, step)
        return [(10.0**power, "1" if power == 0 else f"1e{power}") for power in powers]
    least = (high - low) / max(most, 1)
    steps = (base * 10.0**power for power in range(-9, 9) for base in (1, 2, 5))
    step_ = next((step for step in steps if step >= least), high - low)
    first, last = math.ceil(low / step_), math.floor(high / step_)
    return [(number * step_, f"{number * step_:.6g}") for number in range(first, last + 1)]
