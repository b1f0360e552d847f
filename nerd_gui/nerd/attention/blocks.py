"""Neighbourhood attention in standard PyTorch operations, for any device and precision.

Queries are cut into square blocks. Each block attends to all keys that any of its queries sees, with a mask, by
`scaled_dot_product_attention`; one call handles many blocks. The scores of a whole picture, 4.4 GB at 256x256 with the
paper's settings, are never held at once.
"""

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from nerd_gui.nerd.attention.window import allowed_keys, window_offsets

#: Number of scores computed in one call: small enough for a CPU's caches, large enough to keep an accelerator busy.
_CALL_ELEMENTS = {"cpu": 1 << 20}
_CALL_ELEMENTS_ELSEWHERE = 1 << 26


def attention_by_blocks(
    query: Tensor, key: Tensor, value: Tensor, window: int, interrupt: Callable[[], None] | None = None
) -> Tensor:
    """Compute `neighbourhood_attention` in the precision of the inputs, which must all have the same dtype."""
    attended: Tensor = _BlockAttention.apply(query, key, value, window, interrupt)  # type: ignore[no-untyped-call]
    return attended


class _BlockAttention(torch.autograd.Function):
    """Saves only the inputs for the backward pass, which computes the attention weights again."""

    @staticmethod
    def forward(
        ctx: Any, query: Tensor, key: Tensor, value: Tensor, window: int, interrupt: Callable[[], None] | None
    ) -> Tensor:
        ctx.save_for_backward(query, key, value)
        ctx.window, ctx.interrupt = window, interrupt
        out = torch.empty_like(value, memory_format=torch.contiguous_format)
        for blocks in calls(query, window, interrupt):
            found = F.scaled_dot_product_attention(*blocks.inputs(query, key, value), attn_mask=blocks.mask)
            blocks.put(out, found)
        return out

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        (d_out,) = gradients
        query, key, value = ctx.saved_tensors
        if torch.is_grad_enabled():  # for a second derivative, which PyTorch's fused operation lacks
            out = _in_small_operations(query, key, value, ctx.window)
            return *torch.autograd.grad(out, (query, key, value), d_out, create_graph=True), None, None
        d_query = torch.empty_like(query, memory_format=torch.contiguous_format)
        d_key, d_value = (torch.zeros_like(x, memory_format=torch.contiguous_format) for x in (key, value))
        for blocks in calls(query, ctx.window, ctx.interrupt):
            inputs = blocks.inputs(query, key, value)
            with torch.enable_grad():
                for tensor in inputs:
                    tensor.requires_grad_()
                out = F.scaled_dot_product_attention(*inputs, attn_mask=blocks.mask)
            of_query, of_key, of_value = torch.autograd.grad(out, inputs, blocks.queries(d_out))
            blocks.put(d_query, of_query)
            blocks.add(d_key, of_key)
            blocks.add(d_value, of_value)
        return d_query, d_key, d_value, None, None


def _in_small_operations(query: Tensor, key: Tensor, value: Tensor, window: int) -> Tensor:
    """The same attention in elementary operations, which autograd can differentiate twice; it stores the weights."""
    out = torch.zeros_like(value, memory_format=torch.contiguous_format)
    for blocks in calls(query, window, None):
        queries, keys, values = blocks.inputs(query, key, value)
        scores = queries @ keys.transpose(-1, -2) * query.shape[-1] ** -0.5 + blocks.mask
        blocks.put(out, scores.softmax(-1) @ values)
    return out


@dataclass(frozen=True)
class _Alike:
    """Blocks along one axis that share a mask: `size` queries from each begin on, `keys` keys from each start on."""

    size: int
    keys: int
    allowed: Tensor  # (size, keys) bool
    begins: list[int]
    starts: list[int]

    def squared_distances(self) -> Tensor:
        """Squared distances along this axis from each query to each key, (size, keys)."""
        keys = torch.arange(self.keys) + (self.starts[0] - self.begins[0])
        return (keys[None, :] - torch.arange(self.size)[:, None]).square()

    @classmethod
    def cut(cls, length: int, window: int, side: int) -> list["_Alike"]:
        """Cut an axis of `length` pixels into blocks of `side` pixels, grouped by mask; the last may be smaller."""
        first, last = window_offsets(window)
        found: dict[tuple[int, int, int], list[int]] = {}
        for begin in range(0, length, side):
            end = min(begin + side, length)
            start, stop = max(begin + first, 0), min(end + last, length)
            found.setdefault((end - begin, start - begin, stop - start), []).append(begin)
        return [
            cls(
                size,
                keys,
                allowed_keys(torch.arange(size), torch.arange(offset, offset + keys), window),
                begins,
                [begin + offset for begin in begins],
            )
            for (size, offset, keys), begins in found.items()
        ]


@dataclass(frozen=True)
class Blocks:
    """Blocks that share a mask and are computed in one call."""

    down: _Alike
    across: _Alike
    places: list[tuple[int, int]]  # indices of each block in `down` and `across`
    mask: Tensor  # (queries, keys), 0 where allowed, -inf elsewhere

    def inputs(self, query: Tensor, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Queries, keys and values of each block of each plane: (planes * blocks, 1, pixels, d)."""
        return self.queries(query), self.keys(key), self.keys(value)

    def queries(self, picture: Tensor) -> Tensor:
        """Cut the blocks' queries out of a tensor (B, heads, rows, cols, d)."""
        return _cut(picture, self._of_queries())

    def keys(self, picture: Tensor) -> Tensor:
        """Cut the blocks' keys out of a tensor (B, heads, rows, cols, d)."""
        return _cut(picture, self._of_keys())

    def weights(self, query: Tensor, key: Tensor) -> Tensor:
        """The softmax weights of each block, (planes * blocks, 1, queries, keys)."""
        scores = self.queries(query) @ self.keys(key).transpose(-1, -2)
        return scores.mul_(query.shape[-1] ** -0.5).add_(self.mask).softmax(-1)

    def squared_distances(self) -> Tensor:
        """Squared distances from each query to each key, in squared pixels, (queries, keys)."""
        down, across = self.down.squared_distances(), self.across.squared_distances()
        return (down[:, None, :, None] + across[None, :, None, :]).flatten(2).flatten(0, 1)

    def put(self, picture: Tensor, found: Tensor) -> None:
        """Write the results of the queries at their positions in `picture`."""
        for (rows, cols), block in zip(self._of_queries(), self._apart(picture, found), strict=True):
            picture[:, :, rows, cols] = block.unflatten(2, (self.down.size, self.across.size))

    def add(self, picture: Tensor, found: Tensor) -> None:
        """Add the results of the keys at their positions in `picture`."""
        for (rows, cols), block in zip(self._of_keys(), self._apart(picture, found), strict=True):
            picture[:, :, rows, cols] += block.unflatten(2, (self.down.keys, self.across.keys))

    def _apart(self, picture: Tensor, found: Tensor) -> tuple[Tensor, ...]:
        return found.view(*picture.shape[:2], len(self.places), *found.shape[2:]).unbind(2)

    def _of_queries(self) -> list[tuple[slice, slice]]:
        return [
            (_slice(self.down.begins[row], self.down.size), _slice(self.across.begins[col], self.across.size))
            for row, col in self.places
        ]

    def _of_keys(self) -> list[tuple[slice, slice]]:
        return [
            (_slice(self.down.starts[row], self.down.keys), _slice(self.across.starts[col], self.across.keys))
            for row, col in self.places
        ]


def _slice(begin: int, size: int) -> slice:
    return slice(begin, begin + size)


def _cut(picture: Tensor, spans: list[tuple[slice, slice]]) -> Tensor:
    """Cut the spans out of (B, heads, rows, cols, d), as a contiguous (planes * spans, 1, pixels, d)."""
    parts = torch.stack([picture[:, :, rows, cols] for rows, cols in spans], dim=2)
    return parts.flatten(3, 4).flatten(0, 2)[:, None]


def calls(query: Tensor, window: int, interrupt: Callable[[], None] | None) -> Iterator[Blocks]:
    """Yield all blocks of the picture, a bounded number of scores at a time; `interrupt` is called before each step."""
    batch, heads, height, width, _ = query.shape
    # Small blocks compute fewer masked scores, which suits a CPU; an accelerator is faster with fewer, larger products.
    side = 8 if query.device.type == "cpu" else 16
    room = _CALL_ELEMENTS.get(query.device.type, _CALL_ELEMENTS_ELSEWHERE)
    for down, across in itertools.product(_Alike.cut(height, window, side), _Alike.cut(width, window, side)):
        allowed = (down.allowed[:, None, :, None] & across.allowed[None, :, None, :]).flatten(2).flatten(0, 1)
        mask = torch.zeros(allowed.shape, dtype=query.dtype).masked_fill_(~allowed, -torch.inf).to(query.device)
        places = list(itertools.product(range(len(down.begins)), range(len(across.begins))))
        step = max(1, room // (batch * heads * mask.numel()))
        for begin in range(0, len(places), step):
            if interrupt is not None:
                interrupt()
            yield Blocks(down, across, places[begin : begin + step], mask)
