"""Which layers are shown where: the selected layers, laid out over one or two panes that share a viewport.

All lengths are device pixels of the canvas, so that 100 % is exact on any screen.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field
from math import ceil, floor

from PySide6.QtCore import QPointF, QRect, QRectF

from nerd_gui.window.picture.grid import Grid
from nerd_gui.window.picture.layers import MAPS, Compare, Layer, PictureLayers
from nerd_gui.window.picture.map_source import Legend
from nerd_gui.window.picture.sources import Source
from nerd_gui.window.picture.tiles import Wanted
from nerd_gui.window.picture.viewport import Viewport

Region = tuple[int, int, int, int]  # row, col, rows, cols


_NO_DIFFERENCE = (
    "A map cannot be subtracted from a picture: only the right layer is shown. Choose a wipe to compare them."
)
_PLAIN_WORDS = {Layer.NOISY: "before", Layer.ITERATE: "after"}
_FLIPS = (Compare.SINGLE, Compare.WIPE)  # in which the left layer is shown alone while the flip key is held


@dataclass(frozen=True)
class Part:
    """A picture to paint: the pane in which it lies and the part of the canvas that it covers.

    Attributes
    ----------
    slot : Hashable
        The place on the screen. Until a picture is ready, what was last painted in the same slot stands in for it.
    """

    slot: Hashable
    wanted: Wanted
    caption: str
    pane: QRect
    clip: QRect
    caption_right: bool = False
    legend: Legend | None = None


@dataclass
class Comparison:
    """The selected layers and the way they are compared.

    Attributes
    ----------
    selected : (Layer, Layer)
        The layers that a person selected, left and right; either may have no picture (yet).
    flipped : bool
        Whether the left layer is shown alone, while the flip key is held.
    divider : float
        The wipe divider's position, as a fraction of the visible picture's width.
    captions, names : dict
        The caption in the corner of a layer, and the layer's name in the lists.
    missing : dict
        For each selected layer without a picture, the reason why.
    maps : bool
        Whether there is a run whose iterates maps can be computed from.
    plain : bool
        Whether before and after are compared, whatever is selected, and the captions say only that.
    panes : list of QRect
        One pane, or two side by side.
    """

    layers: PictureLayers = field(default_factory=PictureLayers)
    selected: tuple[Layer, Layer] = (Layer.NOISY, Layer.ITERATE)
    mode: Compare = Compare.WIPE
    flipped: bool = False
    divider: float = 0.5
    captions: dict[Layer, str] = field(default_factory=dict)
    names: dict[Layer, str] = field(default_factory=dict)
    missing: dict[Layer, str] = field(default_factory=dict)
    maps: bool = False
    plain: bool = False
    viewport: Viewport = field(default_factory=Viewport)
    panes: list[QRect] = field(default_factory=lambda: [QRect(0, 0, 1, 1)])

    @property
    def left(self) -> Layer:
        """The left layer."""
        return Layer.NOISY if self.plain else self.selected[0]

    @property
    def right(self) -> Layer:
        """The right layer."""
        return Layer.ITERATE if self.plain else self.selected[1]

    def lay_out(self, width: int, height: int, gap: int) -> None:
        """Adapt to the canvas's size, the mode and the pictures' size."""
        shape = self.layers.shape
        if shape is not None and shape != (self.viewport.rows, self.viewport.cols):
            self.viewport.show(*shape)
        if self.mode is Compare.SIDE_BY_SIDE:
            half = max(1, (width - gap) // 2)
            self.panes = [QRect(0, 0, half, height), QRect(width - half, 0, half, height)]
        else:
            self.panes = [QRect(0, 0, width, height)]
        self.viewport.resize(self.panes[0].width(), height)

    def caption(self, layer: Layer) -> str:
        """Return the caption of a layer."""
        if self.plain and layer in _PLAIN_WORDS:
            return _PLAIN_WORDS[layer]
        return self.captions.get(layer, str(layer))

    def name(self, layer: Layer) -> str:
        """Return a layer's name in the lists of layers."""
        return self.names.get(layer, str(layer))

    def offers(self, layer: Layer) -> bool:
        """Whether a layer has a picture, or will have one once it is selected."""
        return self.maps if layer in MAPS else layer in self.layers

    @property
    def with_maps(self) -> bool:
        """Whether a selected layer is a map."""
        return self.left in MAPS or self.right in MAPS

    def complaint(self) -> str:
        """Return why a selected layer is not shown; empty if both are shown."""
        if self.mode is Compare.DIFFERENCE and self.with_maps:
            return _NO_DIFFERENCE
        return next((self.missing[layer] for layer in (self.left, self.right) if self.missing.get(layer)), "")

    def plain_hint(self) -> str:
        """Return how before and after can be compared at the moment."""
        ways = ["drag the line to compare"] if self.wiping else []
        if Layer.ITERATE in self.layers and self.mode in _FLIPS:
            ways.append("hold F to see the photo as it was")
        hint = "  ·  ".join([*ways, "1 = 100 %", "0 = fit"])
        return hint[0].upper() + hint[1:]

    def shown_layers(self) -> list[Layer]:
        """Return the shown layers, left to right: the selected ones, or the first available one if both are missing."""
        layers = [layer for layer in (self.left, self.right) if layer in self.layers] or self.layers.available()[:1]
        if self.flipped and self.mode in _FLIPS:
            return layers[:1]
        single = self.mode is Compare.SINGLE or (self.mode is Compare.DIFFERENCE and self.with_maps)
        return layers[-1:] if single else layers

    def parts(self) -> list[Part]:
        """Return the pictures to paint."""
        if self.mode is Compare.SIDE_BY_SIDE:
            # A layer without a picture leaves its pane empty, so that nothing jumps when the picture arrives.
            sides = zip(self.panes, (self.left, self.right), strict=True)
            return [self._part(layer, pane) for pane, layer in sides if layer in self.layers]
        shown = self.shown_layers()
        pane = self.panes[0]
        if len(shown) == 1:
            return [self._part(shown[0], pane)]
        left, right = shown
        if self.mode is Compare.DIFFERENCE:
            caption = f"{self.caption(right)} − {self.caption(left)}"
            wanted = self._wanted(self.layers.difference(left, right), pane, self.visible(pane))
            return [Part((left, right), wanted, caption + self._complaint(wanted), pane, self.visible(pane))]
        before, after = self.visible(pane), self.visible(pane)
        boundary = self.boundary()
        before.setRight(boundary - 1)
        after.setLeft(boundary)
        return [self._part(left, pane, before), self._part(right, pane, after, caption_right=True)]

    def empty_panes(self) -> list[tuple[QRect, str]]:
        """Return the panes that have no picture, each with the reason, which is empty if it is not known."""
        if self.mode is not Compare.SIDE_BY_SIDE:
            return []
        sides = zip(self.panes, (self.left, self.right), strict=True)
        return [(pane, self.missing.get(layer, "")) for pane, layer in sides if layer not in self.layers]

    @property
    def grid(self) -> Grid:
        """The size at which the picture is cut into tiles: its own from 100 % on, that on the screen below 100 %."""
        view = self.viewport
        height, width = (view.rows, view.cols) if view.zoom >= 1 else view.size[::-1]
        return Grid(view.rows, view.cols, height, width)

    @property
    def wiping(self) -> bool:
        """Whether there is a divider."""
        return self.mode is Compare.WIPE and len(self.shown_layers()) == 2

    def boundary(self) -> int:
        """Return the first column of the canvas on the right side of the divider."""
        visible = self.visible(self.panes[0])
        return visible.left() + round(self.divider * visible.width())

    def move_divider(self, x: float) -> None:
        """Put the divider at a column of the canvas, as near as the visible picture allows."""
        visible = self.visible(self.panes[0])
        if not visible.isEmpty():
            self.divider = min(max((x - visible.left()) / visible.width(), 0.0), 1.0)

    def visible(self, pane: QRect) -> QRect:
        """Return the part of a pane whose device pixels have their middle on the picture."""
        left, top = self.viewport.origin
        width, height = self.viewport.size
        return QRect(pane.left() + left, pane.top() + top, width, height).intersected(pane)

    def pane_at(self, x: float) -> QRect | None:
        """Return the pane at a column of the canvas."""
        return next((pane for pane in self.panes if pane.left() <= x < pane.left() + pane.width()), None)

    def pixel_at(self, x: float, y: float) -> tuple[int, int] | None:
        """Return the (row, col) at a position on the canvas, in either pane; None outside the picture."""
        pane = self.pane_at(x)
        if pane is None or self.layers.shape is None:
            return None
        return self.viewport.pixel_at(x - pane.left(), y - pane.top())

    def position_of(self, pane: QRect, row: float, col: float) -> QPointF:
        """Return where a point of the picture lies on the canvas."""
        x, y = self.viewport.position_of(row, col)
        return QPointF(x + pane.left(), y + pane.top())

    def rectangle(self, pane: QRect, top: float, left: float, rows: float, cols: float) -> QRectF:
        """Return where a rectangle of the picture lies on the canvas."""
        return QRectF(self.position_of(pane, top, left), self.position_of(pane, top + rows, left + cols))

    def region_around(self, x: float, y: float, rows: int, cols: int) -> Region:
        """Return the rectangle of the picture around a position, made smaller or moved so that it fits inside."""
        pane = self.pane_at(x) or self.panes[0]
        row, col = self.viewport.point_at(x - pane.left(), y - pane.top())
        rows, cols = min(rows, self.viewport.rows), min(cols, self.viewport.cols)
        top = min(max(floor(row) - rows // 2, 0), self.viewport.rows - rows)
        left = min(max(floor(col) - cols // 2, 0), self.viewport.cols - cols)
        return top, left, rows, cols

    def region_between(self, x: float, y: float, other_x: float, other_y: float) -> Region:
        """Return the rectangle between two positions, cut to the picture and at least one pixel in size.

        Both positions are measured in the pane of the first, even if the second lies beyond that pane.
        """
        pane = self.pane_at(x) or self.panes[0]
        rows, cols = self.viewport.rows, self.viewport.cols
        corners = [self.viewport.point_at(at - pane.left(), y - pane.top()) for at, y in ((x, y), (other_x, other_y))]
        (top, bottom), (left, right) = (sorted(floor(value) for value in pair) for pair in zip(*corners, strict=True))
        top, left = min(max(top, 0), rows - 1), min(max(left, 0), cols - 1)
        return top, left, max(1, min(bottom + 1, rows) - top), max(1, min(right + 1, cols) - left)

    def part_in_view(self) -> Region | None:
        """Return (row, col, rows, cols) of the part of the picture that is in view; None if no part is in view."""
        if self.layers.shape is None:
            return None
        row, col, rows, cols = self._pixels(self.panes[0], self.visible(self.panes[0]))
        return (row, col, rows, cols) if rows > 0 and cols > 0 else None

    def _part(self, layer: Layer, pane: QRect, clip: QRect | None = None, caption_right: bool = False) -> Part:
        clip = self.visible(pane) if clip is None else clip
        wanted = self._wanted(self.layers.displayed(layer), pane, clip)
        caption = self.caption(layer) + self._complaint(wanted)
        return Part(layer, wanted, caption, pane, clip, caption_right, self.layers.legend(layer))

    def _complaint(self, wanted: Wanted) -> str:
        return " · not a number where it is magenta" if self.layers.tiles.undefined(wanted) else ""

    def _wanted(self, source: Source, pane: QRect, clip: QRect) -> Wanted:
        """Return the tiles of a source that are visible in a part of the canvas."""
        grid, (x0, y0) = self.grid, self.viewport.origin
        if clip.isEmpty():
            return Wanted(source, grid, [])
        if self.viewport.zoom >= 1:
            return Wanted(source, grid, grid.places(*self._pixels(pane, clip)))
        top, left = clip.top() - pane.top() - y0, clip.left() - pane.left() - x0
        return Wanted(source, grid, grid.places(top, left, clip.height(), clip.width()))

    def _pixels(self, pane: QRect, clip: QRect) -> Region:
        """Return the pixels of the picture that a part of the canvas shows, including those it shows in part."""
        top, left = self.viewport.point_at(clip.left() - pane.left(), clip.top() - pane.top())
        bottom, right = self.viewport.point_at(
            clip.left() + clip.width() - pane.left(), clip.top() + clip.height() - pane.top()
        )
        row, col = max(0, floor(top)), max(0, floor(left))
        return row, col, min(self.viewport.rows, ceil(bottom)) - row, min(self.viewport.cols, ceil(right)) - col
