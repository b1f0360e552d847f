"""Overlapping tiles of a picture, and how they are blended into one again."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np


@dataclass(frozen=True, eq=False)
class Tile:
    """A part of a picture with its halo: `rows` and `cols` of the picture, and each pixel's weight in the blend."""

    rows: slice
    cols: slice
    weight: np.ndarray  # float32 (rows, cols), above 0

    def cut(self, picture: np.ndarray) -> np.ndarray:
        """The tile's pixels of a picture (C, rows, cols)."""
        return picture[:, self.rows, self.cols]


def crop_side(size: int, parts: int, halo: int) -> int:
    """The longest side of a tile when `size` pixels are cut into `parts` and each sees `halo` pixels beyond its own."""
    return min(size, -(-size // parts) + min(2, parts - 1) * halo)


def cut_tiles(rows: int, cols: int, down: int, across: int, halo: int) -> list[Tile]:
    """Cut a picture into down x across tiles that reach `halo` pixels over their borders."""
    return [
        Tile(row, col, np.outer(row_weight, col_weight).astype(np.float32))
        for row, row_weight in _spans(rows, down, halo)
        for col, col_weight in _spans(cols, across, halo)
    ]


def _spans(size: int, parts: int, halo: int) -> list[tuple[slice, np.ndarray]]:
    edges = [size * part // parts for part in range(parts + 1)]
    spans = []
    for begin, end in pairwise(edges):
        start, stop = max(0, begin - halo), min(size, end + halo)
        middle = np.arange(start, stop) + 0.5
        # From 0 at the far side of the overlap to 1 where the neighbour ends; nothing to blend at the picture's border.
        rise = np.ones_like(middle) if begin == 0 else (middle - begin + halo) / max(2 * halo, 1)
        fall = np.ones_like(middle) if end == size else (end + halo - middle) / max(2 * halo, 1)
        spans.append((slice(start, stop), np.clip(np.minimum(rise, fall), 1e-6, 1)))
    return spans


def blend(tiles: Sequence[Tile], pictures: Sequence[np.ndarray], rows: int, cols: int) -> np.ndarray:
    """Put the tiles' pictures (C, rows, cols) together, float32, each pixel the weighted mean of those that see it."""
    total = np.zeros((pictures[0].shape[0], rows, cols), np.float32)
    weight = np.zeros((rows, cols), np.float32)
    for tile, picture in zip(tiles, pictures, strict=True):
        total[:, tile.rows, tile.cols] += tile.weight * picture
        weight[tile.rows, tile.cols] += tile.weight
    return total / weight
