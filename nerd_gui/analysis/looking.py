"""Where the heads look, over the whole picture, and what a pixel has looked at by the path of its iterates."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from nerd_gui.analysis.solving import Interrupt
from nerd_gui.denoising.features import Features
from nerd_gui.nerd import NERD
from nerd_gui.nerd.attention import attended, attention_spread, window_offsets
from nerd_gui.nerd.layers import NonLocalBlock


@dataclass(frozen=True, eq=False)
class Spread:
    """How far each head looks from each pixel.

    Attributes
    ----------
    entropy : Tensor, (B, heads, rows, cols)
        -sum p log2 p of the softmax weights p, in bits: the logarithm of how many pixels count.
    radius : Tensor, (B, heads, rows, cols)
        sqrt(sum p |k - q|^2): the root of the weighted mean squared distance, in pixels.
    """

    entropy: Tensor
    radius: Tensor


@torch.no_grad()
def spread(net: NERD, z: Tensor, s: Tensor, *, window: int | None = None, interrupt: Interrupt | None = None) -> Spread:
    """The spread of every pixel's attention at the iterate z, one head and one part of the picture after another.

    Parameters
    ----------
    net : NERD
    z, s : Tensor, (B, d, rows, cols)
        The iterate and the injection; half precision will do.
    window : int, optional
        q; None: the network's own.
    interrupt : callable, optional
        Called many times; what it raises ends the work.

    Returns
    -------
    Spread
        What is held on the way is never more than three tensors of z's size.

    Raises
    ------
    ValueError
        If the network has no non-local block.
    """
    block = _block(net)
    normed = block.norm(_sum(block, z, s))
    found = [
        attention_spread(query, key, window or net.window, interrupt) for query, key in block.queries_and_keys(normed)
    ]
    return Spread(*(torch.cat(measures, 1).cpu() for measures in zip(*found, strict=True)))


@torch.no_grad()
def rollout(
    net: NERD,
    features: Iterable[Features],
    row: int,
    col: int,
    *,
    window: int | None = None,
    interrupt: Interrupt | None = None,
) -> Iterator[Tensor]:
    """What a pixel has looked at, its attention followed back through the iterates (Abnar and Zuidema 2020).

    The non-local block adds what it attends to what there is, so a pixel hands half of its weight on as its heads look,
    on average, and keeps the other half: the row of the pixel in ``A_N A_(N-1) ... A_i`` with ``A = (I + mean of the
    heads' attention) / 2``. The matrices are never there: only the part of the picture that has weight is looked at.

    Parameters
    ----------
    net, window, interrupt
        See `spread`.
    features : iterable of Features
        Of the iterates N, N - 1, ...: from the last one back.
    row, col : int

    Yields
    ------
    Tensor, (B, rows, cols)
        The weights after each iterate, on the CPU; their sum is 1.

    Raises
    ------
    ValueError
        If the network has no non-local block, or the pixel lies outside the picture.
    """
    block, window = _block(net), window or net.window
    first, last = window_offsets(window)
    weights: Tensor | None = None
    top, left, bottom, right = row, col, row + 1, col + 1
    for each in features:
        rows, cols = each.z.shape[2:]
        if not (0 <= row < rows and 0 <= col < cols):
            raise ValueError(f"Pixel ({row}, {col}) lies outside the picture of {rows} x {cols} pixels.")
        if weights is None:
            weights = torch.zeros(len(each.z), rows, cols, dtype=block.theta.weight.dtype)
            weights[:, row, col] = 1
        top, bottom = max(0, top + first), min(rows, bottom + last)
        left, right = max(0, left + first), min(cols, right + last)
        part = (..., slice(top, bottom), slice(left, right))
        u = _sum(block, each.z[part], each.s[part])
        normed = each.statistics.to(u.device).normalise(u, block.norm)
        there = weights[part].to(u.device)[:, None]
        looked = [attended(query, key, window, there, interrupt) for query, key in block.queries_and_keys(normed)]
        weights = weights / 2
        weights[part] += (torch.cat(looked, 1).mean(1) / 2).cpu()
        yield weights


def _block(net: NERD) -> NonLocalBlock:
    if net.non_local is None:
        raise ValueError("This network has no attention: it was made without the non-local block.")
    return net.non_local


def _sum(block: NonLocalBlock, z: Tensor, s: Tensor) -> Tensor:
    """s + z in the network's own type, with nothing else of their size beside it."""
    weight = block.theta.weight
    return z.to(weight.device, weight.dtype, copy=True, memory_format=torch.channels_last).add_(s.to(weight.device))
