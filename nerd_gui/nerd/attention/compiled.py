"""Neighbourhood attention by the code of `nerd_gui.compiled`, for autograd."""

import functools
from typing import Any

import torch
from torch import Tensor

from nerd_gui.compiled import attention_kernel, missing
from nerd_gui.nerd.attention.blocks import attention_by_blocks
from nerd_gui.nerd.attention.window import window_offsets


def compiled_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    window: int,
    interrupt: attention_kernel.Interrupt | None = None,
    precision: str = "float32",
) -> Tensor:
    """As `neighbourhood_attention`, for tensors on the processor; `interrupt` is called from several threads.

    "bfloat16" is used where the processor multiplies pairs of it and no gradient is asked for.

    Returns
    -------
    Tensor, shape (B, heads, rows, cols, d_v), float32
    """
    gradient = torch.is_grad_enabled() and any(tensor.requires_grad for tensor in (query, key, value))
    if precision == "bfloat16" and not gradient and attention_kernel.attends_in_pairs(query.shape[-1]):
        return attention_kernel.attend_in_pairs(query, key, value, window_offsets(window), interrupt)
    return _CompiledAttention.apply(query, key, value, window, interrupt)


@functools.cache
def unavailable() -> str | None:
    """Why there is no compiled attention here; None if there is, which was compared with the plain one."""
    if reason := missing():
        return reason
    query, key, value = torch.randn(3, 1, 2, 9, 21, 8, generator=torch.Generator().manual_seed(0))
    with torch.autocast("cpu", enabled=False):
        reference = attention_by_blocks(query, key, value, 7)
    for precision, tolerance in (("float32", 1e-4), ("bfloat16", 0.03)):
        try:
            here = compiled_attention(query, key, value, 7, precision=precision)
        except RuntimeError as error:
            return f"LLVM cannot compile it ({error})"
        difference = float((here - reference).abs().max())
        if not difference < tolerance:
            return f"its result in {precision} is off by {difference:.1g}"
    return None


class _CompiledAttention(torch.autograd.Function):
    """Nothing is kept but the inputs, the output and a number for each query; the gradient computes weights anew."""

    @staticmethod
    def forward(
        ctx: Any,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        window: int,
        interrupt: attention_kernel.Interrupt | None,
    ) -> Tensor:
        out, top, total = attention_kernel.attend(query, key, value, window_offsets(window), interrupt)
        if any(ctx.needs_input_grad):
            ctx.save_for_backward(query, key, value, out, top + total.log2())
            ctx.window = window
        return out

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        (d_out,) = gradients
        query, key, value, out, level = ctx.saved_tensors
        if torch.is_grad_enabled():  # a second derivative is wanted, which the plain path has
            again = attention_by_blocks(query.float(), key.float(), value.float(), ctx.window)
            return *torch.autograd.grad(again, (query, key, value), d_out, create_graph=True), None, None
        found = attention_kernel.gradient(query, key, value, out, level, d_out, window_offsets(ctx.window))
        return *(one.to(tensor.dtype) for one, tensor in zip(found, (query, key, value), strict=True)), None, None
