"""The tiles of a photo: the pixels that are solved for each, and the weights with which neighbours are blended."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

_STEP = 2  # tiles and their cores begin at multiples of it, so that their sub-pictures are those of the photo
#: Two tiles are blended over this many pixels on either side of their common border.
BLEND = 4
Part = tuple[int, int, int, int]


@dataclass(frozen=True)
class Span:
    """The extent of a tile along one axis: its core (begin, end), and the pixels solved for it (start, stop)."""

    begin: int
    end: int
    start: int
    stop: int
    size: int  # the photo's extent along this axis

    @property
    def shown(self) -> tuple[int, int]:
        """First and last pixel (exclusive) that the tile contributes to."""
        return max(0, self.begin - BLEND), min(self.size, self.end + BLEND)

    def weights(self) -> NDArray[np.float32]:
        """The weight of the tile at each pixel of `shown`; the weights of two neighbouring tiles sum to 1."""
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
        """The rows and columns of the photo that are solved for this tile."""
        return slice(self.rows.start, self.rows.stop), slice(self.cols.start, self.cols.stop)

    @property
    def core(self) -> Part:
        """(row, col, rows, cols) of the tile without its margin; the cores of all tiles partition the photo."""
        return self.rows.begin, self.cols.begin, self.rows.end - self.rows.begin, self.cols.end - self.cols.begin

    @property
    def shown(self) -> Part:
        """(row, col, rows, cols) of the pixels that the tile contributes to."""
        (top, bottom), (left, right) = self.rows.shown, self.cols.shown
        return top, left, bottom - top, right - left

    @property
    def shape(self) -> tuple[int, int]:
        """The number of rows and columns that are solved for this tile."""
        return self.rows.stop - self.rows.start, self.cols.stop - self.cols.start

    @property
    def pixels(self) -> int:
        """The number of pixels that are solved for this tile."""
        return self.shape[0] * self.shape[1]

    def contribution(self, solved: NDArray[Any]) -> NDArray[np.float32]:
        """Compute what the tile adds to the photo at `shown`, from the solved pixels (C, rows, cols)."""
        row, col, rows, cols = self.shown
        top, left = row - self.rows.start, col - self.cols.start
        part: NDArray[np.float32] = solved[:, top : top + rows, left : left + cols].astype(np.float32)
        part *= self.rows.weights()[:, None]
        part *= self.cols.weights()
        return part


def grid(rows: int, cols: int, core: int, halo: int) -> list[Tile]:
    """Cut a photo into tiles with cores of at most about `core` pixels, each solved with `halo` pixels around it."""
    return [
        Tile(row, col) for row in _spans(rows, core, max(halo, BLEND)) for col in _spans(cols, core, max(halo, BLEND))
    ]


def _spans(size: int, core: int, halo: int) -> list[Span]:
    count = max(1, -(-size // core))
    # Equally many pixels are solved for each tile, so that the memory of one fits the next. As the outer tiles have a
    # halo on one side only, their cores are larger.
    outer = min(halo, core // 4)
    inner = [round((outer + index * (size - 2 * outer) / count) / _STEP) * _STEP for index in range(1, count)]
    cores = list(pairwise([0, *inner, size]))
    longest = max(min(size, end + halo) - max(0, begin - halo) for begin, end in cores)
    last = (size - longest) // _STEP * _STEP  # where the last tile starts
    starts = [min(max(0, begin - halo), last) for begin, _ in cores]
    return [Span(*core, start, start + size - last, size) for core, start in zip(cores, starts, strict=True)]


def nearest(tiles: Sequence[Tile], view: Part | None) -> int:
    """Return the index of the tile to solve next: the one in view nearest to its middle, else the nearest outside.

    Without a view, it is the first tile.
    """
    if view is None:
        return 0
    row, col, rows, cols = view

    def key(index: int) -> tuple[bool, float]:
        top, left, tall, wide = tiles[index].core
        apart = top >= row + rows or left >= col + cols or top + tall <= row or left + wide <= col
        down, across = top + tall / 2 - row - rows / 2, left + wide / 2 - col - cols / 2
        return apart, down * down + across * across

    return min(range(len(tiles)), key=key)
