"""How noisy: measured in a noise picture, estimated in a photo. Levels are on the 0–255 scale."""

import numpy as np
from numpy.typing import NDArray

# scikit-image is imported inside `estimate_sigma`: training measures noise levels on machines that lack it.

_PATCH = 32  # pixels, the side of a patch in Fig. 8


def noise_level(n_hat: NDArray) -> float | NDArray[np.float32]:
    """Return the mean over 32x32 patches of the standard deviation of `n_hat`, on the 0–255 scale (Fig. 8).

    The patches do not overlap and start at the top left; remaining rows and columns at the right and bottom border,
    less than a patch wide, are left out. A picture smaller than a patch counts as one patch.

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
    height, width = min(_PATCH, rows), min(_PATCH, cols)
    down, across = rows // height, cols // width
    patches = np.asarray(n_hat[..., : down * height, : across * width], np.float32)
    patches = patches.reshape(*n_hat.shape[:-2], down, height, across, width)
    level = 255 * patches.std(axis=(-3, -1)).mean(axis=(-2, -1))
    return float(level) if n_hat.ndim == 2 else level


def estimate_sigma(pixels: NDArray) -> float:
    """Return an estimate of the noise level of a noisy photo on the 0–255 scale, the mean over its channels.

    The median of the finest diagonal wavelet coefficients (Donoho and Johnstone 1994). Fine texture counts as noise,
    so the estimate of a detailed photo is high. A side of one pixel has no detail: 0.

    Parameters
    ----------
    pixels : array (rows, cols) or (C, rows, cols), values in [0, 1]
    """
    from skimage.restoration import estimate_sigma as estimate

    channels = pixels[None] if pixels.ndim == 2 else pixels
    if min(channels.shape[1:]) < 2 or np.ptp(channels) == 0:
        return 0.0
    return float(np.mean([estimate(channel) for channel in channels]) * 255)
