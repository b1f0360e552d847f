"""Regions of a photo: how large one may be to be explored live, and rectangles made to fit."""

from math import isqrt, sqrt

from nerd_gui.denoising import RunSettings, estimate_bytes
from nerd_gui.denoising.memory_plan import budget_bytes
from nerd_gui.nerd import NerdConfig

#: Row, column, rows and columns of a part of a photo.
Region = tuple[int, int, int, int]
#: Pixels of which a network of 64 features makes an iterate in some three seconds on two processor cores.
LIVE_PIXELS = 1_000_000
_FEATURES = 64
_ACCELERATED = 16  # at least so many times as fast is a GPU
#: A smaller side tells little: windows of attention and the reach of the convolutions go beyond it.
LEAST_SIDE = 16


def live_pixels(config: NerdConfig, settings: RunSettings, channels: int) -> int:
    """The most pixels of a photo that can be explored while one watches: as patience and the memory there is allow.

    Beyond the memory a picture is solved in tiles, and no iterate is there before all of them are done.
    """
    batch = channels if config.channels == 1 else 1
    cost = batch * (config.features / _FEATURES) ** 2
    patience = LIVE_PIXELS / max(1.0, cost) * (1 if settings.device == "cpu" else _ACCELERATED)
    fixed = estimate_bytes(config, settings, batch, 0, 0)
    each = (estimate_bytes(config, settings, batch, 1000, 1000) - fixed) / 1e6
    return max(LEAST_SIDE**2, int(min(patience, (budget_bytes(settings) - fixed) / each)))


def fitted(region: Region, rows: int, cols: int, most: int) -> Region:
    """A rectangle made to lie in a photo of rows x cols and to have at most so many pixels, in its shape and middle."""
    row, col, tall, wide = region
    shrink = min(1.0, sqrt(most / (tall * wide)))
    height = min(rows, max(int(tall * shrink), LEAST_SIDE))
    width = min(cols, max(int(wide * shrink), LEAST_SIDE), max(LEAST_SIDE, most // height))
    return _about(row + tall / 2, col + wide / 2, height, width, rows, cols)


def largest(around: Region, rows: int, cols: int, most: int) -> Region:
    """The rectangle of at most so many pixels around the middle of another one, as square as the photo allows."""
    row, col, tall, wide = around
    side = isqrt(most)
    height, width = min(side, rows), min(side, cols)
    height, width = min(rows, most // width), min(cols, most // height)
    return _about(row + tall / 2, col + wide / 2, height, width, rows, cols)


def centred(rows: int, cols: int, side: int) -> Region:
    """The square in the middle of a photo, no larger than the photo."""
    return _about(rows / 2, cols / 2, min(side, rows), min(side, cols), rows, cols)


def _about(row: float, col: float, height: int, width: int, rows: int, cols: int) -> Region:
    top = min(max(round(row - height / 2), 0), rows - height)
    left = min(max(round(col - width / 2), 0), cols - width)
    return top, left, height, width
