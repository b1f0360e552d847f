"""Where the heads look, over the whole picture, and what a pixel has looked at by the path of its iterates."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from nerd_gui.analysis.solving import Interrupt
from nerd_gui.denoising.features import Features
from nerd_gui.nerd import Network
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
        `sqrt(sum p |k - q|^2)`: the root of the weighted mean squared distance, in pixels.

    Examples
    --------
    With the network, picture and equilibrium of the examples of `nerd_gui.analysis`:

    >>> found = spread(net, z, s, heads=[0])
    >>> bool(found.radius.max() < net.window)
    True
    """

    entropy: Tensor
    radius: Tensor


@torch.no_grad()
def spread(
    net: Network,
    z: Tensor,
    s: Tensor,
    heads: Sequence[int] | None = None,
    *,
    window: int | None = None,
    interrupt: Interrupt | None = None,
) -> Spread:
    """The spread of every pixel's attention at the iterate z, one head and one part of the picture after another.

    Parameters
    ----------
    net : Network
    z, s : Tensor, (B, d, rows, cols)
        The iterate and the injection; half precision will do.
    heads : sequence of int, optional
        Those that are looked at, from 0; None: all.
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

    Examples
    --------
    With the network, picture and equilibrium of the examples of `nerd_gui.analysis`:

    >>> found = spread(net, z, s)
    >>> tuple(found.entropy.shape)  # of each head, at each pixel
    (1, 4, 16, 16)
    """
    block = _block(net)
    normed = block.norm(_sum(block, z, s))
    found = [
        attention_spread(query, key, window or net.window, interrupt)
        for query, key in block.queries_and_keys(normed, heads)
    ]
    return Spread(*(torch.cat(measures, 1).cpu() for measures in zip(*found, strict=True)))


def rollout(
    net: Network,
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
    heads' attention) / 2``.

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

    Examples
    --------
    With the network, picture and equilibrium of the examples of `nerd_gui.analysis`:

    >>> from nerd_gui.denoising import Features
    >>> features = Features(z, s, net.attention_statistics(z, s))
    >>> (weights,) = rollout(net, [features], row=8, col=8)
    >>> tuple(weights.shape), round(float(weights.sum()), 3)
    ((1, 16, 16), 1.0)
    """
    weights: Tensor | None = None
    for each in features:
        if weights is None:
            weights = one_pixel(each.z, row, col)
        weights = followed_back(net, weights, each, window=window, interrupt=interrupt)
        yield weights


def one_pixel(z: Tensor, row: int, col: int) -> Tensor:
    """All weight on one pixel of z (B, d, rows, cols): where a rollout begins.

    Raises
    ------
    ValueError
        If the pixel lies outside the picture.
    """
    rows, cols = z.shape[2:]
    if not (0 <= row < rows and 0 <= col < cols):
        raise ValueError(f"Pixel ({row}, {col}) lies outside the picture of {rows} x {cols} pixels.")
    weights = torch.zeros(len(z), rows, cols)
    weights[:, row, col] = 1
    return weights


@torch.no_grad()
def followed_back(
    net: Network, weights: Tensor, features: Features, *, window: int | None = None, interrupt: Interrupt | None = None
) -> Tensor:
    """One step of a rollout: weights (B, rows, cols) times the matrix A of an iterate.

    The matrix is never there: only the part of the picture that has weight, and what it attends to, is looked at.
    """
    block, window = _block(net), window or net.window
    rows, cols = weights.shape[1:]
    top, bottom = _attended_along(weights.any(2).any(0), window, rows)
    left, right = _attended_along(weights.any(1).any(0), window, cols)
    part = (..., slice(top, bottom), slice(left, right))
    u = _sum(block, features.z[part], features.s[part])
    normed = features.statistics.to(u.device).normalise(u, block.norm)
    there = weights[part].to(normed)[:, None]
    looked = [attended(query, key, window, there, interrupt) for query, key in block.queries_and_keys(normed)]
    handed_on = weights / 2
    handed_on[part] += (torch.cat(looked, 1).mean(1) / 2).to(weights)
    return handed_on


def _attended_along(has_weight: Tensor, window: int, length: int) -> tuple[int, int]:
    """The first pixel along an axis that those with weight attend to, and the one after the last."""
    places = has_weight.nonzero()
    first, last = window_offsets(window)
    return max(0, int(places[0]) + first), min(length, int(places[-1]) + last + 1)


def _block(net: Network) -> NonLocalBlock:
    if net.non_local is None:
        raise ValueError("This network has no attention: it was made without the non-local block.")
    return net.non_local


def _sum(block: NonLocalBlock, z: Tensor, s: Tensor) -> Tensor:
    """s + z in the network's own type, with nothing else of their size beside it."""
    weight = block.theta.weight
    return z.to(weight.device, weight.dtype, copy=True, memory_format=torch.channels_last).add_(s.to(weight.device))
