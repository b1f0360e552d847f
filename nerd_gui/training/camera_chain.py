"""A model of camera noise that simulates all steps from the light on the sensor to the file."""

import math
from dataclasses import dataclass, replace
from typing import ClassVar

import torch
from torch import Tensor

from nerd_gui.imaging.colour import FROM_YCC, LUMA
from nerd_gui.training.camera_steps import (
    CAMERAS,
    Mosaic,
    blurred,
    demosaicked,
    lit,
    mixed,
    resampling,
    sensor_matrix,
    slope_of_tone,
    smoothed,
    to_ycc,
    toned,
)
from nerd_gui.training.grain import NoisyPatches, correlated, tinted
from nerd_gui.training.jpeg import compressed

_BORDER = 12  # pixels at each border that are wrong after the chain's filters
_REACH = 9  # radius in pixels of the kernel of correlated grains: three standard deviations
#: The average factor by which each kind of demosaicking changes the variance of luma noise at mid-grey.
_LEFT = (0.6, 1.6, 1.6)
_Tone = tuple[Tensor, Tensor]  # gamma and contrast of the tone curve, (B,)


@dataclass(frozen=True)
class CameraChain:
    """Simulates a camera: it makes noisy patches, and as targets the pictures that the camera would save without noise.

    A clean patch is converted back to the light on a sensor (inverse tone curve, blur of a lens, colour matrix, white
    balance). There, noise is added, and the patch passes all steps to a file: Bayer mosaic, demosaicking (bilinear,
    with corrected gradients, or along edges), white balance, colour matrix, tone curve (a power with a toe, then an S
    curve), the camera's own edge-preserving denoising (stronger and wider in colour than in luma), sharpening of luma,
    resizing, and JPEG with full or halved colour resolution. A fraction of the patches gets the noise of `CameraNoise`
    instead of the sensor's, grains with a Gaussian kernel in linear light, and then passes the same steps. It
    represents methods of demosaicking and denoising that are not modelled, and white noise.

    The target is the same patch after the same steps, but without noise and JPEG. So the network learns to remove
    noise, and not to undo effects that it cannot recognise as errors: blur and colour fringes of demosaicking,
    sharpening and resizing. Where nothing is clipped, the target corresponds to the mean of many shots in linear light.
    The mean of their files is a little darker, because the tone curve is concave: at mid-grey, by 1/3 to 1 grey level
    for noise of 10, and by four times that for noise of 20. JPEG's errors count as noise: in the mean of many shots
    they cancel out, and viewers also perceive JPEG's blocks as noise.

    Not modelled: stripes and hot pixels of sensors, local tone mapping, lens corrections, JPEG before resizing.

    Attributes
    ----------
    low, high : float
        The standard deviation of luma at mid-grey, before denoising and sharpening, is low + (high - low) u^2.5 with u
        uniform in [0, 1], because weak noise is the most common. For coloured grains, it is instead the root mean
        square over red, green and blue; that of luma is lower, 0.8 of it on average.
    read : float
        The read-out noise's share of the variance at mid-grey is uniform in [0, read].
    grains : float
        Fraction of the patches with noise of a Gaussian kernel in linear light.
    blur, colour_blur : float
        The vertical and horizontal standard deviations of that kernel in luma are uniform in [0, blur]. For colour, the
        kernel is convolved with another one, whose widths are uniform in [0, colour_blur].
    white : float
        Fraction of the patches with grains that get white noise instead, independent in red, green and blue. They are
        not denoised by the camera, and their JPEG has full colour resolution.
    colour : float
        The ratio of the standard deviations of the grains' Cb and Cr to that of Y is uniform in [0, colour].
    denoised : float
        Fraction of the patches that the camera denoises. The strength is uniform; in luma it is at most that in colour.
    sharpened : float
        Fraction of the patches that are sharpened, with amounts uniform in [0, 1].
    resized : float
        Fraction of the patches, rounded to a whole number of patches, that are resized by factors uniform in
        [smallest, largest].
    smallest, largest : float
    quality : int
        JPEG qualities are uniform in quality ... 98; one patch in eight has quality 100 and full colour resolution.
    halved : float
        Fraction of the patches whose JPEG has halved colour resolution (4:2:0).
    gaussian : float
        Fraction of the patches, rounded to a whole number, that skip the simulation: the clean patch gets white
        Gaussian noise (Sec. VII-A), with a level uniform in [low, high]. There are none in validation.
    """

    kind: ClassVar[str] = "camera chain"
    low: float
    high: float
    read: float = 0.3
    grains: float = 0.45
    blur: float = 1.6
    colour_blur: float = 2.7
    white: float = 0.5
    colour: float = 1.2
    denoised: float = 0.7
    sharpened: float = 0.5
    resized: float = 0.5
    smallest: float = 0.5
    largest: float = 1.3
    quality: int = 60
    halved: float = 0.5
    gaussian: float = 0.0

    def side(self, patch: int) -> int:
        """Side of the clean square needed: large enough for the smallest factor, plus 12 pixels at each border."""
        return math.ceil(patch / self.smallest) + 2 * _BORDER

    def _patch(self, side: int) -> int:
        """Side of the largest patch that can be made from a square of this side."""
        patch = round((side - 2 * _BORDER) * self.smallest)
        return patch if self.side(patch) <= side else patch - 1

    def draw(self, clean: Tensor, generator: torch.Generator) -> NoisyPatches:
        """Make noisy patches and targets from clean squares (B, 1 or 3, side, side) in [0, 1].

        A grey square is treated as a colourless scene. One of red, green, blue and luma of the simulated colour photo
        is selected with equal probability, because a grey network is used both on channels of colour photos and on grey
        photos.

        sigma is the standard deviation of noisy - target in luma (or in the selected channel), in the file's values;
        for white Gaussian noise, it is that of each channel.
        """
        sizes = [self._patch(length) for length in clean.shape[2:]]
        # The order of patches is random already, so their treatment may depend on their position in the batch.
        white, clean = clean.tensor_split([int(self.gaussian * len(clean) + 0.5)])
        resized = int(self.resized * len(clean) + 0.5)
        own = [
            slice((length - size) // 2 - _BORDER, (length + size) // 2 + _BORDER)
            for length, size in zip(clean.shape[2:], sizes, strict=True)
        ]
        parts = [(clean[:resized], sizes), (clean[resized:, :, own[0], own[1]], None)]
        made = [self._photographed(squares, to, generator) for squares, to in parts if len(squares)]
        if len(white):
            within = (slice(part.start + _BORDER, part.stop - _BORDER) for part in own)
            made.append(self._gaussian(white[:, :, *within], generator))
        return NoisyPatches(*(torch.cat(both) for both in zip(*made, strict=True)))

    def _photographed(self, clean: Tensor, sizes: list[int] | None, generator: torch.Generator) -> NoisyPatches:
        """Simulate patches: resized to `sizes` rows and columns, or not resized and without their border if None."""
        draws = _Draws(len(clean), generator, clean.device)
        sigma = self.low + (self.high - self.low) * draws.uniform() ** 2.5
        tone = draws.uniform(1.8, 2.4), draws.uniform(1.0, 1.5)  # gamma, contrast
        light = lit(clean.expand(-1, 3, -1, -1), *tone)
        grains = draws.chance(self.grains)
        white = grains * draws.chance(self.white)
        sensed, grained = self._sensed(light, sigma, tone, draws), self._grained(light, sigma, tone, white, draws)
        both = torch.where(grains[:, None, None, None] > 0, grained, sensed).flatten(0, 1)
        ycc = to_ycc(toned(both, *(one.repeat(2) for one in tone)))  # the noisy patches, followed by the clean ones
        ycc = self._finished(ycc, sigma, white, draws)
        if sizes is None:
            ycc = ycc[:, :, _BORDER:-_BORDER, _BORDER:-_BORDER]
        else:
            ycc = self._resized(ycc, sizes, draws)
        noisy, target = mixed(ycc, torch.tensor(FROM_YCC, device=clean.device)).clamp(0, 1).chunk(2)
        noisy = self._saved(noisy, white, draws)
        if clean.shape[1] == 1:
            which = draws.integer(4)[:, None, None, None]
            noisy, target = (_one_of(which, pictures) for pictures in (noisy, target))
            difference = noisy - target
        else:
            difference = to_ycc(noisy - target)[:, :1]
        return NoisyPatches(noisy, target, 255 * difference.std((1, 2, 3)))

    def _gaussian(self, clean: Tensor, generator: torch.Generator) -> NoisyPatches:
        """Add white Gaussian noise; sigma is the level in each channel."""
        draws = _Draws(len(clean), generator, clean.device)
        sigma = draws.uniform(self.low, self.high)
        return NoisyPatches(clean + draws.normal(clean.shape) * sigma[:, None, None, None] / 255, clean, sigma)

    def for_validation(self, clean: Tensor) -> NoisyPatches:
        """Make noisy patches with a fixed seed, without the fraction `gaussian`."""
        return replace(self, gaussian=0.0).draw(clean, torch.Generator().manual_seed(0))

    def _sensed(self, light: Tensor, sigma: Tensor, tone: _Tone, draws: "_Draws") -> Tensor:
        """Simulate the sensor and demosaicking: linear light with and without noise, (2, B, 3, rows, cols)."""
        shares = -torch.log(draws.uniform(1e-6, 1, CAMERAS))
        to_sensor = sensor_matrix(shares / shares.sum(1, keepdim=True))
        from_sensor = torch.linalg.inv_ex(to_sensor)[0]
        gains = torch.stack([draws.uniform(1.2, 2.4), torch.ones_like(sigma), draws.uniform(1.2, 2.4)], 1)
        mosaic = Mosaic(torch.stack([draws.integer(2), draws.integer(2)]), *light.shape[2:])
        # Published pictures are sharper than the light behind a lens and a sensor's low-pass filter.
        light = blurred(light, draws.uniform(0.4, 0.8))
        seen = mosaic.seen(mixed(light, to_sensor / gains[:, :, None]))
        # The factor from the variance of the sensor's noise to that of luma at mid-grey.
        middle, slope = slope_of_tone(*tone)
        share = draws.uniform(0, self.read)
        kind = draws.integer(3)
        weights = torch.tensor(LUMA, device=light.device) @ (from_sensor * gains[:, None])
        at_middle = (1 - share[:, None]) / gains + share[:, None]
        left = torch.tensor(_LEFT, device=light.device)[kind]
        unit = left * (weights.square() * at_middle).sum(1)
        variance = (sigma / 255 / slope).square() / unit
        photons = (variance * (1 - share) / middle)[:, None, None, None]
        read_out = (variance * share)[:, None, None, None]
        noisy = seen + (photons * seen.clamp(min=0) + read_out).sqrt() * draws.normal(seen.shape)
        both = torch.cat([noisy, seen])
        colours = demosaicked(both, mosaic.twice(), kind.repeat(2))
        balanced = (colours * gains.repeat(2, 1)[:, :, None, None]).clamp(max=1)
        result: Tensor = mixed(balanced, from_sensor.repeat(2, 1, 1)).clamp(0, 1).unflatten(0, (2, -1))
        return result

    def _grained(self, light: Tensor, sigma: Tensor, tone: _Tone, white: Tensor, draws: "_Draws") -> Tensor:
        """Add noise with a Gaussian kernel: linear light with and without noise, (2, B, 3, rows, cols)."""
        middle, slope = slope_of_tone(*tone)
        narrow = torch.stack([draws.uniform(0, self.blur), draws.uniform(0, self.blur)])[..., None]
        further = torch.stack([draws.uniform(0, self.colour_blur), draws.uniform(0, self.colour_blur)])[..., None]
        wide = torch.hypot(narrow, further)
        rows, cols = (length + 2 * _REACH for length in light.shape[2:])
        noise = draws.normal((len(light), 3, rows, cols))
        down, across = torch.cat([narrow, wide, wide], 2)
        grain = tinted(correlated(noise, down, across, reach=_REACH), draws.uniform(0, self.colour))
        even = noise[..., _REACH:-_REACH, _REACH:-_REACH] / math.hypot(*LUMA)  # luma's variance is 1
        grain = torch.where(white[:, None, None, None] > 0, even, grain)
        share = draws.uniform(0, self.read)[:, None, None, None]
        variance = (sigma / 255 / slope).square()[:, None, None, None]
        strength = (variance * ((1 - share) * light / middle[:, None, None, None] + share)).sqrt()
        return torch.stack([(light + strength * grain).clamp(0, 1), light])

    def _finished(self, ycc: Tensor, sigma: Tensor, white: Tensor, draws: "_Draws") -> Tensor:
        """Apply the camera's denoising and sharpening; the noisy patches are followed by the clean ones."""
        strength = draws.uniform() * draws.chance(self.denoised) * (1 - white)
        of_luma = draws.uniform() * strength
        tolerance = draws.uniform(1.5, 5) * sigma / 255
        luma = smoothed(ycc[:, :1], of_luma.repeat(2), tolerance.repeat(2), (1,))
        colour = smoothed(ycc[:, 1:], strength.repeat(2), tolerance.repeat(2), (1, 2, 3))
        amount = (draws.uniform() * draws.chance(self.sharpened)).repeat(2)[:, None, None, None]
        soft = blurred(luma, draws.uniform(0.5, 1.2).repeat(2))
        return torch.cat([luma + amount * (luma - soft), colour], 1)

    def _resized(self, pictures: Tensor, sizes: list[int], draws: "_Draws") -> Tensor:
        """Resize the patches and cut `sizes` rows and columns from their middle; noisy ones first, then clean ones."""
        factor, soft = draws.uniform(self.smallest, self.largest), draws.uniform()
        down, across = (
            resampling(factor, soft, length, size).repeat(2, 1, 1)[:, None]
            for length, size in zip(pictures.shape[2:], sizes, strict=True)
        )
        return down @ pictures @ across.mT

    def _saved(self, pictures: Tensor, white: Tensor, draws: "_Draws") -> Tensor:
        quality = self.quality + draws.integer(99 - self.quality)
        best = draws.integer(8) == 0
        corner = torch.stack([draws.integer(16), draws.integer(16)])
        halved = (draws.chance(self.halved) * (1 - white) > 0) & ~best
        return compressed(pictures, torch.where(best, 100, quality), corner, halved)


class _Draws:
    """Draws random numbers for `count` patches from one generator."""

    def __init__(self, count: int, generator: torch.Generator, device: torch.device) -> None:
        self._count, self._generator, self._device = count, generator, device

    def uniform(self, low: float = 0, high: float = 1, *further: int) -> Tensor:
        """Uniform numbers (B, ...) in [low, high)."""
        return low + (high - low) * torch.rand(self._count, *further, generator=self._generator, device=self._device)

    def normal(self, shape: tuple[int, ...]) -> Tensor:
        return torch.randn(shape, generator=self._generator, device=self._device)

    def integer(self, below: int) -> Tensor:
        return torch.randint(below, (self._count,), generator=self._generator, device=self._device)

    def chance(self, part: float) -> Tensor:
        """1 with this probability, else 0, for each patch."""
        return (self.uniform() < part).float()


def _one_of(which: Tensor, pictures: Tensor) -> Tensor:
    """Select red, green, blue or luma (B, 1, rows, cols) of pictures, where `which` (B, 1, 1, 1) is 0, 1, 2 or 3."""
    four = torch.cat([pictures, to_ycc(pictures)[:, :1]], 1)
    return four.gather(1, which.expand(-1, 1, *pictures.shape[2:]))
