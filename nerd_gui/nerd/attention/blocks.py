"""Neighbourhood attention in PyTorch's own words, for any device and precision.

Queries are cut into square tiles, and the keys that any query of a tile may see form one block, so that all the
arithmetic is batched matrix products. The score matrix of a whole picture (4.4 GB at 256x256 with the paper's settings)
never exists.
"""

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from nerd_gui.nerd.attention.window import allowed_keys, window_offsets

#: Scores held at once, in elements: on a processor small enough for its caches, elsewhere large enough to fill it.
_CHUNK_ELEMENTS = {"cpu": 1 << 19}
_CHUNK_ELEMENTS_ELSEWHERE = 1 << 26
#: Softmax weights kept for the backward pass, in bytes: those of training patches; a picture's are computed anew.
_KEPT_BYTES = 1 << 28


def attention_by_blocks(
    query: Tensor, key: Tensor, value: Tensor, window: int, interrupt: Callable[[], None] | None = None
) -> Tensor:
    """As `neighbourhood_attention`, in the precision of its inputs, which they share."""
    return _TiledAttention.apply(query, key, value, window, interrupt)


@dataclass(frozen=True)
class _Tile:
    """Along one axis: the queries [begin, begin + tile), and the keys from `start` that any of them sees."""

    begin: int
    start: int
    allowed: Tensor  # (tile, keys) bool

    @property
    def keys(self) -> int:
        return self.allowed.shape[1]

    @classmethod
    def cut(cls, size: int, window: int, tile: int) -> list["_Tile"]:
        first, last = window_offsets(window)
        tile = min(tile, size)
        tiles = []
        for begin in range(0, size, tile):
            # Queries past the border (the last tile is filled up) see what the last true one sees: nothing is NaN.
            queries = torch.arange(begin, begin + tile).clamp(max=size - 1)
            start, stop = max(begin + first, 0), min(int(queries[-1]) + last + 1, size)
            tiles.append(cls(begin, start, allowed_keys(queries, torch.arange(start, stop), window)))
        return tiles


class _TiledAttention(torch.autograd.Function):
    """Attention in query tiles; the backward pass takes the softmax as kept, or computes it anew if it is large."""

    @staticmethod
    def forward(
        ctx: Any, query: Tensor, key: Tensor, value: Tensor, window: int, interrupt: Callable[[], None] | None
    ) -> Tensor:
        ctx.save_for_backward(query, key, value)
        ctx.window = window
        ctx.kept = []
        room = _KEPT_BYTES if any(ctx.needs_input_grad) else 0
        out = torch.empty_like(value, memory_format=torch.contiguous_format)
        for chunk in _chunks(query, window):
            if interrupt is not None:
                interrupt()
            weights = chunk.weights(chunk.tiles(query), chunk.blocks(key))
            chunk.put_tiles(out, torch.bmm(weights, chunk.blocks(value)))
            room -= weights.numel() * weights.element_size()
            if room >= 0:
                ctx.kept.append(weights)
        return out

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor, Tensor, None, None]:
        (d_out,) = gradients
        query, key, value = ctx.saved_tensors
        d_query = torch.empty_like(query, memory_format=torch.contiguous_format)
        d_key = torch.zeros_like(key, memory_format=torch.contiguous_format)
        d_value = torch.zeros_like(value, memory_format=torch.contiguous_format)
        scale = query.shape[-1] ** -0.5
        # What was kept is a constant to autograd: a second derivative needs the softmax in its graph.
        kept = [] if torch.is_grad_enabled() else ctx.kept
        for index, chunk in enumerate(_chunks(query, ctx.window)):
            queries, keys, values, d_tiles = (
                chunk.tiles(query),
                chunk.blocks(key),
                chunk.blocks(value),
                chunk.tiles(d_out),
            )
            weights = kept[index] if index < len(kept) else chunk.weights(queries, keys)
            chunk.add_blocks(d_value, torch.bmm(weights.transpose(1, 2), d_tiles))
            d_weights = torch.bmm(d_tiles, values.transpose(1, 2))
            d_scores = torch._softmax_backward_data(d_weights, weights, -1, weights.dtype)
            chunk.put_tiles(d_query, torch.bmm(d_scores, keys) * scale)
            chunk.add_blocks(d_key, torch.bmm(d_scores.transpose(1, 2), queries) * scale)
        return d_query, d_key, d_value, None, None


@dataclass(frozen=True)
class _Chunk:
    """Some tiles of one row of tiles, which see equally many keys: one batch of matrix products."""

    down: _Tile
    across: list[_Tile]
    mask: Tensor  # (tiles, queries, keys), 0 where allowed, -inf elsewhere
    height: int
    width: int

    def weights(self, queries: Tensor, keys: Tensor) -> Tensor:
        """Softmax rows (Eq. 7) of every query of the chunk, shape (tiles * B * heads, queries, keys)."""
        scores = torch.bmm(queries * queries.shape[-1] ** -0.5, keys.transpose(1, 2))
        grouped = scores.view(self.mask.shape[0], -1, *scores.shape[1:])
        grouped += self.mask[:, None]
        return scores.softmax(-1)

    @property
    def _tile_size(self) -> tuple[int, int]:
        return self.down.allowed.shape[0], self.across[0].allowed.shape[0]

    def _tile_spans(self) -> Iterator[tuple[int, slice, slice]]:
        rows, cols = self._tile_size
        for slot, tile in enumerate(self.across):
            yield (
                slot,
                slice(self.down.begin, min(self.down.begin + rows, self.height)),
                slice(tile.begin, min(tile.begin + cols, self.width)),
            )

    def tiles(self, picture: Tensor) -> Tensor:
        """Cut the query tiles out of (B, heads, rows, cols, d): (tiles * B * heads, tile pixels, d)."""
        batch, heads, _, _, depth = picture.shape
        rows, cols = self._tile_size
        out = picture.new_zeros(len(self.across), batch, heads, rows, cols, depth)
        for slot, down, across in self._tile_spans():
            part = picture[:, :, down, across]
            out[slot, :, :, : part.shape[2], : part.shape[3]] = part
        return out.view(-1, rows * cols, depth)

    def put_tiles(self, picture: Tensor, tiles: Tensor) -> None:
        batch, heads, _, _, depth = picture.shape
        tiles = tiles.view(len(self.across), batch, heads, *self._tile_size, depth)
        for slot, down, across in self._tile_spans():
            picture[:, :, down, across] = tiles[slot, :, :, : down.stop - down.start, : across.stop - across.start]

    def _block_spans(self) -> Iterator[tuple[int, slice, slice]]:
        down = slice(self.down.start, self.down.start + self.down.keys)
        for slot, tile in enumerate(self.across):
            yield slot, down, slice(tile.start, tile.start + tile.keys)

    def blocks(self, picture: Tensor) -> Tensor:
        """Cut the key blocks out of (B, heads, rows, cols, d): (tiles * B * heads, block pixels, d)."""
        batch, heads, _, _, depth = picture.shape
        rows, cols = self.down.keys, self.across[0].keys
        out = picture.new_empty(len(self.across), batch, heads, rows, cols, depth)
        for slot, down, across in self._block_spans():
            out[slot] = picture[:, :, down, across]
        return out.view(-1, rows * cols, depth)

    def add_blocks(self, picture: Tensor, blocks: Tensor) -> None:
        batch, heads, _, _, depth = picture.shape
        blocks = blocks.view(len(self.across), batch, heads, self.down.keys, self.across[0].keys, depth)
        for slot, down, across in self._block_spans():
            picture[:, :, down, across] += blocks[slot]


def _chunks(query: Tensor, window: int) -> Iterator[_Chunk]:
    """Walk over the picture's tiles, a bounded number of scores at a time."""
    batch, heads, height, width, _ = query.shape
    # Small tiles waste fewer scores on the processor; an accelerator would rather have fewer, larger products.
    side = 8 if query.device.type == "cpu" else 16
    rows, cols = _Tile.cut(height, window, side), _Tile.cut(width, window, side)
    room = _CHUNK_ELEMENTS.get(query.device.type, _CHUNK_ELEMENTS_ELSEWHERE)
    for down in rows:
        for keys, equal in itertools.groupby(cols, key=lambda tile: tile.keys):
            tiles = list(equal)
            scores = batch * heads * down.allowed.numel() * tiles[0].allowed.shape[0] * keys
            step = max(1, room // scores)
            for begin in range(0, len(tiles), step):
                part = tiles[begin : begin + step]
                across = torch.stack([tile.allowed for tile in part])
                allowed = (down.allowed[None, :, None, :, None] & across[:, None, :, None, :]).flatten(3).flatten(1, 2)
                mask = torch.zeros(allowed.shape, dtype=query.dtype).masked_fill_(~allowed, -torch.inf)
                yield _Chunk(down, part, mask.to(query.device), height, width)
