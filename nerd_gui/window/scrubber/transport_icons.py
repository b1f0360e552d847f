"""The scrubber's icons: triangles, bars and a lamp, drawn in the palette's colours."""

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QIcon, QPainter, QPen, QPixmap, QPolygonF

_SIDE = 48  # pixels; icons are shown about 16 wide, and the rest keeps them sharp on dense displays
_DIM = 90  # alpha of a disabled icon

#: Each icon as triangles (x of the base, x of the tip) and bars (left, right), on a field of 16 x 16.
_SHAPES: dict[str, tuple[list[tuple[float, float]], list[tuple[float, float]]]] = {
    "first": ([(13.0, 5.0)], [(3.0, 4.8)]),
    "previous": ([(11.0, 4.0)], []),
    "next": ([(5.0, 12.0)], []),
    "last": ([(3.0, 11.0)], [(11.2, 13.0)]),
    "play": ([(4.0, 13.5)], []),
    "pause": ([], [(4.0, 7.0), (9.0, 12.0)]),
}


def transport_icon(name: str, colour: QColor) -> QIcon:
    """Return the icon "first", "previous", "next", "last", "play" or "pause" in `colour`, dimmed when disabled."""
    dim = QColor(colour)
    dim.setAlpha(_DIM)
    icon = QIcon(_draw(name, colour))
    icon.addPixmap(_draw(name, dim), QIcon.Mode.Disabled)
    return icon


def _draw(name: str, colour: QColor) -> QPixmap:
    triangles, bars = _SHAPES[name]
    reach = 5.5 if name == "play" else 4.5
    pixmap = QPixmap(_SIDE, _SIDE)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.scale(_SIDE / 16, _SIDE / 16)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(colour)
    for base, tip in triangles:
        painter.drawPolygon(QPolygonF([QPointF(base, 8 - reach), QPointF(base, 8 + reach), QPointF(tip, 8.0)]))
    for left, right in bars:
        painter.drawRect(QRectF(left, 8 - reach, right - left, 2 * reach))
    painter.end()
    return pixmap


def lamp_icon(off: QColor, on: QColor) -> QIcon:
    """Return a ring in the colour `off`, and for a checked button a disc in the colour `on`."""
    icon = QIcon()
    for state, colour in ((QIcon.State.Off, off), (QIcon.State.On, on)):
        pixmap = QPixmap(_SIDE, _SIDE)
        pixmap.fill(Qt.GlobalColor.transparent)
        painter = QPainter(pixmap)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(colour, _SIDE / 12))
        painter.setBrush(colour if state is QIcon.State.On else Qt.BrushStyle.NoBrush)
        painter.drawEllipse(QRectF(_SIDE / 4, _SIDE / 4, _SIDE / 2, _SIDE / 2))
        painter.end()
        icon.addPixmap(pixmap, QIcon.Mode.Normal, state)
    return icon
