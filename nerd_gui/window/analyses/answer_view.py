"""Shows an answer in the window: its numbers in a table, its pictures, its plot."""

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

# The sides of pictures in pixels: one or two pictures, more pictures, pictures below a large one or a plot.
_LARGE_SIDE, _MIDDLE_SIDE, _SMALL_SIDE = 190, 144, 82
_NARROWEST = 240  # pixels, the least width, with the parts below each other
_RING = 6.5  # radius of the ring around the shown iterate's point


class AnswerView(QWidget):
    """Shows the table, the pictures and the plots of an answer.

    Signals
    -------
    chosen : ValuePicture
        A person clicked a picture.
    iterateRequested : int
        A person clicked an iterate's point in a plot.
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
        if not shown.table.columns and len(rest) != 2:  # two pictures stand side by side below the table
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
        """Mark an iterate in all plots."""
        for plot in self._plots:
            plot.canvas.show_iterate(index)

    def _plot(self, name: str, plots: tuple[Plot, ...]) -> PlotView:
        made = PlotView(name, plots)
        made.canvas.iterateRequested.connect(self.iterateRequested)
        self._plots.append(made)
        return made

    def minimumSizeHint(self) -> QSize:
        """A size narrow enough for any column, in which the parts stand below each other."""
        return QSize(_NARROWEST, super().minimumSizeHint().height())

    def _picture(self, name: str, picture: Picture, side: int) -> ValuePicture:
        made = ValuePicture(f"{name}Picture{len(self.pictures)}", picture, side)
        lay = " Click to lay it over the photo; click again to remove it." if made.choosable else ""
        described(made, made.objectName(), picture.title, f"{picture.tip}.{lay}".strip())
        made.chosen.connect(lambda: self.chosen.emit(made))
        self.pictures.append(made)
        return made


class _Pair(QWidget):
    """A table with another widget beside it, or below it if there is too little width."""

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
        """As narrow as the parts allow when they stand below each other."""
        return QSize(_NARROWEST, super().minimumSizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Put the widget beside the table or below it, depending on the width."""
        super().resizeEvent(event)
        direction = QBoxLayout.Direction
        self._row.setDirection(direction.LeftToRight if self.width() >= self._needed else direction.TopToBottom)


class _Flow(QWidget):
    """Pictures side by side, in as many rows as needed."""

    def __init__(self, pictures: list[ValuePicture]) -> None:
        super().__init__()
        self._flow = QFlowLayout(self)
        self._flow.setContentsMargins(0, 0, 0, 0)
        self._flow.setHorizontalSpacing(SMALL)
        self._flow.setVerticalSpacing(SMALL)
        for picture in pictures:
            self._flow.addWidget(picture)

    def hasHeightForWidth(self) -> bool:
        """No, since this widget fixes its height itself, so that the layouts around it need not ask."""
        return False

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Fix the height to that of all rows."""
        super().resizeEvent(event)
        self.setFixedHeight(self._flow.heightForWidth(self.width()))


def _table(name: str, table: Table) -> QWidget:
    """Return a table with names at the left and numbers at the right, below a heading if the columns have names."""
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
                label.setFocusPolicy(Qt.FocusPolicy.ClickFocus)  # clicking a value lets Ctrl+C copy it
            grid.addWidget(label, row, col)
    grid.setColumnStretch(0, 1)
    return made


class PlotView(QWidget):
    """A plot, with a list to choose from if there are several."""

    def __init__(self, name: str, plots: tuple[Plot, ...], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.canvas = PlotCanvas(f"{name}Plot", plots[0])
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(TIGHT)
        column.addWidget(self.canvas, 1)
        if len(plots) > 1:
            self.choice = described(
                QComboBox(), f"{name}PlotCombo", "Which plot is shown", "Show the data in another plot"
            )
            self.choice.addItems([plot.title for plot in plots])
            self.choice.currentIndexChanged.connect(lambda index: self.canvas.set_plot(plots[index]))
            column.insertWidget(0, self.choice, 0, Qt.AlignmentFlag.AlignLeft)


class PlotCanvas(QWidget):
    """Draws a plot; if it is over iterates, the shown iterate is marked.

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
        """Draw another plot."""
        self.plot = plot
        click = ". Click to see an iterate" if plot.iterates else ""
        described(self, name or self.objectName(), plot.title, f"{plot.y.label} over {plot.x.label}{click}")
        self.setCursor(Qt.CursorShape.CrossCursor if plot.iterates else Qt.CursorShape.ArrowCursor)
        self.update()

    def show_iterate(self, index: int) -> None:
        """Mark an iterate, if the plot is over iterates."""
        if index != self._index:
            self._index = index
            self.update()

    def sizeHint(self) -> QSize:
        """A size at which the curves can be followed."""
        return QSize(200 if self.plot.unit_circle else 240, 230)

    def drawing(self) -> PlotDrawing:
        """Return the drawing of the plot in this widget."""
        return PlotDrawing(self.plot, QRectF(self.rect()), self.fontMetrics().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the plot and the mark of the shown iterate."""
        painter = QPainter(self)
        drawing, ink = self.drawing(), screen_ink(self.palette())
        drawing.draw(painter, ink)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(ink.text, 1.6))
        for point in drawing.of_iterate(self._index):
            painter.drawEllipse(point, _RING, _RING)
        painter.end()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Request the iterate under the pointer."""
        self._ask(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Request each iterate that the pointer is dragged over."""
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
    """Return the colours of a plot in the window."""
    scheme, dark = colours(palette), is_dark(palette)
    return Ink(
        QColor(scheme.text), QColor(scheme.second), QColor(scheme.line), lambda slot: series_colour(slot, dark=dark)
    )
