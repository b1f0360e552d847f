"""The statistics of a photo's GroupNorms, from a sample of it that is solved as one picture."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nerd_gui.denoising.channels import batch_size, to_batch
from nerd_gui.denoising.settings import PICTURE, RunSettings
from nerd_gui.denoising.whole_photo.part_solver import How, Pass, n_hats, solver_steps
from nerd_gui.denoising.whole_photo.sub_pictures import merge, split
from nerd_gui.imaging import photo_noise
from nerd_gui.nerd import NERD, exact_float32
from nerd_gui.nerd.fixed_statistics import (
    Counted,
    pooled_statistics,
    with_fixed_statistics,
    with_pooled_statistics,
)

#: Side in pixels of what is counted of a square; around it lies what is only solved.
_SIDE = 32
#: Part of the photo that is counted, and how many squares at least and at most.
_SHARE, _LEAST, _MOST = 0.025, 24, 64
#: Depth in pixels of the photo's border, where features are others, and how many squares each side has.
_BORDER, _PER_SIDE = 16, 3
_STEPS, _TOL = 9, 2e-3  # of the solver on the sample at most, and the residual at which the statistics are at rest
_DEARER = 10  # than a tile's: a sampled pixel, with what is solved around it


def sample_settings(settings: RunSettings) -> RunSettings:
    """How the equilibrium of the sample is sought: as that of the tiles, but of a run that goes by the picture nearer.

    What the statistics are off by is off everywhere in the photo.
    """
    if settings.stop_on != PICTURE:
        return settings
    return replace(settings, stop_on="residual", tol=_TOL, max_iter=min(settings.max_iter, _STEPS))


def sample_count(rows: int, cols: int) -> int:
    """How many squares are taken of a photo."""
    return int(np.clip(_SHARE * rows * cols / _SIDE**2, _LEAST, _MOST)) + 4 * _PER_SIDE


def sample_side(halo: int) -> int:
    """Side of a square in pixels, with a halo around what is counted."""
    return _SIDE + 2 * halo


def sampled_share(rows: int, cols: int, pixels: int) -> float:
    """About the work on the sample, in parts of the work on so many pixels."""
    return sample_count(rows, cols) * _SIDE**2 * _DEARER / pixels


@dataclass(frozen=True)
class Core:
    """What is counted of a square, in pixels of the photo: row, col, rows and cols are even, but at its far border."""

    row: int
    col: int
    rows: int
    cols: int
    weight: float


def cores(rows: int, cols: int) -> list[Core]:
    """What is counted: squares spread evenly inside the photo, and strips along its border, as much as there is of it.

    Rows are evenly spaced, columns follow the golden ratio, which leaves no large gap for any count.
    """
    border = min(_BORDER, rows // 4 & ~1, cols // 4 & ~1)
    tall, wide = min(_SIDE, rows - 2 * border), min(_SIDE, cols - 2 * border)
    count = sample_count(rows, cols) - 4 * _PER_SIDE
    golden = (5**0.5 - 1) / 2
    inside = (rows - 2 * border) * (cols - 2 * border) / (rows * cols)
    down, across = rows - 2 * border - tall, cols - 2 * border - wide
    found = [
        Core(
            border + (round((index + 0.5) / count * down) & ~1),
            border + (round((0.5 + index * golden) % 1 * across) & ~1),
            tall,
            wide,
            inside / count,
        )
        for index in range(count)
    ]
    if not border:
        return found
    share = (1 - inside) / (_PER_SIDE * 2 * (rows + cols))
    for index in range(_PER_SIDE):
        place = (index + 0.5) / _PER_SIDE
        row, col = round(place * (rows - tall)) & ~1, round(place * (cols - wide)) & ~1
        found += [Core(edge, col, border, wide, share * cols) for edge in (0, (rows - border) & ~1)]
        found += [Core(row, edge, tall, border, share * rows) for edge in (0, (cols - border) & ~1)]
    return found


def _around(core: int, size: int, halo: int, stride: int) -> tuple[slice, int]:
    """The pixels of a side that are solved around a core, inside the photo; and where in them the core begins."""
    length = min(sample_side(halo), size)
    start = min(max(core - halo, 0), size - length) // stride * stride
    return slice(start, start + length), core - start


def sampled_passes(
    net: NERD, noisy: NDArray[np.float32], grain: int, strength: float | None, halo: int, how: How
) -> list[Pass]:
    """The passes over a photo (C, rows, cols), each with the statistics that the photo has in it.

    Squares spread over the photo are solved as one picture: f takes its statistics over all of them together, without
    the pixels at their borders, which the cut has changed.

    Raises
    ------
    Interrupted
        If it is to stop.
    """
    channels, rows, cols = noisy.shape
    rows, cols = rows // grain * grain, cols // grain * grain
    sampled = cores(rows, cols)
    passes: list[Pass] = []
    denoised: list[NDArray[np.float32]] = []
    before: list[tuple[slice, slice]] = []
    for stride in range(grain, 0, -1):
        # What the next pass sees around a core must have been made with a halo of its own.
        around = halo if stride == 1 else stride * halo + halo
        squares, counted, where = [], [], []
        for index, core in enumerate(sampled):
            down, top = _around(core.row, rows, around, stride)
            across, left = _around(core.col, cols, around, stride)
            if passes:
                first_down, first_across = before[index]
                inner = np.s_[
                    :,
                    down.start - first_down.start : down.stop - first_down.start,
                    across.start - first_across.start : across.stop - first_across.start,
                ]
                squares.append(denoised[index][inner])
            else:
                squares.append(noisy[:, down, across])
            where.append((down, across))
            part = Counted(top // stride, left // stride, core.rows // stride, core.cols // stride, core.weight)
            counted += [part] * stride**2
        if passes and strength is not None:
            strength = round(photo_noise(np.concatenate(squares, axis=2)).level, 2)
        parts = np.concatenate([split(square, stride) for square in squares])
        nets, n_hat = _solved(net, parts, batch_size(net, channels), strength, counted, how)
        passes.append(Pass(stride, nets, strength))
        each = np.split(n_hat, len(squares))
        denoised = [square + merge(change, *square.shape[1:]) for square, change in zip(squares, each, strict=True)]
        before = where
    return passes


def _solved(
    net: NERD,
    parts: NDArray[np.float32],
    pictures: int,
    strength: float | None,
    counted: Sequence[Counted],
    how: How,
) -> tuple[tuple[NERD, ...], NDArray[np.float32]]:
    """Networks with the statistics of these parts (count, C, rows, cols) at their equilibrium, and the n_hat there."""
    pooled = with_pooled_statistics(net, pictures, counted)
    with torch.no_grad(), exact_float32():
        y = torch.cat([to_batch(part, net) for part in parts]).to(how.settings.device)
        s = net.inject(y, strength)

    def f(z: Tensor) -> Tensor:
        with exact_float32():
            precision = how.settings.precision
            return pooled.implicit(z[0], s, window=how.window, precision=precision, interrupt=how.interrupt)[None]

    z = torch.empty(0)
    # A batch of one: the step lengths of the solver are those of the whole sample, as they are of a whole photo.
    for step in solver_steps(f, net.initial(s)[None], replace(how, settings=sample_settings(how.settings))):
        z = step.z[0]
        del step  # which holds f(z): f needs the memory
    n_hat = n_hats(net, y, z, len(parts), parts.shape[1])
    return tuple(with_fixed_statistics(net, statistics) for statistics in pooled_statistics(pooled)), n_hat
