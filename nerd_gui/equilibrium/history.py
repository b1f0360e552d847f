"""The vectors that a solver keeps from step to step, in half precision if asked to, and the algebra on them."""

from __future__ import annotations

import torch
from torch import Tensor

from nerd_gui.compiled.history_kernel import passes_over

#: Elements converted at once: on a processor few enough for its caches, elsewhere enough to fill it.
_SLICE = {"cpu": 1 << 18}
_SLICE_ELSEWHERE = 1 << 25


class History:
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
        self._passes = passes_over(like) if self._kept.dtype is torch.float16 else None
        self._written = 0
        self.room = room

    @property
    def used(self) -> int:
        """How many vectors are kept."""
        return min(self._written, self.room)

    @property
    def slot(self) -> int:
        """Where the next vector goes: over the oldest one once the ring is full."""
        return self._written % self.room

    def push(self, x: Tensor) -> None:
        """Keep a vector (B, D) of each sample."""
        if self._converted:
            unit = _unit(torch.linalg.vector_norm(x, dim=1, keepdim=True), x.shape[1])
            self._unit[:, self.slot, None] = unit
            torch.div(x, unit, out=self._kept[:, self.slot])
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

    def empty(self) -> None:
        """Keep none of them."""
        self._written = 0

    def products(self, *others: Tensor) -> list[Tensor]:
        """Inner products (B, k) of the kept vectors with each of the `others` (B, D)."""
        kept, unit = self._kept[:, : self.used], self._unit[:, : self.used]
        if self._passes is not None:
            return [total * unit for total in self._passes.products(self._kept, self.used, *others)]
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
        if self._passes is not None:
            own = torch.as_tensor(factor, dtype=x.dtype).expand(len(x), 1)
            return self._passes.combination(self._kept, x, torch.cat([own, factors], dim=1))
        out = factor * x
        for part in self._slices() if self._converted else [slice(None)]:
            out[:, None, part].baddbmm_(factors[:, None], kept[:, :, part].to(x.dtype))
        return out

    def compare(self, z: Tensor, f_z: Tensor, g_before: Tensor) -> tuple[Tensor, list[Tensor], list[Tensor]]:
        """`comparison`, and the inner products (B, k) of the kept vectors with the newest of them and with g."""
        newest = self._unit[:, self.used - 1, None]
        if self._passes is not None:
            g, norms, products = self._passes.compare(self._kept, self.used, z, f_z, g_before)
            with_newest, with_g = (product * self._unit[:, : self.used] for product in products)
        else:
            g, norms = comparison(z, f_z, g_before)
            with_newest, with_g = self.products(self._kept[:, self.used - 1].to(z.dtype), g)
        return g, norms, [with_newest * newest, with_g]

    def advance(
        self, z: Tensor, g: Tensor, factor: Tensor, coefficients: Tensor, *, about: Tensor, keep: bool
    ) -> tuple[Tensor, Tensor]:
        """Take the step from z that `combination` of g gives, and push what it came to if that is to `keep`.

        Parameters
        ----------
        z, g : Tensor, (B, D)
        factor, coefficients : Tensor, (B, 1) and (B, k)
        about : Tensor, (B, 1)
            About the norm of the step, or more.
        keep : bool
            Only for as many as there is room for.

        Returns
        -------
        z_next : Tensor, (B, D)
        norm : Tensor, (B,)
            That of the step.
        """
        if self._passes is None:
            z_next = self.combination(g, factor, coefficients).add_(z)
            taken = z_next - z
            if keep:
                self.push(taken)
            return z_next, sample_norms(taken)
        unit = _unit(about, z.shape[1])
        factors = torch.cat([factor, coefficients * self._unit[:, : self.used], 1 / unit], dim=1)
        z_next, norm = self._passes.advance(self._kept, self.used, z, g, factors, keep)
        if keep:
            self._unit[:, self.slot, None] = unit
            self._written += 1
        return z_next, norm

    def replace(self, samples: Tensor, x: Tensor) -> None:
        """Let x (B, D) stand for the newest vector of `samples` (B, bool)."""
        newest, samples = self.used - 1, samples.to(x.device)[:, None]
        unit = _unit(torch.linalg.vector_norm(x, dim=1, keepdim=True), x.shape[1]) if self._converted else 1
        self._kept[:, newest] = torch.where(samples, (x / unit).to(self._kept.dtype), self._kept[:, newest])
        self._unit[:, newest, None] = torch.where(samples, unit, self._unit[:, newest, None])

    def _slices(self) -> list[slice]:
        batch, _, dim = self._kept.shape
        elements = _SLICE.get(self._kept.device.type, _SLICE_ELSEWHERE)
        step = max(1, elements // (batch * max(1, self.used)))
        return [slice(begin, begin + step) for begin in range(0, dim, step)]


def comparison(z: Tensor, f_z: Tensor, g_before: Tensor) -> tuple[Tensor, list[Tensor]]:
    """g = f(z) - z, and the norms (B,) of z, f(z), g and g - g_before; all are (B, D)."""
    passes = passes_over(z)
    if passes is not None:
        return passes.comparison(z, f_z, g_before)
    g = f_z - z
    return g, [sample_norms(x) for x in (z, f_z, g, g - g_before)]


def _unit(norm: Tensor, dim: int) -> Tensor:
    """The root mean square of vectors of this norm; 1 for those of zeros."""
    return torch.where(norm > 0, norm / dim**0.5, 1)


def sample_norms(x: Tensor) -> Tensor:
    """Euclidean norm of each row of (B, D), in float32 at least; stays on the device."""
    norms: Tensor = torch.linalg.vector_norm(x, dim=1, dtype=torch.promote_types(x.dtype, torch.float32))
    return norms


def dot(a: Tensor, b: Tensor) -> Tensor:
    """Inner product of each row, as (B, 1)."""
    return torch.bmm(a[:, None], b[:, :, None])[:, 0]
