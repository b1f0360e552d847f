"""Combines the numbers of the finished tiles' iterates to those of the whole photo."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from nerd_gui.denoising.subject import Subject
from nerd_gui.denoising.trajectory import Iterate
from nerd_gui.denoising.whole_photo.grid import Span, Tile
from nerd_gui.denoising.whole_photo.part_solver import PartIterate
from nerd_gui.equilibrium import StopReason
from nerd_gui.imaging import luma, noise_level, to_8_bit
from nerd_gui.imaging.noise_estimate import PATCH

#: The photo's stop reason is the first in this list that any tile has.
_WORST_FIRST = (
    StopReason.DIVERGED,
    StopReason.CANCELLED,
    StopReason.STEP_LIMIT,
    StopReason.STALLED,
    StopReason.SETTLED,
    StopReason.CONVERGED,
)
#: Placeholder for a tile's noise estimate, which is stored in that of the photo.
NO_ESTIMATE = np.empty((0, 0, 0), np.float32)


@dataclass(frozen=True, eq=False)
class Numbers:
    """The numbers of one iterate of a tile."""

    iterate: PartIterate  # without n_hat, which the photo's noise estimate holds
    noise_levels: NDArray[np.float64]  # of the luma and of each channel
    squared_error: float | None  # of 8-bit values, summed over the core


@dataclass(frozen=True, eq=False)
class FinishedTile:
    """The numbers of all iterates of a finished tile."""

    pixels: int
    patches: int  # number of patches that the noise level is a mean of
    numbers: list[Numbers]

    def at(self, index: int) -> Numbers:
        """Return the numbers of an iterate, or of the last one if the tile ended before it."""
        return self.numbers[min(index, len(self.numbers) - 1)]


class Tally:
    """Computes the numbers of the photo's iterates from the finished tiles.

    If a tile ended earlier than others, its last iterate is used in all later ones. Residuals are root mean squares
    over the tiles, weighted by their pixels; noise levels are means over all patches; PSNR is that of all pixels. SSIM
    is omitted, because its maps would take more memory than the photo.
    """

    def __init__(self, subject: Subject, finished: Sequence[FinishedTile] = ()) -> None:
        self._subject = subject
        self._finished = list(finished)

    @property
    def finished(self) -> tuple[FinishedTile, ...]:
        """The finished tiles so far."""
        return tuple(self._finished)

    def add(self, tile: Tile, iterates: Sequence[PartIterate]) -> None:
        """Add a finished tile."""
        down, across = _patches(tile.rows), _patches(tile.cols)
        numbers = [self._numbers(tile, one, one.n_hat[:, down, across]) for one in iterates]
        patches = max(1, (down.stop - down.start) // PATCH) * max(1, (across.stop - across.start) // PATCH)
        self._finished.append(FinishedTile(tile.core[2] * tile.core[3], patches, numbers))

    def _numbers(self, tile: Tile, iterate: PartIterate, patches: NDArray[np.float32]) -> Numbers:
        levels = np.array([noise_level(luma(patches)), *(noise_level(channel) for channel in patches)], np.float64)
        clean, error = self._subject.clean, None
        if clean is not None:
            row, col, rows, cols = tile.core
            part = np.s_[:, row : row + rows, col : col + cols]
            n_hat = iterate.n_hat[:, row - tile.rows.start :, col - tile.cols.start :][:, :rows, :cols]
            difference = to_8_bit(self._subject.noisy[part] + n_hat).astype(np.float32) - to_8_bit(clean[part])
            error = float(np.square(difference, dtype=np.float64).sum())
        return Numbers(replace(iterate, n_hat=NO_ESTIMATE), levels, error)

    @property
    def evaluations(self) -> float:
        """Mean number of evaluations of f per pixel."""
        return self._mean(lambda numbers: float(numbers.iterate.evaluations), -1)

    def iterates(self, n_hats: Sequence[NDArray[np.float16]], *, over: bool) -> tuple[Iterate, ...]:
        """Make the photo's iterates from these noise estimates; `over` says that all tiles are finished."""
        last = len(n_hats) - 1
        return tuple(self._iterate(index, n_hat, over and index == last) for index, n_hat in enumerate(n_hats))

    def _iterate(self, index: int, n_hat: NDArray[np.float16], last: bool) -> Iterate:
        all_numbers = [tile.at(index) for tile in self._finished]
        each = [numbers.iterate for numbers in all_numbers]
        patches = np.array([tile.patches for tile in self._finished])
        levels = np.average([numbers.noise_levels for numbers in all_numbers], axis=0, weights=patches)
        going = [one.relative_step for one in each if one.relative_step is not None]
        changes = [one.residual_change for one in each if one.residual_change is not None]
        reasons = {one.stop_reason for one in each}
        return Iterate(
            index=index,
            n_hat=n_hat,
            features=None,
            residual=math.sqrt(self._mean(lambda numbers: numbers.iterate.residual**2, index)),
            relative_step=max(going) if going else None,
            residual_change=max(changes) if changes else None,
            noise_level=float(levels[0]),
            noise_levels=tuple(float(level) for level in levels[1:]),
            psnr=self._psnr(all_numbers),
            ssim=None,
            seconds=sum(one.seconds for one in each),
            evaluations=max(one.evaluations for one in each),
            restarted=any(index < len(tile.numbers) and tile.at(index).iterate.restarted for tile in self._finished),
            stop_reason=next(reason for reason in _WORST_FIRST if reason in reasons) if last else None,
        )

    @property
    def _pixels(self) -> int:
        return sum(tile.pixels for tile in self._finished)

    def _mean(self, value: Callable[[Numbers], float], index: int) -> float:
        at = index if index >= 0 else 1 << 30
        return sum(tile.pixels * value(tile.at(at)) for tile in self._finished) / self._pixels

    def _psnr(self, numbers: Sequence[Numbers]) -> float | None:
        if self._subject.clean is None:
            return None
        error = sum(one.squared_error or 0.0 for one in numbers) / (self._pixels * self._subject.channels)
        return 10 * math.log10(255**2 / error) if error else math.inf


def _patches(span: Span) -> slice:
    """The pixels, among those solved, of the photo's patches whose centres lie in the core; the core if there are none.

    A halo is at least half a patch wide, so these patches have been solved.
    """
    first, end = (-(-(edge - PATCH // 2) // PATCH) for edge in (span.begin, span.end))
    end = min(end, span.size // PATCH)
    pixels = (first * PATCH, end * PATCH) if first < end else (span.begin, span.end)
    return slice(*(pixel - span.start for pixel in pixels))
