"""How far the heads look at every pixel, and attention rollout: what one pixel has looked at over all iterates."""

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
        -sum p log2 p of the softmax weights p, in bits: 2 to its power is the effective number of attended pixels.
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
    """Measure how far every pixel's attention spreads at the iterate z.

    Heads and parts of the picture are processed one after another, so that no more than three tensors of z's size are
    held at a time.

    Parameters
    ----------
    net : Network
    z, s : Tensor, (B, d, rows, cols)
        The iterate and the injection; may be in half precision.
    heads : sequence of int, optional
        Numbers of the heads to measure, from 0; None: all.
    window : int, optional
        Attention window q in pixels; None: the network's own.
    interrupt : callable, optional
        Called often during the work; an exception that it raises ends the work.

    Returns
    -------
    Spread

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
    """Follow a pixel's attention back through the iterates: attention rollout (Abnar and Zuidema 2020).

    The non-local block adds its attention to its input. So, for each iterate, a pixel keeps half of its weight and
    distributes the other half by the mean attention of its heads: the result is the pixel's row of
    ``A_N A_(N-1) ... A_i`` with ``A = (I + mean of the heads' attention) / 2``.

    Parameters
    ----------
    net, window, interrupt
        See `spread`.
    features : iterable of Features
        Features of the iterates N, N - 1, ..., from the last one back.
    row, col : int
        The pixel.

    Yields
    ------
    Tensor, (B, rows, cols)
        The weights after each iterate, on the CPU; they sum to 1.

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
    """Make the weights that a rollout begins with, (B, rows, cols): 1 at one pixel of z (B, d, rows, cols), else 0.

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
    """Take one step of a rollout: weights (B, rows, cols) times the matrix A of an iterate.

    The matrix is never stored. Only the pixels that have weight, and those that they attend to, are computed.
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
    """The range (first, one after the last) along an axis that the pixels with weight attend to."""
    places = has_weight.nonzero()
    first, last = window_offsets(window)
    return max(0, int(places[0]) + first), min(length, int(places[-1]) + last + 1)


def _block(net: Network) -> NonLocalBlock:
    if net.non_local is None:
        raise ValueError("This network has no attention, because it was built without the non-local block.")
    return net.non_local


def _sum(block: NonLocalBlock, z: Tensor, s: Tensor) -> Tensor:
    """s + z on the network's device and in its type, without a further temporary tensor of their size."""
    weight = block.theta.weight
    return z.to(weight.device, weight.dtype, copy=True, memory_format=torch.channels_last).add_(s.to(weight.device))
