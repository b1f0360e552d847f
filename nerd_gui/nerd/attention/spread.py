"""Measures of the attention of every pixel, and products with the attention matrix, computed block by block."""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from nerd_gui.nerd.attention.blocks import calls


@torch.no_grad()
def attention_spread(
    query: Tensor, key: Tensor, window: int, interrupt: Callable[[], None] | None = None
) -> tuple[Tensor, Tensor]:
    """Compute the entropy and the effective radius of each pixel's attention weights.

    Parameters
    ----------
    query, key : Tensor, shape (B, heads, rows, cols, d_k)
    window : int
        Attention window q in pixels.
    interrupt : callable, optional
        Called before every step; an exception that it raises ends the work.

    Returns
    -------
    entropy : Tensor, shape (B, heads, rows, cols)
        -sum p log2 p, in bits.
    radius : Tensor, shape (B, heads, rows, cols)
        `sqrt(sum p |k - q|^2)`, in pixels.
    """
    entropy, radius = (torch.empty_like(query[..., :1], memory_format=torch.contiguous_format) for _ in range(2))
    for blocks in calls(query, window, interrupt):
        weights = blocks.weights(query, key)
        squared = blocks.squared_distances().to(weights)
        blocks.put(radius, torch.einsum("pnqk,qk->pnq", weights, squared).sqrt_()[..., None])
        blocks.put(entropy, torch.special.entr(weights).sum(-1, keepdim=True))
    return entropy[..., 0] / math.log(2), radius[..., 0]


@torch.no_grad()
def attended(
    query: Tensor, key: Tensor, window: int, weights: Tensor, interrupt: Callable[[], None] | None = None
) -> Tensor:
    """Distribute weights on pixels by the attention of these pixels: the product r A of a row vector r.

    Parameters
    ----------
    query, key : Tensor, shape (B, heads, rows, cols, d_k)
    window : int
        Attention window q in pixels.
    weights : Tensor, shape (B, heads, rows, cols)
        r, the weights.
    interrupt : callable, optional
        Called before every step; an exception that it raises ends the work.

    Returns
    -------
    Tensor, shape (B, heads, rows, cols)
        The new weights; their sum equals that of `weights`.
    """
    handed_on = torch.zeros_like(weights[..., None], memory_format=torch.contiguous_format)
    for blocks in calls(query, window, interrupt):
        share = blocks.queries(weights[..., None])
        if share.any():
            blocks.add(handed_on, blocks.weights(query, key).transpose(-1, -2) @ share)
    return handed_on[..., 0]
