"""The stop rule for eyes: a run ends when its decoded picture does not visibly change any more."""

import numpy as np
from numpy.typing import NDArray

#: Grey levels (of 255) by which a settled picture changes at most from one iterate to the next, root mean square, as a
#: whole and in any block of 8 x 8 pixels. A single pixel may change by more: nobody sees it, and there is always one.
ROOT_MEAN_SQUARE, ANYWHERE = 0.25, 1.5
_BLOCK = 8
#: The first iterate that is compared with the one before: 0 is the start, whatever it decodes to, and 1 one step of it.
_FIRST = 2


class EyeRule:
    """Compares each noise estimate with the one before; the picture y + n_hat changes as n_hat does."""

    def __init__(self) -> None:
        self._before: NDArray[np.float32] | None = None
        self._index = 0

    def settled(self, n_hat: NDArray[np.float32]) -> bool:
        """Take note of the next iterate's n_hat (..., rows, cols), where white is 1; true if the picture has settled.

        Rows and columns that are left over of the last blocks count in the whole alone.
        """
        before, self._before = self._before, n_hat
        index, self._index = self._index, self._index + 1
        if before is None or index < _FIRST:
            return False
        square = np.square(255 * (n_hat - before)).reshape(-1, *n_hat.shape[-2:]).mean(axis=0)
        if square.mean() > ROOT_MEAN_SQUARE**2:
            return False
        tall, wide = (min(_BLOCK, size) for size in square.shape)
        down, across = square.shape[0] // tall, square.shape[1] // wide
        blocks = square[: down * tall, : across * wide].reshape(down, tall, across, wide).mean(axis=(1, 3))
        return bool(blocks.max() <= ANYWHERE**2)
