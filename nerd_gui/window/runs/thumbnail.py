"""A small picture of a run's result."""

import numpy as np
from numpy.typing import NDArray
from PySide6.QtGui import QImage

from nerd_gui.denoising import Trajectory
from nerd_gui.imaging.psnr_ssim import to_8_bit

_OVERSAMPLING = 2  # samples along each side of a pixel, which are averaged


def thumbnail(trajectory: Trajectory, index: int, side: int) -> QImage:
    """Return the middle square of an iterate's picture, at most `side` pixels wide.

    It samples the picture sparsely, so that it takes about a millisecond for a photo of any size.
    """
    noisy, n_hat = trajectory.subject.noisy, trajectory[index].n_hat
    rows, cols = noisy.shape[1:]
    square = min(rows, cols)
    count = min(side, square)
    per_side = count * _OVERSAMPLING
    at = ((np.arange(per_side) + 0.5) * square / per_side).astype(np.intp)
    part = np.ix_(np.arange(noisy.shape[0]), at + (rows - square) // 2, at + (cols - square) // 2)
    picture = noisy[part] + n_hat[part].astype(np.float32)
    offsets = range(_OVERSAMPLING)
    parts = [picture[:, down::_OVERSAMPLING, right::_OVERSAMPLING] for down in offsets for right in offsets]
    return _image(to_8_bit(np.mean(parts, axis=0)))


def _image(levels: NDArray[np.uint8]) -> QImage:
    channels, rows, cols = levels.shape
    pixels = np.ascontiguousarray(np.moveaxis(levels, 0, -1))
    form = QImage.Format.Format_Grayscale8 if channels == 1 else QImage.Format.Format_RGB888
    return QImage(pixels.data, cols, rows, channels * cols, form).copy()
