"""The change of a picture from one iterate to the next."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

_ENOUGH = 1 << 20  # number of values that give a sufficiently accurate mean


def picture_change(before: NDArray[Any], after: NDArray[Any]) -> float:
    """Compute the root mean square of the change of a decoded picture, in grey levels (0-255).

    The picture y + n_hat changes as n_hat does. In a large picture, only evenly spaced rows are read. Pixels without a
    noise estimate in both iterates, as in tiles that are not solved yet, do not count.

    Parameters
    ----------
    before, after : float array (C, rows, cols)
        n_hat of two iterates, where white is 1.

    Returns
    -------
    float
        Infinity if an array has values that are not finite.
    """
    step = max(1, before.size // _ENOUGH)
    first, second = (n_hat[:, step // 2 :: step].astype(np.float32) for n_hat in (before, after))
    count = int(np.count_nonzero((first != 0) | (second != 0)))
    with np.errstate(invalid="ignore", over="ignore"):
        second -= first
        total = float(np.square(second, out=second).sum(dtype=np.float64))
    return 255 * math.sqrt(total / max(1, count)) if math.isfinite(total) else math.inf
