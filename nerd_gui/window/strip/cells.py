"""What a frame of the film strip looks like."""

from __future__ import annotations

import math
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter, QPalette, QPen, QPolygonF

from nerd_gui.denoising.captions import iterate_name
from nerd_gui.denoising.eye_rule import ROOT_MEAN_SQUARE
from nerd_gui.window.picture.tiles import Tile
from nerd_gui.window.style.tokens import CAPTION_PIXELS, sized

MARGIN = 4  # around a picture; the frame of the current one lies in it
_BAR = 3
_LEAST, _MOST = 0.01, 100.0  # grey levels at the ends of the bar


@dataclass(frozen=True)
class Cell:
    """What is shown of an iterate.

    Attributes
    ----------
    index : int
    tile : Tile or None
        Its small picture, once it is made.
    change : float or None
        By how many grey levels the picture changed from the iterate before; None for the start, and until it is known.
    result, restarted, current : bool
    """

    index: int
    tile: Tile | None
    change: float | None
    result: bool
    restarted: bool
    current: bool

    @property
    def sentence(self) -> str:
        """All of it in words."""
        words = iterate_name(self.index).capitalize()
        if not self.index:
            words = "Start of the solver (iterate 0)"
        words += ", the result of the run" * self.result + ", a restarted step" * self.restarted
        if self.change is None:
            return words
        if not math.isfinite(self.change):
            return f"{words}: its picture is not finite any more"
        seen = "" if self.change >= ROOT_MEAN_SQUARE else ", which is hardly visible"
        return f"{words}: changed by {grey_levels(self.change)} of 255 grey levels from the one before{seen}"


def grey_levels(change: float) -> str:
    """A change with two digits, or what it is below."""
    if not math.isfinite(change):
        return "∞"
    if change < _LEAST:
        return f"<{_LEAST:g}"
    return f"{change:.0f}" if change >= 9.95 else f"{change:.1f}" if change >= 0.995 else f"{change:.2f}"


def height_beside_picture(font: QFont) -> int:
    """Pixels that a cell needs above and below its picture."""
    return 2 * MARGIN + QFontMetrics(sized(font, CAPTION_PIXELS)).height() + 2 + _BAR + MARGIN


def picture_place(cell: QRect, font: QFont) -> QRect:
    """Where the picture stands in a cell."""
    return cell.adjusted(MARGIN, MARGIN, -MARGIN, MARGIN - height_beside_picture(font))


def bar_length(change: float) -> float:
    """How long the bar of a change is, 0 ... 1, on a logarithmic scale."""
    if not change > _LEAST:
        return 0.0
    return min(1.0, math.log(change / _LEAST) / math.log(_MOST / _LEAST))


def paint(painter: QPainter, place: QRect, cell: Cell, palette: QPalette, font: QFont) -> None:
    """Paint a cell: the picture, below it the number with its marks and the change, and the bar of the change."""
    accent, text = palette.color(QPalette.ColorRole.Highlight), palette.color(QPalette.ColorRole.WindowText)
    second = palette.color(QPalette.ColorRole.PlaceholderText)
    picture = picture_place(place, font)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    if cell.tile is not None:
        image = cell.tile.image
        size = image.size() / painter.device().devicePixelRatioF()
        shown = QRect(picture.topLeft(), size.scaled(picture.size(), Qt.AspectRatioMode.KeepAspectRatio))
        shown.moveCenter(picture.center())
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawImage(shown, image)
    else:
        painter.fillRect(picture, palette.color(QPalette.ColorRole.Mid))
    if cell.current:
        painter.setPen(QPen(accent, 2))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(QRectF(picture).adjusted(-2, -2, 2, 2), 3, 3)
    small = sized(font, CAPTION_PIXELS, strong=cell.current)
    painter.setFont(small)
    line = QRect(picture.left(), picture.bottom() + 1 + MARGIN, picture.width(), QFontMetrics(small).height())
    name = str(cell.index) if cell.index else iterate_name(0)
    painter.setPen(text)
    painter.drawText(line, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, name)
    _mark(painter, line.left() + QFontMetrics(small).horizontalAdvance(name) + 4, line, cell, text)
    if cell.change is None:
        return
    painter.setFont(sized(font, CAPTION_PIXELS))
    painter.setPen(second)
    painter.drawText(line, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, grey_levels(cell.change))
    bar = QRectF(line.left(), line.bottom() + 2, line.width(), _BAR)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(palette.color(QPalette.ColorRole.Mid))
    painter.drawRect(bar)
    bar.setWidth(bar_length(cell.change) * bar.width())
    painter.setBrush(accent if cell.change >= ROOT_MEAN_SQUARE else second)
    painter.drawRect(bar)


def _mark(painter: QPainter, left: int, line: QRect, cell: Cell, colour: QColor) -> None:
    """The marks of the scrubber: a triangle for the result, a ring for a restarted step."""
    middle = QPointF(left + 4.5, line.center().y() + 0.5)
    if cell.result:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour)
        corners = [middle + QPointF(0, -4), middle + QPointF(-4.5, 3.5), middle + QPointF(4.5, 3.5)]
        painter.drawPolygon(QPolygonF(corners))
    elif cell.restarted:
        painter.setPen(QPen(colour, 1.2))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawEllipse(middle, 3.0, 3.0)
