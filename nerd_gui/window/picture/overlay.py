"""The overlay: an attention map as semi-transparent colours over the picture."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtGui import QImage

from nerd_gui.window.colour_map import coloured


def overlay_image(weights: NDArray[Any], opacity: float) -> QImage:
    """Return a map of attention weights as a picture in the inferno colours, transparent where the weight is 0.

    Parameters
    ----------
    weights : array (rows, cols), finite and not negative
        The weights are divided by the largest one; that ratio gives the colour and, times `opacity`, the alpha.
    opacity : float in [0, 1]

    Raises
    ------
    ValueError
        If `weights` is not such a map, or `opacity` is outside [0, 1].
    """
    if weights.ndim != 2 or 0 in weights.shape or not np.isfinite(weights).all() or weights.min() < 0:
        raise ValueError("An attention overlay needs a two-dimensional map of finite weights that are not negative.")
    if not 0 <= opacity <= 1:
        raise ValueError(f"The overlay's opacity is {opacity}: give a number from 0 to 1.")
    largest = float(weights.max())
    shares = weights / largest if largest > 0 else np.zeros_like(weights)
    rgba = np.empty((*weights.shape, 4), np.uint8)
    rgba[..., :3] = coloured(shares)
    rgba[..., 3] = np.rint(255 * opacity * shares)
    rows, cols = weights.shape
    return QImage(rgba.data, cols, rows, 4 * cols, QImage.Format.Format_RGBA8888).copy()
