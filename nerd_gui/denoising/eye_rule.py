"""The stop rule for eyes: a run ends when its decoded picture does not visibly change any more."""

import numpy as np
from numpy.typing import NDArray

#: Grey levels (of 255) by which a settled picture changes at most from one iterate to the next.
ROOT_MEAN_SQUARE, ANYWHERE = 0.25, 1.5
#: The first iterate that is compared with the one before: 0 is the start, whatever it decodes to, and 1 one step of it.
_FIRST = 2


class EyeRule:
    """Compares each noise estimate with the one before; the picture y + n_hat changes as n_hat does."""

    def __init__(self) -> None:
        self._before: NDArray[np.float32] | None = None
        self._index = 0

    def settled(self, n_hat: NDArray[np.float32]) -> bool:
        """Take note of the next iterate's n_hat, on the scale where white is 1; true where the picture has settled."""
        before, self._before = self._before, n_hat
        index, self._index = self._index, self._index + 1
        if before is None or index < _FIRST:
            return False
        change = 255 * (n_hat - before)
        most = max(float(change.max()), -float(change.min()))
        return most <= ANYWHERE and float(np.sqrt(np.square(change).mean())) <= ROOT_MEAN_SQUARE
