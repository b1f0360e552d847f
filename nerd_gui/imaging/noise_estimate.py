"""The noise level of a noise estimate, on the 0–255 scale; for a photo see `photo_noise`."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

#: Side of a patch in pixels. This is our choice; the paper does not give the size for its Fig. 8.
PATCH = 32


def noise_level(n_hat: NDArray[Any]) -> float | NDArray[np.float32]:
    """Return the mean over 32x32 patches of the standard deviation of `n_hat`, on the 0–255 scale (Fig. 8).

    The patches do not overlap and start at the top left; remaining rows and columns at the right and bottom border,
    less than a patch wide, are ignored. A picture smaller than a patch counts as one patch.

    Parameters
    ----------
    n_hat : array (rows, cols) or (C, rows, cols), any float type
        The noise the decoder predicts, on the scale where white is 1.

    Returns
    -------
    float, or float32 array (C,) for an input with channels

    Notes
    -----
    A least-squares denoiser leaves sqrt(sigma^2 - MSE), not sigma: expect a little less than the true level.
    """
    rows, cols = n_hat.shape[-2:]
    height, width = min(PATCH, rows), min(PATCH, cols)
    down, across = rows // height, cols // width
    patches = np.asarray(n_hat[..., : down * height, : across * width], np.float32)
    patches = patches.reshape(*n_hat.shape[:-2], down, height, across, width)
    level = 255 * patches.std(axis=(-3, -1)).mean(axis=(-2, -1))
    return float(level) if n_hat.ndim == 2 else level
