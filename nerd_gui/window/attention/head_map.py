"""Pictures of one query pixel's window: a head's correlation map, the photo around the pixel, and the colour bar."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QLineF, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QImage, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from nerd_gui.nerd.attention import window_offsets
from nerd_gui.window.colour_map import coloured

_FRAME = 3  # pixels, width of the frame around the chosen head's map
_LEAST, _USUAL, _MOST = 64, 108, 480  # pixels, the side of a picture
_SMALL = 90  # pixels; a picture below this size gets a smaller cross
_CROSS = QColor("#35D0FF")  # a colour that the map does not contain
_OUTLINE = QColor(0, 0, 0, 200)


@dataclass(frozen=True, eq=False)
class Patch:
    """The part of the q x q window around a query pixel that lies inside the picture.

    `rgb` is (rows, cols, 3), uint8; its first pixel is pixel (`row`, `col`) of the window.
    """

    rgb: NDArray[np.uint8]
    row: int
    col: int
    window: int


class WindowPicture(QWidget):
    """Shows a patch in its square window: a cross marks the query, and hatching marks what lies outside the picture.

    Signals
    -------
    chosen
        A person clicked the picture, or pressed Return on it.
    """

    chosen = Signal()

    def __init__(self, *, choosable: bool, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._patch: Patch | None = None
        self._image: QImage | None = None
        self._choosable = choosable
        self._selected = False
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(_LEAST, _LEAST)
        self.setMaximumWidth(_MOST)
        if choosable:
            self.setCursor(Qt.CursorShape.PointingHandCursor)
            self.setFocusPolicy(Qt.FocusPolicy.TabFocus)  # a click does not take the scrubber's keys

    def set_patch(self, patch: Patch | None) -> None:
        """Show a patch; None shows an empty frame."""
        self._patch = patch
        if patch is None:
            self._image = None
        else:
            rows, cols = patch.rgb.shape[:2]
            pixels = np.ascontiguousarray(patch.rgb)
            self._image = QImage(pixels.data, cols, rows, 3 * cols, QImage.Format.Format_RGB888).copy()
        self.update()

    def set_selected(self, selected: bool) -> None:
        """Draw the frame of the chosen picture, or remove it."""
        if selected != self._selected:
            self._selected = selected
            self.update()

    def square(self) -> QRectF:
        """Return the place of the window in this widget."""
        side = min(self.width(), self.height()) - 2 * _FRAME
        return QRectF((self.width() - side) // 2, _FRAME, side, side)

    def pixel_rect(self, row: int, col: int) -> QRectF:
        """Return the place of a pixel of the window, counted from the window's first row and column."""
        assert self._patch is not None
        square, cell = self.square(), self.square().width() / self._patch.window
        return QRectF(square.left() + col * cell, square.top() + row * cell, cell, cell)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep the height at or below the width: the window is square, and Qt's splitters ignore heightForWidth."""
        if self.minimumHeight() < self.maximumHeight():  # unless the size is fixed
            self.setMaximumHeight(min(max(self.width(), _LEAST), _MOST))

    def sizeHint(self) -> QSize:
        """The size at which a map of 65 x 65 can be read well."""
        return QSize(_USUAL, _USUAL)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Choose this picture."""
        if self._choosable and self._patch is not None and event.button() == Qt.MouseButton.LeftButton:
            self.chosen.emit()
        else:
            event.ignore()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Choose this picture with Return."""
        if self._choosable and self._patch is not None and event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.chosen.emit()
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the hatching, the patch, the query's cross and the frame."""
        painter = QPainter(self)
        square, palette = self.square(), self.palette()
        outline = QColor(palette.windowText().color())
        outline.setAlpha(70)
        if self._patch is not None and self._image is not None:
            painter.fillRect(square, palette.base())
            painter.fillRect(square, Qt.BrushStyle.BDiagPattern)
            patch, image = self._patch, self._image
            first = self.pixel_rect(patch.row, patch.col)
            last = self.pixel_rect(patch.row + image.height() - 1, patch.col + image.width() - 1)
            # Enlarged pixels stay squares; only pixels smaller than those of the screen are averaged.
            shrunk = first.width() * self.devicePixelRatioF() < 1
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, shrunk)
            painter.drawImage(first.united(last), image)
            self._draw_cross(painter)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(outline, 1, Qt.PenStyle.SolidLine if self._patch else Qt.PenStyle.DashLine))
        painter.drawRect(square.adjusted(-0.5, -0.5, 0.5, 0.5))
        if self._selected or self.hasFocus():
            style = Qt.PenStyle.SolidLine if self._selected else Qt.PenStyle.DotLine
            painter.setPen(QPen(palette.highlight().color(), 2, style))
            painter.drawRect(square.adjusted(-2, -2, 2, 2))
        painter.end()

    def _draw_cross(self, painter: QPainter) -> None:
        assert self._patch is not None
        first, _ = window_offsets(self._patch.window)
        cell = self.pixel_rect(-first, -first)
        draw_cross(painter, cell.center(), cell.width(), self.square())


def draw_cross(painter: QPainter, centre: QPointF, cell: float, square: QRectF) -> None:
    """Draw four arms around the query, which leave it and its neighbours free because many heads look just there.

    Parameters
    ----------
    cell : float
        The size of one map pixel on the screen, when the map fills `square`.
    """
    gap, arm = (4, 6) if square.width() >= _SMALL else (2, 3)
    inner, outer = cell / 2 + gap, cell / 2 + gap + arm
    arms = [
        QLineF(centre + QPointF(dx, dy) * inner, centre + QPointF(dx, dy) * outer)
        for dx, dy in ((1, 0), (-1, 0), (0, 1), (0, -1))
    ]
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setClipRect(square)
    for pen in (QPen(_OUTLINE, 3.5), QPen(_CROSS, 1.5)):
        painter.setPen(pen)
        painter.drawLines(arms)
    painter.restore()


class ColourBar(QWidget):
    """A bar of the colours from the smallest weight to the largest, between these two numbers."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.low, self.high = "", ""
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def set_range(self, low: str, high: str) -> None:
        """Set the words at the two ends; empty ones show a faded bar."""
        self.low, self.high = low, high
        self.setAccessibleDescription(f"{low} to {high}" if high else "")
        self.update()

    def sizeHint(self) -> QSize:
        """The height of one line of text."""
        return QSize(200, self.fontMetrics().height() + 2)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the bar between its two numbers."""
        painter = QPainter(self)
        metrics = self.fontMetrics()
        left, right = (metrics.horizontalAdvance(text) + (6 if text else 0) for text in (self.low, self.high))
        bar = QRectF(left, self.height() / 2 - 5, max(self.width() - left - right, 0), 10)
        colours = coloured(np.linspace(0, 1, 256)[None])
        image = QImage(colours.tobytes(), 256, 1, 768, QImage.Format.Format_RGB888)
        if not self.high:
            painter.setOpacity(0.3)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawImage(bar, image)
        painter.setPen(self.palette().windowText().color())
        painter.drawText(self.rect(), Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, self.low)
        painter.drawText(self.rect(), Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, self.high)
        painter.end()
