"""Compiles `history_code` for this CPU and runs it: the passes over a solver's vectors."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence

import torch
from torch import Tensor

from nerd_gui import allocator
from nerd_gui.compiled.availability import obtain, obtain_for
from nerd_gui.compiled.self_check import check_passes
from nerd_gui.compiled.threads import in_threads

_PART = 1 << 18  # elements processed in one task


def passes_over(x: Tensor) -> Passes | None:
    """Return the compiled passes for vectors like x (B, D); None if they are not available for its type or device."""
    passes = obtain_for(x, _passes)
    return passes if passes is not None and x.shape[1] % passes.step == 0 else None


@functools.cache
def _passes() -> Passes:
    def make() -> Passes:
        passes = Passes()
        check_passes(passes)
        return passes

    return obtain(make)


class Passes:
    """The compiled passes. Stored vectors are (B, room, D) float16; all others are (B, D) float32.

    Attributes
    ----------
    step : int
        D must be a multiple of it.
    """

    def __init__(self) -> None:
        from nerd_gui.compiled import compiler, history_code

        self._lanes = compiler.registers()[0]
        self.step = history_code.STEP
        self._functions = {
            name: compiler.compile_function(name.split()[0], code, arrays, 3)
            for name, (code, arrays) in history_code.written(self._lanes).items()
        }

    def products(self, kept: Tensor, used: int, *others: Tensor) -> list[Tensor]:
        """Compute the inner products (B, used) of the first `used` stored vectors with one or two others."""
        sums = self._sums(kept[:, 0], used, len(others))
        self._run(f"products {len(others)}", [kept[:, 0], *others], [sums], used, kept.stride(1))
        return list(sums.sum((1, 4)).unbind(2))

    def combination(self, kept: Tensor, x: Tensor, factors: Tensor) -> Tensor:
        """Compute `x` times the first of `factors` (B, 1 + used), plus the first stored vectors times the others."""
        out = lasting(x, x.shape)
        used = factors.shape[1] - 1
        self._run("combination", [kept[:, 0], x, out], [factors[:, None]], used, kept.stride(1))
        return out

    def comparison(self, z: Tensor, f_z: Tensor, g_before: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Compute g = f(z) - z, and the norms (B,) of z, f(z), g and g - g_before."""
        g, norms, _ = self.compare(z[:, None], 0, z, f_z, g_before)
        return g, norms

    def compare(
        self, kept: Tensor, used: int, z: Tensor, f_z: Tensor, g_before: Tensor
    ) -> tuple[Tensor, list[Tensor], list[Tensor]]:
        """Compute `comparison`, and the products (B, used) of the first stored vectors with the last one and with g."""
        g, sums = lasting(z, z.shape), self._sums(z, 4 + 2 * used)
        vectors = [kept[:, 0], kept[:, max(0, used - 1)], z, f_z, g_before, g]
        self._run("compare", vectors, [sums], used, kept.stride(1))
        totals = sums.sum((1, 3))
        return g, list(totals[:, :4].sqrt().unbind(1)), list(totals[:, 4:].unflatten(1, (used, 2)).unbind(2))

    def advance(
        self, kept: Tensor, used: int, z: Tensor, g: Tensor, factors: Tensor, keep: bool
    ) -> tuple[Tensor, Tensor]:
        """Compute the next iterate and the norm (B,) of the step to it, with `factors` (B, 2 + used).

        The step is g times the first factor, plus the stored vectors times the factors in between. If `keep`, the step
        times the last factor is stored as the next vector.
        """
        z_next, sums = lasting(z, z.shape), self._sums(z, 1)
        name, vectors = "advance keep" if keep else "advance", [kept[:, 0], z, g, z_next]
        self._run(name, vectors, [factors[:, None], sums], used, kept.stride(1))
        return z_next, sums.sum((1, 3)).sqrt()[:, 0]

    def _sums(self, vectors: Tensor, *sizes: int) -> Tensor:
        """Allocate sums (B, parts, *sizes, lanes) for each part, so that their order of addition is always the same."""
        batch, dim = vectors.shape
        return torch.zeros(batch, -(-dim // _PART), *sizes, self._lanes, dtype=torch.float32)

    def _run(self, name: str, vectors: Sequence[Tensor], beside: Sequence[Tensor], *numbers: int) -> None:
        """Run a pass over vectors (B, D), in parts; arrays in `beside`, (B, parts or 1, …), have a slice per part."""
        function = self._functions[name]
        vectors = [x if x.stride(1) == 1 else x.contiguous() for x in vectors]
        beside = [x.contiguous() for x in beside]
        batch, dim = vectors[0].shape
        tasks = iter([(sample, begin) for sample in range(batch) for begin in range(0, dim, _PART)])

        def work() -> None:
            for sample, begin in tasks:
                pointers = [x.data_ptr() + x.element_size() * (sample * x.stride(0) + begin) for x in vectors]
                pointers += [x[sample, min(begin // _PART, x.shape[1] - 1)].data_ptr() for x in beside]
                function(*pointers, min(_PART, dim - begin), *numbers)

        in_threads(work)


def lasting(like: Tensor, shape: tuple[int, ...], dtype: torch.dtype | None = None) -> Tensor:
    """Allocate a contiguous tensor that lives for some evaluations of f, on the device and in the type of `like`."""
    dtype = dtype or like.dtype
    room = allocator.apart(math.prod(shape) * dtype.itemsize) if like.device.type == "cpu" else None
    if room is None:
        return like.new_empty(shape, dtype=dtype)
    return torch.from_numpy(room).view(dtype).view(shape)
