"""An answer in the window: its numbers in a table, its pictures, its plot."""

from __future__ import annotations

from PySide6.QtCore import QLineF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent, QPalette, QPen, QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QComboBox, QGridLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget
from superqt import QFlowLayout

from nerd_gui.analysis.catalogue import Picture, Plot, Shown, Table
from nerd_gui.window.analyses.drawing import Ink, PlotDrawing
from nerd_gui.window.analyses.value_picture import ValuePicture
from nerd_gui.window.described import described
from nerd_gui.window.style.tokens import CAPTION_PIXELS, MEDIUM, SMALL, TIGHT, colours, is_dark, series_colour, sized

_LARGE_SIDE, _MIDDLE_SIDE, _SMALL_SIDE = (
    190,
    144,
    82,
)  # sides of pictures: one or two of them, several, beside a large one
_NARROWEST = 240  # pixels that are enough, with one below the other
_RING = 6.5  # around the point of the shown iterate


class AnswerView(QWidget):
    """What is to be seen of an answer.

    Signals
    -------
    chosen : ValuePicture
        A picture was clicked.
    iterateRequested : int
        A point of an iterate was clicked in a plot.
    """

    chosen = Signal(object)
    iterateRequested = Signal(int)

    def __init__(self, name: str, shown: Shown, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName(f"{name}Answer")
        self.pictures: list[ValuePicture] = []
        self._plots: list[PlotView] = []
        table, rest, plots = _table(name, shown.table), list(shown.pictures), shown.plots
        column = QVBoxLayout(self)
        column.setContentsMargins(0, TIGHT, 0, 0)
        column.setSpacing(SMALL)
        beside: QWidget | None = None
        if not shown.table.columns and len(rest) != 2:  # two stand side by side under the table
            if plots and plots[0].unit_circle:
                beside, plots = self._plot(name, plots[:1]), plots[1:]
            elif rest:
                beside = self._picture(name, rest.pop(0), _LARGE_SIDE)
        self._pair = _Pair(table, beside)
        column.addWidget(self._pair)
        if rest:
            side = _LARGE_SIDE if len(rest) <= 2 else _MIDDLE_SIDE if beside is None else _SMALL_SIDE
            column.addWidget(_Flow([self._picture(name, picture, side) for picture in rest]))
        if plots:
            column.addWidget(self._plot(name, plots))

    def show_iterate(self, index: int) -> None:
        """Mark an iterate in the plots."""
        for plot in self._plots:
            plot.canvas.show_iterate(index)

    def _plot(self, name: str, plots: tuple[Plot, ...]) -> PlotView:
        made = PlotView(name, plots)
        made.canvas.iterateRequested.connect(self.iterateRequested)
        self._plots.append(made)
        return made

    def minimumSizeHint(self) -> QSize:
        """Narrow enough for any column; then one stands below the other."""
        return QSize(_NARROWEST, super().minimumSizeHint().height())

    def _picture(self, name: str, picture: Picture, side: int) -> ValuePicture:
        made = ValuePicture(f"{name}Picture{len(self.pictures)}", picture, side)
        lay = " Click to lay it over the photo, click again to take it away." if made.choosable else ""
        described(made, made.objectName(), picture.title, f"{picture.tip}.{lay}".strip())
        made.chosen.connect(lambda: self.chosen.emit(made))
        self.pictures.append(made)
        return made


class _Pair(QWidget):
    """A table with something beside it, or under it where it is narrow."""

    def __init__(self, table: QWidget, beside: QWidget | None) -> None:
        super().__init__()
        self._needed = 0
        self._row = QBoxLayout(QBoxLayout.Direction.LeftToRight, self)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(MEDIUM)
        self._row.addWidget(table, 1, Qt.AlignmentFlag.AlignTop)
        if beside is not None:
            self._row.addWidget(beside, 0 if isinstance(beside, ValuePicture) else 1, Qt.AlignmentFlag.AlignTop)
            self._needed = table.sizeHint().width() + MEDIUM + beside.sizeHint().width()

    def minimumSizeHint(self) -> QSize:
        """As narrow as the wider of the two."""
        return QSize(_NARROWEST, super().minimumSizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Put one below the other, or beside it."""
        super().resizeEvent(event)
        direction = QBoxLayout.Direction
        self._row.setDirection(direction.LeftToRight if self.width() >= self._needed else direction.TopToBottom)


class _Flow(QWidget):
    """Pictures side by side, in as many rows as they need."""

    def __init__(self, pictures: list[ValuePicture]) -> None:
        super().__init__()
        self._flow = QFlowLayout(self)
        self._flow.setContentsMargins(0, 0, 0, 0)
        self._flow.setHorizontalSpacing(SMALL)
        self._flow.setVerticalSpacing(SMALL)
        for picture in pictures:
            self._flow.addWidget(picture)

    def hasHeightForWidth(self) -> bool:
        """No: it keeps its height itself, so that the layouts around it need not ask."""
        return False

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep the room for all rows."""
        super().resizeEvent(event)
        self.setFixedHeight(self._flow.heightForWidth(self.width()))


def _table(name: str, table: Table) -> QWidget:
    """Names at the left, numbers at the right, a line under the names of the columns."""
    made = QWidget()
    made.setObjectName(f"{name}Table")
    grid = QGridLayout(made)
    grid.setContentsMargins(0, 0, 0, 0)
    grid.setHorizontalSpacing(MEDIUM)
    grid.setVerticalSpacing(TIGHT // 2)
    for row, cells in enumerate((table.columns, *table.rows) if table.columns else table.rows):
        for col, words in enumerate(cells):
            label = QLabel(words)
            label.setObjectName(f"{name}Cell{row}-{col}")
            label.setTextFormat(Qt.TextFormat.PlainText)
            side = Qt.AlignmentFlag.AlignLeft if col == 0 else Qt.AlignmentFlag.AlignRight
            label.setAlignment(side | Qt.AlignmentFlag.AlignVCenter)
            if table.columns and row == 0:
                label.setWordWrap(True)
                label.setFont(sized(label.font(), CAPTION_PIXELS))
            if col == 0 or (table.columns and row == 0):
                label.setProperty("quiet", True)
            else:
                label.setFocusPolicy(Qt.FocusPolicy.ClickFocus)  # a click says what Ctrl+C copies
            grid.addWidget(label, row, col)
    grid.setColumnStretch(0, 1)
    return made


class PlotView(QWidget):
    """A plot, and where there are several of the same a list to choose from."""

    def __init__(self, name: str, plots: tuple[Plot, ...], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.canvas = PlotCanvas(f"{name}Plot", plots[0])
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(TIGHT)
        column.addWidget(self.canvas, 1)
        if len(plots) > 1:
            self.choice = described(
                QComboBox(), f"{name}PlotCombo", "Which plot is shown", "Show the same in another plot"
            )
            self.choice.addItems([plot.title for plot in plots])
            self.choice.currentIndexChanged.connect(lambda index: self.canvas.set_plot(plots[index]))
            column.insertWidget(0, self.choice, 0, Qt.AlignmentFlag.AlignLeft)


class PlotCanvas(QWidget):
    """Draws a plot; in one of iterates the shown one is marked.

    Signals
    -------
    iterateRequested : int
        The iterate whose point is nearest to a click or a drag.
    """

    iterateRequested = Signal(int)

    def __init__(self, name: str, plot: Plot, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._index = -1
        self.set_plot(plot, name)
        self.setFont(sized(self.font(), CAPTION_PIXELS))
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def set_plot(self, plot: Plot, name: str = "") -> None:
        """Draw another one."""
        self.plot = plot
        click = ". Click to see an iterate" if plot.iterates else ""
        described(self, name or self.objectName(), plot.title, f"{plot.y.label} over {plot.x.label}{click}")
        self.setCursor(Qt.CursorShape.CrossCursor if plot.iterates else Qt.CursorShape.ArrowCursor)
        self.update()

    def show_iterate(self, index: int) -> None:
        """Mark an iterate, where the plot is of iterates."""
        if index != self._index:
            self._index = index
            self.update()

    def sizeHint(self) -> QSize:
        """Curves can be followed in it."""
        return QSize(200 if self.plot.unit_circle else 240, 230)

    def drawing(self) -> PlotDrawing:
        """The plot as it is drawn here."""
        return PlotDrawing(self.plot, QRectF(self.rect()), self.fontMetrics().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw it."""
        painter = QPainter(self)
        drawing, ink = self.drawing(), screen_ink(self.palette())
        drawing.draw(painter, ink)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(ink.text, 1.6))
        for point in drawing.of_iterate(self._index):
            painter.drawEllipse(point, _RING, _RING)
        painter.end()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Ask for the iterate under the pointer."""
        self._ask(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Ask for each iterate that is dragged over."""
        self._ask(event)

    def _ask(self, event: QMouseEvent) -> None:
        if not self.plot.iterates or not event.buttons() & Qt.MouseButton.LeftButton:
            event.ignore()
            return
        drawing, at = self.drawing(), event.position()
        places = {index: drawing.of_iterate(index) for index in self.plot.iterates}
        apart = {
            index: min(QLineF(at, point).length() for point in points) for index, points in places.items() if points
        }
        if apart:
            self.iterateRequested.emit(min(apart, key=apart.__getitem__))


def screen_ink(palette: QPalette) -> Ink:
    """The colours of a plot in the window."""
    scheme, dark = colours(palette), is_dark(palette)
    return Ink(
        QColor(scheme.text), QColor(scheme.second), QColor(scheme.line), lambda slot: series_colour(slot, dark=dark)
    )
