"""What is kept of a run's iterates, above all the features for the attention maps: in memory, past a limit on disk."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from nerd_gui.denoising.kept_memory import IN_MEMORY, KEPT, KeptMemory
from nerd_gui.denoising.on_disk import array_on_disk
from nerd_gui.nerd import NERD, AttentionMaps, GroupStatistics

HALF_MAX = float(np.finfo(np.float16).max)


@dataclass(frozen=True, eq=False)
class Features:
    """What an iterate's attention maps are made from.

    Attributes
    ----------
    z, s : Tensor, (B, d, rows, cols), float16, on the CPU
        The iterate and the injection (one tensor for all iterates of a run).
    statistics : GroupStatistics
        GroupNorm's mean and variance of s + z, so that a click has to project its neighbourhood only.
    """

    z: Tensor
    s: Tensor
    statistics: GroupStatistics

    def attention_maps(self, net: NERD, row: int, col: int, window: int) -> AttentionMaps:
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
