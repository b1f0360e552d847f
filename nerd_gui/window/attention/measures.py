"""Computes a map's spread, its place in the window, and its scaling for display. Does not use Qt."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nerd_gui.nerd import AttentionMaps
from nerd_gui.nerd.attention import window_offsets

#: The logarithmic scale ends at this fraction of the largest weight; softmax weights can be as small as 1e-30.
LOG_FLOOR = 1e-5


def entropy_bits(weights: NDArray[Any]) -> float:
    """Return the entropy -sum p log2 p of a map of weights in bits: 0 for one pixel, log2(n) for n equal weights.

    Parameters
    ----------
    weights : array, not negative
        Divided by their sum first, so that rounding errors in the sum do no harm.
    """
    shares = weights[weights > 0] / weights.sum()
    return float(abs(-(shares * np.log2(shares)).sum()))  # abs avoids "-0.0 bit"


def effective_radius(weights: NDArray[Any], row: int, col: int) -> float:
    """Return the root of the weighted mean squared distance from (row, col), in pixels.

    Parameters
    ----------
    weights : array (rows, cols), not negative
    row, col : int
        The query pixel, counted from the map's first row and column; it may lie outside the map.
    """
    down, across = np.indices(weights.shape)
    squared = (down - row) ** 2 + (across - col) ** 2
    return float(np.sqrt((weights * squared).sum() / weights.sum()))


def weight_on_itself(weights: NDArray[Any], row: int, col: int) -> float:
    """Return the share of the weights that the query pixel (row, col), as in `effective_radius`, gives to itself."""
    return float(weights[row, col] / weights.sum())


def place_in_window(maps: AttentionMaps, window: int) -> tuple[int, int]:
    """Return the row and the column of a map's first weight in the q x q window centred on the query.

    Raises
    ------
    ValueError
        If the map does not fit into such a window.
    """
    first, last = window_offsets(window)
    row, col = maps.top - maps.row - first, maps.left - maps.col - first
    rows, cols = maps.weights.shape[-2:]
    if min(row, col) < 0 or max(row + rows, col + cols) > last - first + 1:
        raise ValueError(f"A map of {rows} x {cols} pixels does not fit into the window of {window} x {window} pixels.")
    return row, col


def scale_maps(
    weights: NDArray[Any], *, log: bool, shared: bool, ends: tuple[float, float] | None = None
) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Scale maps to [0, 1] for display.

    Parameters
    ----------
    weights : array (heads, rows, cols), not negative
    log : bool
        Logarithmic from the smallest weight, or from `LOG_FLOOR` of the largest if that is more; else linear from 0.
    shared : bool
        One range for all heads instead of one for each head.
    ends : (float, float), optional
        The smallest and the largest weight of the shared range, if it covers other maps as well.

    Returns
    -------
    unit : array (heads, rows, cols)
    low, high : array (heads,)
        The weights that are shown as 0 and as 1.
    """
    flat = weights.reshape(len(weights), -1)
    least, largest = ends or (flat.min(), flat.max())
    high = np.full(len(weights), largest) if shared else flat.max(axis=1)
    if not log:
        return weights / high[:, None, None], np.zeros_like(high), high
    smallest = np.full(len(weights), least) if shared else flat.min(axis=1)
    low = np.maximum(smallest, high * LOG_FLOOR)
    span = np.log(high / low)
    raised = np.log(np.maximum(weights, low[:, None, None]) / low[:, None, None])
    # A map of equal weights has no span: show all of it as the largest weight.
    unit = np.divide(raised, span[:, None, None], out=np.ones_like(raised), where=span[:, None, None] > 0)
    return unit, low, high
