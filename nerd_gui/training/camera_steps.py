"""The steps from the light on a sensor to the values of a file, for batches of pictures (B, C, rows, cols)."""

from copy import copy

import torch
import torch.nn.functional as F
from torch import Tensor

from nerd_gui.imaging.colour import FROM_YCC
from nerd_gui.training.grain import separably

#: Offset of the light in the tone curve's power, which keeps its slope finite at black.
_TOE = 0.003
#: Matrices from XYZ to the red, green and blue of four cameras' sensors, measured by Adobe and also used by Brooks et
#: al., “Unprocessing Images for Learned Raw Denoising”, 2019.
_FROM_XYZ = (
    ((1.0234, -0.2969, -0.2266), (-0.5625, 1.6328, -0.0469), (-0.0703, 0.2188, 0.6406)),
    ((0.4913, -0.0541, -0.0202), (-0.613, 1.3513, 0.2906), (-0.1564, 0.2151, 0.7183)),
    ((0.838, -0.263, -0.0639), (-0.2887, 1.0725, 0.2496), (-0.0627, 0.1427, 0.5438)),
    ((0.6596, -0.2079, -0.0562), (-0.4782, 1.3016, 0.1933), (-0.097, 0.1581, 0.5181)),
)
CAMERAS = len(_FROM_XYZ)
#: The matrix from linear sRGB to XYZ (IEC 61966-2-1).
_TO_XYZ = ((0.4124564, 0.3575761, 0.1804375), (0.2126729, 0.7151522, 0.072175), (0.0193339, 0.119192, 0.9503041))

#: Kernels that interpolate the missing colours of a pixel: green at red and blue pixels; red at green pixels, from left
#: and right, or from above and below; red at blue pixels. The first set is bilinear. The second adds a correction by
#: the gradient of the known colour (Malvar, He and Cutler, “High-quality linear interpolation for demosaicing of
#: Bayer-patterned color images”, 2004).
_BILINEAR = (
    ((0, 0, 0, 0, 0), (0, 0, 2, 0, 0), (0, 2, 0, 2, 0), (0, 0, 2, 0, 0), (0, 0, 0, 0, 0)),
    ((0, 0, 0, 0, 0), (0, 0, 0, 0, 0), (0, 4, 0, 4, 0), (0, 0, 0, 0, 0), (0, 0, 0, 0, 0)),
    ((0, 0, 0, 0, 0), (0, 0, 4, 0, 0), (0, 0, 0, 0, 0), (0, 0, 4, 0, 0), (0, 0, 0, 0, 0)),
    ((0, 0, 0, 0, 0), (0, 2, 0, 2, 0), (0, 0, 0, 0, 0), (0, 2, 0, 2, 0), (0, 0, 0, 0, 0)),
)
_CORRECTED = (
    ((0, 0, -1, 0, 0), (0, 0, 2, 0, 0), (-1, 2, 4, 2, -1), (0, 0, 2, 0, 0), (0, 0, -1, 0, 0)),
    ((0, 0, 0.5, 0, 0), (0, -1, 0, -1, 0), (-1, 4, 5, 4, -1), (0, -1, 0, -1, 0), (0, 0, 0.5, 0, 0)),
    ((0, 0, -1, 0, 0), (0, -1, 4, -1, 0), (0.5, 0, 5, 0, 0.5), (0, -1, 4, -1, 0), (0, 0, -1, 0, 0)),
    ((0, 0, -1.5, 0, 0), (0, 2, 0, 2, 0), (-1.5, 0, 6, 0, -1.5), (0, 2, 0, 2, 0), (0, 0, -1.5, 0, 0)),
)
BILINEAR, CORRECTED, DIRECTED = range(3)


def toned(light: Tensor, gamma: Tensor, contrast: Tensor) -> Tensor:
    """Apply the tone curve to light in [0, 1]: a power with a linear toe, then an S curve. Values are in [0, 1].

    Parameters
    ----------
    gamma : Tensor (B,)
        The exponent is 1 / gamma; 2.4 is close to sRGB's curve.
    contrast : Tensor (B,)
        Slope of the S curve at mid-grey; 1: no S curve.
    """
    power = _each(1 / gamma)
    value = ((light + _TOE) ** power - _TOE**power) / ((1 + _TOE) ** power - _TOE**power)
    return _bent(value, _each(contrast))


def lit(value: Tensor, gamma: Tensor, contrast: Tensor) -> Tensor:
    """Invert `toned`: return the light in [0, 1] for these values."""
    power = _each(1 / gamma)
    straight = _bent(value, 1 / _each(contrast))
    light = (straight * ((1 + _TOE) ** power - _TOE**power) + _TOE**power) ** (1 / power) - _TOE
    return light.clamp(0, 1)  # rounding may make black negative, and a variance of noise must not be


def slope_of_tone(gamma: Tensor, contrast: Tensor) -> tuple[Tensor, Tensor]:
    """Return the light of mid-grey (B,), and the slope of `toned` there (B,)."""
    power = 1 / gamma
    span = (1 + _TOE) ** power - _TOE**power
    shifted = (0.5 * span + _TOE**power) ** gamma
    return shifted - _TOE, contrast * power * shifted ** (power - 1) / span


def _bent(value: Tensor, slope: Tensor) -> Tensor:
    value = value.clamp(0, 1)
    up, down = value**slope, (1 - value) ** slope
    return up / (up + down)


def _each(numbers: Tensor) -> Tensor:
    """Reshape one number per picture, (B,), for broadcasting."""
    return numbers[:, None, None, None]


def sensor_matrix(weights: Tensor) -> Tensor:
    """Make matrices (B, 3, 3) from linear sRGB to a sensor's balanced colours; rows sum to 1, so that grey stays grey.

    Parameters
    ----------
    weights : Tensor (B, 4)
        Weights of the four cameras, with sum 1.
    """
    matrices = torch.tensor(_FROM_XYZ, device=weights.device) @ torch.tensor(_TO_XYZ, device=weights.device)
    matrices = matrices / matrices.sum(2, keepdim=True)
    return torch.einsum("bk,kij->bij", weights, matrices)


def mixed(pictures: Tensor, matrix: Tensor) -> Tensor:
    """Multiply the colours of pictures (B, 3, rows, cols) by a matrix (3, 3) or (B, 3, 3)."""
    result: Tensor = (matrix @ pictures.flatten(2)).unflatten(2, pictures.shape[2:])
    return result


def to_ycc(pictures: Tensor) -> Tensor:
    """Convert RGB to Y, Cb and Cr; Cb and Cr are 0 for grey."""
    return mixed(pictures, torch.tensor(FROM_YCC).inverse().to(pictures))


class Mosaic:
    """The masks (B, 1, rows, cols) of the red, green and blue pixels of a Bayer sensor, with values 0 and 1.

    Parameters
    ----------
    phase : Tensor (2, B)
        The first row and column with red pixels, 0 or 1.
    """

    def __init__(self, phase: Tensor, rows: int, cols: int) -> None:
        down = (torch.arange(rows, device=phase.device) - phase[0][:, None]) % 2 == 0
        across = (torch.arange(cols, device=phase.device) - phase[1][:, None]) % 2 == 0
        down, across = down[:, None, :, None], across[:, None, None, :]
        self.red = (down & across).float()
        self.blue = (~down & ~across).float()
        self.green_by_red = (down & ~across).float()  # in a row with red ones
        self.green_by_blue = (~down & across).float()

    def twice(self) -> "Mosaic":
        """Repeat the masks for a batch that contains all pictures twice."""
        other = copy(self)
        for name, mask in vars(self).items():
            setattr(other, name, mask.repeat(2, 1, 1, 1))
        return other

    @property
    def green(self) -> Tensor:
        """The mask of all green pixels."""
        return self.green_by_red + self.green_by_blue

    def seen(self, pictures: Tensor) -> Tensor:
        """Select from RGB pictures the colour that each pixel records, (B, 1, rows, cols)."""
        return pictures[:, :1] * self.red + pictures[:, 1:2] * self.green + pictures[:, 2:] * self.blue


def demosaicked(seen: Tensor, mosaic: Mosaic, kind: Tensor) -> Tensor:
    """Demosaick a sensor's values (B, 1, rows, cols) to pictures (B, 3, rows, cols).

    Parameters
    ----------
    kind : Tensor (B,)
        `BILINEAR`, `CORRECTED` (Malvar, He and Cutler) or `DIRECTED` (Hamilton and Adams: green is interpolated along
        edges, red and blue by their difference from green). The outer 3 pixels are wrong.
    """
    kernels = torch.tensor((*_BILINEAR, *_CORRECTED), device=seen.device)[:, None] / 8
    lacking = F.conv2d(seen, kernels, padding=2)
    kind = _each(kind)
    cross, across, down, diagonal = torch.where(kind == BILINEAR, lacking[:, :4], lacking[:, 4:]).split(1, 1)
    red_or_blue = mosaic.red + mosaic.blue
    straight = torch.cat(
        [
            mosaic.red * seen + mosaic.green_by_red * across + mosaic.green_by_blue * down + mosaic.blue * diagonal,
            mosaic.green * seen + red_or_blue * cross,
            mosaic.blue * seen + mosaic.green_by_blue * across + mosaic.green_by_red * down + mosaic.red * diagonal,
        ],
        1,
    )
    return torch.where(kind == DIRECTED, _directed(seen, mosaic), straight)


def _directed(seen: Tensor, mosaic: Mosaic) -> Tensor:
    above, left = _around(seen, 1, 2), _around(seen, 1, 3)
    bend_down, bend_across = 2 * seen - sum(_around(seen, 2, 2)), 2 * seen - sum(_around(seen, 2, 3))
    rough_down = (above[0] - above[1]).abs() + bend_down.abs()
    rough_across = (left[0] - left[1]).abs() + bend_across.abs()
    by_rows, by_cols = sum(above) / 2 + bend_down / 4, sum(left) / 2 + bend_across / 4
    green = torch.where(rough_down < rough_across, by_rows, by_cols)
    green = torch.where(mosaic.green > 0, seen, green)
    difference = seen - green
    spread = torch.cat([difference * mosaic.red, difference * mosaic.blue], 1)
    for dim in (2, 3):  # bilinear interpolation: neighbours contribute with weight 1/2
        spread = spread + sum(_around(spread, 1, dim)) / 2
    red, blue = spread.split(1, 1)
    return torch.cat([green + red, green, green + blue], 1)


def _around(pictures: Tensor, distance: int, dim: int) -> tuple[Tensor, Tensor]:
    """The pixels at a distance before and after along a dimension, with periodic borders."""
    return pictures.roll(distance, dim), pictures.roll(-distance, dim)


def blurred(pictures: Tensor, width: Tensor) -> Tensor:
    """Blur with a Gaussian kernel of 7x7 pixels and standard deviation `width` (B,); borders are replicated."""
    reach = 3
    offsets = torch.arange(-reach, reach + 1, device=pictures.device)
    kernel = torch.exp(-0.5 * (offsets / width[:, None, None]) ** 2)
    kernel = kernel / kernel.sum(2, keepdim=True)
    return separably(F.pad(pictures, [reach] * 4, mode="replicate"), kernel, kernel)


def smoothed(planes: Tensor, strength: Tensor, tolerance: Tensor, distances: tuple[int, ...]) -> Tensor:
    """Simulate a camera's own light, edge-preserving denoising; borders are periodic.

    Parameters
    ----------
    planes : Tensor (B, C, rows, cols)
        All planes together determine the edges.
    strength : Tensor (B,)
        0: no effect, 1: full effect.
    tolerance : Tensor (B,)
        Differences much larger than this count as edges.
    distances : tuple of int
        For each distance, a bilateral filter of 3x3 pixels at this spacing is applied.
    """
    least = _each(tolerance.clamp(min=1e-4).square())
    result = planes
    for distance in distances:
        rows = [result.roll(shift, 2) for shift in (-distance, 0, distance)]
        total, weight = result.clone(), torch.ones_like(result[:, :1])
        for down in range(3):
            for across in range(3):
                if down == across == 1:
                    continue
                other = rows[down].roll((across - 1) * distance, 3)
                apart = other - result
                near = least / ((apart * apart).sum(1, keepdim=True) + least)
                total.addcmul_(near, other)
                weight += near
        result = total / weight
    return torch.lerp(planes, result, _each(strength))


def resampling(scale: Tensor, soft: Tensor, source: int, target: int) -> Tensor:
    """Matrices (B, target, source) that give a row of pixels another scale, around its middle.

    Parameters
    ----------
    scale : Tensor (B,)
        Pixels of the result for one of the source; 1 takes the middle as it is.
    soft : Tensor (B,)
        From 0, Keys' cubic kernel, to 1, a triangle. Both are as wide as the coarser of the two grids.
    """
    step = (1 / scale)[:, None]
    first = ((source - target * step) / 2).floor() + (step - 1) / 2
    places = first + torch.arange(target, device=scale.device) * step  # (B, target)
    distance = (torch.arange(source, device=scale.device) - places[..., None]).abs() / step.clamp(min=1)[..., None]
    inner, outer = 1.5 * distance**3 - 2.5 * distance**2 + 1, -0.5 * distance**3 + 2.5 * distance**2 - 4 * distance + 2
    cubic = torch.where(distance < 1, inner, torch.where(distance < 2, outer, 0))
    weights = torch.lerp(cubic, (1 - distance).clamp(min=0), soft[:, None, None])
    return weights / weights.sum(2, keepdim=True)
