"""Luma and the two differences of colour: ITU-R 601's weights, and what JPEG files (ITU-T T.871) make of them."""

import numpy as np
from numpy.typing import NDArray

#: What red, green and blue weigh in luma (ITU-R 601).
LUMA = (0.299, 0.587, 0.114)
_RED, _GREEN, _BLUE = LUMA
#: Red, green and blue from luma and the differences of blue and of red from it, in the six decimals of T.871.
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
    """Return the luma (rows, cols) of colours (3, rows, cols) of 8 bits, rounded to 8 bits as Pillow's "L" is.

    Values are in [0, 1].
    """
    levels = np.rint(pixels * 255).astype(np.uint32)
    weights = (round(weight * 2**16) for weight in LUMA)  # Pillow's integer arithmetic
    total = sum(weight * level for weight, level in zip(weights, levels, strict=True))
    rounded: NDArray[np.float32] = ((total + 2**15) >> 16).astype(np.float32) / np.float32(255)
    return rounded
