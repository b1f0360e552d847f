"""Regions of a photo: how many pixels can be explored live, and rectangles that fit."""

from math import isqrt, sqrt

from nerd_gui.denoising import RunSettings, estimate_bytes
from nerd_gui.denoising.memory_plan import budget_bytes
from nerd_gui.nerd import NerdConfig

#: Row, column, rows and columns of a part of a photo.
Region = tuple[int, int, int, int]
#: Pixels for which a network with 64 features computes an iterate in about three seconds on two processor cores.
LIVE_PIXELS = 1_000_000
_FEATURES = 64
_ACCELERATED = 16  # a GPU is at least this many times as fast
#: The least side in pixels: attention windows and convolutions reach far beyond a smaller region.
LEAST_SIDE = 16


def live_pixels(config: NerdConfig, settings: RunSettings, channels: int) -> int:
    """Return the most pixels of a photo that can be explored live, given the solver's speed and the available memory.

    A picture that exceeds the memory is solved in tiles, and then no iterate can be shown before all tiles are done.
    """
    batch = channels if config.channels == 1 else 1
    cost = batch * (config.features / _FEATURES) ** 2
    patience = LIVE_PIXELS / max(1.0, cost) * (1 if settings.device == "cpu" else _ACCELERATED)
    fixed = estimate_bytes(config, settings, batch, 0, 0)
    each = (estimate_bytes(config, settings, batch, 1000, 1000) - fixed) / 1e6
    return max(LEAST_SIDE**2, int(min(patience, (budget_bytes(settings) - fixed) / each)))


def fitted(region: Region, rows: int, cols: int, most: int) -> Region:
    """Return a region cut to a photo of rows x cols and to at most `most` pixels, with its shape and middle kept."""
    row, col, tall, wide = region
    shrink = min(1.0, sqrt(most / (tall * wide)))
    height = min(rows, max(int(tall * shrink), LEAST_SIDE))
    width = min(cols, max(int(wide * shrink), LEAST_SIDE), max(LEAST_SIDE, most // height))
    return _about(row + tall / 2, col + wide / 2, height, width, rows, cols)


def largest(around: Region, rows: int, cols: int, most: int) -> Region:
    """Return the largest region around another one's middle with at most `most` pixels, as square as possible."""
    row, col, tall, wide = around
    side = isqrt(most)
    height, width = min(side, rows), min(side, cols)
    height, width = min(rows, most // width), min(cols, most // height)
    return _about(row + tall / 2, col + wide / 2, height, width, rows, cols)


def centred(rows: int, cols: int, side: int) -> Region:
    """Return the square in the middle of a photo, or as much of it as the photo has."""
    return _about(rows / 2, cols / 2, min(side, rows), min(side, cols), rows, cols)


def _about(row: float, col: float, height: int, width: int, rows: int, cols: int) -> Region:
    top = min(max(round(row - height / 2), 0), rows - height)
    left = min(max(round(col - width / 2), 0), cols - width)
    return top, left, height, width
