"""Brings `history_code` to run: the passes over a solver's vectors, compiled for the processor at hand."""

from __future__ import annotations

import functools
from collections.abc import Sequence

import torch
from torch import Tensor

from nerd_gui.compiled.compiler import Function, compile_function, converts_halves, in_threads, missing, registers

if missing() is None:
    from nerd_gui.compiled import history_code as code

_PART = 1 << 18  # elements of one task


def fits(x: Tensor) -> bool:
    """Whether compiled code can pass over vectors like x (B, D)."""
    if x.device.type != "cpu" or x.dtype is not torch.float32 or missing() is not None:
        return False
    return converts_halves() and x.shape[1] % code.STEP == 0


def products(kept: Tensor, used: int, others: Sequence[Tensor]) -> list[Tensor]:
    """Inner products (B, used) of the first vectors of `kept` (B, room, D), float16, with each of the others (B, D)."""
    sums = _sums(kept[:, 0], used, len(others))
    _run(_function("products", len(others)), [kept[:, 0], *others], [sums], used, kept.stride(1))
    return list(sums.sum((1, 4)).unbind(2))


def combination(kept: Tensor, x: Tensor, factors: Tensor) -> Tensor:
    """`x` (B, D) times the first of its `factors` (B, 1 + used), plus the first vectors of `kept` times the others."""
    out = _like(x)
    _run(_function("combination"), [kept[:, 0], x, out], [factors[:, None]], factors.shape[1] - 1, kept.stride(1))
    return out


def comparison(z: Tensor, f_z: Tensor, g_before: Tensor) -> tuple[Tensor, list[Tensor]]:
    """g = f(z) - z, and the norms (B,) of z, f(z), g and g - g_before; all are (B, D)."""
    g, norms, _ = compare(z[:, None], 0, z, f_z, g_before)
    return g, norms


def compare(
    kept: Tensor, used: int, z: Tensor, f_z: Tensor, g_before: Tensor
) -> tuple[Tensor, list[Tensor], list[Tensor]]:
    """`comparison`, and the products (B, used) of the first kept vectors with the last of them and with g."""
    g, sums = _like(z), _sums(z, 4 + 2 * used)
    vectors = [kept[:, 0], kept[:, max(0, used - 1)], z, f_z, g_before, g]
    _run(_function("compare"), vectors, [sums], used, kept.stride(1))
    totals = sums.sum((1, 3))
    return g, list(totals[:, :4].sqrt().unbind(1)), list(totals[:, 4:].unflatten(1, (used, 2)).unbind(2))


def advance(kept: Tensor, used: int, z: Tensor, g: Tensor, factors: Tensor, keep: bool) -> tuple[Tensor, Tensor]:
    """The next iterate and the norm (B,) of the step to it, which is made with `factors` (B, 2 + used).

    It is g times the first one, plus the first kept vectors times those in between. If it is to `keep`, the step times
    the last one becomes the next kept vector.
    """
    z_next, sums = _like(z), _sums(z, 1)
    _run(_function("advance", keep), [kept[:, 0], z, g, z_next], [factors[:, None], sums], used, kept.stride(1))
    return z_next, sums.sum((1, 3)).sqrt()[:, 0]


def _like(vectors: Tensor) -> Tensor:
    """Room for what is written, each vector in one piece, however `vectors` lie."""
    return torch.empty_like(vectors, memory_format=torch.contiguous_format)


def _sums(vectors: Tensor, *sizes: int) -> Tensor:
    """Zeros (B, parts, *sizes, lanes) for the sums of each part: added up in one order, whichever thread is free."""
    batch, dim = vectors.shape
    return torch.zeros(batch, -(-dim // _PART), *sizes, registers()[0])


def _run(function: Function, vectors: Sequence[Tensor], beside: Sequence[Tensor], *numbers: int) -> None:
    """Pass over vectors (B, D), part by part, each with what is its own `beside` them, (B, parts or 1, …)."""
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


@functools.cache
def _function(name: str, *variant: int) -> Function:
    pointers = {"products": 2 + sum(variant), "combination": 4, "compare": 7, "advance": 6}[name]
    return compile_function(name, getattr(code, name)(*variant, registers()[0]), pointers, 3)
