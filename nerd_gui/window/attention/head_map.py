"""Small pictures over the window of one query pixel: a head's correlation map, the photo around, the colour bar."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QLineF, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QImage, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from nerd_gui.nerd.attention import window_offsets
from nerd_gui.window.colour_map import coloured

_FRAME = 3  # room for the frame of the chosen head
_LEAST, _USUAL, _MOST = 64, 108, 480
_SMALL = 90  # pixels; in a map that is no larger the cross is, too
_CROSS = QColor("#35D0FF")  # a colour the map does not have
_OUTLINE = QColor(0, 0, 0, 200)


@dataclass(frozen=True, eq=False)
class Patch:
    """A part of the q x q window around a query pixel that lies inside the picture.

    `rgb` is (rows, cols, 3), uint8; its first pixel stands at (`row`, `col`) of the window.
    """

    rgb: NDArray[np.uint8]
    row: int
    col: int
    window: int


class WindowPicture(QWidget):
    """Shows a patch in its square window; what is outside the picture is hatched, the query is marked by a cross.

    Signals
    -------
    chosen
        It was clicked, or Return was pressed on it.
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
            self.setFocusPolicy(Qt.FocusPolicy.TabFocus)  # a click leaves the keys to the scrubber

    def set_patch(self, patch: Patch | None) -> None:
        """Show a patch, or an empty frame."""
        self._patch = patch
        if patch is None:
            self._image = None
        else:
            rows, cols = patch.rgb.shape[:2]
            pixels = np.ascontiguousarray(patch.rgb)
            self._image = QImage(pixels.data, cols, rows, 3 * cols, QImage.Format.Format_RGB888).copy()
        self.update()

    def set_selected(self, selected: bool) -> None:
        """Frame it as the chosen one."""
        if selected != self._selected:
            self._selected = selected
            self.update()

    def square(self) -> QRectF:
        """The window's place in the widget."""
        side = min(self.width(), self.height()) - 2 * _FRAME
        return QRectF((self.width() - side) // 2, _FRAME, side, side)

    def pixel_rect(self, row: int, col: int) -> QRectF:
        """Where a pixel of the window, counted from its first row and column, is drawn."""
        assert self._patch is not None
        square, cell = self.square(), self.square().width() / self._patch.window
        return QRectF(square.left() + col * cell, square.top() + row * cell, cell, cell)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Be no higher than wide, since the window is square; splitters know no height that follows the width."""
        if self.minimumHeight() < self.maximumHeight():  # it is not fixed
            self.setMaximumHeight(min(max(self.width(), _LEAST), _MOST))

    def sizeHint(self) -> QSize:
        """A size at which a map of 65 x 65 can be read."""
        return QSize(_USUAL, _USUAL)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Choose this one."""
        if self._choosable and self._patch is not None and event.button() == Qt.MouseButton.LeftButton:
            self.chosen.emit()
        else:
            event.ignore()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Choose this one with Return."""
        if self._choosable and self._patch is not None and event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.chosen.emit()
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw hatch, patch, query and frame."""
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
            # Pixels stay squares when enlarged; only where they are smaller than the screen's are they averaged.
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
    """Four arms around the query that leave it and the pixels beside it free: many a head looks just there.

    Parameters
    ----------
    cell : float
        The size of a pixel of the map that fills `square`.
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
    """The colours from the least weight to the largest, with both numbers."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.low, self.high = "", ""
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def set_range(self, low: str, high: str) -> None:
        """Name the ends; empty for none."""
        self.low, self.high = low, high
        self.setAccessibleDescription(f"{low} to {high}" if high else "")
        self.update()

    def sizeHint(self) -> QSize:
        """One line of text."""
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
