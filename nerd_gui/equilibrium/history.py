"""The vectors that a solver keeps from step to step, optionally in half precision, and the algebra on them."""

from __future__ import annotations

import torch
from torch import Tensor

from nerd_gui.compiled.history_kernel import lasting, passes_over

#: Number of elements converted at a time: small enough for a CPU's caches, large enough to keep an accelerator busy.
_SLICE = {"cpu": 1 << 18}
_SLICE_ELSEWHERE = 1 << 25


class History:
    """A ring buffer of the newest `room` vectors (B, D).

    Vectors that are stored in another type than the solver's are divided by their root mean square, so that no element
    overflows. They are converted back slice by slice, so that all computations use the solver's type.

    Parameters
    ----------
    like : Tensor, (B, D)
        A tensor with the shape, type and device of the solver's vectors.
    room : int
        The largest number of vectors.
    dtype : torch.dtype or None
        The type in which they are stored; None: that of `like`.
    """

    def __init__(self, like: Tensor, room: int, dtype: torch.dtype | None = None) -> None:
        batch, dim = like.shape
        # Left uninitialised, so that the system allocates pages only as the ring fills.
        self._kept = lasting(like, (batch, room, dim), dtype)
        self._unit = like.new_ones(batch, room)  # the factors that the stored vectors were divided by
        self._converted = self._kept.dtype != like.dtype
        self._passes = passes_over(like) if self._kept.dtype is torch.float16 else None
        self._written = 0
        self.room = room

    @property
    def used(self) -> int:
        """The number of stored vectors."""
        return min(self._written, self.room)

    @property
    def slot(self) -> int:
        """The index of the next vector; when the ring is full, that of the oldest one, which is overwritten."""
        return self._written % self.room

    def push(self, x: Tensor) -> None:
        """Store a vector of each sample, (B, D)."""
        if self._converted:
            unit = _unit(torch.linalg.vector_norm(x, dim=1, keepdim=True), x.shape[1])
            self._unit[:, self.slot, None] = unit
            for part in self._slices():  # a quotient of the solver's type is never whole in memory
                self._kept[:, self.slot, part] = x[:, part] / unit
        else:
            self._kept[:, self.slot] = x
        self._written += 1

    def add_oldest(self, x: Tensor, factor: Tensor) -> None:
        """Add `factor` (B, 1) times the vector that the next one will replace to x (B, D), in place."""
        factor = factor * self._unit[:, self.slot, None]
        for part in self._slices():
            x[:, part].addcmul_(self._kept[:, self.slot, part].to(x.dtype), factor)

    def clear(self, samples: Tensor) -> None:
        """Set the vectors of `samples` (B, bool, CPU) to zero, so that they have no effect."""
        for sample in samples.nonzero().flatten().tolist():
            self._kept[sample, : self.used].zero_()

    def empty(self) -> None:
        """Remove all vectors."""
        self._written = 0

    def products(self, *others: Tensor) -> list[Tensor]:
        """Compute the inner products (B, k) of the stored vectors with each of the `others` (B, D)."""
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
        """Compute `factor` (a number or (B, 1)) times `x` (B, D), plus `coefficients` (B, k) times the vectors."""
        kept, factors = self._kept[:, : self.used], coefficients * self._unit[:, : self.used]
        if self._passes is not None:
            own = torch.as_tensor(factor, dtype=x.dtype).expand(len(x), 1)
            return self._passes.combination(self._kept, x, torch.cat([own, factors], dim=1))
        out = factor * x
        for part in self._slices() if self._converted else [slice(None)]:
            out[:, None, part].baddbmm_(factors[:, None], kept[:, :, part].to(x.dtype))
        return out

    def compare(self, z: Tensor, f_z: Tensor, g_before: Tensor) -> tuple[Tensor, list[Tensor], list[Tensor]]:
        """Compute `comparison`, and the inner products (B, k) of the stored vectors with the newest one and with g."""
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
        """Add `combination(g, factor, coefficients)` to z, and store this step if `keep`.

        Parameters
        ----------
        z, g : Tensor, (B, D)
        factor, coefficients : Tensor, (B, 1) and (B, k)
        about : Tensor, (B, 1)
            An estimate of the step's norm; it may be too large, but not much too small.
        keep : bool
            Whether to store the step; the ring must not be full.

        Returns
        -------
        z_next : Tensor, (B, D)
        norm : Tensor, (B,)
            The norm of the step.
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
        """Replace the newest vector of `samples` (B, bool) by that in x (B, D)."""
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
    """Compute g = f(z) - z, (B, D), and the norms (B,) of z, f(z), g and g - g_before."""
    passes = passes_over(z)
    if passes is not None:
        return passes.comparison(z, f_z, g_before)
    g = f_z - z
    return g, [sample_norms(x) for x in (z, f_z, g, g - g_before)]


def _unit(norm: Tensor, dim: int) -> Tensor:
    """The root mean square of vectors of this norm; 1 if the norm is 0."""
    return torch.where(norm > 0, norm / dim**0.5, 1)


def sample_norms(x: Tensor) -> Tensor:
    """Compute the Euclidean norm of each row of (B, D), at least in float32, without waiting for the device."""
    norms: Tensor = torch.linalg.vector_norm(x, dim=1, dtype=torch.promote_types(x.dtype, torch.float32))
    return norms


def dot(a: Tensor, b: Tensor) -> Tensor:
    """Compute the inner products of corresponding rows, as (B, 1)."""
    return torch.bmm(a[:, None], b[:, :, None])[:, 0]
