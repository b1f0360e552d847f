"""One plot over the iterates: its curves, its level lines, the cursor."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QPoint, QPointF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QMouseEvent, QPalette, QPen, QWheelEvent

from nerd_gui.window.style.tokens import CAPTION_PIXELS, is_dark, series_colour, sized

_LEFT_WIDTH, _RIGHT_WIDTH, _BOTTOM_HEIGHT, _MARGIN = 52, 46, 32, 10
_TICK_ROOM, _TICK_ROW = 30, 16  # pixels that a number on the x axis needs, and one on the y axis


@dataclass(frozen=True)
class Theme:
    """Colours of a plot. The curves' are Okabe and Ito's, told apart by colour-blind eyes, lightened on dark."""

    background: QColor
    text: QColor
    curves: tuple[QColor, ...]

    @classmethod
    def of(cls, palette: QPalette) -> Theme:
        background = palette.base().color()
        curves = tuple(series_colour(slot, dark=is_dark(palette)) for slot in range(3))
        return cls(background, palette.text().color(), curves)

    def faint(self, alpha: float) -> QColor:
        """The text's colour, `alpha` of it."""
        colour = QColor(self.text)
        colour.setAlphaF(alpha)
        return colour


PAPER = Theme(QColor("white"), QColor("black"), tuple(series_colour(slot, dark=False) for slot in range(3)))

_STYLES = (Qt.PenStyle.SolidLine, Qt.PenStyle.DashLine, Qt.PenStyle.DotLine)
SYMBOLS = ("o", "s", "d")


class _IterationAxis(pg.AxisItem):
    """Ticks at whole numbers."""

    def tickValues(self, minVal: float, maxVal: float, size: float) -> list[tuple[float, list[float]]]:
        least = (maxVal - minVal) * _TICK_ROOM / max(size, 1)
        steps = (base * 10**power for power in range(9) for base in (1, 2, 5))
        step = next((step for step in steps if step >= least), 10**9)
        first = math.ceil(minVal / step) * step
        return [(step, [float(value) for value in np.arange(first, maxVal + 1e-9, step)])]

    def tickStrings(self, values: list[float], scale: float, spacing: float) -> list[str]:
        return [str(round(value)) for value in values]


class _ValueAxis(pg.AxisItem):
    """If it is logarithmic: ticks at powers of ten, and at 2 and 5 times them where there are few."""

    def logTickValues(
        self, minVal: float, maxVal: float, size: float, stdTicks: object
    ) -> list[tuple[float, list[float]]]:
        least = (maxVal - minVal) * _TICK_ROW / max(size, 1)  # decades
        factors = (1, 2, 5) if least < math.log10(2) and maxVal - minVal < 2 else (1,)
        step = max(1, math.ceil(least))
        powers = range(math.floor(minVal / step) * step, math.ceil(maxVal) + 1, step)
        values = [power + math.log10(factor) for power in powers for factor in factors]
        return [(float(step), [value for value in values if minVal <= value <= maxVal])]


@dataclass
class Curve:
    """A curve with its thin companion of the reference run, and its points (iterate, value)."""

    order: int
    right: bool
    line: pg.PlotDataItem
    reference: pg.PlotDataItem
    visible: bool = True
    values: dict[str, list[float | None]] = field(default_factory=lambda: {"line": [], "reference": []})


class CurvePlot(pg.PlotWidget):
    """A plot over the iterates with a vertical cursor.

    Parameters
    ----------
    name, accessible, tip : str
        Object name, accessible name, tooltip.
    label, right_label : str
        What the axes show; with a `right_label` curves can be drawn against a second axis.
    log : bool
        Logarithmic left axis; values that are not positive are left out.

    Signals
    -------
    iterateRequested(int)
        The iterate nearest to a click, or to the pointer of a drag.
    """

    iterateRequested = Signal(int)

    def __init__(self, name: str, accessible: str, tip: str, label: str, right_label: str = "", *, log: bool = False):
        super().__init__(axisItems={"bottom": _IterationAxis("bottom"), "left": _ValueAxis("left")})
        self.setObjectName(name)
        self.setAccessibleName(accessible)
        self.setToolTip(tip)
        # A click says what Ctrl+C copies. The scrubber's keys act here as everywhere, the wheel scrolls.
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.setCursor(Qt.CursorShape.CrossCursor)
        self.setFrameShape(self.Shape.NoFrame)
        self.setAntialiasing(True)
        self.setMinimumHeight(88)
        self._label, self._right_label, self._log = label, right_label, log
        self._newest = -1
        self._line_scale = 1.0
        self._asked: int | None = None
        self._result: int | None = None
        self._curves: dict[str, Curve] = {}
        self._levels: dict[str, tuple[pg.InfiniteLine, Qt.PenStyle]] = {}
        item = self.plotItem
        item.hideButtons()
        item.setMenuEnabled(False)
        item.setMouseEnabled(x=False, y=False)
        item.vb.disableAutoRange()
        item.setLogMode(y=log)
        for side in ("left", "right", "bottom"):
            # "x0.001" beside an axis is read by nobody. Once it has a label, this call would do the opposite.
            item.getAxis(side).enableAutoSIPrefix(False)
        self._right = pg.ViewBox(enableMouse=False, enableMenu=False) if right_label else None
        if self._right is not None:
            item.showAxis("right")
            self._right.setParentItem(item)
            self._right.setZValue(item.vb.zValue() - 1)
            self._right.disableAutoRange()
            item.getAxis("right").setStyle(maxTickLevel=1)  # no third row of ticks, which it has no room to number
            item.getAxis("right").linkToView(self._right)
            item.vb.sigResized.connect(self._follow_geometry)
        self._cursor = pg.InfiniteLine(angle=90)
        self._cursor.setZValue(20)
        self._cursor.hide()
        item.addItem(self._cursor, ignoreBounds=True)
        self._mark = pg.ScatterPlotItem(symbol="t1", size=12)
        self._mark.setZValue(30)
        item.addItem(self._mark, ignoreBounds=True)
        self.theme = Theme.of(self.palette())

    # ---- contents -----------------------------------------------------------------------------------------------

    def add_curve(self, key: str, *, right: bool = False) -> None:
        """Make room for a curve; the first one carries the mark of the result."""
        line, reference = pg.PlotDataItem(), pg.PlotDataItem()
        for item in (line, reference):
            if right and self._right is not None:
                self._right.addItem(item)
            else:
                self.plotItem.addItem(item)
        self._curves[key] = Curve(len(self._curves), right, line, reference)

    def add_level(self, key: str, style: Qt.PenStyle) -> None:
        """Make room for a horizontal line."""
        line = pg.InfiniteLine(angle=0)
        line.hide()
        self._levels[key] = (line, style)
        self.plotItem.addItem(line, ignoreBounds=True)

    def set_values(self, key: str, values: Sequence[float | None], *, reference: bool = False) -> None:
        """Draw a curve, its value i at iterate i; what is None or cannot be drawn is skipped."""
        curve = self._curves[key]
        which = "reference" if reference else "line"
        curve.values[which] = list(values)
        points = [(index, value) for index, value in enumerate(values) if self._drawable(value)]
        item: pg.PlotDataItem = getattr(curve, which)
        item.setData([index for index, _ in points], [value for _, value in points])

    def set_level(self, key: str, value: float | None) -> None:
        """Move a horizontal line; None takes it away."""
        line, _ = self._levels[key]
        shown = value is not None and self._drawable(value)
        line.setVisible(shown)
        if value is not None and shown:
            line.setPos(math.log10(value) if self._log else value)

    def level(self, key: str) -> float | None:
        """Where a horizontal line stands, in the units of the axis; None for none."""
        line, _ = self._levels[key]
        if not line.isVisible():
            return None
        return 10 ** line.value() if self._log else line.value()

    def show_curve(self, key: str, visible: bool) -> None:
        """Show or hide a curve and its reference."""
        curve = self._curves[key]
        curve.visible = visible
        curve.line.setVisible(visible)
        curve.reference.setVisible(visible)

    def points(self, key: str, *, reference: bool = False) -> tuple[list[int], list[float]]:
        """The iterates and values that a curve is drawn through."""
        curve = self._curves[key]
        x, y = (curve.reference if reference else curve.line).getOriginalDataset()
        return ([], []) if x is None else ([round(value) for value in x], [float(value) for value in y])

    def set_result(self, index: int | None) -> None:
        """Mark the result on the first curve."""
        self._result = index
        first = next(iter(self._curves.values()))
        value = first.values["line"][index] if index is not None else None
        if index is None or value is None or not self._drawable(value):
            self._mark.setData([], [])
        else:
            self._mark.setData([index], [math.log10(value) if self._log else value])

    @property
    def result_index(self) -> int | None:
        """The iterate marked as the result."""
        x, _ = self._mark.getData()
        return round(x[0]) if len(x) else None

    @property
    def cursor_index(self) -> int | None:
        """The iterate under the cursor, None while it is hidden."""
        return round(self._cursor.value()) if self._cursor.isVisible() else None

    def set_cursor_index(self, index: int | None) -> None:
        """Move the cursor; None hides it."""
        self._cursor.setVisible(index is not None)
        if index is not None:
            self._cursor.setValue(index)

    def fit(self, newest: int, last: int) -> None:
        """Show the iterates 0 ... `last`, of which `newest` is there, and all the values of what is visible."""
        self._newest = newest
        view = self.plotItem.vb
        margin = 0.02 * last + 0.15
        view.setXRange(-margin, last + margin, padding=0)
        drawn = self._drawn(right=False)
        view.setYRange(*_y_range(drawn, log=self._log), padding=0)
        axis, numbered = self.plotItem.getAxis("left"), bool(drawn)
        if axis.style["showValues"] != numbered:  # numbers beside nothing would say something
            axis.setStyle(showValues=numbered)
        if self._right is not None:
            self._right.setXRange(-margin, last + margin, padding=0)
            self._right.setYRange(*_y_range(self._drawn(right=True), log=False), padding=0)

    def _drawn(self, *, right: bool) -> list[float]:
        """The values, and levels, that are to be seen."""
        curves = [curve for curve in self._curves.values() if curve.visible and curve.right is right]
        values = [value for curve in curves for each in curve.values.values() for value in each]
        if not right:
            values += [self.level(key) for key in self._levels]
        return [value for value in values if value is not None and self._drawable(value, right=right)]

    def _drawable(self, value: float | None, *, right: bool = False) -> bool:
        return value is not None and math.isfinite(value) and (value > 0 or right or not self._log)

    def _follow_geometry(self) -> None:
        if self._right is not None:
            self._right.setGeometry(self.plotItem.vb.geometry())

    # ---- looks --------------------------------------------------------------------------------------------------

    def set_frame(self, *, right: bool, bottom: bool) -> None:
        """Keep room for a right axis, as the plots stacked with this one do; number the iterates or not."""
        empty = 0 if self._right is not None else _RIGHT_WIDTH if right else _MARGIN
        self.plotItem.layout.setContentsMargins(0, 5, empty, 2)
        axis = self.plotItem.getAxis("bottom")
        axis.setStyle(showValues=bottom)
        axis.setLabel("step of the solver" if bottom else "", **self._label_style())
        axis.showLabel(bottom)
        axis.setHeight(_BOTTOM_HEIGHT if bottom else 6)

    def set_theme(self, theme: Theme) -> None:
        """Colour everything."""
        self.theme = theme
        self.setBackground(theme.background)
        font = sized(self.font(), CAPTION_PIXELS)
        item = self.plotItem
        for side, text in (("left", self._label), ("right", self._right_label), ("bottom", None)):
            axis = item.getAxis(side)
            axis.setPen(pg.mkPen(theme.faint(0.45)))
            axis.setTextPen(pg.mkPen(theme.text))
            axis.setTickFont(font)
            axis.setStyle(tickLength=-4, autoExpandTextSpace=False, tickTextOffset=4, tickTextHeight=12)
            if text:
                axis.setLabel(text, **self._label_style())
                axis.setWidth(_LEFT_WIDTH if side == "left" else _RIGHT_WIDTH)
        item.getAxis("left").setGrid(28)
        self._cursor.setPen(pg.mkPen(theme.faint(0.75), width=1.5))
        self._mark.setPen(pg.mkPen(theme.background, width=1))
        self._mark.setBrush(pg.mkBrush(theme.text))
        for key, curve in self._curves.items():
            pen = self.pen(key)
            curve.line.setPen(pen)
            curve.line.setSymbol(SYMBOLS[curve.order])
            curve.line.setSymbolSize(6)
            curve.line.setSymbolPen(None)
            curve.line.setSymbolBrush(pen.color())
            curve.reference.setPen(self.pen(key, reference=True))
        for key, (line, _) in self._levels.items():
            line.setPen(self.level_pen(key))

    def pen(self, key: str, *, reference: bool = False) -> QPen:
        """How a curve is drawn."""
        curve = self._curves[key]
        colour = QColor(self.theme.curves[curve.order])
        width = (1 if reference else 2) * self._line_scale
        return pg.mkPen(colour, width=width, style=_STYLES[0 if reference else curve.order])

    def level_pen(self, key: str) -> QPen:
        """How a horizontal line is drawn."""
        return pg.mkPen(self.theme.faint(0.7), width=1.3 * self._line_scale, style=self._levels[key][1])

    def _label_style(self) -> dict[str, str]:
        return {"color": self.theme.text.name(), "font-size": f"{CAPTION_PIXELS}px"}

    @contextmanager
    def as_figure(self, line_scale: float = 1.0) -> Iterator[None]:
        """For as long as this lasts: dark on white, the cursor gone, lines `line_scale` times as wide."""
        theme, cursor = self.theme, self.cursor_index
        self._line_scale = line_scale
        self.set_theme(PAPER)
        self.set_cursor_index(None)
        try:
            yield
        finally:
            self._line_scale = 1.0
            self.set_theme(theme)
            self.set_cursor_index(cursor)

    def sizeHint(self) -> QSize:
        """Three plots and a panel beneath fit on a small screen."""
        return QSize(400, 140)

    # ---- the pointer --------------------------------------------------------------------------------------------

    def iterate_at(self, position: QPoint) -> int | None:
        """The iterate nearest to a place in the widget, None while there is none."""
        x = self.plotItem.vb.mapSceneToView(QPointF(self.mapToScene(position))).x()
        return min(max(round(x), 0), self._newest) if self._newest >= 0 else None

    def position_of(self, index: int) -> QPoint:
        """Where an iterate stands in the widget, half way up the plot."""
        view = self.plotItem.vb
        return self.mapFromScene(view.mapViewToScene(QPointF(index, view.viewRect().center().y())))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Ask for the iterate under the pointer."""
        if event.button() == Qt.MouseButton.LeftButton:
            self._asked = None
            self._ask(event)
        else:
            event.ignore()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Ask for each iterate that is dragged over."""
        if event.buttons() & Qt.MouseButton.LeftButton:
            self._ask(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """The drag is over."""

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """A second click like any other."""
        self.mousePressEvent(event)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Leave the wheel to what scrolls the plots."""
        event.ignore()

    def _ask(self, event: QMouseEvent) -> None:
        index = self.iterate_at(event.position().toPoint())
        if index is not None and index != self._asked:
            self._asked = index
            self.iterateRequested.emit(index)


def _y_range(drawn: list[float], *, log: bool) -> tuple[float, float]:
    """What the axis covers, logarithms if it is logarithmic."""
    if not drawn:
        return (-3.0, 0.0) if log else (0.0, 1.0)
    low, high = (math.log10(value) if log else value for value in (min(drawn), max(drawn)))
    least = 1e-3 if len(drawn) > 1 else 0.5  # a lone level says nothing of how near the curve will come to it
    span = max(high - low, 0.5 if log else least * abs(high), 1e-9)
    return low - 0.08 * span, high + 0.08 * span
