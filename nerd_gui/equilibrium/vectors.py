"""Vectors that a solver keeps from step to step, in half precision if asked to, and the algebra on them."""

from __future__ import annotations

import torch
from torch import Tensor

from nerd_gui.equilibrium import vectors_kernel

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
        self._compiled = self._kept.dtype is torch.float16 and vectors_kernel.fits(like)
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
        if self._compiled:
            return [total * unit for total in vectors_kernel.products(self._kept, self.used, others)]
        if not self._converted:
            return [torch.bmm(kept, x[:, :, None])[:, :, 0] for x in others]
        sums = [torch.zeros_like(unit) for _ in others]
        for part in self._slices():
            slice_ = kept[:, :, part].to(unit.dtype)
            for total, x in zip(sums, others, strict=True):
                total += torch.bmm(slice_, x[:, part, None])[:, :, 0]
        return [total * unit for total in sums]

    def combination(self, x: Tensor, factor: Tensor | float, coefficients: Tensor) -> Tensor:
        """`x` (B, D) times its factor, a number or (B, 1), plus the kept vectors times their coefficients (B, k)."""
        kept, factors = self._kept[:, : self.used], coefficients * self._unit[:, : self.used]
        if self._compiled:
            own = torch.as_tensor(factor, dtype=x.dtype).expand(len(x), 1)
            return vectors_kernel.combination(self._kept, x, torch.cat([own, factors], dim=1))
        out = factor * x
        for part in self._slices() if self._converted else [slice(None)]:
            out[:, None, part].baddbmm_(factors[:, None], kept[:, :, part].to(x.dtype))
        return out

    def _slices(self) -> list[slice]:
        batch, _, dim = self._kept.shape
        elements = _SLICE.get(self._kept.device.type, _SLICE_ELSEWHERE)
        step = max(1, elements // (batch * max(1, self.used)))
        return [slice(begin, begin + step) for begin in range(0, dim, step)]


def comparison(z: Tensor, f_z: Tensor, g_before: Tensor) -> tuple[Tensor, list[Tensor]]:
    """g = f(z) - z, and the norms (B,) of z, f(z), g and g - g_before; all are (B, D)."""
    if vectors_kernel.fits(z):
        return vectors_kernel.comparison(z, f_z, g_before)
    g = f_z - z
    return g, [sample_norms(x) for x in (z, f_z, g, g - g_before)]


def move(z: Tensor, step: Tensor) -> Tensor:
    """Add z to the step (B, D), in place; returns the norm (B,) that the step had."""
    if vectors_kernel.fits(z):
        return vectors_kernel.move(z, step)
    norm = sample_norms(step)
    step.add_(z)
    return norm


def sample_norms(x: Tensor) -> Tensor:
    """Euclidean norm of each row of (B, D), in float32 at least; stays on the device."""
    return torch.linalg.vector_norm(x, dim=1, dtype=torch.promote_types(x.dtype, torch.float32))


def dot(a: Tensor, b: Tensor) -> Tensor:
    """Inner product of each row, as (B, 1)."""
    return torch.bmm(a[:, None], b[:, :, None])[:, 0]
