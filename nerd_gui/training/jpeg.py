"""Simulates JPEG compression on the device: 8x8 cosine transforms, quantised by the tables of a quality."""

import math

import torch
from torch import Tensor

from nerd_gui.imaging.colour import FROM_YCC

#: Quantisation tables of luma and colour at quality 50 (ITU-T T.81, Tables K.1 and K.2), as in libjpeg and Pillow.
_LUMA = (
    (16, 11, 10, 16, 24, 40, 51, 61),
    (12, 12, 14, 19, 26, 58, 60, 55),
    (14, 13, 16, 24, 40, 57, 69, 56),
    (14, 17, 22, 29, 51, 87, 80, 62),
    (18, 22, 37, 56, 68, 109, 103, 77),
    (24, 35, 55, 64, 81, 104, 113, 92),
    (49, 64, 78, 87, 103, 121, 120, 101),
    (72, 92, 95, 98, 112, 100, 103, 99),
)
_COLOUR = (
    (17, 18, 24, 47, 99, 99, 99, 99),
    (18, 21, 26, 66, 99, 99, 99, 99),
    (24, 26, 56, 99, 99, 99, 99, 99),
    (47, 66, 99, 99, 99, 99, 99, 99),
    *((99, 99, 99, 99, 99, 99, 99, 99),) * 4,
)


def _transform(device: torch.device) -> Tensor:
    """The matrix of the orthonormal cosine transform of 8 values."""
    frequency, place = torch.meshgrid(torch.arange(8.0), torch.arange(8.0), indexing="ij")
    matrix = torch.cos((2 * place + 1) * frequency * math.pi / 16) / 2
    matrix[0] /= math.sqrt(2)
    return matrix.to(device)


def steps(quality: Tensor) -> Tensor:
    """The tables (B, 2, 8, 8) of luma and of colour for qualities (B,) from 1 to 100, as libjpeg scales them."""
    scale = torch.where(quality < 50, 5000 // quality, 200 - 2 * quality)
    tables = torch.tensor((_LUMA, _COLOUR), device=quality.device)
    return ((tables * scale[:, None, None, None] + 50) // 100).clamp(1, 255)


def compressed(pictures: Tensor, quality: Tensor, corner: Tensor, halved: Tensor | None = None) -> Tensor:
    """Simulate saving pictures as JPEG files and reading them; values are 8-bit levels in [0, 1].

    Parameters
    ----------
    pictures : Tensor (B, 1 or 3, rows, cols), in [0, 1]
    quality : Tensor (B,)
        Whole numbers from 1 to 100 on libjpeg's scale.
    corner : Tensor (2, B)
        From 0 to 15: the position of the picture's first pixel in the grid of 8x8 blocks, or of 16x16 blocks for halved
        colour. Incomplete blocks are padded with the picture's border.
    halved : Tensor (B,) of bool, optional
        Pictures with halved colour resolution (4:2:0), which is scaled up with triangular weights, libjpeg's default.
        None: no picture (4:4:4).

    Notes
    -----
    libjpeg's transforms use integers. A coefficient halfway between two quantisation steps may be rounded differently,
    in 8 % of a textured picture's blocks at quality 95, and in fewer at other qualities. All other blocks agree to one
    level.
    """
    channels = pictures.shape[1]
    levels = (pictures * 255).round().movedim(1, -1)  # (B, rows, cols, C)
    from_ycc = torch.tensor(FROM_YCC)
    if channels == 3:  # Cb and Cr are 0 for grey here, but 128 in a file
        levels = (levels @ from_ycc.inverse().T.to(levels)).round()
    middle = torch.tensor([128, 0, 0][:channels], device=pictures.device)
    table = steps(quality).to(levels.dtype)
    blocks = _Blocks(levels.shape[1:3], corner % 8, 8)
    coded = blocks.cut(_coded(blocks.laid(levels - middle), table[:, [0, 1, 1][:channels]]))
    if halved is not None and channels == 3:
        coded[..., 1:] = torch.where(
            halved[:, None, None, None], _halved(levels[..., 1:], corner, table[:, [1, 1]]), coded[..., 1:]
        )
    levels = coded + middle
    if channels == 3:
        levels = (levels.clamp(middle - 128, middle + 127) @ from_ycc.T.to(levels)).round()
    return levels.clamp(0, 255).movedim(-1, 1) / 255


class _Blocks:
    """Pads pictures (B, rows, cols, C) to whole blocks; their first pixel is at `corner` (2, B) of a block."""

    def __init__(self, size: torch.Size, corner: Tensor, side: int) -> None:
        self._sample = torch.arange(corner.shape[1], device=corner.device)[:, None, None]
        # Indices of the blocks' pixels in the picture, and of the picture's pixels in the blocks.
        self._laid, self._cut = [], []
        for length, first in zip(size, corner, strict=True):
            whole = torch.arange((length + 2 * side - 2) // side * side, device=corner.device) - first[:, None]
            self._laid.append(whole.clamp(0, length - 1))
            self._cut.append(torch.arange(length, device=corner.device) + first[:, None])

    def laid(self, pictures: Tensor) -> Tensor:
        """Pad to whole blocks, (B, side m, side n, C), by replicating the picture's border."""
        down, across = self._laid
        return pictures[self._sample, down[:, :, None], across[:, None, :]]

    def cut(self, blocks: Tensor) -> Tensor:
        """Cut the pictures out of blocks (B, side m, side n, C)."""
        down, across = self._cut
        return blocks[self._sample, down[:, :, None], across[:, None, :]]


def _coded(levels: Tensor, table: Tensor) -> Tensor:
    """Transform levels (B, 8 m, 8 n, C), quantise them by tables (B, C, 8, 8), and transform back."""
    blocks = levels.unflatten(2, (-1, 8)).unflatten(1, (-1, 8)).permute(0, 1, 3, 5, 2, 4)  # (B, m, n, C, 8, 8)
    transform = _transform(levels.device)
    table = table[:, None, None]
    # Rounding as in libjpeg: first to eighths, then to steps, with halves away from 0.
    eighths = (8 * (transform @ blocks @ transform.T)).round()
    rounded = eighths.sign() * ((eighths.abs() + 4 * table) / (8 * table)).floor() * table
    blocks = (transform.T @ rounded @ transform).round()
    coded: Tensor = blocks.permute(0, 1, 4, 2, 5, 3).flatten(3, 4).flatten(1, 2)
    return coded


def _halved(colour: Tensor, corner: Tensor, table: Tensor) -> Tensor:
    """Simulate halved colour resolution (4:2:0) for Cb and Cr, (B, rows, cols, 2)."""
    blocks = _Blocks(colour.shape[1:3], corner, 16)
    laid = blocks.laid(colour)
    small = laid.unflatten(2, (-1, 2)).unflatten(1, (-1, 2)).sum((2, 4))
    # libjpeg rounds halves alternately up and down.
    turns = torch.arange(small.shape[2], device=colour.device)[:, None] % 2 + 1
    coded = _coded(((small + turns) / 4).floor(), table)
    for dim in (1, 2):  # triangular interpolation: weights 3 and 1
        length = coded.shape[dim]
        places = torch.arange(length, device=colour.device)
        before = coded.index_select(dim, (places - 1).clamp(min=0))
        after = coded.index_select(dim, (places + 1).clamp(max=length - 1))
        coded = torch.stack([3 * coded + before, 3 * coded + after], dim + 1).flatten(dim, dim + 1)
    # The sums are sixteenths; libjpeg again rounds halves alternately.
    turns = 8 - torch.arange(coded.shape[2], device=colour.device)[:, None] % 2
    return blocks.cut(((coded + turns) / 16).floor())
