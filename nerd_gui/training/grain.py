"""Building blocks of noise models: correlated and coloured grains, and their strength in linear light."""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from nerd_gui.imaging.colour import FROM_YCC

#: Exponent between linear light and the values in a file: value = light ** (1 / 2.2).
_GAMMA = 2.2
_MIDDLE = 0.5**_GAMMA  # light of mid-grey
_SLOPE = _MIDDLE ** (1 / _GAMMA - 1) / _GAMMA  # d value / d light there
#: Default radius in pixels of the kernel of correlated noise.
REACH = 3


class NoisyPatches(NamedTuple):
    """Noisy patches that a noise model makes, with their targets.

    Attributes
    ----------
    noisy : Tensor (B, C, rows, cols)
        The input of the network.
    target : Tensor (B, C, rows, cols)
        The wanted output of the network.
    sigma : Tensor (B,)
        The noise level of each patch, 0-255 scale; each model defines how it is measured.
    """

    noisy: Tensor
    target: Tensor
    sigma: Tensor

    @property
    def level(self) -> Tensor:
        """Input of networks with level input, (B,): standard deviation of noisy - target over all channels, 0-255."""
        return 255 * (self.noisy - self.target).std((1, 2, 3))


def exposed(clean: Tensor, grain: Tensor, sigma: Tensor, read: Tensor) -> Tensor:
    """Add Poisson-Gaussian noise to patches, (B, C, rows, cols) in [0, 1].

    Parameters
    ----------
    grain : Tensor, shape of `clean`
        Noise of unit variance.
    sigma, read : Tensor (B,)
        Standard deviation at mid-grey in the file's values, 0-255 scale, and the read-out noise's share of the
        variance.
    """
    light = clean**_GAMMA
    variance = ((sigma / 255 / _SLOPE) ** 2)[:, None, None, None]
    share = read[:, None, None, None]
    scale = (variance * ((1 - share) * light / _MIDDLE + share)).sqrt()
    noisy: Tensor = (light + scale * grain).clamp(0, 1) ** (1 / _GAMMA)
    return noisy


def correlated(white: Tensor, down: Tensor, across: Tensor, *, reach: int = REACH) -> Tensor:
    """Filter white noise with a Gaussian kernel that keeps its variance; `reach` pixels are cut off at each border.

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
    """Filter each plane of (B, C, rows, cols) with its own separable kernels (B, C, taps), without padding."""
    return _sliding(down, planes.shape[2]) @ planes @ _sliding(across, planes.shape[3]).mT


def _sliding(kernels: Tensor, length: int) -> Tensor:
    """Make the matrices (..., length - taps + 1, length) of convolutions with kernels (..., taps)."""
    taps = kernels.shape[-1]
    places = length - taps + 1
    rows = F.pad(kernels, (0, places))[..., None, :].expand(*kernels.shape[:-1], places, length + 1)
    # The kernel is shifted by one in each row.
    matrices: Tensor = rows.flatten(-2)[..., : places * length].unflatten(-1, (places, length))
    return matrices


def tinted(planes: Tensor, share: Tensor) -> Tensor:
    """Convert noise in Y, Cb and Cr to noise in red, green and blue; both (B, 3, rows, cols).

    Parameters
    ----------
    planes : Tensor (B, 3, rows, cols)
        Noise of unit variance in Y, Cb and Cr.
    share : Tensor (B,)
        Ratio of the standard deviations of Cb and Cr to that of Y. The result is scaled so that the mean variance of
        its three channels is 1.
    """
    mix = torch.tensor(FROM_YCC, device=planes.device) * torch.stack([torch.ones_like(share), share, share], 1)[:, None]
    mix = mix / mix.square().sum(2).mean(1).sqrt()[:, None, None]  # (B, 3, 3)
    return torch.einsum("brc,bcij->brij", mix, planes)
