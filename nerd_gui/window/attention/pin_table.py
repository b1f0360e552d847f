"""The maps of all pins side by side: a row for each pin, a column for each head."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QRect, QSize, Qt, Signal
from PySide6.QtGui import QFontMetrics, QMouseEvent, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QLabel, QWidget

from nerd_gui.window.attention.head_map import Patch, WindowPicture
from nerd_gui.window.attention.measures import effective_radius, entropy_bits, place_in_window, scale_maps
from nerd_gui.window.attention.pixel_maps import PixelMaps
from nerd_gui.window.colour_map import coloured
from nerd_gui.window.session.pins import Pin
from nerd_gui.window.style.tokens import CAPTION_PIXELS, SMALL, TIGHT, is_dark, series_colour, sized
from nerd_gui.window.wording import scientific

_LEAST_CELL, _MOST_CELL = 52, 200  # pixels, the side of a map
_LETTERED = 48  # pixels; if maps would be smaller with their numbers, only the tooltips show the numbers
_BADGE = 24  # pixels, the width of a pin's number


class _Row(QWidget):
    """The row of one pin: its number, neighbourhood and heads; or a sentence that says why there are no maps.

    Signals
    -------
    chosen : int pin, int head
    """

    chosen = Signal(int, int)

    def __init__(self, number: int, heads: int, parent: QWidget) -> None:
        super().__init__(parent)
        self.number = number
        self.found: PixelMaps | None = None
        self.selected = False
        self.columns: list[int] = []  # x of the neighbourhood and of the maps
        self.setObjectName(f"pinRow{number}")
        self.setAccessibleName(f"Pin {number}")
        self.setToolTip(f"Pin {number}: click its number to select it, a map to lay it over the picture")
        self.neighbourhood = WindowPicture(choosable=False, parent=self)
        self.neighbourhood.setObjectName(f"pin{number}Neighbourhood")
        self.neighbourhood.setAccessibleName(f"Neighbourhood of pin {number}")
        self.words = QLabel(self)
        self.words.setObjectName(f"pin{number}Words")
        self.words.setWordWrap(True)
        self.words.setProperty("quiet", True)
        self.pictures, self.readouts = [], []
        for head in range(heads):
            picture = WindowPicture(choosable=True, parent=self)
            picture.setObjectName(f"pin{number}Head{head}")
            picture.setAccessibleName(f"Correlation map of head {head + 1}, pin {number}")
            picture.chosen.connect(lambda head=head: self.chosen.emit(self.number, head))
            readout = QLabel(self)
            readout.setObjectName(f"pin{number}Readout{head}")
            readout.setAccessibleName(f"Entropy and radius of head {head + 1}, pin {number}")
            readout.setToolTip("Entropy of the weights, and their effective radius in pixels")
            readout.setAlignment(Qt.AlignmentFlag.AlignVCenter)
            readout.setFont(sized(self.font(), CAPTION_PIXELS))
            self.pictures.append(picture)
            self.readouts.append(readout)
        for picture in (self.neighbourhood, *self.pictures):
            picture.setMinimumSize(0, 0)

    def say(self, words: str) -> None:
        """Show a sentence in place of the maps: why there are none, or that they are being read."""
        self.found = None
        self.words.setText(words)
        self.arrange()

    def show_found(self, found: PixelMaps) -> None:
        """Take new maps; `scale` colours them afterwards."""
        if self.found is None or self.found.maps.weights.shape != found.maps.weights.shape:
            self.neighbourhood.set_patch(None)
        self.found = found
        place = place_in_window(found.maps, found.window)
        self.neighbourhood.set_patch(Patch(found.rgb, *place, found.window))
        weights = found.weights
        row, col = found.maps.row - found.maps.top, found.maps.col - found.maps.left
        for head, readout in enumerate(self.readouts):
            entropy, radius = entropy_bits(weights[head]), effective_radius(weights[head], row, col)
            readout.setText(f"{entropy:.1f} bit\n{radius:.1f} px")
            self.pictures[head].setAccessibleDescription(f"entropy {entropy:.1f} bit, radius {radius:.1f} pixels")
            self.pictures[head].setToolTip(
                f"Pin {self.number}, head {head + 1}: entropy {entropy:.1f} bit, effective radius {radius:.1f} pixels, "
                f"largest weight {scientific(float(weights[head].max()))}"
            )
        self.words.setText("")
        self.arrange()

    def arrange(self) -> None:
        """Make the maps as large as the row allows, with numbers beside or below them unless the row is too small."""
        there, text, heads = self.found is not None, 2 * self.fontMetrics().height(), max(len(self.pictures), 1)
        width, words = self.width() - _BADGE, self._words_width()
        bare = min(width // (heads + 1) - TIGHT, self.height(), _MOST_CELL)
        under = min(bare, self.height() - text)
        beside = min((width // heads - words) * heads // (heads + 1) - TIGHT, self.height(), _MOST_CELL)
        side = max(under, beside)
        lettered = side >= min(_LETTERED, bare)
        side = max(side, 0) if lettered else max(bare, 0)
        step = (width - side - SMALL) // heads
        self.columns = [_BADGE, *(_BADGE + side + SMALL + head * step for head in range(heads))]
        self.neighbourhood.setGeometry(_BADGE, 0, side, side)
        for left, picture, readout in zip(self.columns[1:], self.pictures, self.readouts, strict=True):
            picture.setGeometry(left, 0, side, side)
            if beside >= under:
                readout.setGeometry(left + side + TIGHT, 0, step - side - TIGHT, side)
            else:
                readout.setGeometry(left, side, side, text)
            readout.setVisible(there and lettered)
        for widget in (self.neighbourhood, *self.pictures):
            widget.setVisible(there)
        self.words.setVisible(not there)
        self.words.setGeometry(QRect(_BADGE + SMALL, 0, self.width() - _BADGE - SMALL, min(self.height(), 2 * text)))

    def _words_width(self) -> int:
        return QFontMetrics(sized(self.font(), CAPTION_PIXELS)).horizontalAdvance("88.8 bit") + TIGHT

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Fit the maps to the row."""
        self.arrange()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Choose the pin."""
        self.chosen.emit(self.number, -1)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the number on a disc of the pin's colour, with a ring around it if the pin is selected."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        disc = QRect(2, 2, _BADGE - 8, _BADGE - 8)
        dark = is_dark(self.palette())
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(series_colour(self.number - 1, dark=dark))
        painter.drawEllipse(disc)
        painter.setPen(Qt.GlobalColor.black if dark else Qt.GlobalColor.white)
        painter.setFont(sized(self.font(), CAPTION_PIXELS, strong=True))
        painter.drawText(disc, Qt.AlignmentFlag.AlignCenter, str(self.number))
        if self.selected:
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(self.palette().windowText().color())
            painter.drawEllipse(disc.adjusted(-2, -2, 2, 2))
        painter.end()


class PinTable(QWidget):
    """A table with a row for each pin and a column for each head.

    Signals
    -------
    chosen : int pin, int head
        A person clicked a map, or, with -1 for the head, the pin itself.
    """

    chosen = Signal(int, int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("pinTable")
        self.setAccessibleName("Attention maps of all pins")
        self._rows: list[_Row] = []
        self._titles: list[QLabel] = []

    def set_pins(self, pins: Sequence[Pin], selected: int, heads: int) -> None:
        """Show a row for each of these pins; rows of pins that stay keep their maps."""
        wanted = sorted(pin.number for pin in pins)
        if [row.number for row in self._rows] != wanted or len(self._titles) != heads + 1:
            kept = {row.number: row for row in self._rows if len(row.pictures) == heads}
            for row in self._rows:
                if row.number not in wanted or kept.get(row.number) is not row:
                    row.setParent(None)
                    row.deleteLater()
            self._rows = [kept.get(number) or self._made(number, heads) for number in wanted]
            self._make_titles(heads)
            self._lay_out()
        for row in self._rows:
            row.selected = row.number == selected
            row.update()

    def say(self, number: int, words: str) -> None:
        """Show in a pin's row why it has no maps."""
        self._row(number).say(words)

    def show_maps(self, number: int, found: PixelMaps) -> None:
        """Show the maps of a pin."""
        self._row(number).show_found(found)

    def scale(self, *, log: bool, shared: bool, overlay: int) -> tuple[float, float] | None:
        """Colour all maps, with one shared range or one for each map, and frame the head that lies over the picture.

        Returns
        -------
        (low, high) of the shared range, or None without one.
        """
        rows = [row for row in self._rows if row.found is not None]
        if not rows:
            return None
        weights = [row.found.weights for row in rows if row.found is not None]
        low = high = 0.0
        if shared:
            flat = np.concatenate([each.ravel() for each in weights])
            low, high = float(flat.min()), float(flat.max())
        for row, each in zip(rows, weights, strict=True):
            assert row.found is not None
            place = place_in_window(row.found.maps, row.found.window)
            unit, _, _ = scale_maps(each, log=log, shared=shared, ends=(low, high) if shared else None)
            for head, picture in enumerate(row.pictures):
                picture.set_patch(Patch(coloured(unit[head]), *place, row.found.window))
                picture.set_selected(row.selected and overlay == head)
        return (low, high) if shared else None

    def sizeHint(self) -> QSize:
        """A size at which the maps can be read."""
        return self._size(80)

    def minimumSizeHint(self) -> QSize:
        """The least size at which maps can be told apart."""
        return self._size(_LEAST_CELL)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Divide the height among the rows."""
        self._lay_out()

    # ---- inside -------------------------------------------------------------------------------------------------

    def _row(self, number: int) -> _Row:
        return next(row for row in self._rows if row.number == number)

    def _made(self, number: int, heads: int) -> _Row:
        row = _Row(number, heads, self)
        row.chosen.connect(self.chosen)
        row.show()
        return row

    def _make_titles(self, heads: int) -> None:
        if len(self._titles) == heads + 1:
            return
        for title in self._titles:
            title.setParent(None)
            title.deleteLater()
        self._titles = [QLabel(text, self) for text in ("around", *(f"head {head + 1}" for head in range(heads)))]
        for title in self._titles:
            title.setFont(sized(self.font(), CAPTION_PIXELS))
            title.show()

    def _text(self) -> int:
        return self.fontMetrics().height()

    def _size(self, cell: int) -> QSize:
        heads = max(len(self._titles), 1)
        return QSize(_BADGE + heads * (cell + TIGHT), self._text() + len(self._rows) * (cell + TIGHT))

    def _lay_out(self) -> None:
        if not self._rows:
            return
        top, most = self._text(), (self.width() - _BADGE) // len(self._titles)
        each = (self.height() - top) // len(self._rows)
        each = min(each, min(most, _MOST_CELL) + 2 * top + TIGHT)
        for place, row in enumerate(self._rows):
            row.setGeometry(0, top + place * each, self.width(), each - TIGHT)
            row.arrange()  # now, because the titles stand above the row's columns
        for left, title in zip(self._rows[0].columns, self._titles, strict=False):
            title.setGeometry(left, 0, title.sizeHint().width(), top)
        self.updateGeometry()
