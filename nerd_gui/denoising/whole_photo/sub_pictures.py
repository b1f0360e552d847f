"""Splitting a picture into its stride-2 sub-pictures, in which coarse noise is finer, and merging them."""

from typing import Any

import numpy as np
from numpy.typing import NDArray


def split(picture: NDArray[Any], stride: int) -> NDArray[Any]:
    """Return the sub-pictures picture[:, i::stride, j::stride], as (stride * stride, C, rows, cols).

    If the sides of the picture are not multiples of the stride, its last rows and columns are repeated.
    """
    _, rows, cols = picture.shape
    padded = np.pad(picture, ((0, 0), (0, -rows % stride), (0, -cols % stride)), mode="edge")
    return np.stack([padded[:, i::stride, j::stride] for i in range(stride) for j in range(stride)])


def merge(parts: NDArray[Any], rows: int, cols: int) -> NDArray[Any]:
    """Invert `split`: return the picture (C, rows, cols) that has these sub-pictures."""
    count, channels, tall, wide = parts.shape
    stride = round(count**0.5)
    picture = np.empty((channels, tall * stride, wide * stride), parts.dtype)
    for index, part in enumerate(parts):
        i, j = divmod(index, stride)
        picture[:, i::stride, j::stride] = part
    return picture[:, :rows, :cols]
