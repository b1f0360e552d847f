"""Vectors that a solver keeps from step to step, in half precision if asked to, and the algebra on them."""

from __future__ import annotations

import torch
from torch import Tensor

#: Elements converted at once: on a processor few enough for its caches, elsewhere enough to fill it.
_SLICE = {"cpu": 1 << 18}
_SLICE_ELSEWHERE = 1 << 25


class Vectors:
    """A ring of the newest `room` vectors of each sample (B, D).

    What is kept in another precision than the solve's is divided by its root mean square, so that no element can
    overflow, and converted back a slice at a time: the algebra has the solve's precision.

    Parameters
    ----------
    like : Tensor, (B, D)
        Has the shape, type and device of the solve.
    room : int
        The most vectors kept.
    dtype : torch.dtype or None
        What they are kept in; None: as `like`.
    """

    def __init__(self, like: Tensor, room: int, dtype: torch.dtype | None = None) -> None:
        batch, dim = like.shape
        # Never read before it is written, so that the system hands out pages only as the ring fills.
        self._kept = like.new_empty(batch, room, dim, dtype=dtype)
        self._unit = like.new_ones(batch, room)  # what 1 in the kept vector stands for
        self._converted = self._kept.dtype != like.dtype
        self._written = 0
        self.room = room

    @property
    def used(self) -> int:
        return min(self._written, self.room)

    @property
    def slot(self) -> int:
        """Where the next vector goes: over the oldest one once the ring is full."""
        return self._written % self.room

    def push(self, x: Tensor) -> None:
        """Keep a vector (B, D) of each sample."""
        if self._converted:
            unit = torch.linalg.vector_norm(x, dim=1, keepdim=True) / x.shape[1] ** 0.5
            self._unit[:, self.slot, None] = unit
            torch.div(x, torch.where(unit > 0, unit, 1), out=self._kept[:, self.slot])
        else:
            self._kept[:, self.slot] = x
        self._written += 1

    def oldest(self) -> Tensor:
        """The vector (B, D) that the next one will replace, in the precision of the solve."""
        return self._kept[:, self.slot].to(self._unit.dtype) * self._unit[:, self.slot, None]

    def clear(self, samples: Tensor) -> None:
        """Set the vectors of `samples` (B, bool, CPU) to zero, which is as good as having none."""
        for sample in samples.nonzero().flatten().tolist():
            self._kept[sample, : self.used].zero_()

    def products(self, *others: Tensor) -> list[Tensor]:
        """Inner products (B, k) of the kept vectors with each of the `others` (B, D)."""
        kept, unit = self._kept[:, : self.used], self._unit[:, : self.used]
        if not self._converted:
            return [torch.bmm(kept, x[:, :, None])[:, :, 0] for x in others]
        sums = [torch.zeros_like(unit) for _ in others]
        for part in self._slices():
            slice_ = kept[:, :, part].to(unit.dtype)
            for total, x in zip(sums, others, strict=True):
                total += torch.bmm(slice_, x[:, part, None])[:, :, 0]
        return [total * unit for total in sums]

    def add_to(self, x: Tensor, coefficients: Tensor) -> Tensor:
        """Add to `x` (B, D), in place, the kept vectors times their coefficients (B, k)."""
        kept, factors = self._kept[:, : self.used], (coefficients * self._unit[:, : self.used])[:, None]
        for part in self._slices() if self._converted else [slice(None)]:
            x[:, None, part].baddbmm_(factors, kept[:, :, part].to(x.dtype))
        return x

    def _slices(self) -> list[slice]:
        batch, _, dim = self._kept.shape
        elements = _SLICE.get(self._kept.device.type, _SLICE_ELSEWHERE)
        step = max(1, elements // (batch * max(1, self.used)))
        return [slice(begin, begin + step) for begin in range(0, dim, step)]


def dot(a: Tensor, b: Tensor) -> Tensor:
    """Inner product of each row, as (B, 1)."""
    return torch.bmm(a[:, None], b[:, :, None])[:, 0]
