"""Paints a cell of the film strip."""

from __future__ import annotations

import math
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter, QPalette, QPen, QPolygonF

from nerd_gui.denoising.captions import iterate_name
from nerd_gui.denoising.eye_rule import ROOT_MEAN_SQUARE
from nerd_gui.window.picture.tiles import Tile
from nerd_gui.window.style.tokens import CAPTION_PIXELS, sized

MARGIN = 4  # pixels around a picture, in which the current iterate's frame is drawn
_BAR = 3
_LEAST, _MOST = 0.01, 100.0  # changes in grey levels at the two ends of the bar


@dataclass(frozen=True)
class Cell:
    """What the film strip shows of an iterate.

    Attributes
    ----------
    index : int
    tile : Tile or None
        The iterate's small picture, once it has been made.
    change : float or None
        The picture's change from the previous iterate in grey levels; None for the start, and while it is not known.
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
        """The content of the cell in words."""
        words = iterate_name(self.index).capitalize()
        if not self.index:
            words = "Start of the solver (iterate 0)"
        words += ", the result of the run" * self.result + ", a restarted step" * self.restarted
        if self.change is None:
            return words
        if not math.isfinite(self.change):
            return f"{words}: its picture is no longer finite"
        seen = "" if self.change >= ROOT_MEAN_SQUARE else ", which is hardly visible"
        return f"{words}: changed by {grey_levels(self.change)} of 255 grey levels from the previous one{seen}"


def grey_levels(change: float) -> str:
    """Return a change with two digits, or a bound that it lies below."""
    if not math.isfinite(change):
        return "∞"
    if change < _LEAST:
        return f"<{_LEAST:g}"
    return f"{change:.0f}" if change >= 9.95 else f"{change:.1f}" if change >= 0.995 else f"{change:.2f}"


def height_beside_picture(font: QFont) -> int:
    """Return the height in pixels that a cell needs in addition to its picture."""
    return 2 * MARGIN + QFontMetrics(sized(font, CAPTION_PIXELS)).height() + 2 + _BAR + MARGIN


def picture_place(cell: QRect, font: QFont) -> QRect:
    """Return the place of the picture in a cell."""
    return cell.adjusted(MARGIN, MARGIN, -MARGIN, MARGIN - height_beside_picture(font))


def bar_length(change: float) -> float:
    """Return the length of the bar for a change as a fraction, on a logarithmic scale."""
    if not change > _LEAST:
        return 0.0
    return min(1.0, math.log(change / _LEAST) / math.log(_MOST / _LEAST))


def paint(painter: QPainter, place: QRect, cell: Cell, palette: QPalette, font: QFont) -> None:
    """Paint a cell: the picture, and below it the number with its marks, the change, and the bar of the change."""
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
    """Draw the same marks as the scrubber: a triangle for the result, a ring for a restarted step."""
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
