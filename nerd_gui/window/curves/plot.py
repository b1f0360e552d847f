"""One plot over the iterates: the curves of several runs, level lines, the cursor."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import pyqtgraph as pg
from PySide6.QtCore import QPoint, QPointF, QSize, Qt, Signal
from PySide6.QtGui import QMouseEvent, QPen, QWheelEvent

from nerd_gui.window.curves.axes import IterationAxis, ValueAxis, show_range, value_range
from nerd_gui.window.curves.plot_item import PlotItem
from nerd_gui.window.curves.theme import PAPER, Theme
from nerd_gui.window.style.tokens import CAPTION_PIXELS, sized

_LEFT_WIDTH, _RIGHT_WIDTH, _BOTTOM_HEIGHT, _TICKS, _MARGIN = 52, 46, 32, 6, 10
_LEAST = 76  # pixels, the least height, which leaves room for the name of an axis


STYLES = (Qt.PenStyle.SolidLine, Qt.PenStyle.DashLine, Qt.PenStyle.DotLine)
SYMBOLS = ("o", "s", "d")


@dataclass(frozen=True)
class Series:
    """The curves of one run in a plot.

    Attributes
    ----------
    slot : int
        The run's index among the colours.
    values : dict
        For each quantity the list of its values by iterate.
    """

    slot: int
    values: dict[str, list[float | None]]


@dataclass
class _Quantity:
    """A quantity that is drawn for every run; `order` selects its line style and symbol."""

    order: int
    right: bool
    visible: bool = True


@dataclass
class _Level:
    """Horizontal lines of one kind, each with the colour of a run or without one."""

    style: Qt.PenStyle
    lines: list[tuple[pg.InfiniteLine, int | None]] = field(default_factory=list)
    values: list[tuple[float, int | None]] = field(default_factory=list)


class CurvePlot(pg.GraphicsView):  # type: ignore[misc]  # pyqtgraph has no annotations
    """A plot over the iterates with a vertical cursor.

    Parameters
    ----------
    name, accessible, tip : str
        Object name, accessible name, tooltip.
    label, right_label : str
        The names of the axes; with a `right_label`, curves can be drawn against a second axis.
    log : bool
        Whether the left axis is logarithmic; values that are not positive are then not drawn.

    Signals
    -------
    iterateRequested(int)
        The iterate nearest to the pointer during a click or a drag.
    """

    iterateRequested = Signal(int)

    def __init__(self, name: str, accessible: str, tip: str, label: str, right_label: str = "", *, log: bool = False):
        super().__init__()
        self.enableMouse(False)
        self.plotItem = item = PlotItem(IterationAxis("bottom"), ValueAxis("left"), log=log)
        self.setCentralItem(item)
        self.setObjectName(name)
        self.setAccessibleName(accessible)
        self.setToolTip(tip)
        # A click gives the focus, so that Ctrl+C copies the curves. The scrubber's keys act here as everywhere.
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.setCursor(Qt.CursorShape.CrossCursor)
        self.setFrameShape(self.Shape.NoFrame)
        self.setAntialiasing(True)
        self._label, self._right_label, self._log = label, right_label, log
        self._newest = -1
        self._line_scale = 1.0
        self._asked: int | None = None
        self._quantities: dict[str, _Quantity] = {}
        self._shown: Series | None = None
        self._series: list[Series] = []
        self._lines: dict[tuple[int, str], pg.PlotDataItem] = {}
        self._drawn_as: dict[pg.PlotDataItem, tuple[list[float | None], QPen]] = {}
        self._levels: dict[str, _Level] = {}
        for axis in item.axes.values():
            # No factor such as "x0.001" beside the axis. After the axis has a label, this call would do the opposite.
            axis.enableAutoSIPrefix(False)
        self._right = pg.ViewBox(enableMouse=False, enableMenu=False) if right_label else None
        if self._right is not None:
            item.getAxis("right").show()
            self._right.setParentItem(item)
            self._right.setZValue(item.vb.zValue() - 1)
            self._right.disableAutoRange()
            item.getAxis("right").setStyle(maxTickLevel=1)  # no third row of ticks, for whose numbers there is no room
            item.getAxis("right").linkToView(self._right)
            item.vb.sigResized.connect(self._follow_geometry)
        self._cursor = pg.InfiniteLine(angle=90)
        self._cursor.setZValue(20)
        self._cursor.hide()
        item.addItem(self._cursor, ignoreBounds=True)
        self._mark = pg.ScatterPlotItem(symbol="t1", size=12)
        self._marked: tuple[int, float] | None = None
        self._frame: tuple[bool, bool, str] | None = None
        self._mark.setZValue(30)
        item.addItem(self._mark, ignoreBounds=True)
        self.theme = Theme.of(self.palette())

    # ---- contents -----------------------------------------------------------------------------------------------

    def add_curve(self, key: str, *, right: bool = False) -> None:
        """Add a quantity; the result is marked on the curve of the first one."""
        self._quantities[key] = _Quantity(len(self._quantities), right and self._right is not None)

    def add_level(self, key: str, style: Qt.PenStyle) -> None:
        """Add a kind of horizontal lines."""
        self._levels[key] = _Level(style)

    def set_series(self, shown: Series | None, others: Sequence[Series] = ()) -> None:
        """Draw the curves of the shown run with wide lines and those of other runs with thin ones."""
        self._shown, self._series = shown, [*others, *([shown] if shown is not None else [])]
        wanted = {(series.slot, key) for series in self._series for key in self._quantities}
        for gone in set(self._lines) - wanted:
            line = self._lines.pop(gone)
            self._drawn_as.pop(line, None)
            self._view_of(gone[1]).removeItem(line)
        for series in self._series:
            for key in self._quantities:
                if (series.slot, key) not in self._lines:
                    self._make(series.slot, key)
                self._dress(series, key)

    def _make(self, slot: int, key: str) -> None:
        line = self._lines[slot, key] = pg.PlotDataItem()
        line.setVisible(self._quantities[key].visible)
        self._view_of(key).addItem(line)

    def _view_of(self, key: str) -> pg.ViewBox | PlotItem:
        return self._right if self._quantities[key].right else self.plotItem

    def set_levels(self, key: str, values: Sequence[tuple[float, int | None]]) -> None:
        """Draw horizontal lines, each in the colour of a run's slot, or without a colour (None)."""
        level = self._levels[key]
        if list(values) == level.values:
            return
        level.values = list(values)
        for line, _ in level.lines:
            self.plotItem.removeItem(line)
        level.lines = []
        for value, slot in values:
            if self._drawable(value):
                line = pg.InfiniteLine(math.log10(value) if self._log else value, angle=0)
                self.plotItem.addItem(line, ignoreBounds=True)
                level.lines.append((line, slot))
                line.setPen(self.level_pen(key, slot))

    def levels(self, key: str) -> list[float]:
        """Return the values of the horizontal lines of a kind."""
        return [10 ** line.value() if self._log else line.value() for line, _ in self._levels[key].lines]

    def show_curve(self, key: str, visible: bool) -> None:
        """Show or hide a quantity for all runs."""
        self._quantities[key].visible = visible
        for (_, name), line in self._lines.items():
            if name == key:
                line.setVisible(visible)

    def points(self, key: str, slot: int | None = None) -> tuple[list[int], list[float]]:
        """Return the drawn iterates and values of a curve, of the shown run or of the run in a slot."""
        if slot is None:
            slot = self._shown.slot if self._shown is not None else -1
        if (line := self._lines.get((slot, key))) is None:
            return [], []
        x, y = line.getOriginalDataset()
        return ([], []) if x is None else ([round(value) for value in x], [float(value) for value in y])

    def curve_visible(self, key: str) -> bool:
        """Whether a quantity is shown."""
        return self._quantities[key].visible

    def set_result(self, index: int | None) -> None:
        """Mark the result of the shown run on its first curve."""
        first = next(iter(self._quantities))
        value = self._shown.values[first][index] if index is not None and self._shown is not None else None
        marked = None if index is None or value is None or not self._drawable(value) else (index, value)
        if marked == self._marked:
            return
        self._marked = marked
        if marked is None:
            self._mark.setData([], [])
        else:
            self._mark.setData([marked[0]], [math.log10(marked[1]) if self._log else marked[1]])

    @property
    def result_index(self) -> int | None:
        """The iterate that is marked as the result; None if no iterate is marked."""
        x, _ = self._mark.getData()
        return round(x[0]) if len(x) else None

    @property
    def cursor_index(self) -> int | None:
        """The iterate at the cursor; None while the cursor is hidden."""
        return round(self._cursor.value()) if self._cursor.isVisible() else None

    def set_cursor_index(self, index: int | None) -> None:
        """Move the cursor to an iterate; None hides it."""
        self._cursor.setVisible(index is not None)
        if index is not None:
            self._cursor.setValue(index)

    def fit(self, newest: int, last: int) -> None:
        """Show the iterates 0 ... `last`, of which `newest` has arrived last, and all values of the visible curves."""
        self._newest = newest
        margin = 0.02 * last + 0.15
        steps = (-margin, last + margin)
        drawn = self._drawn(right=False)
        show_range(self.plotItem.vb, steps, value_range(drawn, log=self._log))
        axis, numbered = self.plotItem.getAxis("left"), bool(drawn)
        if axis.style["showValues"] != numbered:  # an axis without curves has no numbers, since they would mean nothing
            axis.setStyle(showValues=numbered)
        if self._right is not None:
            show_range(self._right, steps, value_range(self._drawn(right=True), log=False))

    def _drawn(self, *, right: bool) -> list[float]:
        """Return the visible values and levels of one axis."""
        keys = [key for key, quantity in self._quantities.items() if quantity.visible and quantity.right is right]
        values = [value for series in self._series for key in keys for value in series.values.get(key, ())]
        if not right:
            values += [value for key in self._levels for value in self.levels(key)]
        return [value for value in values if value is not None and self._drawable(value, right=right)]

    def _drawable(self, value: float | None, *, right: bool = False) -> bool:
        return value is not None and math.isfinite(value) and (value > 0 or right or not self._log)

    def _follow_geometry(self) -> None:
        if self._right is not None:
            self._right.setGeometry(self.plotItem.vb.geometry())

    # ---- appearance ---------------------------------------------------------------------------------------------

    def set_frame(self, *, right: bool, bottom: bool) -> None:
        """Keep space for a right axis if other plots in the column have one; number the iterates if `bottom`."""
        frame = right, bottom, self.theme.text.name()
        if frame == self._frame:  # as for each iterate of a run
            return
        self._frame = frame
        empty = 0 if self._right is not None else _RIGHT_WIDTH if right else _MARGIN
        self.plotItem.layout.setContentsMargins(0, 5, empty, 2)
        axis = self.plotItem.getAxis("bottom")
        axis.setStyle(showValues=bottom)
        axis.setLabel("step of the solver" if bottom else "", **self._label_style())
        axis.showLabel(bottom)
        axis.setHeight(_BOTTOM_HEIGHT if bottom else _TICKS)
        self.setMinimumHeight(_LEAST + (_BOTTOM_HEIGHT - _TICKS if bottom else 0))

    def set_theme(self, theme: Theme) -> None:
        """Colour everything with a theme."""
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
        for series in self._series:
            for key in self._quantities:
                self._dress(series, key)
        for key, level in self._levels.items():
            for line, slot in level.lines:
                line.setPen(self.level_pen(key, slot))

    def _dress(self, series: Series, key: str) -> None:
        """Draw a curve with its present values and pen; the shown run's curves lie above all others.

        A curve whose drawing is up to date is skipped, because drawing one takes a millisecond and there may be many.
        """
        line, shown = self._lines[series.slot, key], series is self._shown
        values, pen = series.values.get(key, []), self.pen(key, series.slot)
        if self._drawn_as.get(line) == (values, pen):
            return
        self._drawn_as[line] = list(values), pen
        quantity = self._quantities[key]
        drawable = [(index, value) for index, value in enumerate(values) if self._drawable(value, right=quantity.right)]
        line.setZValue(10 if shown else 5)
        line.setData(
            [index for index, _ in drawable],
            [value for _, value in drawable],
            pen=pen,
            symbol=SYMBOLS[quantity.order],
            symbolSize=6 if shown else 4,
            symbolPen=None,
            symbolBrush=pen.color(),
        )

    def pen(self, key: str, slot: int | None = None) -> QPen:
        """Return a curve's pen: the colour tells the run, the style the quantity; without a run, the text's colour."""
        shown = self._shown is not None and slot == self._shown.slot
        colour = self.theme.faint(0.8) if slot is None else self.theme.of_run(slot)
        width = (2.2 if shown or slot is None else 1.2) * self._line_scale
        pen: QPen = pg.mkPen(colour, width=width, style=STYLES[self._quantities[key].order])
        return pen

    def level_pen(self, key: str, slot: int | None = None) -> QPen:
        """Return the pen of a horizontal line."""
        colour = self.theme.faint(0.7) if slot is None else self.theme.of_run(slot)
        pen: QPen = pg.mkPen(colour, width=1.3 * self._line_scale, style=self._levels[key].style)
        return pen

    def _label_style(self) -> dict[str, str]:
        return {"color": self.theme.text.name(), "font-size": f"{CAPTION_PIXELS}px"}

    @contextmanager
    def as_figure(self, line_scale: float = 1.0) -> Iterator[None]:
        """Within this context, draw dark on white, without the cursor, and with lines `line_scale` times as wide."""
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
        """A size at which three plots and a panel below them fit on a small screen."""
        return QSize(400, 140)

    # ---- the pointer --------------------------------------------------------------------------------------------

    def iterate_at(self, position: QPoint) -> int | None:
        """Return the iterate nearest to a position in the widget; None while there is no iterate."""
        x = self.plotItem.vb.mapSceneToView(QPointF(self.mapToScene(position))).x()
        return min(max(round(x), 0), self._newest) if self._newest >= 0 else None

    def position_of(self, index: int) -> QPoint:
        """Return an iterate's position in the widget, at half the plot's height."""
        view = self.plotItem.vb
        point: QPoint = self.mapFromScene(view.mapViewToScene(QPointF(index, view.viewRect().center().y())))
        return point

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Request the iterate under the pointer."""
        if event.button() == Qt.MouseButton.LeftButton:
            self._asked = None
            self._ask(event)
        else:
            event.ignore()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Request each iterate that the pointer is dragged over."""
        if event.buttons() & Qt.MouseButton.LeftButton:
            self._ask(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Do nothing at the end of a drag."""

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Treat the second click like any other."""
        self.mousePressEvent(event)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Leave the wheel to the area that scrolls the plots."""
        event.ignore()

    def _ask(self, event: QMouseEvent) -> None:
        index = self.iterate_at(event.position().toPoint())
        if index is not None and index != self._asked:
            self._asked = index
            self.iterateRequested.emit(index)
