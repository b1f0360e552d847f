"""Neighbourhood attention by the machine code of `nerd_gui.compiled`, wrapped for autograd."""

from typing import Any

import torch
from torch import Tensor

from nerd_gui.compiled import Unavailable, attention_kernel
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
    """Compute `neighbourhood_attention` for tensors on the CPU; `interrupt` is called from several threads.

    The precision "bfloat16" takes effect only if the CPU has instructions for it and no gradient is needed.

    Returns
    -------
    Tensor, shape (B, heads, rows, cols, d_v), float32

    Raises
    ------
    Unavailable
        If there is no compiled code for this machine or these sizes.
    """
    gradient = torch.is_grad_enabled() and any(tensor.requires_grad for tensor in (query, key, value))
    if precision == "bfloat16" and not gradient and attention_kernel.attends_in_pairs(query.shape[-1]):
        return attention_kernel.attend_in_pairs(query, key, value, window_offsets(window), interrupt)
    attended: Tensor = _CompiledAttention.apply(query, key, value, window, interrupt)  # type: ignore[no-untyped-call]
    return attended


class _CompiledAttention(torch.autograd.Function):
    """Saves only the inputs, the output and one number per query; the backward pass computes the weights again."""

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
        if not torch.is_grad_enabled():
            try:
                found = attention_kernel.gradient(query, key, value, out, level, d_out, window_offsets(ctx.window))
            except Unavailable:
                pass
            else:
                return *(one.to(x.dtype) for one, x in zip(found, (query, key, value), strict=True)), None, None
        # PyTorch's operations also have a second derivative, if one is needed.
        create_graph = torch.is_grad_enabled()
        with torch.enable_grad():
            again = attention_by_blocks(query.float(), key.float(), value.float(), ctx.window)
            return *torch.autograd.grad(again, (query, key, value), d_out, create_graph=create_graph), None, None
