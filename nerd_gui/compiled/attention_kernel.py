"""Compiles `attention_code` for this CPU and runs it: neighbourhood attention and its gradient.

Queries, keys and values are (B, heads, rows, cols, depth) on the CPU. A window is the first and last offset from a
query to its visible keys along one axis.
"""

import functools
from collections.abc import Callable, Sequence
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor

from nerd_gui.compiled.attention_shape import BLOCK_ROWS, ROW_BUFFERS, Shape
from nerd_gui.compiled.availability import obtain
from nerd_gui.compiled.self_check import WINDOW, check_attention, check_gradient
from nerd_gui.compiled.threads import in_threads

Window = tuple[int, int]
Interrupt = Callable[[], None]


def attend(
    query: Tensor, key: Tensor, value: Tensor, window: Window, interrupt: Interrupt | None = None
) -> tuple[Tensor, Tensor, Tensor]:
    """Compute attention in float32.

    Parameters
    ----------
    interrupt : callable, optional
        Called often, from several threads; an exception that it raises ends the work.

    Returns
    -------
    out : Tensor, shape (B, heads, rows, cols, d_v), float32
    top, total : Tensor, shape (B, heads, rows, cols)
        The sum of each query's exponentials is total * 2^top.

    Raises
    ------
    Unavailable
        If there is no compiled code for it here.
    """
    return _attend(_forward(query.shape[-1], value.shape[-1]), query, key, value, window, interrupt)


def attends_in_pairs(depth: int) -> bool:
    """Whether this CPU can multiply queries and keys of this depth as pairs of bfloat16."""
    return depth % 2 == 0 and obtain(_multiplies_pairs)


def attend_in_pairs(
    query: Tensor, key: Tensor, value: Tensor, window: Window, interrupt: Interrupt | None = None
) -> Tensor:
    """Compute attention in bfloat16 with sums in float32, if `attends_in_pairs`; return only the output."""
    kernel = _forward(query.shape[-1], value.shape[-1], pairs=True)
    return _attend(kernel, query, key, value, window, interrupt)[0]


def _attend(
    kernel: "_Kernel", query: Tensor, key: Tensor, value: Tensor, window: Window, interrupt: Interrupt | None = None
) -> tuple[Tensor, Tensor, Tensor]:
    if kernel.shape.pairs:
        others = kernel.copied(key, torch.bfloat16), kernel.copied(_pairs_across(value), torch.int32)
    else:
        others = kernel.copied(key), kernel.copied(value)
    out, top, total = map(_room, (value.shape, query.shape[:4], query.shape[:4]))
    kernel.run([kernel.copied(query), *others], [out, top, total], window, interrupt)
    return out, top, total


def _pairs_across(value: Tensor) -> Tensor:
    """Pack pairs of neighbouring pixels of a row, (B, heads, rows, cols / 2 rounded up, d_v) int32."""
    if value.shape[3] % 2:
        value = F.pad(value, (0, 0, 0, 1))
    bits = value.bfloat16().view(torch.int16).int()
    return (bits[..., 1::2, :] << 16) | (bits[..., 0::2, :] & 0xFFFF)


def gradient(
    query: Tensor, key: Tensor, value: Tensor, out: Tensor, level: Tensor, d_out: Tensor, window: Window
) -> tuple[Tensor, Tensor, Tensor]:
    """Compute the gradients of query, key and value in float32, from that of `out`; `level` is top + log2(total).

    Raises
    ------
    Unavailable
        If there is no compiled code for it here.
    """
    kernels = _gradient_kernels(query.shape[-1], value.shape[-1])
    return _gradient(*kernels, query, key, value, out, level, d_out, window)


def _gradient(
    by_query: "_Kernel",
    by_key: "_Kernel",
    query: Tensor,
    key: Tensor,
    value: Tensor,
    out: Tensor,
    level: Tensor,
    d_out: Tensor,
    window: Window,
) -> tuple[Tensor, Tensor, Tensor]:
    delta = (d_out * out).sum(-1)
    inputs = [by_key.copied(tensor) for tensor in (query, key, value, d_out, level, delta)]
    d_query, d_key, d_value = (_room(tensor.shape) for tensor in (query, key, value))
    first, last = window
    by_query.run(inputs, [d_query], (first, last))
    by_key.run(inputs, [d_key, d_value], (-last, -first))
    return d_query, d_key, d_value


def _room(shape: Sequence[int]) -> Tensor:
    """Allocate an output of compiled code, which is float32 independent of PyTorch's default type."""
    return torch.empty(shape, dtype=torch.float32)


class _Kernel:
    """A compiled function of `attention_code`.

    Parameters
    ----------
    planes : int
        Number of its tensor arguments.
    """

    def __init__(self, name: str, planes: int, d_k: int, d_v: int, *, pairs: bool = False) -> None:
        from nerd_gui.compiled import attention_code, compiler

        lanes, count = compiler.registers()
        self.shape = Shape(d_k, d_v, lanes=lanes, passing=count // 4, pairs=pairs)
        code = getattr(attention_code, name)(self.shape)
        self._function = compiler.compile_function(name, code, 1 + planes, 6)

    def copied(self, tensor: Tensor, dtype: torch.dtype = torch.float32) -> Tensor:
        """Make a contiguous copy, followed by zeros, because the code reads beyond the end."""
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
        """Process all planes of (B, heads, rows, cols[, depth]), on as many threads as PyTorch uses."""
        tensors = [*inputs, *outputs]
        batch, heads, rows, cols = tensors[0].shape[:4]
        strides = [tensor.element_size() * tensor[0, 0].numel() for tensor in tensors]
        length = self.shape.row_vectors(window[1] - window[0] + 1)
        # All threads share one iterator: a free thread takes the next rows.
        tasks = iter([(plane, row) for plane in range(batch * heads) for row in range(0, rows, BLOCK_ROWS)])

        def work() -> None:
            scratch = _room((ROW_BUFFERS * length * self.shape.lanes,))
            for plane, row in tasks:
                if interrupt is not None:
                    interrupt()
                pointers = [tensor.data_ptr() + plane * stride for tensor, stride in zip(tensors, strides, strict=True)]
                self._function(scratch.data_ptr(), *pointers, rows, cols, row, *window, length)

        in_threads(work)


@functools.cache
def _forward(d_k: int, d_v: int, *, pairs: bool = False) -> _Kernel:
    def make() -> _Kernel:
        kernel = _Kernel("forward", 6, d_k, d_v, pairs=pairs)
        tolerance = 0.03 if pairs else 1e-4
        check_attention(lambda q, k, v: _attend(kernel, q, k, v, WINDOW)[0], d_k, d_v, tolerance=tolerance)
        return kernel

    return obtain(make)


@functools.cache
def _gradient_kernels(d_k: int, d_v: int) -> tuple[_Kernel, _Kernel]:
    def make() -> tuple[_Kernel, _Kernel]:
        kernels = _Kernel("query_gradient", 7, d_k, d_v), _Kernel("key_gradient", 8, d_k, d_v)
        check_gradient(partial(_gradient, *kernels, window=WINDOW), d_k, d_v)
        return kernels

    return obtain(make)


def _multiplies_pairs() -> bool:
    from nerd_gui.compiled.compiler import multiplies_pairs

    return multiplies_pairs()
