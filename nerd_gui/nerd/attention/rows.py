"""Neighbourhood attention in a few whole-picture operations, which can be exported to ONNX (see `nerd.onnx`)."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from nerd_gui.nerd.attention.window import window_offsets


def attention_by_rows(query: Tensor, key: Tensor, value: Tensor, window: int) -> Tensor:
    """Compute `neighbourhood_attention` by one row of the window after another, for pictures of any size.

    The softmax is updated row by row (online softmax, Milakov & Gimelshein 2018), so that only `window` keys and values
    per pixel are in memory at a time, not `window` squared. This is the slowest path.
    """
    rows, cols = query.shape[2:4]
    first, last = window_offsets(window)
    key, value = (F.pad(x, (0, 0, -first, last, -first, last)) for x in (key, value))
    down, across = torch.arange(rows, device=query.device), torch.arange(cols, device=query.device)
    seen = across[:, None] + torch.arange(window, device=query.device)  # (cols, window), in the padded picture
    inside = (seen >= -first) & (seen < cols - first)
    query = query[..., None, :] / math.sqrt(query.shape[-1])
    # The query's own row comes first: it always holds a key inside the picture, so `top` is finite from then on.
    top = torch.full_like(value[:, :, :rows, :cols, :1], -torch.inf)
    total, out = torch.zeros_like(top), torch.zeros_like(value[:, :, :rows, :cols])
    for offset in sorted(range(first, last + 1), key=abs):
        begin = offset - first
        keys, values = (x[:, :, begin : begin + rows, seen] for x in (key, value))
        allowed = ((down + offset >= 0) & (down + offset < rows))[:, None, None] & inside
        scores = (query @ keys.transpose(-1, -2))[..., 0, :].masked_fill(~allowed, -torch.inf)
        highest = torch.maximum(top, scores.amax(-1, keepdim=True))
        weights, fade = (scores - highest).exp(), (top - highest).exp()
        total = total * fade + weights.sum(-1, keepdim=True)
        out = out * fade + (weights[..., None, :] @ values)[..., 0, :]
        top = highest
    return out / total
