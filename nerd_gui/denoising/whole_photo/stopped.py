"""The state of an unfinished run of a whole photo, from which another process can continue it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch

from nerd_gui.denoising.errors import RunError
from nerd_gui.denoising.whole_photo.part_solver import Pass
from nerd_gui.denoising.whole_photo.predicted_start import PredictedStart
from nerd_gui.denoising.whole_photo.tally import FinishedTile
from nerd_gui.nerd import NERD
from nerd_gui.nerd.fixed_statistics import norms_of, with_fixed_statistics
from nerd_gui.nerd.layers import GroupStatistics


@dataclass(frozen=True, eq=False)
class SampledPass:
    """The settings of one pass over a photo, and what its sample showed.

    Attributes
    ----------
    stride : int
    strength : float or None
        See `Pass`.
    statistics : tuple of dict
        For each picture in the photo's batch, the statistics of the network's GroupNorms by name.
    start : PredictedStart or None
        The start of its tiles; None: zero, as in sessions of earlier versions of the program.
    """

    stride: int
    strength: float | None
    statistics: tuple[Mapping[str, GroupStatistics], ...]
    start: PredictedStart | None

    def of(self, net: NERD, device: str) -> Pass:
        """Make the pass for a network."""
        there = torch.device(device)
        nets = (
            with_fixed_statistics(net, {name: kept.to(there) for name, kept in each.items()})
            for each in self.statistics
        )
        return Pass(self.stride, tuple(nets), self.strength, self.start)


@dataclass(frozen=True, eq=False)
class StoppedPhoto:
    """The state of an unfinished run in tiles, after its sample was solved; its noise estimates are stored separately.

    Attributes
    ----------
    core, halo : int
        Sizes of its tiles, see `PhotoPlan`.
    left : tuple of int
        Indices of the tiles that are not finished.
    seconds : float
        Time for the finished tiles.
    passes : tuple of SampledPass
    finished : tuple of FinishedTile
        The numbers of the finished tiles.
    """

    core: int
    halo: int
    left: tuple[int, ...]
    seconds: float
    passes: tuple[SampledPass, ...]
    finished: tuple[FinishedTile, ...]

    @property
    def longest(self) -> int:
        """The number of iterates that the photo has."""
        return max((len(tile.numbers) for tile in self.finished), default=0)

    def check(self, net: NERD, pictures: int, tiles: Sequence[int], halo: int, core: int) -> None:
        """Check whether a run can continue from this state.

        Parameters
        ----------
        net : NERD
        pictures : int
            Number of pictures in the photo's batch.
        tiles : sequence of int
            Number of pixels in the core of each tile of the grid with the state's core and halo.
        halo, core : int
            Sizes of the tiles in the current plan.

        Raises
        ------
        RunError
            If it cannot continue; the message says why.
        """
        if core < self.core:
            raise RunError(
                f"The rest of the photo has to be denoised in tiles of {self.core} pixels, for which the memory limit "
                "is now too low; raise it in the settings, or denoise the photo from the beginning."
            )
        wanted = {name: (1, norm.num_groups) for name, norm in norms_of(net).items()}
        fits = all(
            len(one.statistics) == pictures
            and (one.start is None or len(one.start.weight) == net.config.features)
            and all({name: tuple(kept.mean.shape) for name, kept in each.items()} == wanted for each in one.statistics)
            for one in self.passes
        )
        if not fits or halo != self.halo:
            raise RunError("Another network made the finished tiles of this photo; denoise it from the beginning.")
        finished = sorted(pixels for index, pixels in enumerate(tiles) if index not in self.left)
        if max(self.left) >= len(tiles) or finished != sorted(tile.pixels for tile in self.finished):
            raise RunError(
                "Another version of the program cut this photo into tiles of other sizes; denoise it from the "
                "beginning."
            )
