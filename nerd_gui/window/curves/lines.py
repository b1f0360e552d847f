"""The lines of a plot: curves with a symbol at each iterate, horizontal levels, the mark of the result, the cursor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pyqtgraph as pg
from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QBrush, QColor, QPainter, QPainterPath, QPen, QPolygonF, QTransform
from PySide6.QtWidgets import QGraphicsItem, QStyleOptionGraphicsItem, QWidget

#: The symbols of a plot's first, second and third quantity, each one unit wide.
SYMBOLS: tuple[QPainterPath, ...] = tuple(pg.graphicsItems.ScatterPlotItem.Symbols[name] for name in ("o", "s", "d"))
_RESULT: QPainterPath = pg.graphicsItems.ScatterPlotItem.Symbols["t1"]
_RESULT_SIZE = 12
_CURSOR_WIDTH = 1.5


@dataclass(frozen=True)
class Curve:
    """A curve as it is drawn: its points in the coordinates of the axes, its pen, and its symbols."""

    points: tuple[tuple[float, float], ...]
    pen: QPen
    symbol: QPainterPath
    size: float


@dataclass(frozen=True)
class Mark:
    """The mark of the result: its point in the coordinates of the axes, its colour, and that of its edge."""

    point: tuple[float, float]
    colour: QColor
    edge: QColor


class _InView(QGraphicsItem):
    """An item that is drawn in pixels of a view, which clips it, and follows the view's size and range.

    It follows at once. pyqtgraph would do so while it paints, and then everything is painted again.
    """

    def __init__(self, view: pg.ViewBox) -> None:
        super().__init__(view)
        self._view = view
        view.sigResized.connect(self._follow)
        view.sigRangeChanged.connect(self._follow)

    def _follow(self) -> None:
        self.prepareGeometryChange()
        self._view.updateMatrix()
        self.update()


class Lines(_InView):
    """All lines that are drawn against the axes of one view, in one item.

    pyqtgraph has an item, or several, for each line, and each takes a millisecond to make, to change and to paint.

    Parameters
    ----------
    view : pyqtgraph.ViewBox
        The view, which clips the lines.
    """

    def __init__(self, view: pg.ViewBox) -> None:
        super().__init__(view)
        self._curves: Sequence[Curve] = ()
        self._levels: Sequence[tuple[float, QPen]] = ()
        self._mark: Mark | None = None
        self.setZValue(-1)

    def draw(
        self, curves: Sequence[Curve], levels: Sequence[tuple[float, QPen]] = (), mark: Mark | None = None
    ) -> None:
        """Draw curves, the last one above the others, horizontal lines below them, and the mark above them."""
        if (self._curves, self._levels, self._mark) != (curves, levels, mark):
            self._curves, self._levels, self._mark = curves, levels, mark
            self.update()

    def boundingRect(self) -> QRectF:
        """The whole view."""
        rect: QRectF = self._view.rect()
        return rect

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:
        """Draw everything, in pixels of the view."""
        to_pixels: QTransform = self._view.childTransform()
        for level, pen in self._levels:
            height = to_pixels.map(QPointF(0, level)).y()
            painter.setPen(pen)
            painter.drawLine(QLineF(0, height, self._view.width(), height))
        for curve in self._curves:
            points = [to_pixels.map(QPointF(*point)) for point in curve.points]
            painter.setPen(curve.pen)
            painter.drawPolyline(QPolygonF(points))
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QBrush(curve.pen.color()))
            symbol = QTransform.fromScale(curve.size, curve.size).map(curve.symbol)
            for point in points:
                painter.drawPath(symbol.translated(point))
        if self._mark is not None:
            painter.setPen(QPen(self._mark.edge, 1))
            painter.setBrush(QBrush(self._mark.colour))
            symbol = QTransform.fromScale(_RESULT_SIZE, _RESULT_SIZE).map(_RESULT)
            painter.drawPath(symbol.translated(to_pixels.map(QPointF(*self._mark.point))))


class Cursor(_InView):
    """A vertical line at an iterate, above everything else in a view; it is hidden at first.

    It is filled as a rectangle, which takes a tenth of the time of a smooth line.

    Parameters
    ----------
    view : pyqtgraph.ViewBox
        The view, over whose height it extends.
    """

    def __init__(self, view: pg.ViewBox) -> None:
        super().__init__(view)
        self._index = 0
        self._brush = QBrush()
        self.setZValue(20)
        self.hide()

    @property
    def index(self) -> int | None:
        """The iterate at which it is; None while it is hidden."""
        return self._index if self.isVisible() else None

    def move_to(self, index: int | None) -> None:
        """Move it to an iterate; None hides it."""
        self.setVisible(index is not None)
        if index is not None:
            self._index = index
            self._follow()

    def set_colour(self, colour: QColor) -> None:
        """Draw it in another colour."""
        self._brush = QBrush(colour)
        self.update()

    def _follow(self) -> None:
        super()._follow()
        to_pixels: QTransform = self._view.childTransform()
        self.setPos(to_pixels.map(QPointF(self._index, 0)).x(), 0)

    def boundingRect(self) -> QRectF:
        """The line, and beside it the pixels that it covers in part."""
        return self._line().adjusted(-1, 0, 1, 0)

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:
        """Fill the line."""
        painter.fillRect(self._line(), self._brush)

    def _line(self) -> QRectF:
        return QRectF(-_CURSOR_WIDTH / 2, 0, _CURSOR_WIDTH, self._view.height())
