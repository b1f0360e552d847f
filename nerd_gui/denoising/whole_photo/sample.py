"""The statistics of a photo's GroupNorms, from a sample of it that is solved as one picture."""

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

_STEPS, _TOL = 9, 2e-3  # of the solver on the sample at most, and the residual at which the statistics are at rest
_WHOLE = 1.0  # parts of a photo that the squares together must reach for it to be solved instead of them
_DEARER = 10  # than a tile's: a sampled pixel, with what is solved around it


#: The statistics of each picture, and the n_hat of the sample; found step by step.
Solved = Generator[float, None, tuple[tuple[Statistics, ...], NDArray[np.float32]]]


def sample_settings(settings: RunSettings) -> RunSettings:
    """How the equilibrium of the sample is sought: as that of the tiles, but of a run that goes by the picture nearer.

    What the statistics are off by is off everywhere in the photo.
    """
    if settings.stop_on != PICTURE:
        return settings
    return replace(settings, stop_on="residual", tol=_TOL, max_iter=min(settings.max_iter, _STEPS))


def sample_shape(rows: int, cols: int, halo: int) -> tuple[int, int, int]:
    """How many squares are solved of a photo, and their rows and columns, with a halo around what is counted.

    A small photo, of which the squares would be more than there is, is a single one.
    """
    count, side = core_count(rows, cols), SIDE + 2 * halo
    return (1, rows, cols) if count * side**2 >= _WHOLE * rows * cols else (count, min(side, rows), min(side, cols))


def first_halo(halo: int, grain: int) -> int:
    """Pixels around a part in the first pass: what a second one sees must have been made with a halo of its own."""
    return halo if grain == 1 else grain * halo + halo


def sampled_share(rows: int, cols: int, pixels: int) -> float:
    """About the work on the sample, in parts of the work on so many pixels."""
    return min(core_count(rows, cols) * SIDE**2 * _DEARER, 2 * rows * cols) / pixels


@dataclass(frozen=True, eq=False)
class _Square:
    """What is solved for a core: its pixels (C, rows, cols), and where in the photo they begin."""

    core: Core
    row: int
    col: int
    pixels: NDArray[np.float32]

    def around(self, halo: int, stride: int) -> "_Square":
        """The part of it that reaches a halo beyond the core, as far as it goes, from a multiple of the stride on."""
        core, (rows, cols) = self.core, self.pixels.shape[1:]
        down = _span(core.row - self.row, core.rows, rows, halo, stride)
        across = _span(core.col - self.col, core.cols, cols, halo, stride)
        return _Square(self.core, self.row + down.start, self.col + across.start, self.pixels[:, down, across])

    def counted(self, stride: int) -> Counted:
        """The core in each of its sub-pictures."""
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
    """Find the passes over a photo (C, rows, cols), each with the statistics that the photo has in it.

    Squares spread over the photo are solved as one picture: f takes its statistics over all of them together, without
    the pixels at their borders, which the cut has changed.

    Yields
    ------
    float
        The fraction that is done, after each step of the solver.

    Returns
    -------
    list of SampledPass

    Raises
    ------
    Interrupted
        If it is to stop.
    """
    channels, rows, cols = noisy.shape
    even = noisy[:, : rows // grain * grain, : cols // grain * grain]  # so that sub-pictures are of one size
    count, *_ = sample_shape(even.shape[1], even.shape[2], first_halo(halo, grain))
    sampled = cores(even) if count > 1 else [Core(0, 0, even.shape[1], even.shape[2], 1.0)]
    squares = [_Square(core, 0, 0, even) for core in sampled]
    passes: list[SampledPass] = []
    for stride in range(grain, 0, -1):
        squares = [square.around(first_halo(halo, stride), stride) for square in squares]
        if passes and strength is not None:
            left = photo_noise(np.concatenate([square.pixels for square in squares], axis=2))
            strength = round(told_level(left), 2)
        parts = [split(square.pixels, stride) for square in squares]
        counted = [square.counted(stride) for square in squares for _ in range(stride**2)]
        begun, steps = (
            len(passes),
            _solved(net, np.concatenate(parts), batch_size(net, channels), strength, counted, how),
        )
        statistics, n_hat = yield from _scaled(steps, begun / grain, 1 / grain)
        passes.append(SampledPass(stride, strength, statistics))
        squares = [
            replace(square, pixels=square.pixels + merge(removed, *square.pixels.shape[1:]))
            for square, removed in zip(squares, np.split(n_hat, len(squares)), strict=True)
        ]
    return passes


def _scaled(steps: Solved, begin: float, share: float) -> Solved:
    """The same, as a share of the whole that begins at a fraction of it."""
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
    """Find the statistics of these parts (count, C, rows, cols) at their equilibrium, and n_hat there.

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
    # A batch of one: the step lengths of the solver are those of the whole sample, as they are of a whole photo.
    for step in solver_steps(f, net.initial(s)[None], replace(how, settings=settings)):
        z, index = step.z[0], step.index
        del step  # which holds f(z): f needs the memory
        yield (index + 1) / (settings.max_iter + 1)
    n_hat = n_hats(net, y, z, len(parts), parts.shape[1])
    return tuple(pooled_statistics(pooled)), n_hat
