"""What is kept of a run's iterates, above all the features for the attention maps: in memory, past a limit on disk."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from nerd_gui.denoising.kept_memory import IN_MEMORY, KEPT, KeptMemory
from nerd_gui.denoising.on_disk import array_on_disk
from nerd_gui.nerd import AttentionMaps, GroupStatistics, Network

_BAND = 32  # rows
HALF_MAX = float(np.finfo(np.float16).max)


@dataclass(frozen=True, eq=False)
class Settling:
    """Where an iterate has not settled, as norms over the features of each pixel.

    They are taken while the solver holds its tensors in full: in half precision, as features are kept, a residual near
    the tolerance is half rounding.

    Attributes
    ----------
    residual : Tensor, (B, rows, cols), float16, on the CPU
        ||f(z_i) - z_i||.
    update : Tensor or None, as `residual`
        ||z_i - z_(i-1)||; None at the start.
    size : tuple of float, one for each of the batch
        The root mean square over the pixels of ||f(z_i)||, beside which the other two are large or small.
    """

    residual: Tensor
    update: Tensor | None
    size: tuple[float, ...]


def pixel_norms(z: Tensor, other: Tensor | None = None) -> Tensor:
    """Norm over the features of each pixel of z (B, d, rows, cols), or of its difference from another: (B, rows, cols).

    A band of rows at a time, so that nothing of the size of z is made.
    """
    bands = []
    for band in range(0, z.shape[2], _BAND):
        part = z[:, :, band : band + _BAND]
        bands.append((part if other is None else part - other[:, :, band : band + _BAND]).norm(dim=1))
    return torch.cat(bands, 1)


@dataclass(frozen=True, eq=False)
class Features:
    """What is kept of an iterate to look into it: its attention maps are made from this.

    Attributes
    ----------
    z, s : Tensor, (B, d, rows, cols), float16, on the CPU
        The iterate and the injection (one tensor for all iterates of a run).
    statistics : GroupStatistics
        GroupNorm's mean and variance of s + z, so that a click has to project its neighbourhood only.
    settling : Settling or None
        None for features that come from no solver.
    """

    z: Tensor
    s: Tensor
    statistics: GroupStatistics
    settling: Settling | None = None

    def attention_maps(self, net: Network, row: int, col: int, window: int) -> AttentionMaps:
        """Maps (B, heads, rows, cols) of the pixel (row, col), on the CPU; see `NERD.attention_maps`."""
        return net.attention_maps(self.z, self.s, row, col, statistics=self.statistics, window=window)


class FeatureStore:
    """Keeps tensors in half precision on the CPU; what does not fit into memory goes to a temporary file.

    The file has no name: the system frees it with the last tensor that lies in it, also after a crash.

    Parameters
    ----------
    limit : int
        Bytes of memory for this run.
    shared : KeptMemory, optional
        Memory that it shares with all other runs.
    """

    def __init__(self, limit: int = IN_MEMORY, shared: KeptMemory = KEPT) -> None:
        self._left = limit
        self._shared = shared

    def keep(self, x: Tensor) -> Tensor:
        """Return a copy of `x` as float16 on the CPU, what is too large for it clipped.

        Raises
        ------
        RunError
            If the temporary file cannot be written.
        """
        size, shape = 2 * x.numel(), tuple(x.shape)
        kept = self._shared.new(shape) if size <= self._left else None
        if kept is not None:
            self._left -= size
        array = array_on_disk(shape) if kept is None else kept
        return torch.from_numpy(array).copy_(x.detach()).clamp_(-HALF_MAX, HALF_MAX)
