"""Adding noise. Levels are on the 0–255 scale."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

# Only numpy here: training adds noise on machines that lack scikit-image.


def add_noise(pixels: NDArray[Any], sigma: float, seed: int) -> NDArray[np.float32]:
    """Return `pixels` plus white Gaussian noise, neither clipped nor rounded (Eq. 1: y = x - n).

    Parameters
    ----------
    pixels : array of any shape, values in [0, 1]
    sigma : float
        Standard deviation on the 0–255 scale.
    seed : int
        Seed of numpy's `default_rng`; the same seed and shape give the same noise everywhere.

    Raises
    ------
    ValueError
        If sigma is not a number from 0 to 255.
    """
    if not 0 <= sigma <= 255:  # false for NaN too
        raise ValueError(f"The noise level sigma is {sigma}; choose a number from 0 to 255.")
    noise = np.random.default_rng(seed).standard_normal(np.shape(pixels)).astype(np.float32)
    return np.asarray(pixels, np.float32) + np.float32(sigma / 255) * noise
