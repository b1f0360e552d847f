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
from nerd_gui.window.curves.lines import SYMBOLS, Cursor, Curve, Lines, Mark
from nerd_gui.window.curves.plot_item import PlotItem
from nerd_gui.window.curves.theme import PAPER, Theme
from nerd_gui.window.style.tokens import CAPTION_PIXELS, sized

_LEFT_WIDTH, _RIGHT_WIDTH, _BOTTOM_HEIGHT, _TICKS, _MARGIN = 58, 58, 29, 6, 10
_LEAST = 63  # pixels, the least height, which leaves room for the name of an axis


STYLES = (Qt.PenStyle.SolidLine, Qt.PenStyle.DashLine, Qt.PenStyle.DotLine)


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
        self._asked: int | None = None
        self._quantities: dict[str, _Quantity] = {}
        self._shown: Series | None = None
        self._series: list[Series] = []
        self._result: int | None = None
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
        self._lines = {right: Lines(view) for right, view in ((False, item.vb), (True, self._right)) if view}
        self._cursor = Cursor(item.vb)
        self._frame: tuple[bool, bool, str] | None = None
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
        self._draw()

    def set_levels(self, key: str, values: Sequence[tuple[float, int | None]]) -> None:
        """Draw horizontal lines, each in the colour of a run's slot, or without a colour (None)."""
        self._levels[key].values = [(value, slot) for value, slot in values if self._drawable(value)]
        self._draw()

    def levels(self, key: str) -> list[float]:
        """Return the values of the horizontal lines of a kind."""
        return [value for value, _ in self._levels[key].values]

    def show_curve(self, key: str, visible: bool) -> None:
        """Show or hide a quantity for all runs."""
        self._quantities[key].visible = visible
        self._draw()

    def points(self, key: str, slot: int | None = None) -> tuple[list[int], list[float]]:
        """Return the iterates and values of a curve that can be drawn, of the shown run or of the run in a slot."""
        wanted = [series for series in self._series if (series is self._shown if slot is None else series.slot == slot)]
        found = self._points(wanted[0], key) if wanted else []
        return [index for index, _ in found], [value for _, value in found]

    def _points(self, series: Series, key: str) -> list[tuple[int, float]]:
        right = self._quantities[key].right
        values = enumerate(series.values.get(key, ()))
        return [(index, value) for index, value in values if value is not None and self._drawable(value, right=right)]

    def curve_visible(self, key: str) -> bool:
        """Whether a quantity is shown."""
        return self._quantities[key].visible

    def set_result(self, index: int | None) -> None:
        """Mark the result of the shown run on its first curve."""
        self._result = index
        self._draw()

    @property
    def result_index(self) -> int | None:
        """The iterate that is marked as the result; None if no iterate is marked."""
        marked = self._marked()
        return marked[0] if marked is not None else None

    def _marked(self) -> tuple[int, float] | None:
        """Return the iterate and the value that are marked as the result."""
        if self._shown is None:
            return None
        points = self._points(self._shown, next(iter(self._quantities)))
        return next((point for point in points if point[0] == self._result), None)

    def _draw(self) -> None:
        """Draw all curves and levels in their present colours; the shown run's curves lie above all others."""
        place = math.log10 if self._log else float
        levels = [
            (place(value), self.level_pen(key, slot))
            for key, level in self._levels.items()
            for value, slot in level.values
        ]
        marked = self._marked()
        mark = None
        if marked is not None:
            mark = Mark((marked[0], place(marked[1])), self.theme.text, self.theme.background)
        self._lines[False].draw(self._curves(right=False), levels, mark)
        if self._right is not None:
            self._lines[True].draw(self._curves(right=True))

    def _curves(self, *, right: bool) -> list[Curve]:
        place = math.log10 if self._log and not right else float
        return [
            Curve(
                tuple((index, place(value)) for index, value in self._points(series, key)),
                self.pen(key, series.slot),
                SYMBOLS[quantity.order],
                6 if series is self._shown else 4,
            )
            for series in self._series
            for key, quantity in self._quantities.items()
            if quantity.visible and quantity.right is right
        ]

    @property
    def cursor_index(self) -> int | None:
        """The iterate at the cursor; None while the cursor is hidden."""
        return self._cursor.index

    def set_cursor_index(self, index: int | None) -> None:
        """Move the cursor to an iterate; None hides it."""
        self._cursor.move_to(index)

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
        if frame == self._frame:  # this is the case for most iterates of a run
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
        self._cursor.set_colour(theme.faint(0.75))
        self._draw()

    def pen(self, key: str, slot: int | None = None) -> QPen:
        """Return a curve's pen: the colour tells the run, the style the quantity; without a run, the text's colour."""
        shown = self._shown is not None and slot == self._shown.slot
        colour = self.theme.faint(0.8) if slot is None else self.theme.of_run(slot)
        width = 2.2 if shown or slot is None else 1.2
        return QPen(colour, width, STYLES[self._quantities[key].order])

    def level_pen(self, key: str, slot: int | None = None) -> QPen:
        """Return the pen of a horizontal line."""
        colour = self.theme.faint(0.7) if slot is None else self.theme.of_run(slot)
        return QPen(colour, 1.3, self._levels[key].style)

    def _label_style(self) -> dict[str, str]:
        return {"color": self.theme.text.name(), "font-size": f"{CAPTION_PIXELS}px"}

    @contextmanager
    def as_figure(self) -> Iterator[None]:
        """Within this context, draw dark on white and without the cursor."""
        theme, cursor = self.theme, self.cursor_index
        self.set_theme(PAPER)
        self.set_cursor_index(None)
        try:
            yield
        finally:
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
