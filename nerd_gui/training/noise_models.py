"""The noise models that networks are trained on: one frozen dataclass for each kind, stored as JSON in recipes.

Each has three methods. `side(patch)` returns the side of the clean square from which a patch of this side is made.
`draw(clean, generator)` makes `NoisyPatches` from such squares. `for_validation(clean)` does the same for validation
pictures, always with the same noise. Levels are on the 0-255 scale.
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
        """Return the side of the patch itself."""
        return patch

    def draw(self, clean: Tensor, generator: torch.Generator) -> NoisyPatches:
        """Add noise to clean patches (B, C, rows, cols) in [0, 1], which are the targets; sigma is the drawn level."""
        uniform = torch.rand(len(clean), generator=generator, device=clean.device)
        sigma = self.low + (self.high - self.low) * uniform
        grain = torch.randn(clean.shape, generator=generator, device=clean.device)
        return NoisyPatches(clean + grain * (sigma[:, None, None, None] / 255), clean, sigma)

    def for_validation(self, clean: Tensor) -> NoisyPatches:
        """Add noise of sigma 25, or of the highest level if 25 is outside the range; each picture has its own seed."""
        sigma = 25.0 if self.low <= 25 <= self.high else self.high
        noisy = [torch.from_numpy(add_noise(one.numpy(), sigma, seed)) for seed, one in enumerate(clean)]
        return NoisyPatches(torch.stack(noisy), clean, torch.full((len(clean),), sigma))


@dataclass(frozen=True)
class CameraNoise:
    """A simple model of the noise in photos as cameras save them.

    Modelled: photon and read-out noise of the sensor (Poisson-Gaussian in the normal approximation, with variance a x +
    b for linear light x = value ** 2.2, which approximates a camera's tone curve); clipping at black and white; the
    grains of one or two pixels that demosaicking and the camera's denoising leave (one Gaussian kernel for each patch,
    with different widths along the axes, and wider in colour than in luma); and an 8-bit JPEG file with a random
    position of its 8x8 grid.

    Not modelled: the demosaicking itself, sharpening, local tone mapping, edge-preserving denoising, patterns and
    stripes of sensors, halved colour resolution of JPEG.

    Attributes
    ----------
    low, high : float
        The standard deviation at mid-grey (128), in the values of the file before compression, is uniform in [low,
        high]. It is computed by the slope of the tone curve; as the curve bends, strong noise comes out stronger (16 by
        7 %).
    read : float
        The read-out noise's share b / (a x + b) of the variance at mid-grey is uniform in [0, read]. It dominates in
        the shadows.
    blur : float
        The vertical and horizontal standard deviations of the kernel in pixels are uniform in [0, blur].
    quality : int
        JPEG qualities are uniform in quality ... 100.
    colour_blur : float
        For colour, the kernel is convolved with another one, whose standard deviations are uniform in [0, colour_blur].
    colour : float
        The ratio of the standard deviations of Cb and Cr to that of Y is uniform in [0, colour].
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
        """Return the side of the patch itself."""
        return patch

    def draw(self, clean: Tensor, generator: torch.Generator) -> NoisyPatches:
        """Add noise to clean patches (B, 1 or 3, rows, cols) in [0, 1], which are the targets.

        sigma is the drawn level at mid-grey.
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
        """Make noisy patches with a fixed seed."""
        return self.draw(clean, torch.Generator().manual_seed(0))


NoiseModel = NoiseRange | CameraNoise | CameraChain
_KINDS: dict[str, type[NoiseModel]] = {model.kind: model for model in (NoiseRange, CameraNoise, CameraChain)}


def noise_to_json(noise: NoiseModel) -> dict[str, Any]:
    """Convert a noise model to a dictionary, which `noise_from_json` reads."""
    return {"kind": noise.kind, **asdict(noise)}


def noise_from_json(values: dict[str, Any]) -> NoiseModel:
    """Make the noise model from a recipe's dictionary; without a kind it is white noise.

    Raises
    ------
    KeyError, TypeError
        If the kind, or one of its parameters, is unknown.
    """
    return _KINDS[values.get("kind", "white")](**{name: value for name, value in values.items() if name != "kind"})
