"""The marks drawn over a picture: captions, the wipe's divider, the region of interest, pins.

All sizes are in logical pixels and stay the same at every zoom. Marks combine light and dark, so that they are
visible on any picture and in both themes.
"""

from __future__ import annotations

from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetrics, QPainter, QPen, QPolygonF

from nerd_gui.window.style.tokens import series_colour, sized

HANDLE_RADIUS = 12.0
PIN_RADIUS = 8.0  # radius of a pin's ring with its outline: a click inside it selects the pin
_RING_RADIUS = 6.0
_SELECTED_RADIUS = 10.0  # radius of the light ring around the selected pin
_PIN_ARM = 5.0  # length of the cross's arms outside the ring
_LABEL_RADIUS = 8.0
_LABEL_OFFSET = 13.0  # distance from the pin to its number, to the right and upwards
_LABEL_PIXELS = 11
_PIN_OUTLINE = QColor(0, 0, 0, 190)
_PIN_TEXT = QColor(0, 0, 0)
_LEAST_FRAME = 9.0  # least size of the frame around the keyboard's pixel
DARK = QColor(0, 0, 0, 170)
LIGHT = QColor(255, 255, 255, 240)
_SHADE = QColor(0, 0, 0, 110)
CHIP_MARGIN = 8.0
_CHIP_PADDING = 7.0
_CHIP_LEAST_TEXT = 24.0
_PARTS = " · "


def draw_chip(painter: QPainter, area: QRectF, text: str, right: bool = False) -> None:
    """Write a caption into the top left or top right corner of `area`.

    If the area is too narrow for one line, the caption's parts, which “·” separates, are written below each other;
    in a small area they are shortened, or the caption is left out.
    """
    room = area.width() - 2 * (CHIP_MARGIN + _CHIP_PADDING)
    metrics = painter.fontMetrics()
    most = int((area.height() - 2 * CHIP_MARGIN - 6.0) // metrics.height())
    if not text or room < _CHIP_LEAST_TEXT or most < 1:
        return
    lines = _lines(text, metrics, int(room), most)
    height = len(lines) * metrics.height() + 6.0
    width = max(metrics.horizontalAdvance(line) for line in lines) + 2 * _CHIP_PADDING
    left = area.right() - CHIP_MARGIN - width if right else area.left() + CHIP_MARGIN
    chip = QRectF(left, area.top() + CHIP_MARGIN, width, height)
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(DARK)
    painter.drawRoundedRect(chip, 4, 4)
    painter.setPen(LIGHT)
    painter.drawText(chip, Qt.AlignmentFlag.AlignCenter, "\n".join(lines))
    painter.restore()


def _lines(text: str, metrics: QFontMetrics, room: int, most: int) -> list[str]:
    """Return the lines of a caption for a width of `room` pixels: one if it fits, and `most` at most."""
    first, *parts = text.split(_PARTS)
    lines = [first]
    for part in parts:
        joined = f"{lines[-1]}{_PARTS}{part}"
        if len(lines) == most or metrics.horizontalAdvance(joined) <= room:
            lines[-1] = joined
        else:
            lines.append(part)
    return [metrics.elidedText(line, Qt.TextElideMode.ElideRight, room) for line in lines]


def draw_divider(painter: QPainter, line: QLineF, handle: QPointF) -> None:
    """Draw the wipe's divider with its round handle."""
    painter.save()
    painter.setPen(QPen(DARK, 3))
    painter.drawLine(line)
    painter.setPen(QPen(LIGHT, 1))
    painter.drawLine(line)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setBrush(QColor(0, 0, 0, 200))
    painter.setPen(QPen(LIGHT, 1.5))
    painter.drawEllipse(handle, HANDLE_RADIUS, HANDLE_RADIUS)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(LIGHT)
    for side in (-1, 1):
        points = [QPointF(side * 8.0, 0.0), QPointF(side * 3.0, -4.5), QPointF(side * 3.0, 4.5)]
        painter.drawPolygon(QPolygonF([handle + point for point in points]))
    painter.restore()


def draw_region(painter: QPainter, rectangle: QRectF, shade: QRectF | None = None) -> None:
    """Draw a dashed rectangle; with `shade`, darken the part of that area that lies outside the rectangle."""
    painter.save()
    if shade is not None:
        inside = rectangle.intersected(shade)
        for strip in (
            QRectF(shade.topLeft(), QPointF(shade.right(), inside.top())),
            QRectF(QPointF(shade.left(), inside.bottom()), shade.bottomRight()),
            QRectF(QPointF(shade.left(), inside.top()), inside.bottomLeft()),
            QRectF(inside.topRight(), QPointF(shade.right(), inside.bottom())),
        ):
            painter.fillRect(strip, _SHADE)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(DARK, 3))
    painter.drawRect(rectangle)
    dashes = QPen(LIGHT, 1)
    dashes.setDashPattern([6, 4])
    painter.setPen(dashes)
    painter.drawRect(rectangle)
    painter.restore()


def draw_pointer(painter: QPainter, position: QPointF) -> None:
    """Mark the pixel under the pointer in the other picture of a side-by-side pair."""
    painter.save()
    arms = [QLineF(position - arm, position + arm) for arm in (QPointF(7, 0), QPointF(0, 7))]
    for pen in (QPen(DARK, 3), QPen(LIGHT, 1)):
        painter.setPen(pen)
        painter.drawLines(arms)
    painter.restore()


def draw_cursor(painter: QPainter, pixel: QRectF) -> None:
    """Frame the pixel that the keyboard points at; around a pixel that is shown small, the frame is larger."""
    grown = max(0.0, (_LEAST_FRAME - pixel.width()) / 2)
    frame = pixel.adjusted(-grown, -grown, grown, grown)
    painter.save()
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for pen in (QPen(DARK, 3), QPen(LIGHT, 1)):
        painter.setPen(pen)
        painter.drawRect(frame)
    painter.restore()


def draw_pin(painter: QPainter, centre: QPointF, number: int, area: QRectF, *, selected: bool) -> None:
    """Draw a pin: a ring with a cross that leaves the pixel itself free, and the pin's number beside it.

    The dark outline keeps every colour visible on any background; the selected pin has a light ring around it.

    Parameters
    ----------
    area : QRectF
        The area that must contain the number.
    """
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    arms = [
        QLineF(centre + QPointF(dx, dy) * _RING_RADIUS, centre + QPointF(dx, dy) * (_RING_RADIUS + _PIN_ARM))
        for dx, dy in ((1, 0), (-1, 0), (0, 1), (0, -1))
    ]
    colour = series_colour(number - 1, dark=True)
    if selected:
        for pen in (QPen(_PIN_OUTLINE, 4.5), QPen(LIGHT, 2.0)):
            painter.setPen(pen)
            painter.drawEllipse(centre, _SELECTED_RADIUS, _SELECTED_RADIUS)
    for pen in (QPen(_PIN_OUTLINE, 4.5), QPen(colour, 2.0)):
        painter.setPen(pen)
        painter.drawEllipse(centre, _RING_RADIUS, _RING_RADIUS)
        painter.drawLines(arms)
    reach = _LABEL_OFFSET + _LABEL_RADIUS
    right = 1 if centre.x() + reach <= area.right() else -1
    up = -1 if centre.y() - reach >= area.top() else 1
    draw_pin_number(painter, centre + QPointF(right, up) * _LABEL_OFFSET, number, selected=selected)
    painter.restore()


def draw_pin_number(painter: QPainter, middle: QPointF, number: int, *, selected: bool) -> None:
    """Write a pin's number on a disc of its colour."""
    painter.setPen(QPen(LIGHT if selected else _PIN_OUTLINE, 1.5))
    painter.setBrush(series_colour(number - 1, dark=True))
    painter.drawEllipse(middle, _LABEL_RADIUS, _LABEL_RADIUS)
    painter.setFont(sized(painter.font(), _LABEL_PIXELS, strong=True))
    painter.setPen(_PIN_TEXT)
    disc = QRectF(middle.x() - _LABEL_RADIUS, middle.y() - _LABEL_RADIUS, 2 * _LABEL_RADIUS, 2 * _LABEL_RADIUS)
    painter.drawText(disc, Qt.AlignmentFlag.AlignCenter, str(number))
