"""Noise as cameras and their processors make it: from the light on a sensor to a file, step by step."""

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

_BORDER = 12  # pixels around a square that the chain's filters spoil
_REACH = 9  # of the kernel of correlated grains, three of its standard deviations
#: What each kind of demosaicking makes of the variance of a sensor's noise in luma at mid-grey, on average.
_LEFT = (0.6, 1.6, 1.6)
_Tone = tuple[Tensor, Tensor]  # gamma and contrast of the tone curve, (B,)


@dataclass(frozen=True)
class CameraChain:
    """Noise made as cameras make it, and the picture that the same camera would have saved without it.

    A clean patch is taken as what a camera shows and led back to the light on its sensor (inverse tone curve, a lens's
    blur, matrix, white balance). There it gets its noise and goes the whole way to a file: Bayer mosaic, demosaicking
    (bilinear, with corrected gradients, or along edges), white balance, colour matrix, tone curve (a power with a toe,
    then an S), the camera's own denoising (edges spared; in colour over more pixels and more strongly than in luma),
    sharpening of luma, another size, JPEG with full or halved colour. A part of the patches has the noise of
    `CameraNoise` instead of the sensor's, grains of a Gaussian kernel in linear light, and then the same way to the
    file: it stands for the demosaicking and denoising that are not modelled, and for white noise.

    The target is the same patch by the same steps, without noise and without JPEG. So the network is asked to remove
    noise, and not to undo what it cannot know to be wrong: the blur and the colour fringes of demosaicking, sharpening,
    the loss of another size. Where nothing is clipped, it has the mean of many shots' light. The mean of their files is
    a little darker, as the tone curve bends: at mid-grey by a third of a level to one for noise of 10, by four
    times that for noise of 20. JPEG's errors count as noise: the noise of many shots dithers them away, and who looks
    at a photo takes its blocks for noise too.

    What is not modelled: sensors' stripes and hot pixels, local tone mapping, lens corrections, JPEG before resizing.

    Attributes
    ----------
    low, high : float
        The noise's standard deviation of luma at mid-grey, before denoising and sharpening, is low + (high - low) u^2.5
        for u drawn evenly from [0, 1]: weak noise is what most photos have. Of grains with colour it is the root mean
        square of red, green and blue instead, of which luma has less: 0.8 of it on average.
    read : float
        The read-out's share of the variance at mid-grey is drawn evenly from [0, read].
    grains : float
        Part of the patches with noise of a Gaussian kernel in linear light.
    blur, colour_blur : float
        Standard deviations of that kernel in luma, down and across, are drawn evenly from [0, blur]; colour has this
        kernel convolved with another one, whose widths are drawn from [0, colour_blur].
    white : float
        Part of these that has white noise instead, independent in red, green and blue; it is not denoised, and its JPEG
        has full colour.
    colour : float
        The standard deviation of the grains' Cb and Cr over that of Y is drawn evenly from [0, colour].
    denoised : float
        Part of the patches that the camera denoises, with strengths drawn evenly, in luma with that of colour at most.
    sharpened : float
        Part of the patches that are sharpened, with amounts drawn evenly from [0, 1].
    resized : float
        Part of the patches, rounded to whole ones, of another size, with factors drawn evenly from [smallest, largest].
    smallest, largest : float
    quality : int
        JPEG qualities are drawn evenly from quality ... 98; one patch in eight has 100 and full colour.
    halved : float
        Part of the patches whose JPEG halves colour (4:2:0).
    gaussian : float
        Part of the patches, rounded to whole ones, that have come through no camera: the clean patch with white
        Gaussian noise (Sec. VII-A), its level drawn evenly from [low, high]. Validation has none of it.
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
        """A square that is large enough for the smallest factor, and 12 pixels more at each border."""
        return math.ceil(patch / self.smallest) + 2 * _BORDER

    def _patch(self, side: int) -> int:
        """The largest patch that such a square is large enough for."""
        patch = round((side - 2 * _BORDER) * self.smallest)
        return patch if self.side(patch) <= side else patch - 1

    def draw(self, clean: Tensor, generator: torch.Generator) -> NoisyPatches:
        """Noisy patches and targets of clean squares (B, 1 or 3, side, side) in [0, 1].

        A grey square is taken as a scene without colour, and one of red, green, blue and luma is what is drawn of its
        colour photo, all as often: a grey network sees the channels of a colour photo one by one, and grey photos.

        sigma is the standard deviation of noisy - target in luma (or in the one channel), in the file's values; where
        the noise is white and Gaussian, that of each channel.
        """
        sizes = [self._patch(length) for length in clean.shape[2:]]
        # Patches are alike before they are drawn: what becomes of which ones may go by their place.
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
        """Patches in other sizes, with so many rows and columns, or those in their own within a border."""
        draws = _Draws(len(clean), generator, clean.device)
        sigma = self.low + (self.high - self.low) * draws.uniform() ** 2.5
        tone = draws.uniform(1.8, 2.4), draws.uniform(1.0, 1.5)  # gamma, contrast
        light = lit(clean.expand(-1, 3, -1, -1), *tone)
        grains = draws.chance(self.grains)
        white = grains * draws.chance(self.white)
        sensed, grained = self._sensed(light, sigma, tone, draws), self._grained(light, sigma, tone, white, draws)
        both = torch.where(grains[:, None, None, None] > 0, grained, sensed).flatten(0, 1)
        ycc = to_ycc(toned(both, *(one.repeat(2) for one in tone)))  # noisy ones first, then clean ones
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
        """Patches with white Gaussian noise; sigma is that of a channel."""
        draws = _Draws(len(clean), generator, clean.device)
        sigma = draws.uniform(self.low, self.high)
        return NoisyPatches(clean + draws.normal(clean.shape) * sigma[:, None, None, None] / 255, clean, sigma)

    def for_validation(self, clean: Tensor) -> NoisyPatches:
        """Noise of every kind that is drawn, always the same."""
        return replace(self, gaussian=0.0).draw(clean, torch.Generator().manual_seed(0))

    def _sensed(self, light: Tensor, sigma: Tensor, tone: _Tone, draws: "_Draws") -> Tensor:
        """Linear light as a sensor sees it, demosaicked: with noise and without, (2, B, 3, rows, cols)."""
        shares = -torch.log(draws.uniform(1e-6, 1, CAMERAS))
        to_sensor = sensor_matrix(shares / shares.sum(1, keepdim=True))
        from_sensor = torch.linalg.inv_ex(to_sensor)[0]
        gains = torch.stack([draws.uniform(1.2, 2.4), torch.ones_like(sigma), draws.uniform(1.2, 2.4)], 1)
        mosaic = Mosaic(torch.stack([draws.integer(2), draws.integer(2)]), *light.shape[2:])
        # Pictures at their best are sharper than a lens and the filter before a sensor leave them.
        light = blurred(light, draws.uniform(0.4, 0.8))
        seen = mosaic.seen(mixed(light, to_sensor / gains[:, :, None]))
        # Luma's variance at mid-grey, of each colour's noise there: what 1 unit of it becomes.
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
        """Linear light with noise of a Gaussian kernel, and without, (2, B, 3, rows, cols)."""
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
        """Luma and colour after the camera's denoising and sharpening; noisy ones first, then clean ones."""
        strength = draws.uniform() * draws.chance(self.denoised) * (1 - white)
        of_luma = draws.uniform() * strength
        tolerance = draws.uniform(1.5, 5) * sigma / 255
        luma = smoothed(ycc[:, :1], of_luma.repeat(2), tolerance.repeat(2), (1,))
        colour = smoothed(ycc[:, 1:], strength.repeat(2), tolerance.repeat(2), (1, 2, 3))
        amount = (draws.uniform() * draws.chance(self.sharpened)).repeat(2)[:, None, None, None]
        soft = blurred(luma, draws.uniform(0.5, 1.2).repeat(2))
        return torch.cat([luma + amount * (luma - soft), colour], 1)

    def _resized(self, pictures: Tensor, sizes: list[int], draws: "_Draws") -> Tensor:
        """Patches of so many rows and columns at other sizes, out of the middle; noisy ones first, then clean ones."""
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
    """Random numbers for so many patches, all from one generator."""

    def __init__(self, count: int, generator: torch.Generator, device: torch.device) -> None:
        self._count, self._generator, self._device = count, generator, device

    def uniform(self, low: float = 0, high: float = 1, *further: int) -> Tensor:
        """Numbers (B, ...) from [low, high)."""
        return low + (high - low) * torch.rand(self._count, *further, generator=self._generator, device=self._device)

    def normal(self, shape: tuple[int, ...]) -> Tensor:
        return torch.randn(shape, generator=self._generator, device=self._device)

    def integer(self, below: int) -> Tensor:
        return torch.randint(below, (self._count,), generator=self._generator, device=self._device)

    def chance(self, part: float) -> Tensor:
        """1 for this part of the patches, 0 for the others."""
        return (self.uniform() < part).float()


def _one_of(which: Tensor, pictures: Tensor) -> Tensor:
    """Red, green, blue or luma (B, 1, rows, cols) of pictures, as `which` (B, 1, 1, 1) says: 0, 1, 2 or 3."""
    four = torch.cat([pictures, to_ycc(pictures)[:, :1]], 1)
    return four.gather(1, which.expand(-1, 1, *pictures.shape[2:]))
