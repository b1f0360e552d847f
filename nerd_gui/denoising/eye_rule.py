"""The stop rule "picture": a run ends when its decoded picture no longer changes visibly."""

import numpy as np
from numpy.typing import NDArray

#: The picture has settled if the root mean square of its change from one iterate to the next, in grey levels of 255,
#: is at most the first value over the whole picture and at most the second in every block of 8 x 8 pixels. Single
#: pixels may change by more, since that is not visible.
ROOT_MEAN_SQUARE, ANYWHERE = 0.25, 1.5
_BLOCK = 8
#: The first iterate that may end a run. Before it, a small change says little about the distance from the equilibrium,
#: because the solver has not learned yet how f contracts: some photos would lose 0.15 dB.
_FIRST = 6


class EyeRule:
    """Compares each noise estimate n_hat with the previous one; the picture y + n_hat changes by the same amount."""

    def __init__(self) -> None:
        self._before: NDArray[np.float32] | None = None
        self._index = 0

    def settled(self, n_hat: NDArray[np.float32]) -> bool:
        """Add the next iterate's n_hat (..., rows, cols), where white is 1; return whether the picture has settled.

        Rows and columns beyond the last whole block only count for the whole picture.
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
