"""Compares compiled code with PyTorch on small inputs before its first use.

A picture of 9 x 21 pixels has borders and both complete and incomplete blocks of queries; vectors of 320 numbers have
complete steps.
"""

import functools
import math
from collections.abc import Callable
from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

from nerd_gui.compiled.availability import Wrong

_ROWS, _COLS, _REACH = 9, 21, 3
WINDOW = -_REACH, _REACH
_DIM, _KEPT = 320, 3
_drawn = functools.partial(torch.randn, dtype=torch.float32)


class Passes(Protocol):
    """The interface of `history_kernel.Passes`."""

    def products(self, kept: Tensor, used: int, *others: Tensor) -> list[Tensor]:
        """Return the inner products of the first kept vectors with each of the others."""

    def combination(self, kept: Tensor, x: Tensor, factors: Tensor) -> Tensor:
        """Return x and the first kept vectors, each times its factor, summed."""

    def compare(
        self, kept: Tensor, used: int, z: Tensor, f_z: Tensor, g_before: Tensor
    ) -> tuple[Tensor, list[Tensor], list[Tensor]]:
        """Return g = f(z) - z, the norms that belong to it, and the products with the kept vectors."""

    def advance(
        self, kept: Tensor, used: int, z: Tensor, g: Tensor, factors: Tensor, keep: bool
    ) -> tuple[Tensor, Tensor]:
        """Return the next iterate and the norm of the step to it."""


def check_attention(
    attend: Callable[[Tensor, Tensor, Tensor], Tensor], d_k: int, d_v: int, *, tolerance: float = 1e-4
) -> None:
    """Compare attention with window `WINDOW` and depths d_k and d_v with a masked softmax over all pixels.

    Raises
    ------
    Wrong
        If an element differs by more than the tolerance.
    """
    query, key, value, _ = _picture(d_k, d_v)
    with torch.inference_mode(False), torch.no_grad(), torch.autocast("cpu", enabled=False):
        _demand("attention's result", attend(query, key, value), _attention(query, key, value)[0], tolerance)


def check_gradient(gradient: Callable[..., tuple[Tensor, Tensor, Tensor]], d_k: int, d_v: int) -> None:
    """Compare the result of `gradient` for query, key, value, out, level and d_out with autograd's.

    Raises
    ------
    Wrong
        If an element differs by more than rounding.
    """
    *inputs, d_out = _picture(d_k, d_v)
    with torch.inference_mode(False), torch.enable_grad(), torch.autocast("cpu", enabled=False):
        leaves = [tensor.clone().requires_grad_() for tensor in inputs]
        out, level = _attention(*leaves)
        truth = torch.autograd.grad((out * d_out).sum(), leaves)  # of a sum: see `Linearised`
        found = gradient(*inputs, out.detach(), level.detach(), d_out)
    for one, other in zip(found, truth, strict=True):
        _demand("attention's gradient", one, other, 1e-3)


def check_decoding(decode: Callable[..., Tensor], channels: int, features: int) -> None:
    """Compare the decoding of a picture, for z, factor, summand, weight and bias, with PyTorch's convolution.

    Raises
    ------
    Wrong
        If an element differs by more than rounding.
    """
    generator = torch.Generator().manual_seed(0)
    with torch.inference_mode(False), torch.no_grad(), torch.autocast("cpu", enabled=False):
        z = _drawn(2, features, 2 * _ROWS, 4 * _COLS, generator=generator)  # more than one part of the kernel
        factor, summand = _drawn(2, features, generator=generator)
        weight, bias = _drawn(channels, features, 3, 3, generator=generator), _drawn(channels, generator=generator)
        normed = factor[:, None, None].double() * z + summand[:, None, None]
        truth = F.conv2d(normed.relu(), weight.double(), bias.double(), padding=1)
        _demand("the decoded picture", decode(z, factor, summand, weight, bias), truth, 1e-4 * features**0.5)


def check_passes(passes: Passes) -> None:
    """Compare the solver's passes over its vectors with their formulas in double precision.

    Raises
    ------
    Wrong
        If one differs by more than rounding.
    """
    generator = torch.Generator().manual_seed(0)
    with torch.inference_mode(False), torch.no_grad(), torch.autocast("cpu", enabled=False):
        z, f_z, before = _drawn(3, 2, _DIM, generator=generator)
        room = _drawn(2, _KEPT + 1, _DIM, generator=generator).half()
        factors, g = _drawn(2, _KEPT + 2, generator=generator), (f_z - z)
        kept = room[:, :_KEPT].double()
        sums = torch.einsum("bkd,bd->bk", kept, g.double()), torch.einsum("bkd,bd->bk", kept, kept[:, -1])
        for found, truth in zip(passes.products(room, _KEPT, g, room[:, _KEPT - 1].float()), sums, strict=True):
            _demand("a sum of products", found, truth, 1e-2)
        _demand("a sum of products", passes.products(room, _KEPT, g)[0], sums[0], 1e-2)
        found_g, norms, products = passes.compare(room, _KEPT, z, f_z, before)
        _demand("g", found_g, g, 0)
        for norm, vector in zip(norms, (z, f_z, g, g - before), strict=True):
            _demand("a norm", norm, vector.norm(dim=1), 1e-3)
        for found, truth in zip(products, reversed(sums), strict=True):
            _demand("a sum of products", found, truth, 1e-2)
        step = factors[:, :1] * g + torch.einsum("bk,bkd->bd", factors[:, 1:-1].double(), kept)
        _demand("a combination", passes.combination(room, g, factors[:, :-1]), step, 1e-4)
        for keep in (False, True):
            z_next, norm = passes.advance(room, _KEPT, z, g, factors, keep)
            _demand("the next iterate", z_next, z + step, 1e-4)
            _demand("the norm of a step", norm, step.norm(dim=1), 1e-2)
        _demand("the kept step", room[:, _KEPT], step * factors[:, -1:], 2e-2)


def _demand(what: str, found: Tensor, truth: Tensor, tolerance: float) -> None:
    difference = float((found - truth).abs().max())
    if not difference <= tolerance:
        raise Wrong(f"{what} is off by {difference:.1g}")


def _picture(d_k: int, d_v: int) -> list[Tensor]:
    """Query, key, value, and a gradient of the output."""
    generator = torch.Generator().manual_seed(0)
    return [_drawn(1, 2, _ROWS, _COLS, depth, generator=generator) for depth in (d_k, d_k, d_v, d_v)]


def _attention(query: Tensor, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
    """The output, and the logarithm to base 2 of each query's sum of exponentials."""
    down, across = ((torch.arange(size)[:, None] - torch.arange(size)).abs() <= _REACH for size in query.shape[2:4])
    seen = (down[:, None, :, None] & across[None, :, None, :]).flatten(2).flatten(0, 1)
    queries, keys, values = (tensor.flatten(2, 3) for tensor in (query, key, value))
    scores = (queries @ keys.transpose(2, 3) / math.sqrt(query.shape[-1])).masked_fill(~seen, -torch.inf)
    out, level = scores.softmax(-1) @ values, scores.logsumexp(-1) * math.log2(math.e)
    return out.view(value.shape), level.view(query.shape[:4])
