"""Large pictures cut into parts of the size that training pictures have, those left out that teach nothing."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

_CELL = 16  # pixels, side of the squares that are flat or not
_FLAT = 2.0  # standard deviation below which a square is flat
_FLAT_PART = 0.75  # of a part's squares that may be flat
_BLOCK = 8  # pixels, of JPEG
#: Part of the pixels by which steps between blocks may be more often the largest of three than steps inside them.
_STEPS = 0.12


def landscape(picture: NDArray[Any]) -> NDArray[Any]:
    """The picture (..., rows, cols), an upright one turned by a quarter."""
    rows, cols = picture.shape[-2:]
    return picture if rows <= cols else np.rot90(picture, axes=(-2, -1))


def parts(picture: NDArray[Any], rows: int, cols: int) -> list[NDArray[Any]]:
    """As many parts of rows x cols as a picture (..., rows, cols) has side by side, around its middle.

    A picture with steps between JPEG's blocks is halved first: a network would learn that such steps are clean. Left
    out are parts that have them even so, and those that are flat for the most part.
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
    """The picture (..., rows, cols) at half its size, each pixel the mean of four."""
    rows, cols = (length // 2 * 2 for length in picture.shape[-2:])
    pixels = picture[..., :rows, :cols].reshape(*picture.shape[:-2], rows // 2, 2, cols // 2, 2)
    result: NDArray[Any] = np.rint(pixels.mean(axis=(-3, -1), dtype=np.float32)).astype(picture.dtype)
    return result


def is_flat(picture: NDArray[Any]) -> bool:
    """Whether most squares of 16x16 pixels of a picture (..., rows, cols) show next to nothing."""
    grey = _grey(picture)
    down, across = grey.shape[0] // _CELL, grey.shape[1] // _CELL
    cells = grey[: down * _CELL, : across * _CELL].reshape(down, _CELL, across, _CELL)
    return bool((cells.std(axis=(1, 3)) < _FLAT).mean() > _FLAT_PART)


def is_blocky(picture: NDArray[Any]) -> bool:
    """Whether a picture (..., rows, cols) has steps at every eighth row or column, wherever these blocks begin.

    Counted are the places where one pixel differs more from the next than both of them do from those beyond: a third of
    all, and more of those between blocks.
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
