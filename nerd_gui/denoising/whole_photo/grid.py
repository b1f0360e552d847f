"""The tiles of a photo: where each is solved, and how much it counts where two of them meet."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nerd_gui.imaging.noise_estimate import PATCH

_STEP = PATCH  # tiles begin at multiples of it: their patches, and their sub-pictures, are those of the photo
#: Pixels on either side of a border over which two tiles are blended.
BLEND = 4
Part = tuple[int, int, int, int]


@dataclass(frozen=True)
class Span:
    """Of a tile along one side of the photo: its core, and the pixels that are solved for it."""

    begin: int
    end: int
    start: int
    stop: int
    size: int  # of the photo

    @property
    def shown(self) -> tuple[int, int]:
        """First and last pixel (exclusive) that the tile contributes to."""
        return max(0, self.begin - BLEND), min(self.size, self.end + BLEND)

    def weights(self) -> NDArray[np.float32]:
        """How much the tile counts at each pixel that is `shown`; those of two neighbours add up to 1."""
        first, last = self.shown
        middle = np.arange(first, last) + 0.5
        rise = np.ones_like(middle) if self.begin == 0 else (middle - self.begin + BLEND) / (2 * BLEND)
        fall = np.ones_like(middle) if self.end == self.size else (self.end + BLEND - middle) / (2 * BLEND)
        return np.clip(np.minimum(rise, fall), 0, 1).astype(np.float32)


@dataclass(frozen=True)
class Tile:
    """A tile of a photo."""

    rows: Span
    cols: Span

    @property
    def solved(self) -> tuple[slice, slice]:
        """The rows and columns of the photo that are solved for it."""
        return slice(self.rows.start, self.rows.stop), slice(self.cols.start, self.cols.stop)

    @property
    def core(self) -> Part:
        """(row, col, rows, cols) of its own pixels: those of all tiles are the photo."""
        return self.rows.begin, self.cols.begin, self.rows.end - self.rows.begin, self.cols.end - self.cols.begin

    @property
    def shown(self) -> Part:
        """(row, col, rows, cols) of the pixels that it contributes to."""
        (top, bottom), (left, right) = self.rows.shown, self.cols.shown
        return top, left, bottom - top, right - left

    @property
    def pixels(self) -> int:
        """How many are solved for it."""
        return (self.rows.stop - self.rows.start) * (self.cols.stop - self.cols.start)

    def contribution(self, solved: NDArray[Any]) -> NDArray[np.float32]:
        """What it adds to the photo where it is `shown`, of what was solved (C, rows, cols)."""
        row, col, rows, cols = self.shown
        top, left = row - self.rows.start, col - self.cols.start
        part: NDArray[np.float32] = solved[:, top : top + rows, left : left + cols].astype(np.float32)
        part *= self.rows.weights()[:, None]
        part *= self.cols.weights()
        return part


def grid(rows: int, cols: int, core: int, halo: int) -> list[Tile]:
    """The tiles of a photo, whose cores are about `core` pixels wide at most, each solved with a halo around it."""
    return [
        Tile(row, col) for row in _spans(rows, core, max(halo, BLEND)) for col in _spans(cols, core, max(halo, BLEND))
    ]


def _spans(size: int, core: int, halo: int) -> list[Span]:
    count = max(1, -(-size // core))
    edges = [*(round(size * index / count / _STEP) * _STEP for index in range(count)), size]
    return [
        Span(begin, end, max(0, begin - halo), min(size, end + halo), size)
        for begin, end in pairwise(edges)
        if end > begin
    ]


def nearest(tiles: Sequence[Tile], view: Part | None) -> int:
    """Index of the tile to solve next: one in view, near its middle; with no view, or none there, the first."""
    if view is None:
        return 0
    row, col, rows, cols = view

    def key(index: int) -> tuple[bool, float]:
        top, left, tall, wide = tiles[index].core
        apart = top >= row + rows or left >= col + cols or top + tall <= row or left + wide <= col
        down, across = top + tall / 2 - row - rows / 2, left + wide / 2 - col - cols / 2
        return apart, down * down + across * across

    return min(range(len(tiles)), key=key)
