"""The noise that networks are trained on: a frozen dataclass for each kind, which goes through a recipe's JSON.

Each has three methods: `side(patch)`, the side of the clean square that a patch of this side is made from;
`draw(clean, generator)`, which makes `NoisyPatches` of clean squares of that side; and `for_validation(clean)`, the
same for pictures that are compared over a whole run, always with the same noise. Levels are on the 0-255 scale.
"""

from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from nerd_gui.imaging.noise import add_noise
from nerd_gui.training.camera_chain import CameraChain
from nerd_gui.training.grain import REACH, NoisyPatches, correlated, exposed, tinted
from nerd_gui.training.jpeg import compressed


@dataclass(frozen=True)
class NoiseRange:
    """White Gaussian noise, neither clipped nor rounded (Sec. VII-A), its level drawn evenly from [low, high]."""

    kind: ClassVar[str] = "white"
    low: float
    high: float

    def side(self, patch: int) -> int:
        """That of the patch."""
        return patch

    def draw(self, clean: Tensor, generator: torch.Generator) -> NoisyPatches:
        """Noisy patches of clean (B, C, rows, cols) in [0, 1]; the target is the clean ones, sigma the level drawn."""
        uniform = torch.rand(len(clean), generator=generator, device=clean.device)
        sigma = self.low + (self.high - self.low) * uniform
        grain = torch.randn(clean.shape, generator=generator, device=clean.device)
        return NoisyPatches(clean + grain * (sigma[:, None, None, None] / 255), clean, sigma)

    def for_validation(self, clean: Tensor) -> NoisyPatches:
        """`clean` with noise of sigma 25, or of the highest level if that is none of the range; a seed for each."""
        sigma = 25.0 if self.low <= 25 <= self.high else self.high
        noisy = [torch.from_numpy(add_noise(one.numpy(), sigma, seed)) for seed, one in enumerate(clean)]
        return NoisyPatches(torch.stack(noisy), clean, torch.full((len(clean),), sigma))


@dataclass(frozen=True)
class CameraNoise:
    """Noise like that of a photo as a camera saves it.

    What is modelled: the sensor counts photons and is read out (Poisson-Gaussian, its normal approximation: variance
    a x + b of the linear light x, the light being value ** 2.2, a plain stand-in for a camera's tone curve); what is
    below black or above white is lost; demosaicking and the camera's own denoising leave grains of a pixel or two (one
    Gaussian kernel for each patch, wider along one axis than the other), in colour wider ones than in luma; the file is
    a JPEG of 8 bits, its 8x8 grid anywhere on the patch.

    What is not: the demosaicking itself, sharpening, local tone mapping, denoising that spares edges, patterns and
    stripes of a sensor, the subsampling of colour in a JPEG.

    Attributes
    ----------
    low, high : float
        The noise's standard deviation at mid-grey (128), in the values of the file before compression, is drawn evenly
        from here. That is by the slope of the tone curve; bent as it is, strong noise comes out stronger (16 by 7 %).
    read : float
        The read-out's share b / (a x + b) of the variance at mid-grey is drawn evenly from [0, read]. In the shadows it
        is all there is.
    blur : float
        Standard deviations of the kernel, in pixels, down and across, are drawn evenly from [0, blur].
    quality : int
        JPEG qualities are drawn evenly from quality ... 100.
    colour_blur : float
        The kernel of colour is that of luma convolved with another one, whose standard deviations are drawn evenly from
        [0, colour_blur].
    colour : float
        The standard deviation of Cb's and Cr's noise over that of Y's is drawn evenly from [0, colour].
    """

    kind: ClassVar[str] = "camera"
    low: float
    high: float
    read: float = 0.1
    blur: float = 1.0
    quality: int = 70
    colour_blur: float = 1.5
    colour: float = 1.2

    def side(self, patch: int) -> int:
        """That of the patch."""
        return patch

    def draw(self, clean: Tensor, generator: torch.Generator) -> NoisyPatches:
        """Noisy patches of clean (B, 1 or 3, rows, cols) in [0, 1]; the target is the clean ones.

        sigma is the noise level at mid-grey that was drawn.
        """
        count, channels, rows, cols = clean.shape
        level, read, down, across = torch.rand(4, count, generator=generator, device=clean.device)
        sigma = self.low + (self.high - self.low) * level
        size = (count, channels, rows + 2 * REACH, cols + 2 * REACH)
        white = torch.randn(size, generator=generator, device=clean.device)
        widths = self.blur * torch.stack([down, across])[..., None]  # (2, B, 1)
        if channels == 3:
            share, *further = torch.rand(3, count, generator=generator, device=clean.device)
            of_colour = torch.hypot(widths, self.colour_blur * torch.stack(further)[..., None])
            widths = torch.cat([widths, of_colour, of_colour], dim=2)
            grain = tinted(correlated(white, *widths), self.colour * share)
        else:
            grain = correlated(white, *widths)
        quality = torch.randint(self.quality, 101, (count,), generator=generator, device=clean.device)
        corner = torch.randint(8, (2, count), generator=generator, device=clean.device)
        noisy = compressed(exposed(clean, grain, sigma, self.read * read), quality, corner)
        return NoisyPatches(noisy, clean, sigma)

    def for_validation(self, clean: Tensor) -> NoisyPatches:
        """`clean` with noise of every kind that is drawn, always the same."""
        return self.draw(clean, torch.Generator().manual_seed(0))


NoiseModel = NoiseRange | CameraNoise | CameraChain
_KINDS: dict[str, type[NoiseModel]] = {model.kind: model for model in (NoiseRange, CameraNoise, CameraChain)}


def noise_to_json(noise: NoiseModel) -> dict[str, Any]:
    """A dictionary that `noise_from_json` reads."""
    return {"kind": noise.kind, **asdict(noise)}


def noise_from_json(values: dict[str, Any]) -> NoiseModel:
    """The noise that a recipe's dictionary describes; without a kind it is white.

    Raises
    ------
    KeyError, TypeError
        If the kind is unknown or its numbers are other ones.
    """
    return _KINDS[values.get("kind", "white")](**{name: value for name, value in values.items() if name != "kind"})
