"""What a JPEG file makes of a picture: 8x8 cosine transforms, rounded by the quality's tables, on the device."""

import math

import torch
from torch import Tensor

from nerd_gui.imaging.colour import FROM_YCC

#: Steps at quality 50 of luma and of colour: ITU-T T.81, Tables K.1 and K.2, the ones that libjpeg and so Pillow use.
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
    """The orthonormal cosine transform of 8 values, as a matrix."""
    frequency, place = torch.meshgrid(torch.arange(8.0), torch.arange(8.0), indexing="ij")
    matrix = torch.cos((2 * place + 1) * frequency * math.pi / 16) / 2
    matrix[0] /= math.sqrt(2)
    return matrix.to(device)


def steps(quality: Tensor) -> Tensor:
    """The tables (B, 2, 8, 8) of luma and of colour for qualities (B,) from 1 to 100, as libjpeg scales them."""
    scale = torch.where(quality < 50, 5000 // quality, 200 - 2 * quality)
    tables = torch.tensor((_LUMA, _COLOUR), device=quality.device)
    return ((tables * scale[:, None, None, None] + 50) // 100).clamp(1, 255)


def compressed(pictures: Tensor, quality: Tensor, corner: Tensor) -> Tensor:
    """Pictures after a JPEG file, colour without subsampling; 8 bits, in [0, 1].

    Parameters
    ----------
    pictures : Tensor (B, 1 or 3, rows, cols), in [0, 1]
    quality : Tensor (B,)
        Whole numbers from 1 to 100, the scale of libjpeg.
    corner : Tensor (2, B)
        From 0 to 7: the row and column of an 8x8 block that a picture's first pixel falls on. What a block lacks is
        filled with the picture's border.

    Notes
    -----
    libjpeg's transforms are in whole numbers: a coefficient halfway between two steps may be rounded otherwise, in 8 %
    of a textured picture's blocks at quality 95, in fewer at others. All other blocks agree to one level.
    """
    count, channels, rows, cols = pictures.shape
    device = pictures.device
    sample = torch.arange(count, device=device)[:, None, None]

    def places(size: int, first: Tensor) -> tuple[Tensor, Tensor]:
        """Of the blocks' pixels in the picture, and of the picture's pixels in the blocks."""
        blocks = torch.arange((size + 14) // 8 * 8, device=device) - first[:, None]
        return blocks.clamp(0, size - 1), torch.arange(size, device=device) + first[:, None]

    down, back_down = places(rows, corner[0])
    across, back_across = places(cols, corner[1])
    levels = (pictures * 255).round().movedim(1, -1)  # (B, rows, cols, C)
    from_ycc = torch.tensor(FROM_YCC)
    if channels == 3:  # both differences of colour are 0 for grey here, 128 in a file
        levels = (levels @ from_ycc.inverse().T.to(levels)).round()
    middle = torch.tensor([128, 0, 0][:channels], device=device)
    levels = levels[sample, down[:, :, None], across[:, None, :]] - middle  # (B, 8 m, 8 n, C)
    blocks = levels.unflatten(2, (-1, 8)).unflatten(1, (-1, 8)).permute(0, 1, 3, 5, 2, 4)  # (B, m, n, C, 8, 8)
    transform = _transform(device)
    table = steps(quality)[:, [0, 1, 1][:channels]][:, None, None].to(levels.dtype)
    # As libjpeg rounds: in eighths, then halves of a step away from 0.
    eighths = (8 * (transform @ blocks @ transform.T)).round()
    rounded = eighths.sign() * ((eighths.abs() + 4 * table) / (8 * table)).floor() * table
    blocks = (transform.T @ rounded @ transform).round()
    levels = blocks.permute(0, 1, 4, 2, 5, 3).flatten(3, 4).flatten(1, 2) + middle
    levels = levels[sample, back_down[:, :, None], back_across[:, None, :]]
    if channels == 3:
        levels = (levels.clamp(middle - 128, middle + 127) @ from_ycc.T.to(levels)).round()
    return levels.clamp(0, 255).movedim(-1, 1) / 255
