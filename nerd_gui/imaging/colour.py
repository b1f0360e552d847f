"""Luma (ITU-R 601) and the colour space YCbCr of JPEG files (ITU-T T.871)."""

import numpy as np
from numpy.typing import NDArray

#: The weights of red, green and blue in luma (ITU-R 601).
LUMA = (0.299, 0.587, 0.114)
_RED, _GREEN, _BLUE = LUMA
#: The matrix that converts Y, Cb and Cr to red, green and blue, with the six decimals of T.871.
FROM_YCC = (
    (1.0, 0.0, round(2 * (1 - _RED), 6)),
    (1.0, round(-2 * (1 - _BLUE) * _BLUE / _GREEN, 6), round(-2 * (1 - _RED) * _RED / _GREEN, 6)),
    (1.0, round(2 * (1 - _BLUE), 6), 0.0),
)


def luma(pixels: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the ITU-R 601 luma (rows, cols) of pixels (3, rows, cols); a single channel is returned as it is."""
    if pixels.shape[0] == 1:
        only: NDArray[np.float32] = pixels[0]
        return only
    return np.tensordot(np.array(LUMA, np.float32), pixels, axes=1)


def luma_8_bit(pixels: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the luma (rows, cols) of 8-bit colours (3, rows, cols), rounded to 8 bits like Pillow's mode "L".

    Both have values in [0, 1].
    """
    levels = np.rint(pixels * 255).astype(np.uint32)
    weights = (round(weight * 2**16) for weight in LUMA)  # Pillow's integer arithmetic
    total = sum(weight * level for weight, level in zip(weights, levels, strict=True))
    rounded: NDArray[np.float32] = ((total + 2**15) >> 16).astype(np.float32) / np.float32(255)
    return rounded
