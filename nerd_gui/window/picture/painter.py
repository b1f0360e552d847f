"""Paints a comparison: the pictures pixel by pixel on the screen, and over them marks of constant size."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QLineF, QPoint, QPointF, QRect, QRectF
from PySide6.QtGui import QImage, QPainter, QRegion

from nerd_gui.window.picture import marks
from nerd_gui.window.picture.comparison import Comparison, Part, Region
from nerd_gui.window.picture.grid import Grid, Place
from nerd_gui.window.picture.map_legend import draw_legend
from nerd_gui.window.picture.tiles import Tile, Tiles
from nerd_gui.window.session.pins import Pin


@dataclass
class Marks:
    """The marks that lie over the pictures.

    Attributes
    ----------
    overlay : (image, top, left) or None
        A picture laid over the others with its corner at pixel (top, left).
    region, candidate : Region or None
        The region of interest, and the one that a person is choosing, which is drawn instead of it.
    pointer : (pane, row, col) or None
        The pixel under the pointer with the pane it is in; it is marked in the other pane.
    selected : int or None
        The number of the selected pin.
    cursor : (row, col) or None
        The pixel that the keyboard points at.
    """

    pins: Sequence[Pin] = ()
    overlay: tuple[QImage, int, int] | None = None
    region: Region | None = None
    candidate: Region | None = None
    pointer: tuple[QRect, int, int] | None = None
    selected: int | None = None
    cursor: tuple[int, int] | None = None


def paint(painter: QPainter, comparison: Comparison, over: Marks, ratio: float) -> bool:
    """Paint the comparison and its marks; return False if some pictures are not ready and need another paint.

    Parameters
    ----------
    ratio : float
        Device pixels per logical pixel of the painter.
    """
    tiles = comparison.layers.tiles
    ready = tiles.make([part.wanted for part in comparison.parts()])
    parts = comparison.parts()
    painter.save()
    painter.scale(1 / ratio, 1 / ratio)
    for part in parts:
        painter.setClipRect(part.clip)
        _paint_part(painter, comparison, part, tiles)
    tiles.leave(part.slot for part in parts)
    if over.overlay is not None:
        for pane in comparison.panes:
            painter.setClipRect(comparison.visible(pane))
            _paint_overlay(painter, comparison, pane, over.overlay)
    painter.restore()
    for part in parts:
        marks.draw_chip(painter, _logical(part.clip, ratio), part.caption, part.caption_right)
        if part.legend is not None:
            draw_legend(painter, _logical(part.clip, ratio), part.legend, part.caption_right)
    for pane, why in comparison.empty_panes():
        marks.draw_chip(painter, _logical(comparison.visible(pane), ratio), why)
    for pane in comparison.panes:
        painter.save()
        painter.setClipRect(_logical(pane, ratio))
        _paint_marks(painter, comparison, pane, over, ratio)
        painter.restore()
    if comparison.wiping:
        visible, handle = _logical(comparison.visible(comparison.panes[0]), ratio), divider_handle(comparison) / ratio
        marks.draw_divider(painter, QLineF(handle.x(), visible.top(), handle.x(), visible.bottom()), handle)
    return ready


def divider_handle(comparison: Comparison) -> QPointF:
    """Return the middle of the divider's handle, in device pixels: near the bottom, where it hides little."""
    visible = comparison.visible(comparison.panes[0])
    return QPointF(comparison.boundary(), visible.top() + 0.85 * visible.height())


def _paint_part(painter: QPainter, comparison: Comparison, part: Part, tiles: Tiles) -> None:
    grid, standing = part.wanted.grid, tiles.painted(part.slot, part.wanted)
    missing = QRegion()
    for place in part.wanted.places:
        if place not in standing.tiles:
            missing += _lies(comparison, part, grid, place)
    if not missing.isEmpty():
        _paint_stopgap(painter, comparison, part, missing & part.clip, tiles.draft(part.wanted.source), standing.before)
    for place, tile in standing.tiles.items():
        lies = _lies(comparison, part, grid, place)
        if comparison.viewport.zoom <= 1:
            painter.drawImage(lies.topLeft(), tile.image)
        else:
            top, left, _, _ = grid.rectangle(place)
            _magnify(painter, comparison, part.pane, part.clip & lies, tile.pixels, tile.image.format(), top, left)


def _paint_stopgap(
    painter: QPainter,
    comparison: Comparison,
    part: Part,
    missing: QRegion,
    draft: Tile,
    before: tuple[Grid, Mapping[Place, Tile]] | None,
) -> None:
    """Paint a substitute for tiles that are not ready: tiles of the previous zoom, and a coarse draft elsewhere."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
    if before is not None:
        painter.setClipRegion(missing)
        for place, tile in before[1].items():
            lies = _lies(comparison, part, before[0], place)
            painter.drawImage(QRectF(lies), tile.image)
            missing -= lies
    painter.setClipRegion(missing)
    rows, cols = comparison.viewport.rows, comparison.viewport.cols
    painter.drawImage(comparison.rectangle(part.pane, 0, 0, rows, cols), draft.image)
    painter.restore()


def _lies(comparison: Comparison, part: Part, grid: Grid, place: Place) -> QRect:
    """Return where a tile lies on the canvas, at any zoom."""
    top, left, height, width = grid.rectangle(place)
    if grid == part.wanted.grid and comparison.viewport.zoom <= 1:
        corner = comparison.position_of(part.pane, 0, 0).toPoint()
        return QRect(corner.x() + left, corner.y() + top, width, height)
    down, across = grid.rows / grid.height, grid.cols / grid.width
    return comparison.rectangle(part.pane, top * down, left * across, height * down, width * across).toAlignedRect()


def _paint_overlay(painter: QPainter, comparison: Comparison, pane: QRect, overlay: tuple[QImage, int, int]) -> None:
    image, top, left = overlay
    if comparison.viewport.zoom >= 1:
        pixels = np.frombuffer(image.constBits(), np.uint32).reshape(image.height(), image.width())
        _magnify(painter, comparison, pane, comparison.visible(pane), pixels, image.format(), top, left)
    else:
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawImage(comparison.rectangle(pane, top, left, image.height(), image.width()), image)


def _magnify(
    painter: QPainter,
    comparison: Comparison,
    pane: QRect,
    clip: QRect,
    pixels: NDArray[np.uint32],
    form: QImage.Format,
    top: int,
    left: int,
) -> None:
    """Paint 32-bit pixels, the first of which is (top, left) of the picture, inside `clip`.

    Every device pixel shows the picture's pixel under its middle.

    The pixels are replicated here because Qt's own scaling puts some borders between pixels one device pixel off, and
    a click would then report the neighbour of the pixel that a person sees.
    """
    zoom, (x0, y0) = comparison.viewport.zoom, comparison.viewport.origin
    x = np.arange(clip.left(), clip.left() + clip.width())
    y = np.arange(clip.top(), clip.top() + clip.height())
    cols = np.floor((x + 0.5 - pane.left() - x0) / zoom).astype(np.intp) - left
    rows = np.floor((y + 0.5 - pane.top() - y0) / zoom).astype(np.intp) - top
    seen_cols, seen_rows = (cols >= 0) & (cols < pixels.shape[1]), (rows >= 0) & (rows < pixels.shape[0])
    cols, rows = cols[seen_cols], rows[seen_rows]
    if not (len(cols) and len(rows)):
        return
    # Columns first: the rows are then whole lines in memory, which are copied fast.
    part = np.ascontiguousarray(pixels[rows[0] : rows[-1] + 1][:, cols])[rows - rows[0]]
    painter.drawImage(
        QPoint(int(x[seen_cols][0]), int(y[seen_rows][0])),
        QImage(part.data, len(cols), len(rows), 4 * len(cols), form),
    )


def _paint_marks(painter: QPainter, comparison: Comparison, pane: QRect, over: Marks, ratio: float) -> None:
    region = over.candidate or over.region
    if region is not None:
        shade = _logical(comparison.visible(pane), ratio) if over.candidate else None
        marks.draw_region(painter, _logical(comparison.rectangle(pane, *region), ratio), shade)
    area = _logical(comparison.visible(pane), ratio)
    for pin in sorted(over.pins, key=lambda pin: pin.number == over.selected):  # the selected pin on top
        if 0 <= pin.row < comparison.viewport.rows and 0 <= pin.col < comparison.viewport.cols:
            centre = comparison.position_of(pane, pin.row + 0.5, pin.col + 0.5) / ratio
            marks.draw_pin(painter, centre, pin.number, area, selected=pin.number == over.selected)
    if over.cursor is not None:
        marks.draw_cursor(painter, _logical(comparison.rectangle(pane, *over.cursor, 1, 1), ratio))
    if over.pointer is not None and over.pointer[0] != pane:
        _, row, col = over.pointer
        marks.draw_pointer(painter, comparison.position_of(pane, row + 0.5, col + 0.5) / ratio)


def _logical(rectangle: QRect | QRectF, ratio: float) -> QRectF:
    rectangle = QRectF(rectangle)
    return QRectF(rectangle.topLeft() / ratio, rectangle.size() / ratio)
