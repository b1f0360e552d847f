"""The maps of one pixel for the views of this room: read from a run, with the picture around the pixel."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nerd_gui.imaging.colour import LUMA
from nerd_gui.nerd import AttentionMaps
from nerd_gui.window.session.run import Run

EMPTY_TEXT = "Click a pixel to see where each head looks"
NEEDS_EXPLORE = "Denoise photo keeps no features for maps: choose a region and use Explore"
NEEDS_RUN = "This run was opened from a file, which does not hold features: explore again to see where its heads look"
AWAITED = "The maps appear with the first iterate"
OUTSIDE = "The pin lies outside the region of this run"
NO_ATTENTION = "This network has no attention: it was built without the non-local block"


@dataclass(frozen=True, eq=False)
class PixelMaps:
    """The attention maps of a pixel at an iterate.

    Attributes
    ----------
    maps : AttentionMaps
        Weights (1, heads, rows, cols), in rows and columns of the run's picture.
    window : int
        The window size q of the run.
    rgb : uint8 array (rows, cols, 3)
        The iterate's picture in the area of the maps.
    """

    maps: AttentionMaps
    window: int
    rgb: NDArray[np.uint8]

    @property
    def weights(self) -> NDArray[np.float64]:
        """The softmax weights (heads, rows, cols), each map summing to 1."""
        return np.asarray(self.maps.weights[0].detach().double().cpu().numpy())


def read_weights(run: Run, index: int, pixel: tuple[int, int], channel: int | None) -> AttentionMaps | None:
    """Return the maps of a photo's pixel at an iterate, for one channel or for the luma (None).

    Returns None if the run has no maps there, see `why_none`.
    """
    maps = run.attention_maps(index, *pixel)
    return None if maps is None else _one_of_batch(maps, channel)


def read_maps(run: Run, index: int, pixel: tuple[int, int], channel: int | None) -> PixelMaps | None:
    """Return the maps as `read_weights` does, with the picture around the pixel."""
    maps = read_weights(run, index, pixel, channel)
    trajectory = run.trajectory
    if maps is None or trajectory is None:
        return None
    part = (maps.top, maps.left, *maps.weights.shape[2:])
    picture = trajectory.picture(index, part=(part[0], part[1], part[2], part[3]))
    pixels = np.clip(np.rint(picture * 255), 0, 255).astype(np.uint8)
    rgb = np.moveaxis(np.broadcast_to(pixels, (3, *pixels.shape[1:])), 0, -1).copy()
    return PixelMaps(maps, trajectory.window, rgb)


def has_features(run: Run) -> bool:
    """Whether a run keeps the features that maps are computed from."""
    return run.trajectory is not None and not run.in_tiles and not run.from_file


def why_none(run: Run | None, pixel: tuple[int, int] | None) -> str:
    """Return a sentence, without its full stop, that says why there are no maps."""
    if run is None or pixel is None:
        return EMPTY_TEXT
    if run.in_tiles:
        return NEEDS_EXPLORE
    if run.from_file:
        return NEEDS_RUN
    if run.net is not None and not run.net.heads:
        return NO_ATTENTION
    row, col = pixel[0] - run.subject.corner[0], pixel[1] - run.subject.corner[1]
    if not (0 <= row < run.subject.rows and 0 <= col < run.subject.cols):
        return OUTSIDE
    return AWAITED if run.newest < 0 else EMPTY_TEXT


def _one_of_batch(maps: AttentionMaps, channel: int | None) -> AttentionMaps:
    """Return one channel's maps of a colour photo, or (None) their luma-weighted sum; a grey photo has only one."""
    weights = maps.weights
    if weights.shape[0] == 3 and channel is not None:
        weights = weights[channel : channel + 1]
    elif weights.shape[0] == 3:
        weights = (weights * weights.new_tensor(LUMA)[:, None, None, None]).sum(0, keepdim=True)
    return AttentionMaps(weights, maps.top, maps.left, maps.row, maps.col)
