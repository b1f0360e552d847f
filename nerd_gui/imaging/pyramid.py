"""A picture at halves of its size, made where and when it is looked at."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

_BLOCK = 128  # pixels of a level along a side that are made together


class Pixels(Protocol):
    """A picture (C, rows, cols), floating point or uint8, read by part: an array, or what makes one in parts."""

    @property
    def shape(self) -> tuple[int, ...]:
        """C, rows and cols."""

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of the values."""

    def __getitem__(self, part: tuple[slice, slice, slice], /) -> NDArray[Any]: ...


@dataclass(frozen=True, eq=False)
class _Level:
    pixels: NDArray[Any]  # (C, rows, cols); undefined where it has not been made
    made: NDArray[np.bool_]  # for each block


class Pyramid:
    """Level l of a picture: the means over its blocks of 2^l x 2^l pixels; at the borders over what there is of them.

    A level is made block by block, from the one before it, when `read` first comes to it: whoever reads a large picture
    part by part may pause or stop in between. Threads may read at the same time.

    Parameters
    ----------
    base : array (C, rows, cols), floating point or uint8, or other `Pixels`
        Level 0. Not copied; whoever changes it says so with `update`. Levels have its type, float32 for uint8, which
        stands for 0 ... 255 and is read as 0 ... 1.
    first_kept : int
        The lowest level that is kept. Level 1 takes a quarter of the picture's memory; of an array it is made as fast
        as it is read.
    """

    def __init__(self, base: Pixels, first_kept: int = 2) -> None:
        self.base = base
        self._first_kept = first_kept
        self._levels: dict[int, _Level] = {}
        self._version = 0
        self._lock = threading.Lock()

    def shape(self, level: int) -> tuple[int, int]:
        """(rows, cols) of a level."""
        _, rows, cols = self.base.shape
        return -(-rows >> level), -(-cols >> level)

    def read(self, row: int, col: int, rows: int, cols: int, level: int = 0) -> NDArray[np.float32]:
        """Return a part of a level, as an array of its own.

        Parameters
        ----------
        row, col, rows, cols : int
            In pixels of the level; the part lies inside it.

        Returns
        -------
        float32 array (C, rows, cols)
        """
        part = np.s_[:, row : row + rows, col : col + cols]
        if level == 0:
            pixels = self.base[part].astype(np.float32)
            return np.divide(pixels, np.float32(255), out=pixels) if self.base.dtype == np.uint8 else pixels
        if level < self._first_kept:
            return self._halved(row, col, rows, cols, level)
        for block in _blocks(row, col, rows, cols):
            self._make(level, block)
        return self._kept(level).pixels[part].astype(np.float32)

    def making(self, row: int, col: int, rows: int, cols: int, level: int) -> Iterator[int]:
        """Make what `read` needs for a part of a level, in small steps: after each the caller may pause, or stop.

        Yields
        ------
        int
            How many values the step has read.
        """
        for finer in range(self._first_kept, level + 1):
            times, (tall, wide) = level - finer, self.shape(finer)
            top, left = row << times, col << times
            bottom, right = min((row + rows) << times, tall), min((col + cols) << times, wide)
            for block in _blocks(top, left, bottom - top, right - left):
                if self._make(finer, block):
                    read = finer if finer == self._first_kept else 1
                    yield self.base.shape[0] * (_BLOCK << read) ** 2

    @property
    def nbytes(self) -> int:
        """Memory of the levels that are kept, without the base."""
        with self._lock:
            return sum(kept.pixels.nbytes for kept in self._levels.values())

    def level(self, level: int) -> NDArray[Any]:
        """Return a whole level, read only: the base itself, or float32 (C, rows, cols)."""
        return self.base[:, :, :] if level == 0 else self.read(0, 0, *self.shape(level), level)

    def update(self, row: int, col: int, rows: int, cols: int) -> None:
        """Say that a part of the base has changed: of what was made, this much is made again when it is next read."""
        with self._lock:
            self._version += 1  # what another thread is making may be of the base as it was
            for level, kept in self._levels.items():
                side = _BLOCK << level
                kept.made[row // side : -(-(row + rows) // side), col // side : -(-(col + cols) // side)] = False

    def _kept(self, level: int) -> _Level:
        with self._lock:
            if level not in self._levels:
                rows, cols = self.shape(level)
                form = np.float32 if self.base.dtype == np.uint8 else self.base.dtype
                made = np.zeros((-(-rows // _BLOCK), -(-cols // _BLOCK)), np.bool_)
                self._levels[level] = _Level(np.empty((self.base.shape[0], rows, cols), form), made)
            return self._levels[level]

    def _make(self, level: int, block: tuple[int, int]) -> bool:
        """Make a block of a level, unless it is there; say whether there was anything to make."""
        kept, version = self._kept(level), self._version
        if kept.made[block]:
            return False
        row, col = (index * _BLOCK for index in block)
        rows, cols = (min(_BLOCK, size - start) for size, start in zip(self.shape(level), (row, col), strict=True))
        kept.pixels[:, row : row + rows, col : col + cols] = self._halved(row, col, rows, cols, level)
        with self._lock:
            kept.made[block] = version == self._version
        return True

    def _halved(self, row: int, col: int, rows: int, cols: int, level: int) -> NDArray[np.float32]:
        """Make a part of a level from the one before it."""
        finer = self.shape(level - 1)
        ends = min(2 * (row + rows), finer[0]), min(2 * (col + cols), finer[1])
        values = self.read(2 * row, 2 * col, ends[0] - 2 * row, ends[1] - 2 * col, level - 1)
        for axis, end in ((-2, ends[0]), (-1, ends[1])):
            values = _means_of_pairs(values, axis, self._share(level - 1, axis) if end == finer[axis] else 1.0)
        return values

    def _share(self, level: int, axis: int) -> float:
        """How much of the last pixel of a level, along an axis, is picture: the rest of its block is beyond it."""
        return float((self.base.shape[axis] / 2**level) - (self.shape(level)[axis] - 1))


def _blocks(row: int, col: int, rows: int, cols: int) -> Iterator[tuple[int, int]]:
    return product(
        range(row // _BLOCK, -(-(row + rows) // _BLOCK)),
        range(col // _BLOCK, -(-(col + cols) // _BLOCK)),
    )


def _means_of_pairs(values: NDArray[np.float32], axis: int, share: float) -> NDArray[np.float32]:
    """Return the means of neighbours along axis -1 or -2, of which the last one counts as a `share` of a pixel."""
    along = np.s_[..., ::2, :] if axis == -2 else np.s_[..., ::2]
    after = np.s_[..., 1::2, :] if axis == -2 else np.s_[..., 1::2]
    means, second = values[along].copy(), values[after]
    paired = means[..., : second.shape[-2], : second.shape[-1]]
    paired += second
    paired *= np.float32(0.5)
    if share < 1 and values.shape[axis] % 2 == 0:
        last = np.s_[..., -1:, :] if axis == -2 else np.s_[..., -1:]
        means[last] = (values[along][last] + np.float32(share) * second[last]) / np.float32(1 + share)
    return means
