"""PSNR and SSIM with one protocol: both pictures are clipped to [0, 1] and rounded to 8 bits; no border is cropped."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

# scikit-image is imported inside `ssim`: validation during training needs `psnr` and has only numpy and Pillow.

_SSIM_WINDOW = 11  # pixels: a Gaussian of sigma 1.5 cut off at 3.5 sigma


def to_8_bit(pixels: NDArray[Any]) -> NDArray[np.uint8]:
    """Clip `pixels` of any shape to [0, 1] and round them to 0–255.

    Raises
    ------
    ValueError
        If a value is NaN.
    """
    if np.isnan(pixels).any():
        raise ValueError("The picture holds NaN (not-a-number) values, so it has no 8-bit version.")
    levels: NDArray[np.uint8] = np.rint(np.clip(np.asarray(pixels, np.float32), 0, 1) * np.float32(255)).astype(
        np.uint8
    )
    return levels


def psnr(clean: NDArray[Any], estimate: NDArray[Any]) -> float:
    """Return the peak signal-to-noise ratio of `estimate` in dB; infinite for identical pictures.

    Parameters
    ----------
    clean, estimate : array (rows, cols) or (C, rows, cols), values in [0, 1]
        The error is averaged over all pixels of all channels.

    Raises
    ------
    ValueError
        If the shapes differ or a value is NaN.
    """
    _check_shapes(clean, estimate)
    difference = to_8_bit(clean).astype(np.float64) - to_8_bit(estimate)
    error = np.mean(difference**2)
    return float("inf") if error == 0 else float(10 * np.log10(255**2 / error))


def ssim(clean: NDArray[Any], estimate: NDArray[Any]) -> float | None:
    """Return the structural similarity (Wang et al. 2004, Gaussian window) of `estimate`, at most 1.

    Parameters
    ----------
    clean, estimate : array (rows, cols) or (C, rows, cols), values in [0, 1]
        Channels are compared one by one and averaged.

    Returns
    -------
    float or None
        None if a side is shorter than the 11-pixel window, because SSIM is then undefined.

    Raises
    ------
    ValueError
        If the shapes differ or a value is NaN.
    """
    from skimage.metrics import structural_similarity

    _check_shapes(clean, estimate)
    if min(clean.shape[-2:]) < _SSIM_WINDOW:
        return None
    return float(
        structural_similarity(
            to_8_bit(clean),
            to_8_bit(estimate),
            channel_axis=0 if clean.ndim == 3 else None,
            gaussian_weights=True,
            sigma=1.5,
            use_sample_covariance=False,
            data_range=255,
        )
    )


def _check_shapes(clean: NDArray[Any], estimate: NDArray[Any]) -> None:
    if clean.shape != estimate.shape:
        raise ValueError(
            f"The clean picture has shape {clean.shape} and the estimate {estimate.shape}; "
            "only pictures of one shape can be compared."
        )
    if clean.ndim not in (2, 3) or clean.size == 0:
        raise ValueError(f"A picture has shape (rows, cols) or (channels, rows, cols), not {clean.shape}.")
