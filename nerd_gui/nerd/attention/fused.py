"""Neighbourhood attention by PyTorch's fused kernels, for accelerators: they do not write scores to memory.

`dense_attention` is one `scaled_dot_product_attention` over all pixels of a patch, with a mask if the window is smaller
than the patch. `flex_attention` is FlexAttention, which skips the blocks of keys that a block of queries does not see.
For it, pixels are reordered so that a block of 128 pixels is a rectangle of 8 x 16, which sees few others. Neither
can be differentiated twice.
"""

import functools
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.nn.attention import flex_attention as flex

from nerd_gui.nerd.attention.blocks import attention_by_blocks
from nerd_gui.nerd.attention.window import allowed_keys, window_offsets

#: Rows and columns of the rectangle of pixels that is one block of FlexAttention.
_SIDES = 8, 16
_BLOCK = _SIDES[0] * _SIDES[1]
_KERNELS = 64
#: The position given to padding keys in blocks at the border: no window reaches that far.
_NOWHERE = -(1 << 24)


def sees_all(rows: int, cols: int, window: int) -> bool:
    """Whether the window of every pixel covers the whole picture."""
    first, last = window_offsets(window)
    return max(rows, cols) - 1 <= min(-first, last)


def dense_attention(query: Tensor, key: Tensor, value: Tensor, window: int) -> Tensor:
    """Compute `neighbourhood_attention` in the inputs' precision; the mask grows with the square of the pixels."""
    rows, cols = query.shape[2:4]
    mask = None
    if not sees_all(rows, cols, window):
        device = query.device
        down, across = (
            allowed_keys(torch.arange(size, device=device), torch.arange(size, device=device), window)
            for size in (rows, cols)
        )
        mask = (down[:, None, :, None] & across[None, :, None, :]).flatten(2).flatten(0, 1)
    queries, keys, values = (tensor.flatten(2, 3) for tensor in (query, key, value))
    attended: Tensor = F.scaled_dot_product_attention(queries, keys, values, attn_mask=mask).unflatten(2, (rows, cols))
    return attended


def flex_attention(query: Tensor, key: Tensor, value: Tensor, window: int) -> Tensor:
    """Compute `neighbourhood_attention` in the precision of the inputs, which must be on an accelerator."""
    rows, cols = query.shape[2:4]
    mask = block_mask(rows, cols, window, str(query.device))
    queries, keys, values = (_to_blocks(tensor) for tensor in (query, key, value))
    return _from_blocks(_attend(queries, keys, values, mask), rows, cols)


def _attend(query: Tensor, key: Tensor, value: Tensor, mask: flex.BlockMask) -> Tensor:
    # Within torch.compile, the function itself must be called, not a compiled one.
    attend = flex.flex_attention if torch.compiler.is_compiling() else _compiled()
    attended: Tensor = attend(query, key, value, block_mask=mask)
    return attended


@functools.cache
def _compiled() -> Any:
    # Each size, precision and gradient needs a kernel of its own. Beyond the limit, PyTorch falls back on uncompiled
    # code, which holds all scores at once.
    torch._dynamo.config.recompile_limit = max(_KERNELS, torch._dynamo.config.recompile_limit)
    return torch.compile(flex.flex_attention)


def _to_blocks(picture: Tensor) -> Tensor:
    """(B, heads, rows, cols, d) -> (B, heads, pixels, d), block by block; blocks at the border are padded."""
    height, width = _SIDES
    rows, cols = picture.shape[2:4]
    filled = F.pad(picture, (0, 0, 0, -cols % width, 0, -rows % height))
    attended: Tensor = filled.unflatten(3, (-1, width)).unflatten(2, (-1, height)).transpose(3, 4).flatten(2, 5)
    return attended


def _from_blocks(pixels: Tensor, rows: int, cols: int) -> Tensor:
    height, width = _SIDES
    blocks = pixels.unflatten(2, (-(-rows // height), -(-cols // width), height, width))
    attended: Tensor = blocks.transpose(3, 4).flatten(4, 5).flatten(2, 3)[:, :, :rows, :cols]
    return attended


_masks: dict[tuple[int, int, int, str], flex.BlockMask] = {}


def block_mask(rows: int, cols: int, window: int, device: str) -> flex.BlockMask:
    """Make the mask that says which blocks of keys each block of queries sees, in part or whole; masks are cached."""
    key = rows, cols, window, device
    if key not in _masks:
        while len(_masks) >= 8:
            _masks.pop(next(iter(_masks)))
        _masks[key] = _make_block_mask(rows, cols, window, torch.device(device))
    return _masks[key]


@torch.no_grad()
def _make_block_mask(rows: int, cols: int, window: int, device: torch.device) -> flex.BlockMask:
    first, last = window_offsets(window)
    axes = [_Axis(size, length, window) for size, length in zip((rows, cols), _SIDES, strict=True)]
    some, whole = (
        (down[:, None, :, None] & across[None, :, None, :]).flatten(2).flatten(0, 1).to(device)
        for down, across in zip(*((axis.some, axis.whole) for axis in axes), strict=True)
    )
    query_row, key_row, query_col, key_col = (tensor.to(device) for tensor in _positions(axes[0], axes[1]))

    def sees(batch: Tensor, head: Tensor, query: Tensor, key: Tensor) -> Tensor:
        down, across = key_row[key] - query_row[query], key_col[key] - query_col[query]
        return (down >= first) & (down <= last) & (across >= first) & (across <= last)

    pixels = some.shape[0] * _BLOCK
    return flex.BlockMask.from_kv_blocks(
        *_listed(some & ~whole), *_listed(whole), BLOCK_SIZE=_BLOCK, mask_mod=sees, seq_lengths=(pixels, pixels)
    )


def _listed(blocks: Tensor) -> tuple[Tensor, Tensor]:
    """Convert a mask (query blocks, key blocks) to the counts and the indices of visible key blocks, visible first."""
    counts = blocks.sum(-1, dtype=torch.int32)
    order = blocks.to(torch.int8).argsort(dim=-1, descending=True, stable=True).to(torch.int32)
    return counts[None, None], order.contiguous()[None, None]


class _Axis:
    """Blocks along one axis: the positions of queries and keys, and which blocks see each other in part or whole.

    Padding queries get the position of the last real query, so that they see some key and their softmax is not NaN.
    """

    def __init__(self, size: int, length: int, window: int) -> None:
        place = torch.arange(-(-size // length) * length, dtype=torch.int32)
        self.queries = place.clamp(max=size - 1)
        self.keys = torch.where(place < size, place, _NOWHERE)
        allowed = allowed_keys(self.queries, self.keys, window).unflatten(1, (-1, length)).unflatten(0, (-1, length))
        self.some, self.whole = allowed.any(3).any(1), allowed.all(3).all(1)


def _positions(down: _Axis, across: _Axis) -> list[Tensor]:
    """The rows of all queries and keys, and their columns, in block order."""
    height, width = len(down.queries), len(across.queries)
    pictures = [
        *(rows[:, None].expand(height, width) for rows in (down.queries, down.keys)),
        *(cols[None, :].expand(height, width) for cols in (across.queries, across.keys)),
    ]
    return [_to_blocks(picture[None, None, :, :, None])[0, 0, :, 0].contiguous() for picture in pictures]


@functools.cache
def flex_unavailable(device: str) -> str | None:
    """Compare FlexAttention with `attention_by_blocks` on a device; return why it cannot be used, or None if it can."""
    if not device.startswith("cuda"):
        return f"FlexAttention is not used on {device}"
    generator = torch.Generator().manual_seed(0)
    try:
        query, key, value = torch.randn(3, 1, 2, 20, 37, 32, generator=generator).to(device)
        with torch.no_grad(), torch.autocast("cuda", enabled=False):
            difference = flex_attention(query, key, value, 9) - attention_by_blocks(query, key, value, 9)
    except Exception as error:  # noqa: BLE001 - the compiler raises whatever its parts do
        return f"FlexAttention does not work here ({' '.join(str(error).split())[:200]})"
    worst = float(difference.abs().max())
    return None if worst < 1e-2 else f"the result of FlexAttention is off by {worst:.1g}"
