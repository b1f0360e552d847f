"""Pins: the clicked pixels, marked on the picture in the colours of their attention maps."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QLineF, QPointF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

RING_RADIUS = 6.0
_ARM = 5.0  # how far the cross stands out of the ring
_OUTLINE = QColor(0, 0, 0, 190)


@dataclass(frozen=True)
class Pin:
    """A marked pixel of the photo; `colour` is anything QColor understands, such as "#ff7f0e"."""

    row: int
    col: int
    colour: str


def draw_pin(painter: QPainter, centre: QPointF, colour: str) -> None:
    """Draw a ring with a cross of constant size that leaves the pixel itself free.

    The dark outline keeps any colour visible on any background.
    """
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    arms = [
        QLineF(centre + QPointF(dx, dy) * RING_RADIUS, centre + QPointF(dx, dy) * (RING_RADIUS + _ARM))
        for dx, dy in ((1, 0), (-1, 0), (0, 1), (0, -1))
    ]
    for pen in (QPen(_OUTLINE, 4.5), QPen(QColor(colour), 2.0)):
        painter.setPen(pen)
        painter.drawEllipse(centre, RING_RADIUS, RING_RADIUS)
        painter.drawLines(arms)
    painter.restore()
