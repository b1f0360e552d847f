"""Brings `attention_code` to run: neighbourhood attention and its gradient, compiled for the processor at hand.

Queries, keys and values are (B, heads, rows, cols, depth) on the processor; a window is the first and last offset from
a query to the keys that it sees along one axis.
"""

import functools
from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from nerd_gui.compiled.compiler import compile_function, in_threads, missing, multiplies_pairs, registers

if missing() is None:
    from nerd_gui.compiled import attention_code as code
    from nerd_gui.compiled.attention_lanes import BLOCK_ROWS, ROW_BUFFERS, Shape, row_vectors

Window = tuple[int, int]
Interrupt = Callable[[], None]


def attend(
    query: Tensor, key: Tensor, value: Tensor, window: Window, interrupt: Interrupt | None = None
) -> tuple[Tensor, Tensor, Tensor]:
    """Attention in float32.

    Parameters
    ----------
    interrupt : callable, optional
        Called from several threads, before each few rows of each head; what it raises ends the work.

    Returns
    -------
    out : Tensor, shape (B, heads, rows, cols, d_v), float32
    top, total : Tensor, shape (B, heads, rows, cols)
        The sum of each query's exponentials is total * 2^top.
    """
    kernel = _kernel("forward", query.shape[-1], value.shape[-1])
    out, top, total = torch.empty(value.shape), *(torch.empty(query.shape[:4]) for _ in range(2))
    kernel.run([kernel.copied(tensor) for tensor in (query, key, value)], [out, top, total], window, interrupt)
    return out, top, total


def attends_in_pairs(depth: int) -> bool:
    """Whether queries and keys of so many numbers can be multiplied as pairs of bfloat16 here."""
    return multiplies_pairs() and depth % 2 == 0


def attend_in_pairs(
    query: Tensor, key: Tensor, value: Tensor, window: Window, interrupt: Interrupt | None = None
) -> Tensor:
    """As `attend`, in bfloat16 with sums in float32, where `attends_in_pairs`; the output alone."""
    kernel = _kernel("forward", query.shape[-1], value.shape[-1], pairs=True)
    inputs = [
        kernel.copied(query),
        kernel.copied(key, torch.bfloat16),
        kernel.copied(_pairs_across(value), torch.int32),
    ]
    out, top, total = torch.empty(value.shape), *(torch.empty(query.shape[:4]) for _ in range(2))
    kernel.run(inputs, [out, top, total], window, interrupt)
    return out


def _pairs_across(value: Tensor) -> Tensor:
    """Pairs of two pixels side by side in a row, (B, heads, rows, cols / 2 rounded up, d_v) int32."""
    if value.shape[3] % 2:
        value = F.pad(value, (0, 0, 0, 1))
    bits = value.bfloat16().view(torch.int16).int()
    return (bits[..., 1::2, :] << 16) | (bits[..., 0::2, :] & 0xFFFF)


def gradient(
    query: Tensor, key: Tensor, value: Tensor, out: Tensor, level: Tensor, d_out: Tensor, window: Window
) -> tuple[Tensor, Tensor, Tensor]:
    """The gradients of query, key and value, float32, from that of `out`; `level` is top + log2(total)."""
    depths = query.shape[-1], value.shape[-1]
    by_query, by_key = _kernel("query_gradient", *depths), _kernel("key_gradient", *depths)
    delta = (d_out * out).sum(-1)
    inputs = [by_key.copied(tensor) for tensor in (query, key, value, d_out, level, delta)]
    d_query, d_key, d_value = (torch.empty(tensor.shape) for tensor in (query, key, value))
    first, last = window
    by_query.run(inputs, [d_query], (first, last))
    by_key.run(inputs, [d_key, d_value], (-last, -first))
    return d_query, d_key, d_value


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
        window: Window,
        interrupt: Interrupt | None = None,
    ) -> None:
        """Do all planes (B, heads) of (B, heads, rows, cols[, depth]), by as many threads as PyTorch uses."""
        tensors = [*inputs, *outputs]
        batch, heads, rows, cols = tensors[0].shape[:4]
        strides = [tensor.element_size() * tensor[0, 0].numel() for tensor in tensors]
        length = row_vectors(self.shape, window[1] - window[0] + 1)
        # One iterator for all threads: whoever is free takes the next rows.
        tasks = iter([(plane, row) for plane in range(batch * heads) for row in range(0, rows, BLOCK_ROWS)])

        def work() -> None:
            scratch = torch.empty(ROW_BUFFERS * length * self.shape.lanes)
            for plane, row in tasks:
                if interrupt is not None:
                    interrupt()
                pointers = [tensor.data_ptr() + plane * stride for tensor, stride in zip(tensors, strides, strict=True)]
                self._function(scratch.data_ptr(), *pointers, rows, cols, row, *window, length)

        in_threads(work)


@functools.cache
def _kernel(name: str, d_k: int, d_v: int, *, pairs: bool = False) -> _Kernel:
    lanes, count = registers()
    planes = {"forward": 6, "query_gradient": 7, "key_gradient": 8}[name]
    return _Kernel(name, Shape(d_k, d_v, lanes=lanes, passing=count // 4, pairs=pairs), planes)
