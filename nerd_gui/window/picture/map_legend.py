"""Draws the legend of a map over it: a bar of its colours between the lowest and the highest value."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QImage, QPainter

from nerd_gui.window.picture.map_source import Legend
from nerd_gui.window.picture.marks import CHIP_MARGIN, DARK, LIGHT
from nerd_gui.window.style.tokens import CAPTION_PIXELS, sized

_BAR, _SHORTEST = 120.0, 32.0  # width of the colour bar in logical pixels
_THICK = 8.0
_GAP, _PADDING = 6.0, 7.0


def draw_legend(painter: QPainter, area: QRectF, legend: Legend, right: bool = False) -> None:
    """Draw a legend below the caption in the top left or top right corner of `area`, if there is room for it.

    Parameters
    ----------
    area : QRectF
        The visible part of the map, in logical pixels.
    """
    painter.save()
    caption_height = painter.fontMetrics().height() + 6.0
    painter.setFont(sized(painter.font(), CAPTION_PIXELS))
    metrics = painter.fontMetrics()
    low, high, note = (metrics.horizontalAdvance(words) for words in (legend.low, legend.high, legend.note))
    room = area.width() - 2 * (CHIP_MARGIN + _PADDING)
    bar_width = max(_SHORTEST, min(_BAR, room - low - high - 2 * _GAP))
    inner = note if legend.colours is None else low + high + bar_width + 2 * _GAP
    width, height = inner + 2 * _PADDING, metrics.height() + 6.0
    top = area.top() + CHIP_MARGIN + caption_height + 3.0
    left = area.right() - CHIP_MARGIN - width if right else area.left() + CHIP_MARGIN
    chip = QRectF(left, top, width, height)
    if inner <= room and chip.bottom() + CHIP_MARGIN <= area.bottom():
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(DARK)
        painter.drawRoundedRect(chip, 4, 4)
        painter.setPen(LIGHT)
        text = chip.adjusted(_PADDING, 0, -_PADDING, 0)
        middle = Qt.AlignmentFlag.AlignVCenter
        if legend.colours is None:
            painter.drawText(text, middle | Qt.AlignmentFlag.AlignLeft, legend.note)
        else:
            painter.drawText(text, middle | Qt.AlignmentFlag.AlignLeft, legend.low)
            painter.drawText(text, middle | Qt.AlignmentFlag.AlignRight, legend.high)
            bar = QRectF(text.left() + low + _GAP, chip.center().y() - _THICK / 2, bar_width, _THICK)
            colours = np.ascontiguousarray(legend.colours)
            image = QImage(colours.data, len(colours), 1, colours.nbytes, QImage.Format.Format_RGB888)
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            painter.drawImage(bar, image)
    painter.restore()
