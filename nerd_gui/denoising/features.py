"""The features of a run's iterates, kept for attention maps and analyses: in memory, and beyond a limit on disk."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from nerd_gui.denoising.kept_memory import IN_MEMORY, KEPT, HalfArrays, KeptMemory
from nerd_gui.nerd import AttentionMaps, GroupStatistics, Network

_BAND = 32  # rows
HALF_MAX = float(np.finfo(np.float16).max)


@dataclass(frozen=True, eq=False)
class Settling:
    """How far each pixel of an iterate has settled: norms over its features.

    They are computed from the solver's tensors. The stored features are in half precision, in which rounding would be a
    large part of a residual near the tolerance.

    Attributes
    ----------
    residual : Tensor, (B, rows, cols), float16, on the CPU
        ||f(z_i) - z_i||.
    update : Tensor or None, as `residual`
        ||z_i - z_(i-1)||; None at the start.
    size : tuple of float, one for each of the batch
        The root mean square over the pixels of ||f(z_i)||, to which the other two are to be compared.
    """

    residual: Tensor
    update: Tensor | None
    size: tuple[float, ...]


def pixel_norms(z: Tensor, other: Tensor | None = None) -> Tensor:
    """Compute the norm over the features of each pixel of z (B, d, rows, cols), or of z - other: (B, rows, cols).

    Rows are processed in bands, so that no temporary tensor has the size of z.
    """
    bands = []
    for band in range(0, z.shape[2], _BAND):
        part = z[:, :, band : band + _BAND]
        bands.append((part if other is None else part - other[:, :, band : band + _BAND]).norm(dim=1))
    return torch.cat(bands, 1)


@dataclass(frozen=True, eq=False)
class Features:
    """The features of an iterate, from which its attention maps are computed.

    Attributes
    ----------
    z, s : Tensor, (B, d, rows, cols), float16, on the CPU
        The iterate and the injection (one tensor for all iterates of a run).
    statistics : GroupStatistics
        Mean and variance of s + z for GroupNorm, so that the maps of a pixel need only its neighbourhood.
    settling : Settling or None
        None for features that were not made by a solver.
    """

    z: Tensor
    s: Tensor
    statistics: GroupStatistics
    settling: Settling | None = None

    def attention_maps(self, net: Network, row: int, col: int, window: int) -> AttentionMaps:
        """Compute the attention maps of the pixel (row, col), on the CPU; see `NERD.attention_maps`."""
        return net.attention_maps(self.z, self.s, row, col, statistics=self.statistics, window=window)


class FeatureStore:
    """Stores tensors in half precision on the CPU; those that do not fit into memory go to temporary files.

    Parameters
    ----------
    limit : int
        Largest number of bytes in memory for this run.
    shared : KeptMemory, optional
        The memory that all runs share.
    """

    def __init__(self, limit: int = IN_MEMORY, shared: KeptMemory = KEPT) -> None:
        self._arrays = HalfArrays(limit, shared)

    def keep(self, x: Tensor) -> Tensor:
        """Return a copy of `x` as float16 on the CPU; values beyond the range of float16 are clipped.

        Raises
        ------
        RunError
            If the temporary file cannot be written.
        """
        return torch.from_numpy(self._arrays.new(tuple(x.shape))).copy_(x.detach()).clamp_(-HALF_MAX, HALF_MAX)
