"""Paints a stage: the pictures exactly, on device pixels; the marks over them at a constant size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QLineF, QPoint, QPointF, QRect, QRectF
from PySide6.QtGui import QImage, QPainter

from nerd_gui.window import picture_marks as marks
from nerd_gui.window.pins import Pin, draw_pin
from nerd_gui.window.stage import Part, Region, Stage


@dataclass
class Marks:
    """What lies over the pictures.

    Attributes
    ----------
    overlay : (image, top, left) or None
        A picture laid over the others with its corner at pixel (top, left).
    region, candidate : Region or None
        The region of interest, and the one a person is about to choose, which is drawn instead.
    pointer : (pane, row, col) or None
        The pixel under the pointer, marked in the other pane.
    """

    pins: Sequence[Pin] = ()
    overlay: tuple[QImage, int, int] | None = None
    region: Region | None = None
    candidate: Region | None = None
    pointer: tuple[QRect, int, int] | None = None


def paint(painter: QPainter, stage: Stage, over: Marks, ratio: float) -> None:
    """Paint the stage and its marks; `ratio` is the number of device pixels per logical pixel of the painter."""
    parts = stage.parts()
    painter.save()
    painter.scale(1 / ratio, 1 / ratio)
    for part in parts:
        painter.setClipRect(part.clip)
        _paint_part(painter, stage, part)
    if over.overlay is not None:
        for pane in stage.panes:
            painter.setClipRect(stage.visible(pane))
            _paint_overlay(painter, stage, pane, over.overlay)
    painter.restore()
    for pane in stage.panes:
        painter.save()
        painter.setClipRect(_logical(pane, ratio))
        _paint_marks(painter, stage, pane, over, ratio)
        painter.restore()
    if stage.wiping:
        visible, handle = _logical(stage.visible(stage.panes[0]), ratio), divider_handle(stage) / ratio
        marks.draw_divider(painter, QLineF(handle.x(), visible.top(), handle.x(), visible.bottom()), handle)
    for part in parts:
        marks.draw_chip(painter, _logical(part.clip, ratio), part.caption, part.caption_right)


def divider_handle(stage: Stage) -> QPointF:
    """Return the middle of the divider's handle, in device pixels: low, where it hides little of the subject."""
    visible = stage.visible(stage.panes[0])
    return QPointF(stage.boundary(), visible.top() + 0.85 * visible.height())


def _paint_part(painter: QPainter, stage: Stage, part: Part) -> None:
    if stage.viewport.zoom >= 1:
        _magnify(painter, stage, part.pane, part.clip, part.frame.image)
    else:
        corner = stage.position_of(part.pane, 0, 0).toPoint()
        painter.drawImage(corner, part.frame.reduced(*stage.viewport.size))


def _paint_overlay(painter: QPainter, stage: Stage, pane: QRect, overlay: tuple[QImage, int, int]) -> None:
    image, top, left = overlay
    if stage.viewport.zoom >= 1:
        _magnify(painter, stage, pane, stage.visible(pane), image, top, left)
    else:
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawImage(stage.rectangle(pane, top, left, image.height(), image.width()), image)


def _magnify(
    painter: QPainter, stage: Stage, pane: QRect, clip: QRect, image: QImage, top: int = 0, left: int = 0
) -> None:
    """Paint the part of a 32-bit image inside `clip`: every device pixel shows the image pixel under its middle.

    Worked out here because Qt's own scaling puts some borders between pixels one device pixel off, and a click would
    report the neighbour of what is seen.
    """
    zoom, (x0, y0) = stage.viewport.zoom, stage.viewport.origin
    x = np.arange(clip.left(), clip.left() + clip.width())
    y = np.arange(clip.top(), clip.top() + clip.height())
    cols = np.floor((x + 0.5 - pane.left() - x0) / zoom).astype(np.intp) - left
    rows = np.floor((y + 0.5 - pane.top() - y0) / zoom).astype(np.intp) - top
    seen_cols, seen_rows = (cols >= 0) & (cols < image.width()), (rows >= 0) & (rows < image.height())
    cols, rows = cols[seen_cols], rows[seen_rows]
    if not (len(cols) and len(rows)):
        return
    pixels = np.frombuffer(image.constBits(), np.uint32).reshape(image.height(), image.width())
    # Columns first: then the rows, whole lines, are copied fast.
    part = np.ascontiguousarray(pixels[rows[0] : rows[-1] + 1][:, cols])[rows - rows[0]]
    painter.drawImage(
        QPoint(int(x[seen_cols][0]), int(y[seen_rows][0])),
        QImage(part.data, len(cols), len(rows), 4 * len(cols), image.format()),
    )


def _paint_marks(painter: QPainter, stage: Stage, pane: QRect, over: Marks, ratio: float) -> None:
    region = over.candidate or over.region
    if region is not None:
        shade = _logical(stage.visible(pane), ratio) if over.candidate else None
        marks.draw_region(painter, _logical(stage.rectangle(pane, *region), ratio), shade)
    for pin in over.pins:
        if 0 <= pin.row < stage.viewport.rows and 0 <= pin.col < stage.viewport.cols:
            draw_pin(painter, stage.position_of(pane, pin.row + 0.5, pin.col + 0.5) / ratio, pin.colour)
    if over.pointer is not None and over.pointer[0] != pane:
        _, row, col = over.pointer
        marks.draw_pointer(painter, stage.position_of(pane, row + 0.5, col + 0.5) / ratio)


def _logical(rectangle: QRect | QRectF, ratio: float) -> QRectF:
    rectangle = QRectF(rectangle)
    return QRectF(rectangle.topLeft() / ratio, rectangle.size() / ratio)
