"""Values over pixels as a small picture with the range of its colours below."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFontMetrics, QImage, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from nerd_gui.analysis.catalogue import Picture, Scale
from nerd_gui.window.style.tokens import CAPTION_PIXELS, colours, sized
from nerd_gui.window.wording import scientific

_FRAME = 3  # pixels, width of the frame around the picture that lies over the photo
_MARK = QColor("#35D0FF")  # a colour that no scale contains
_OUTLINE = QColor(0, 0, 0, 200)


class ValuePicture(QWidget):
    """A picture of an answer, with its title above and the range of its colours below.

    Signals
    -------
    chosen
        A person clicked the picture, or pressed Return on it.
    """

    chosen = Signal()

    def __init__(self, name: str, picture: Picture, side: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.picture = picture
        self._side = side
        self._image: QImage | None = None
        self._selected = False
        self.setObjectName(name)
        self.setAccessibleName(picture.title)
        self.setAccessibleDescription(range_words(picture))
        self.setFont(sized(self.font(), CAPTION_PIXELS))
        self.setFixedSize(self.sizeHint())
        if self.choosable:
            self.setCursor(Qt.CursorShape.PointingHandCursor)
            self.setFocusPolicy(Qt.FocusPolicy.TabFocus)  # a click does not take the scrubber's keys

    @property
    def choosable(self) -> bool:
        """Whether the picture can be laid over the photo."""
        return self.picture.corner is not None

    def set_selected(self, selected: bool) -> None:
        """Draw the frame of the picture that lies over the photo, or remove it."""
        if selected != self._selected:
            self._selected = selected
            self.update()

    @property
    def selected(self) -> bool:
        """Whether the picture is framed as the one that lies over the photo."""
        return self._selected

    def sizeHint(self) -> QSize:
        """A square, with a line of text above and below."""
        line = QFontMetrics(self.font()).height()
        return QSize(self._side + 2 * _FRAME, self._side + 2 * _FRAME + 2 * line)

    def area(self) -> QRectF:
        """Return the rectangle in which the values are drawn."""
        rows, cols = self.picture.values.shape
        line = QFontMetrics(self.font()).height()
        scale = self._side / max(rows, cols)
        left, top = _FRAME + (self._side - cols * scale) / 2, line + _FRAME + (self._side - rows * scale) / 2
        return QRectF(left, top, cols * scale, rows * scale)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the title, the values, the mark, the frame and the range."""
        painter = QPainter(self)
        scheme, metrics, area = colours(self.palette()), painter.fontMetrics(), self.area()
        if self._image is None:  # made on the first paint, because few of the many pictures are ever looked at
            self._image = image_of(self.picture, round(self._side * self.devicePixelRatioF()))
        draw_values(painter, area, self._image, self.picture, QColor(scheme.frame))
        line = metrics.height()
        painter.setPen(QColor(scheme.text))
        title = metrics.elidedText(self.picture.title, Qt.TextElideMode.ElideRight, self.width())
        painter.drawText(QRectF(0, 0, self.width(), line), Qt.AlignmentFlag.AlignHCenter, title)
        painter.setPen(QColor(scheme.second))
        below = QRectF(0, self.height() - line, self.width(), line)
        painter.drawText(below, Qt.AlignmentFlag.AlignHCenter, range_words(self.picture))
        if self._selected or self.hasFocus():
            style = Qt.PenStyle.SolidLine if self._selected else Qt.PenStyle.DotLine
            painter.setPen(QPen(self.palette().highlight().color(), 2, style))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(area.adjusted(-2, -2, 2, 2))
        painter.end()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Choose this picture."""
        if self.choosable and event.button() == Qt.MouseButton.LeftButton:
            self.chosen.emit()
        else:
            event.ignore()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Choose this picture with Return."""
        if self.choosable and event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.chosen.emit()
        else:
            super().keyPressEvent(event)


def range_words(picture: Picture) -> str:
    """Return the range of the colours: "±0.031", or "0 to 12.4 grey levels"."""
    largest = picture.largest
    number = scientific(largest) if largest and not 0.01 <= largest < 1000 else f"{largest:.3g}"
    words = f"0 to {number}" if picture.scale is Scale.GREY else f"±{number}"
    return f"{words} {picture.unit}".strip()


def image_of(picture: Picture, side: int) -> QImage:
    """Return the picture for a square of `side` screen pixels; with more values than that, they are reduced."""
    rows, cols = picture.values.shape
    step = max(1, max(rows, cols) // max(side, 1))
    shown = picture if step == 1 else picture.with_values(_fewer(picture, step))
    pixels = np.ascontiguousarray(shown.pixels())
    height, width = pixels.shape[:2]
    return QImage(pixels.data, width, height, 3 * width, QImage.Format.Format_RGB888).copy()


def _fewer(picture: Picture, step: int) -> NDArray[np.float32]:
    """Reduce each square of values to its mean, or on a faint scale to its strongest value, which a mean would hide."""
    rows, cols = (size // step * step for size in picture.values.shape)
    squares = picture.values[:rows, :cols].reshape(rows // step, step, cols // step, step)
    if picture.scale is not Scale.FAINT:
        return np.asarray(squares.mean((1, 3)))
    high, low = squares.max((1, 3)), squares.min((1, 3))
    values: NDArray[np.float32] = np.where(high >= -low, high, low)
    return values


def overlay_of(picture: Picture) -> NDArray[np.float32]:
    """Return the strength, in [0, 1] for each pixel, with which a picture is laid over the photo."""
    strength = np.clip(picture.values, 0, None) if picture.scale is Scale.GREY else np.abs(picture.values)
    strength = strength / max(picture.largest, 1e-30)
    if picture.scale is not Scale.GREY:  # the square root makes small values visible, as in the picture itself
        strength = np.sqrt(strength)
    return strength.astype(np.float32).repeat(picture.cell, 0).repeat(picture.cell, 1)


def draw_values(painter: QPainter, area: QRectF, image: QImage, picture: Picture, frame: QColor) -> None:
    """Draw values into a rectangle with a frame, and a cross at the pixel that they are about."""
    painter.drawImage(area, image)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(frame, 1))
    painter.drawRect(area.adjusted(-0.5, -0.5, 0.5, 0.5))
    if picture.mark is None:
        return
    cell = area.width() / picture.values.shape[1]
    row, col = picture.mark
    centre = QPointF(area.left() + (col + 0.5) * cell, area.top() + (row + 0.5) * cell)
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setClipRect(area)
    inner, outer = cell / 2 + 3, cell / 2 + 7
    for pen in (QPen(_OUTLINE, 3.5), QPen(_MARK, 1.5)):
        painter.setPen(pen)
        for dx, dy in ((1, 0), (-1, 0), (0, 1), (0, -1)):
            painter.drawLine(centre + QPointF(dx, dy) * inner, centre + QPointF(dx, dy) * outer)
    painter.restore()
