"""The statistics of a photo's GroupNorms, computed on a sample of the photo that is solved like one picture."""

from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nerd_gui.denoising.channels import batch_size, to_batch
from nerd_gui.denoising.settings import PICTURE, RunSettings
from nerd_gui.denoising.strength import told_level
from nerd_gui.denoising.whole_photo.cores import SIDE, Core, core_count, cores
from nerd_gui.denoising.whole_photo.part_solver import How, n_hats, solver_steps
from nerd_gui.denoising.whole_photo.predicted_start import PredictedStart
from nerd_gui.denoising.whole_photo.stopped import SampledPass
from nerd_gui.denoising.whole_photo.sub_pictures import merge, split
from nerd_gui.imaging import photo_noise
from nerd_gui.nerd import NERD, exact_float32
from nerd_gui.nerd.fixed_statistics import (
    Counted,
    Statistics,
    pooled_statistics,
    with_pooled_statistics,
)

_STEPS, _TOL = 9, 2e-3  # largest number of solver steps, and the residual at which the statistics have converged
#: The halo of the squares, relative to that of tiles. With half of it, results still agree to 70 dB of PSNR.
_HALO = 0.5
_WHOLE = 1.0  # if the squares with halos cover at least this fraction of the photo's area, the whole photo is solved
_DEARER = 6  # a sampled pixel, with its halo, costs this many times as much as a pixel of a tile


#: Yields the fraction that is done; returns each picture's statistics, the start of tiles, and n_hat of the sample.
Solved = Generator[float, None, tuple[tuple[Statistics, ...], PredictedStart, NDArray[np.float32]]]


def sample_settings(settings: RunSettings) -> RunSettings:
    """The settings for the sample: those of the tiles, but the stop rule "picture" is replaced by a small residual.

    Errors of the statistics affect the whole photo, so the sample must be solved more accurately.
    """
    if settings.stop_on != PICTURE:
        return settings
    return replace(settings, stop_on="residual", tol=_TOL, max_iter=min(settings.max_iter, _STEPS))


def sample_shape(rows: int, cols: int, halo: int, grain: int) -> tuple[int, int, int]:
    """The number of squares that are solved for the sample of a photo, and their rows and columns with halos.

    `halo` is that of tiles in the last pass. If the squares would be larger than the photo together, the whole photo is
    solved as a single one.
    """
    count, side = core_count(rows, cols), SIDE + 2 * _first_sample_halo(halo, grain)
    return (1, rows, cols) if count * side**2 >= _WHOLE * rows * cols else (count, min(side, rows), min(side, cols))


def first_halo(halo: int, grain: int) -> int:
    """The halo of the first pass in pixels; it must cover a second pass's halo plus its own at the grain size."""
    return halo if grain == 1 else grain * halo + halo


def _first_sample_halo(halo: int, grain: int) -> int:
    return first_halo(round(_HALO * halo), grain)


def sampled_share(rows: int, cols: int, pixels: int) -> float:
    """Estimate the work on the sample, relative to that on `pixels` pixels of tiles."""
    return min(core_count(rows, cols) * SIDE**2 * _DEARER, 2 * rows * cols) / pixels


@dataclass(frozen=True, eq=False)
class _Square:
    """The pixels (C, rows, cols) that are solved for a core, and their position in the photo."""

    core: Core
    row: int
    col: int
    pixels: NDArray[np.float32]

    def around(self, halo: int, stride: int) -> "_Square":
        """Cut out the core with its halo, as far as available, beginning at a multiple of the stride."""
        core, (rows, cols) = self.core, self.pixels.shape[1:]
        down = _span(core.row - self.row, core.rows, rows, halo, stride)
        across = _span(core.col - self.col, core.cols, cols, halo, stride)
        return _Square(self.core, self.row + down.start, self.col + across.start, self.pixels[:, down, across])

    def counted(self, stride: int) -> Counted:
        """The position of the core in each sub-picture."""
        core = self.core
        return Counted(
            (core.row - self.row) // stride,
            (core.col - self.col) // stride,
            core.rows // stride,
            core.cols // stride,
            core.weight,
        )


def _span(begin: int, length: int, size: int, halo: int, stride: int) -> slice:
    length = min(max(length, SIDE) + 2 * halo, size)
    start = min(max(begin - halo, 0), size - length) // stride * stride
    return slice(start, start + length)


def sampled_passes(
    net: NERD, noisy: NDArray[np.float32], grain: int, strength: float | None, halo: int, how: How
) -> Generator[float, None, list[SampledPass]]:
    """Prepare the passes over a photo (C, rows, cols), each with the photo's statistics.

    The squares of the sample are solved like one picture: f pools its statistics over all of them, without their halos,
    which the cut has changed. `halo` is that of tiles in the last pass.

    Yields
    ------
    float
        The fraction that is done, after each solver step.

    Returns
    -------
    list of SampledPass

    Raises
    ------
    Interrupted
        If the work was cancelled.
    """
    channels, rows, cols = noisy.shape
    even = noisy[:, : rows // grain * grain, : cols // grain * grain]  # so that sub-pictures have equal sizes
    count, *_ = sample_shape(even.shape[1], even.shape[2], halo, grain)
    sampled = cores(even) if count > 1 else [Core(0, 0, even.shape[1], even.shape[2], 1.0)]
    squares = [_Square(core, 0, 0, even) for core in sampled]
    passes: list[SampledPass] = []
    for stride in range(grain, 0, -1):
        squares = [square.around(_first_sample_halo(halo, stride), stride) for square in squares]
        if passes and strength is not None:
            left = photo_noise(np.concatenate([square.pixels for square in squares], axis=2))
            strength = round(told_level(left, net), 2)
        parts = [split(square.pixels, stride) for square in squares]
        counted = [square.counted(stride) for square in squares for _ in range(stride**2)]
        begun, steps = (
            len(passes),
            _solved(net, np.concatenate(parts), batch_size(net, channels), strength, counted, how),
        )
        statistics, start, n_hat = yield from _scaled(steps, begun / grain, 1 / grain)
        passes.append(SampledPass(stride, strength, statistics, start))
        squares = [
            replace(square, pixels=square.pixels + merge(removed, *square.pixels.shape[1:]))
            for square, removed in zip(squares, np.split(n_hat, len(squares)), strict=True)
        ]
    return passes


def _scaled(steps: Solved, begin: float, share: float) -> Solved:
    """Rescale the fractions that `steps` yields to the range from `begin` to `begin + share`."""
    while True:
        try:
            fraction = next(steps)
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return]  # what the generator returned
        yield begin + share * fraction


def _solved(
    net: NERD,
    parts: NDArray[np.float32],
    pictures: int,
    strength: float | None,
    counted: Sequence[Counted],
    how: How,
) -> Solved:
    """Solve the parts (count, C, rows, cols); return pooled statistics, predicted start and n_hat of the equilibrium.

    Yields the fraction that is done after each step.
    """
    pooled = with_pooled_statistics(net, pictures, counted)
    with torch.no_grad(), exact_float32():
        y = torch.cat([to_batch(part, net) for part in parts]).to(how.settings.device)
        s = net.inject(y, strength)

    def f(z: Tensor) -> Tensor:
        with exact_float32():
            precision = how.settings.precision
            return pooled.implicit(z[0], s, window=how.window, precision=precision, interrupt=how.interrupt)[None]

    z, settings = torch.empty(0), sample_settings(how.settings)
    # As a batch of one, the whole sample shares one residual and one history, like a whole photo.
    for step in solver_steps(f, net.initial(s)[None], replace(how, settings=settings)):
        z, index = step.z[0], step.index
        del step  # so that f can reuse the memory of f(z)
        yield (index + 1) / (settings.max_iter + 1)
    n_hat = n_hats(net, y, z, len(parts), parts.shape[1])
    return tuple(pooled_statistics(pooled)), PredictedStart.fitted(s, z, counted), n_hat
