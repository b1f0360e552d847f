"""Where the run of a whole photo stands, so that another process can go on with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch

from nerd_gui.denoising.errors import RunError
from nerd_gui.denoising.whole_photo.part_solver import Pass
from nerd_gui.denoising.whole_photo.tally import FinishedTile
from nerd_gui.nerd import NERD
from nerd_gui.nerd.fixed_statistics import norms_of, with_fixed_statistics
from nerd_gui.nerd.layers import GroupStatistics


@dataclass(frozen=True, eq=False)
class SampledPass:
    """What a sample of the photo tells of one pass over it.

    Attributes
    ----------
    stride : int
    strength : float or None
        See `Pass`.
    statistics : tuple of dict
        For each picture that the network makes of the photo: what its GroupNorms, by their names, take from it.
    """

    stride: int
    strength: float | None
    statistics: tuple[Mapping[str, GroupStatistics], ...]

    def of(self, net: NERD, device: str) -> Pass:
        """The pass, by a network."""
        there = torch.device(device)
        nets = (
            with_fixed_statistics(net, {name: kept.to(there) for name, kept in each.items()})
            for each in self.statistics
        )
        return Pass(self.stride, tuple(nets), self.strength)


@dataclass(frozen=True, eq=False)
class StoppedPhoto:
    """A run of a whole photo whose sample is solved; its iterates are kept beside this.

    Attributes
    ----------
    core, halo : int
        Of its tiles, see `PhotoPlan`.
    left : tuple of int
        Which tiles of its grid are not finished.
    seconds : float
        That the finished ones took.
    passes : tuple of SampledPass
    finished : tuple of FinishedTile
        What the finished tiles say of each iterate.
    """

    core: int
    halo: int
    left: tuple[int, ...]
    seconds: float
    passes: tuple[SampledPass, ...]
    finished: tuple[FinishedTile, ...]

    @property
    def longest(self) -> int:
        """How many iterates the photo has by its finished tiles."""
        return max((len(tile.numbers) for tile in self.finished), default=0)

    def check(self, net: NERD, pictures: int, tiles: int, halo: int, core: int) -> None:
        """See whether a run that is planned like this can go on here.

        Parameters
        ----------
        pictures : int
            How many the network makes of the photo.
        tiles : int
            Of the grid with this core and halo.
        halo, core : int
            Of the plan now.

        Raises
        ------
        RunError
            If it cannot; the sentence says why.
        """
        if core < self.core:
            raise RunError(
                f"The rest of the photo was planned in tiles of {self.core} pixels, for which the memory limit is too "
                "low now; raise it in the settings, or denoise the photo anew."
            )
        wanted = {name: (1, norm.num_groups) for name, norm in norms_of(net).items()}
        fits = all(
            len(one.statistics) == pictures
            and all({name: tuple(kept.mean.shape) for name, kept in each.items()} == wanted for each in one.statistics)
            for one in self.passes
        )
        if not fits or halo != self.halo or len(self.left) + len(self.finished) != tiles or max(self.left) >= tiles:
            raise RunError("What is finished of the photo was made by another network; denoise the photo anew.")
