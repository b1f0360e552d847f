"""Scaling pictures down: each pixel of the result is the mean over the area that it covers."""

import numpy as np
from numpy.typing import NDArray


class AreaMeans:
    """The weights of area means along one axis of a picture.

    Parameters
    ----------
    size, shown : int
        Number of pixels of the picture, and of the scaled picture, along this axis.
    start, length : int
        The range of pixels of the scaled picture to compute.
    level : int
        The level of the picture's `Pyramid` that the means are computed from; 0: the picture itself.

    Attributes
    ----------
    first, count : int
        The range of pixels of the level that is needed.
    """

    def __init__(self, size: int, shown: int, start: int, length: int, level: int = 0) -> None:
        edges = np.arange(start, start + length + 1) * size / shown  # in pixels of the picture
        self._begin = np.floor(edges[:-1] / 2**level).astype(np.intp)
        end = np.minimum(np.ceil(edges[1:] / 2**level), -(-size >> level)).astype(np.intp)
        self.first = int(self._begin[0])
        self.count = int(end[-1]) - self.first
        pixels = self._begin + np.arange(int((end - self._begin).max()))[:, None]
        inside = np.minimum((pixels + 1) << level, edges[1:]) - np.maximum(pixels << level, edges[:-1])
        weights = np.maximum(inside, 0)
        self._weights = (weights / weights.sum(axis=0)).astype(np.float32)

    def along(self, values: NDArray[np.float32], axis: int) -> NDArray[np.float32]:
        """Return the means of values (C, rows, cols), which begin at `first`, along axis 1 or 2."""
        weighed = []
        for step, weights in enumerate(self._weights):
            pixels = values.take(np.minimum(self._begin - self.first + step, self.count - 1), axis)
            with np.errstate(invalid="ignore"):  # infinity times 0 is NaN, which is shown as such
                pixels *= weights[:, None] if axis == 1 else weights
            weighed.append(pixels)
        total: NDArray[np.float32] = weighed[0]
        for pixels in weighed[1:]:
            total += pixels
        return total
