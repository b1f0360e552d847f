"""The passes over a solver's vectors, compiled for the processor at hand: brings `vectors_code` to run."""

from __future__ import annotations

import functools
from collections.abc import Sequence

import torch
from torch import Tensor

from nerd_gui.compiled import Function, compile_function, converts_halves, in_threads, missing, registers

if missing() is None:
    from nerd_gui.equilibrium import vectors_code as code

_PART = 1 << 16  # elements of one task


def fits(x: Tensor) -> bool:
    """Whether compiled code can pass over vectors like x (B, D)."""
    if x.device.type != "cpu" or x.dtype is not torch.float32 or missing() is not None:
        return False
    return converts_halves() and x.shape[1] % code.STEP == 0


def products(kept: Tensor, used: int, others: Sequence[Tensor]) -> list[Tensor]:
    """Inner products (B, used) of the first vectors of `kept` (B, room, D), float16, with each of the others (B, D)."""
    sums = _sums(kept[:, 0], used, len(others))
    _run(_function("products", len(others)), [kept[:, 0], *others], sums, used, kept.stride(1))
    return list(sums.sum((1, 4)).unbind(2))


def combination(kept: Tensor, x: Tensor, factors: Tensor) -> Tensor:
    """`x` (B, D) times the first of its `factors` (B, 1 + used), plus the first vectors of `kept` times the others."""
    out = torch.empty_like(x)
    _run(_function("combination"), [kept[:, 0], x, out], factors[:, None], factors.shape[1] - 1, kept.stride(1))
    return out


def comparison(z: Tensor, f_z: Tensor, g_before: Tensor) -> tuple[Tensor, list[Tensor]]:
    """g = f(z) - z, and the norms (B,) of z, f(z), g and g - g_before; all are (B, D)."""
    g, sums = torch.empty_like(z), _sums(z, 4)
    _run(_function("comparison"), [z, f_z, g_before, g], sums)
    return g, list(sums.sum((1, 3)).sqrt().unbind(1))


def move(z: Tensor, step: Tensor) -> Tensor:
    """Add z to the step (B, D), in place; returns the norm (B,) that the step had."""
    sums = _sums(z, 1)
    _run(_function("move"), [z, step], sums)
    return sums.sum((1, 3)).sqrt()[:, 0]


def _sums(vectors: Tensor, *sizes: int) -> Tensor:
    """Zeros (B, parts, *sizes, lanes) for the sums of each part: added up in one order, whichever thread is free."""
    batch, dim = vectors.shape
    return torch.zeros(batch, -(-dim // _PART), *sizes, registers()[0])


def _run(function: Function, vectors: Sequence[Tensor], beside: Tensor, *numbers: int) -> None:
    """Pass over vectors (B, D), part by part, each with its own `beside`, (B, parts or 1, …)."""
    vectors = [x if x.stride(1) == 1 else x.contiguous() for x in vectors]
    beside = beside.contiguous()
    batch, dim = vectors[0].shape
    tasks = iter([(sample, begin) for sample in range(batch) for begin in range(0, dim, _PART)])

    def work() -> None:
        for sample, begin in tasks:
            pointers = [x.data_ptr() + x.element_size() * (sample * x.stride(0) + begin) for x in vectors]
            part = beside[sample, min(begin // _PART, beside.shape[1] - 1)]
            function(*pointers, part.data_ptr(), min(_PART, dim - begin), *numbers)

    in_threads(work)


@functools.cache
def _function(name: str, *variant: int) -> Function:
    pointers = {"products": 2 + sum(variant), "combination": 4, "comparison": 5, "move": 3}[name]
    numbers = 3 if name in ("products", "combination") else 1
    return compile_function(name, getattr(code, name)(*variant, registers()[0]), pointers, numbers)
