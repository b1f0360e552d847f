"""A picture at repeatedly halved sizes, which are computed on demand."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

_BLOCK = 128  # side in pixels of the blocks in which a level is computed


class Pixels(Protocol):
    """A picture (C, rows, cols), floating point or uint8, that can be sliced: an array, or an object like one."""

    @property
    def shape(self) -> tuple[int, ...]:
        """C, rows and cols."""

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of the values."""

    def __getitem__(self, part: tuple[slice, slice, slice], /) -> NDArray[Any]: ...


@dataclass(frozen=True, eq=False)
class _Level:
    pixels: NDArray[Any]  # (C, rows, cols); undefined in blocks that have not been computed
    made: NDArray[np.bool_]  # whether each block has been computed


class Pyramid:
    """An image pyramid: level l holds the means over blocks of 2^l x 2^l pixels, cut off at the border.

    A level is computed from the one below, block by block, when `read` first needs it, so a large picture can be read
    in parts with pauses in between. The class is thread-safe.

    Parameters
    ----------
    base : array (C, rows, cols), floating point or uint8, or other `Pixels`
        Level 0, which is not copied; call `update` after changing it. Levels have the same type, or float32 if it is
        uint8. Values 0 ... 255 of uint8 are read as 0 ... 1.
    first_kept : int
        The lowest level that is stored. Level 1 would take a quarter of the picture's memory, and computing it from an
        array is as fast as reading it.
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
        """Return a copy of a part of a level.

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
        """Compute what `read` needs for a part of a level, in small steps, after which the caller may pause or stop.

        Yields
        ------
        int
            Number of values that the step has read.
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
        """Memory of the stored levels in bytes, without the base."""
        with self._lock:
            return sum(kept.pixels.nbytes for kept in self._levels.values())

    def level(self, level: int) -> NDArray[Any]:
        """Return a whole level, which must not be changed: the base itself, or float32 (C, rows, cols)."""
        return self.base[:, :, :] if level == 0 else self.read(0, 0, *self.shape(level), level)

    def update(self, row: int, col: int, rows: int, cols: int) -> None:
        """Invalidate the blocks that depend on a part of the base, after that part has changed."""
        with self._lock:
            self._version += 1  # blocks that other threads are computing may use old values
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
        """Compute a block of a level unless it is valid; return whether it was computed."""
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
        """Compute a part of a level from the level below."""
        finer = self.shape(level - 1)
        ends = min(2 * (row + rows), finer[0]), min(2 * (col + cols), finer[1])
        values = self.read(2 * row, 2 * col, ends[0] - 2 * row, ends[1] - 2 * col, level - 1)
        for axis, end in ((-2, ends[0]), (-1, ends[1])):
            values = _means_of_pairs(values, axis, self._share(level - 1, axis) if end == finer[axis] else 1.0)
        return values

    def _share(self, level: int, axis: int) -> float:
        """The fraction of a level's last pixel along an axis that lies inside the picture."""
        return float((self.base.shape[axis] / 2**level) - (self.shape(level)[axis] - 1))


def _blocks(row: int, col: int, rows: int, cols: int) -> Iterator[tuple[int, int]]:
    return product(
        range(row // _BLOCK, -(-(row + rows) // _BLOCK)),
        range(col // _BLOCK, -(-(col + cols) // _BLOCK)),
    )


def _means_of_pairs(values: NDArray[np.float32], axis: int, share: float) -> NDArray[np.float32]:
    """Return the means of pairs of neighbours along axis -1 or -2; the last value has the weight `share`."""
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
