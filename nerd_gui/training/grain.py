"""What models of noise are made of: grains with a kernel, with colour, and their strength in the light of a sensor."""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from nerd_gui.imaging.colour import FROM_YCC

#: Between the linear light that a sensor counts and the values in a file: value = light ** (1 / 2.2).
_GAMMA = 2.2
_MIDDLE = 0.5**_GAMMA  # light of mid-grey
_SLOPE = _MIDDLE ** (1 / _GAMMA - 1) / _GAMMA  # d value / d light there
#: Pixels that the kernel of correlated noise extends to each side, if nothing else is said.
REACH = 3


class NoisyPatches(NamedTuple):
    """What a model of noise makes of clean patches.

    Attributes
    ----------
    noisy : Tensor (B, C, rows, cols)
        What a network is given.
    target : Tensor (B, C, rows, cols)
        What it is to give back.
    sigma : Tensor (B,)
        The noise level of each, 0-255 scale; what exactly is measured is the model's.
    """

    noisy: Tensor
    target: Tensor
    sigma: Tensor

    @property
    def level(self) -> Tensor:
        """What a network is told of the noise, (B,): standard deviation of noisy - target over all channels, 0-255."""
        return 255 * (self.noisy - self.target).std((1, 2, 3))


def exposed(clean: Tensor, grain: Tensor, sigma: Tensor, read: Tensor) -> Tensor:
    """Patches with Poisson-Gaussian noise, (B, C, rows, cols) in [0, 1].

    Parameters
    ----------
    grain : Tensor, shape of `clean`
        Noise of unit variance.
    sigma, read : Tensor (B,)
        Standard deviation at mid-grey in the file's values, 0-255 scale, and the read-out's share of the variance.
    """
    light = clean**_GAMMA
    variance = ((sigma / 255 / _SLOPE) ** 2)[:, None, None, None]
    share = read[:, None, None, None]
    scale = (variance * ((1 - share) * light / _MIDDLE + share)).sqrt()
    noisy: Tensor = (light + scale * grain).clamp(0, 1) ** (1 / _GAMMA)
    return noisy


def correlated(white: Tensor, down: Tensor, across: Tensor, *, reach: int = REACH) -> Tensor:
    """White noise under a Gaussian kernel that keeps its variance; each side gets `reach` pixels smaller.

    Parameters
    ----------
    white : Tensor (B, C, rows + 2 reach, cols + 2 reach)
    down, across : Tensor (B, C)
        Standard deviations of the kernel in pixels; 0 leaves the noise white.
    """
    offsets = torch.arange(-reach, reach + 1, device=white.device)

    def kernel(width: Tensor) -> Tensor:
        weights: Tensor = torch.exp(-0.5 * (offsets / width.clamp(min=0.05)[..., None]) ** 2)
        weights = weights / weights.norm(dim=-1, keepdim=True)
        return weights

    return separably(white, kernel(down), kernel(across))


def separably(planes: Tensor, down: Tensor, across: Tensor) -> Tensor:
    """Each plane of planes (B, C, rows, cols) under kernels (B, C, taps) of its own, inside alone."""
    return _sliding(down, planes.shape[2]) @ planes @ _sliding(across, planes.shape[3]).mT


def _sliding(kernels: Tensor, length: int) -> Tensor:
    """Matrices (..., length - taps + 1, length) with a kernel (..., taps) at every place."""
    taps = kernels.shape[-1]
    places = length - taps + 1
    rows = F.pad(kernels, (0, places))[..., None, :].expand(*kernels.shape[:-1], places, length + 1)
    # Each row begins one further on than the one before.
    matrices: Tensor = rows.flatten(-2)[..., : places * length].unflatten(-1, (places, length))
    return matrices


def tinted(planes: Tensor, share: Tensor) -> Tensor:
    """Noise of red, green and blue from that of luma and the two differences of colour; both (B, 3, rows, cols).

    Parameters
    ----------
    planes : Tensor (B, 3, rows, cols)
        Noise of unit variance of Y, Cb and Cr.
    share : Tensor (B,)
        Standard deviation of Cb and Cr over that of Y. The three channels' mean variance is 1 in the end.
    """
    mix = torch.tensor(FROM_YCC, device=planes.device) * torch.stack([torch.ones_like(share), share, share], 1)[:, None]
    mix = mix / mix.square().sum(2).mean(1).sqrt()[:, None, None]  # (B, 3, 3)
    return torch.einsum("brc,bcij->brij", mix, planes)
