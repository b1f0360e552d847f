"""Neighbourhood attention compiled for the processor at hand: brings `attention_code` to run."""

import functools
from collections.abc import Callable, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from nerd_gui.compiled import compile_function, in_threads, missing, multiplies_pairs, registers
from nerd_gui.nerd.attention_tiles import tiled_attention, window_offsets

if missing() is None:
    from nerd_gui.nerd import attention_code as code
    from nerd_gui.nerd.attention_lanes import ROW_BUFFERS, TILE_ROWS, Shape, row_vectors


def compiled_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    window: int,
    check: Callable[[], None] | None = None,
    precision: str = "float32",
) -> Tensor:
    """As `neighbourhood_attention`, for tensors on the processor; `check` is called from several threads.

    "bfloat16" is used where the processor multiplies pairs of it and no gradient is asked for.

    Returns
    -------
    Tensor, shape (B, heads, rows, cols, d_v), float32
    """
    gradient = torch.is_grad_enabled() and any(tensor.requires_grad for tensor in (query, key, value))
    if precision == "bfloat16" and not gradient and multiplies_pairs() and query.shape[-1] % 2 == 0:
        return _by_pairs(query, key, value, window, check)
    return _CompiledAttention.apply(query, key, value, window, check)


def _by_pairs(query: Tensor, key: Tensor, value: Tensor, window: int, check: Callable[[], None] | None) -> Tensor:
    kernel = _kernel("forward", query.shape[-1], value.shape[-1], pairs=True)
    inputs = [
        kernel.copied(query),
        kernel.copied(key, torch.bfloat16),
        kernel.copied(_pairs_across(value), torch.int32),
    ]
    out, top, total = torch.empty(value.shape), *(torch.empty(query.shape[:4]) for _ in range(2))
    kernel.run(inputs, [out, top, total], window_offsets(window), check)
    return out


def _pairs_across(value: Tensor) -> Tensor:
    """Pairs of two pixels side by side in a row, (B, heads, rows, cols / 2 rounded up, d_v) int32."""
    if value.shape[3] % 2:
        value = F.pad(value, (0, 0, 0, 1))
    bits = value.bfloat16().view(torch.int16).int()
    return (bits[..., 1::2, :] << 16) | (bits[..., 0::2, :] & 0xFFFF)


@functools.cache
def unavailable() -> str | None:
    """Why there is no compiled attention here; None if there is, which was compared with the tiled one."""
    if reason := missing():
        return reason
    query, key, value = torch.randn(3, 1, 2, 9, 21, 8, generator=torch.Generator().manual_seed(0))
    with torch.autocast("cpu", enabled=False):
        reference = tiled_attention(query, key, value, 7)
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
        ctx: Any, query: Tensor, key: Tensor, value: Tensor, window: int, check: Callable[[], None] | None
    ) -> Tensor:
        kernel = _kernel("forward", query.shape[-1], value.shape[-1])
        queries, keys, values = (kernel.copied(tensor) for tensor in (query, key, value))
        out = torch.empty(value.shape)
        top, total = (torch.empty(query.shape[:4]) for _ in range(2))
        kernel.run([queries, keys, values], [out, top, total], window_offsets(window), check)
        if any(ctx.needs_input_grad):
            ctx.save_for_backward(query, key, value, out, top + total.log2())
            ctx.window = window
        return out

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        (d_out,) = gradients
        query, key, value, out, level = ctx.saved_tensors
        if torch.is_grad_enabled():  # a second derivative is wanted, which the tiled path has
            again = tiled_attention(query.float(), key.float(), value.float(), ctx.window)
            return *torch.autograd.grad(again, (query, key, value), d_out, create_graph=True), None, None
        depths = query.shape[-1], value.shape[-1]
        first, last = window_offsets(ctx.window)
        by_query, by_key = _kernel("query_gradient", *depths), _kernel("key_gradient", *depths)
        delta = (d_out * out).sum(-1)
        inputs = [by_key.copied(tensor) for tensor in (query, key, value, d_out, level, delta)]
        d_query, d_key, d_value = (torch.empty(tensor.shape) for tensor in (query, key, value))
        by_query.run(inputs, [d_query], (first, last))
        by_key.run(inputs, [d_key, d_value], (-last, -first))
        return d_query.to(query.dtype), d_key.to(key.dtype), d_value.to(value.dtype), None, None


class _Kernel:
    """One function of `attention_code`, in machine code."""

    def __init__(self, name: str, shape: "Shape", planes: int) -> None:
        self.shape = shape
        self._function = compile_function(name, getattr(code, name)(shape), 1 + planes, 6)

    def copied(self, tensor: Tensor, dtype: torch.dtype = torch.float32) -> Tensor:
        """A contiguous copy, with readable zeros behind it for the pixels that pass in the last round."""
        depth = tensor.shape[-1] if tensor.dim() == 5 else 1
        room = torch.empty(tensor.numel() + self.shape.passing * depth, dtype=dtype)
        room[tensor.numel() :] = 0
        copy = room[: tensor.numel()].view(tensor.shape)
        return copy.copy_(tensor)

    def run(
        self,
        inputs: Sequence[Tensor],
        outputs: Sequence[Tensor],
        window: tuple[int, int],
        check: Callable[[], None] | None = None,
    ) -> None:
        """Do all planes (B, heads) of (B, heads, rows, cols[, depth]), by as many threads as PyTorch uses."""
        tensors = [*inputs, *outputs]
        batch, heads, rows, cols = tensors[0].shape[:4]
        strides = [tensor.element_size() * tensor[0, 0].numel() for tensor in tensors]
        length = row_vectors(self.shape, window[1] - window[0] + 1)
        # One iterator for all threads: whoever is free takes the next rows.
        tasks = iter([(plane, row) for plane in range(batch * heads) for row in range(0, rows, TILE_ROWS)])

        def work() -> None:
            scratch = torch.empty(ROW_BUFFERS * length * self.shape.lanes)
            for plane, row in tasks:
                if check is not None:
                    check()
                pointers = [tensor.data_ptr() + plane * stride for tensor, stride in zip(tensors, strides, strict=True)]
                self._function(scratch.data_ptr(), *pointers, rows, cols, row, *window, length)

        in_threads(work)


@functools.cache
def _kernel(name: str, d_k: int, d_v: int, *, pairs: bool = False) -> _Kernel:
    lanes, count = registers()
    planes = {"forward": 6, "query_gradient": 7, "key_gradient": 8}[name]
    return _Kernel(name, Shape(d_k, d_v, lanes=lanes, passing=count // 4, pairs=pairs), planes)
