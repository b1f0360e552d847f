"""Chooses the fastest implementation of the attention for a device, a precision and a size.

On a CPU that is the machine code of `compiled`, on CUDA PyTorch's fused kernels (`fused`), and elsewhere or in float64
PyTorch's matrix products on blocks of queries (`blocks`). None of them holds the score matrix of a whole picture.
`reference_attention` computes the same in a few lines, for tests and readers.
"""

import functools
import math
import warnings
from collections.abc import Callable
from typing import Literal, get_args

import torch
from torch import Tensor

from nerd_gui import compiled
from nerd_gui.nerd.attention.blocks import attention_by_blocks
from nerd_gui.nerd.attention.compiled import compiled_attention
from nerd_gui.nerd.attention.fused import dense_attention, flex_attention, flex_unavailable
from nerd_gui.nerd.attention.rows import attention_by_rows
from nerd_gui.nerd.attention.window import allowed_keys, window_offsets

Precision = Literal["float32", "bfloat16"]
AttentionPath = Literal["compiled", "blocks", "dense", "flex", "rows"]

#: Up to this many pixels, an accelerator computes the attention of a patch as one dense product.
_DENSE_PIXELS = 96 * 96


def neighbourhood_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    window: int,
    precision: Precision = "float32",
    interrupt: Callable[[], None] | None = None,
    path: AttentionPath | None = None,
) -> Tensor:
    """Attend from every pixel to the window centred on it, for each head (Eq. 8b).

    Parameters
    ----------
    query, key : Tensor, shape (B, heads, rows, cols, d_k)
    value : Tensor, shape (B, heads, rows, cols, d_v)
    window : int
        q, side of the neighbourhood in pixels.
    precision : {"float32", "bfloat16"}
        Arithmetic of the matrix products and the softmax. "float32" keeps the dtype of wider inputs (float64);
        "bfloat16" permits bfloat16, but float32 is used where it is as fast, and for gradients on the CPU.
    interrupt : callable, optional
        Called many times a second, from any thread; an exception that it raises ends the evaluation.
    path : {"compiled", "blocks", "dense", "flex", "rows"}, optional
        The implementation; None: the choice of `attention_path`.

    Returns
    -------
    Tensor, shape (B, heads, rows, cols, d_v)
        In the dtype of `value`. It can be differentiated, and, except for "dense" and "flex", twice.

    Raises
    ------
    ValueError
        If the shapes do not match, or the window, precision or path is invalid.
    Unavailable
        If the path is "compiled" and there is no compiled code for this machine or these sizes.

    Examples
    --------
    >>> query = key = torch.zeros(1, 1, 4, 4, 8)  # one head, 4 x 4 pixels, equal keys
    >>> value = torch.arange(16.0).view(1, 1, 4, 4, 1)
    >>> neighbourhood_attention(query, key, value, window=3)[0, 0, 1, 1].item()  # the mean of rows and columns 0 to 2
    5.0
    """
    if query.shape != key.shape or query.shape[:4] != value.shape[:4] or query.dim() != 5:
        raise ValueError(
            "query, key and value must be (B, heads, rows, cols, d) with equal leading sizes, not "
            f"{tuple(query.shape)}, {tuple(key.shape)}, {tuple(value.shape)}."
        )
    window_offsets(window)
    if precision == "bfloat16":
        compute = torch.bfloat16
    elif precision == "float32":
        compute = torch.promote_types(query.dtype, torch.float32)
    else:
        raise ValueError(f"The precision must be 'float32' or 'bfloat16', not {precision!r}.")
    chosen = path or attention_path(str(query.device), compute, query.shape[2] * query.shape[3])
    if chosen == "compiled":
        try:
            return compiled_attention(query, key, value, window, interrupt, precision).to(value.dtype)
        except compiled.Unavailable:
            if path is not None:
                raise
            chosen = "blocks"
    if chosen == "blocks" and query.device.type == "cpu" and compute is torch.bfloat16:
        compute = torch.float32  # PyTorch's own attention is faster in float32 on a CPU
    inputs = query.to(compute), key.to(compute), value.to(compute)
    if chosen == "blocks":
        return attention_by_blocks(*inputs, window, interrupt).to(value.dtype)
    if interrupt is not None:
        interrupt()
    if chosen == "dense":
        return dense_attention(*inputs, window).to(value.dtype)
    if chosen == "rows":
        return attention_by_rows(*inputs, window).to(value.dtype)
    if chosen == "flex":
        return flex_attention(*inputs, window).to(value.dtype)
    raise ValueError(f"The path of the attention must be one of {', '.join(get_args(AttentionPath))}, not {path!r}.")


def attention_path(device: str, dtype: torch.dtype = torch.float32, pixels: int | None = None) -> AttentionPath:
    """Choose the implementation for a device, a dtype and the number of pixels of the picture (None: a large one)."""
    if dtype != torch.float64 and device == "cpu":
        return "compiled" if compiled.available() else "blocks"
    if dtype != torch.float64 and device.startswith("cuda"):
        if pixels is not None and pixels <= _DENSE_PIXELS:
            return "dense"
        return "blocks" if _tell(flex_unavailable(device)) else "flex"
    return "blocks"


@functools.cache
def _tell(reason: str | None) -> bool:
    """Warn, once for each reason, that a slow path is taken; return whether there is a reason."""
    if reason:
        warnings.warn(f"Attention is several times slower than usual here: {reason}.", RuntimeWarning, stacklevel=2)
    return reason is not None


def reference_attention(query: Tensor, key: Tensor, value: Tensor, window: int) -> Tensor:
    """Compute `neighbourhood_attention` literally as in Eq. 7; its memory grows with the square of the pixels."""
    rows, cols, d_k = query.shape[2:]
    down, across = (allowed_keys(torch.arange(size), torch.arange(size), window) for size in (rows, cols))
    allowed = down[:, None, :, None] & across[None, :, None, :]
    scores = torch.einsum("bhrcd,bhijd->bhrcij", query, key) / math.sqrt(d_k)
    scores = scores.masked_fill(~allowed.to(scores.device), -torch.inf)
    weights = scores.flatten(-2).softmax(-1).view_as(scores)
    return torch.einsum("bhrcij,bhijd->bhrcd", weights, value)


def attention_row(query: Tensor, keys: Tensor) -> Tensor:
    """Compute the softmax weights of one query for each head (the correlation map of Fig. 9).

    Parameters
    ----------
    query : Tensor, shape (heads, d_k)
    keys : Tensor, shape (heads, rows, cols, d_k)
        The keys of the neighbourhood.

    Returns
    -------
    Tensor, shape (heads, rows, cols)
        The weights; those of each head sum to 1.
    """
    scores = torch.einsum("hd,hrcd->hrc", query, keys) / math.sqrt(query.shape[-1])
    return scores.flatten(1).softmax(-1).view_as(scores)
