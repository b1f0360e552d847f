"""Pictures at another size: each pixel the mean over the area that it stands for."""

import numpy as np
from numpy.typing import NDArray


class AreaMeans:
    """Along one side of a picture: the pixels of a level that are needed, and what each weighs in the pixels shown.

    Parameters
    ----------
    size, shown : int
        Pixels of the picture along this side, and pixels that they are shown in.
    start, length : int
        Which of the shown ones are wanted.
    level : int
        Of the picture's `Pyramid`, from which they are made; 0 for the picture itself.

    Attributes
    ----------
    first, count : int
        The pixels of the level that are needed.
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
            with np.errstate(invalid="ignore"):  # infinity without weight is no number, and is seen to be none
                pixels *= weights[:, None] if axis == 1 else weights
            weighed.append(pixels)
        total: NDArray[np.float32] = weighed[0]
        for pixels in weighed[1:]:
            total += pixels
        return total
