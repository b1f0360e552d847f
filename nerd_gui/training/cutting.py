"""Cuts large pictures into parts of the size of training pictures, and leaves out useless parts."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

_CELL = 16  # side in pixels of the squares that are tested for flatness
_FLAT = 2.0  # a square is flat if its standard deviation is below this
_FLAT_PART = 0.75  # largest fraction of flat squares in a part
_BLOCK = 8  # side in pixels of JPEG's blocks
#: Largest tolerated difference between the frequencies with which steps between blocks, and steps inside blocks, are
#: the largest of three neighbouring steps.
_STEPS = 0.12


def landscape(picture: NDArray[Any]) -> NDArray[Any]:
    """Turn a picture (..., rows, cols) in portrait format by 90 degrees; leave others unchanged."""
    rows, cols = picture.shape[-2:]
    return picture if rows <= cols else np.rot90(picture, axes=(-2, -1))


def parts(picture: NDArray[Any], rows: int, cols: int) -> list[NDArray[Any]]:
    """Cut as many adjacent parts of rows x cols pixels as possible from the middle of a picture (..., rows, cols).

    If the picture has visible steps between JPEG's blocks, it is halved first, because a network would learn that such
    steps belong to clean pictures. Parts that still have them, and parts that are mostly flat, are left out.
    """
    if picture.shape[-2] < rows or picture.shape[-1] < cols:
        return []
    if is_blocky(picture):
        picture = halved(picture)
    down, across = picture.shape[-2] // rows, picture.shape[-1] // cols
    top, left = (picture.shape[-2] - down * rows) // 2, (picture.shape[-1] - across * cols) // 2
    cut = [
        picture[..., top + row * rows : top + (row + 1) * rows, left + col * cols : left + (col + 1) * cols]
        for row in range(down)
        for col in range(across)
    ]
    return [part for part in cut if not (is_flat(part) or is_blocky(part))]


def halved(picture: NDArray[Any]) -> NDArray[Any]:
    """Halve the size of a picture (..., rows, cols); each pixel is the mean of four."""
    rows, cols = (length // 2 * 2 for length in picture.shape[-2:])
    pixels = picture[..., :rows, :cols].reshape(*picture.shape[:-2], rows // 2, 2, cols // 2, 2)
    result: NDArray[Any] = np.rint(pixels.mean(axis=(-3, -1), dtype=np.float32)).astype(picture.dtype)
    return result


def is_flat(picture: NDArray[Any]) -> bool:
    """Whether most squares of 16x16 pixels in a picture (..., rows, cols) are flat."""
    grey = _grey(picture)
    down, across = grey.shape[0] // _CELL, grey.shape[1] // _CELL
    cells = grey[: down * _CELL, : across * _CELL].reshape(down, _CELL, across, _CELL)
    return bool((cells.std(axis=(1, 3)) < _FLAT).mean() > _FLAT_PART)


def is_blocky(picture: NDArray[Any]) -> bool:
    """Whether a picture (..., rows, cols) has steps at every eighth row or column, for any position of the block grid.

    A step between two pixels is counted if it is larger than the steps on both sides of it. This holds for a third of
    all steps, but for more of those between blocks.
    """
    grey = _grey(picture)
    for one in (grey, grey.T):
        change = np.abs(np.diff(one, axis=0))
        largest = (change[1:-1] > change[:-2]) & (change[1:-1] > change[2:])
        rows = largest.mean(axis=1)
        by_place = rows[: len(rows) // _BLOCK * _BLOCK].reshape(-1, _BLOCK).mean(axis=0)
        if by_place.max() - np.median(by_place) > _STEPS:
            return True
    return False


def _grey(picture: NDArray[Any]) -> NDArray[Any]:
    pixels: NDArray[Any] = picture.astype(np.float32).reshape(-1, *picture.shape[-2:]).mean(axis=0)
    return pixels
