"""Estimates the level and the coarseness of a photo's noise from its flattest parts, in under a second."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nerd_gui.imaging.colour import FROM_YCC

#: The largest distance in pixels for which correlation is reported.
REACH = 4
_BLOCK = 16  # side of a block in pixels
_MOST = 8_000  # largest number of blocks, spread over the photo
_NEAREST = 8  # least distance between blocks in pixels
_BINS = 6  # number of intensity bins
_FEWEST = 30  # least number of blocks in a bin
#: Fractions of a bin's blocks that are measured ("flattest") and that they are compared with ("flat"); least number.
_FLATTEST, _FLAT, _LEAST = 0.015, 0.25, 8
#: A bin is used if its level is at most the first value times that of the quietest bin. If the level of its flat blocks
#: is at most the third value times that of its flattest ones, the second value replaces the first. The reason is that
#: texture varies more than noise, between blocks and between bins.
_ALIKE, _AKIN, _EVEN = 1.3, 2.0, 1.2
_LARGE, _SURE = 0.15, 1.1  # least fraction of the photo and largest excess of a bin for the strongest noise
_CLIPPED = 0.02  # fraction of a block's values that may be black or white
_SPARED = 0.15  # this fraction of the blocks, the least clipped ones, is used in any case
_PLENTY = 200  # with fewer blocks, the confidence is proportionally lower
_HOPELESS = 0.9  # a block with a larger fraction of black or white values is never used
_TO_YCC = np.linalg.inv(FROM_YCC)
#: Calibration of the confidence: the level of flat blocks relative to the flattest ones, and how often the estimate was
#: then within a quarter of the truth.
_EXCESS, _TRUSTED = (1.0, 1.05, 1.1, 1.2, 1.3), (0.95, 0.85, 0.63, 0.4, 0.3)


@dataclass(frozen=True)
class PhotoNoise:
    """The noise of a photo; levels are standard deviations on the 0-255 scale.

    Attributes
    ----------
    level : float
        The typical level: the root mean square over the channels, and the median over the photo.
    strongest : float
        The level at the intensity where it is largest, among intensities that cover 15 % of the photo and have flat
        parts.
    luma, chroma : float
        The level of Y, and the root mean square of those of Cb and Cr (ITU-T T.871), which is 0 for a grey photo.
    luma_correlation, chroma_correlation : tuple of 4 floats
        Correlation of pixels that are 1 ... 4 apart, averaged over both directions.
    detail : float
        Standard deviation of the photo's own fine detail in luma: what it has in the upper half of the horizontal or
        vertical frequencies, which is lost at half the size, beyond the noise.
    confidence : float
        How often, 0 ... 1, the estimated level of similar photos was within a quarter of the truth. It is lower if the
        flattest parts have texture, and 0 if nothing could be measured.
    """

    level: float
    strongest: float
    luma: float
    chroma: float
    luma_correlation: tuple[float, ...]
    chroma_correlation: tuple[float, ...]
    detail: float
    confidence: float


NOTHING = PhotoNoise(0.0, 0.0, 0.0, 0.0, (0.0,) * REACH, (0.0,) * REACH, 0.0, 0.0)


def photo_noise(pixels: NDArray[Any]) -> PhotoNoise:
    """Estimate the noise of a photo.

    Parameters
    ----------
    pixels : array (C, rows, cols), values in [0, 1]
        C = 1 (grey) or 3 (RGB).

    Returns
    -------
    PhotoNoise
        If all pixels are black or white, nothing can be measured, and all its numbers are 0.

    Notes
    -----
    Blocks of 16x16 pixels, spread over the photo, are transformed (DCT). In each of six intensity bins, the flattest
    1.5 % are measured. One half of a block's coefficients decides how flat it is, and the other half is measured, so
    that blocks are not selected because their noise happens to be weak. Shading, a slow change of brightness, has its
    energy in the coarsest coefficients; these are limited to the values of noise with a Gaussian kernel that has the
    measured finer coefficients. Bins are rejected as textured if their flattest blocks are noisier than those of the
    quietest bin and differ among each other. Noise that JPEG has removed from flat parts is not counted.
    """
    missing = [max(_BLOCK - size, 0) for size in pixels.shape[1:]]
    brightness, power = _blocks(
        np.pad(np.asarray(pixels, np.float32), [(0, 0), *((0, size) for size in missing)], mode="symmetric")
    )
    if not len(brightness):
        return NOTHING
    which = np.digitize(brightness, np.linspace(0, 255, _BINS + 1)[1:-1])
    enough = max(_FEWEST, 0.02 * len(brightness))
    groups = [found for index in range(_BINS) if len(found := np.flatnonzero(which == index)) >= enough]
    bins = [_measured(power[group]) for group in groups or [np.arange(len(brightness))]]
    quietest = max(min(one.level for one in bins), 0.5)
    alike = [one for one in bins if one.level <= (_AKIN if one.excess <= _EVEN else _ALIKE) * quietest]
    large = [one.level for one in bins if one.count >= _LARGE * len(brightness) and one.excess <= _SURE]
    shares = np.array([one.count for one in alike], float)
    detail = float(np.average([one.detail for one in bins], weights=[one.count for one in bins]))
    trusted = np.interp(_median([one.excess for one in alike], shares), _EXCESS, _TRUSTED)
    level = _median([one.level for one in alike], shares)
    return PhotoNoise(
        level=level,
        strongest=round(max([level, *large]), 3),
        luma=_median([_deviation(one.luma) for one in alike], shares),
        chroma=_median([_deviation(one.chroma) for one in alike], shares),
        luma_correlation=_correlation([one.luma for one in alike], shares),
        chroma_correlation=_correlation([one.chroma for one in alike], shares),
        detail=round(float(np.sqrt(detail)), 3),
        confidence=round(float(trusted) * min(1.0, float(shares.sum()) / _PLENTY), 2),
    )


def _cosines() -> NDArray[np.float32]:
    """The matrix of the orthonormal cosine transform, (16, 16)."""
    order = np.arange(_BLOCK)
    rows = np.cos(np.pi * (2 * order + 1) * order[:, None] / (2 * _BLOCK)) * np.sqrt(2 / _BLOCK)
    rows[0] /= np.sqrt(2)
    cosines: NDArray[np.float32] = rows.astype(np.float32)
    return cosines


_COSINES = _cosines()
_RADIUS = np.hypot(*np.mgrid[:_BLOCK, :_BLOCK])
#: The two halves of the coefficients, like the squares of a chessboard; the mean belongs to neither. The squares are
#: 2x2 coefficients, so that an edge in the middle of a block, which has only odd coefficients, is in both halves.
_WHITE = np.add(*(np.mgrid[:_BLOCK, :_BLOCK] // 2)) % 2 == 1
_BLACK = ~_WHITE & (_RADIUS > 0)
#: The coefficients of shading, selected by their distance from the mean.
_SLOW = (_RADIUS > 0) & (_RADIUS < 2.5)
_CURVED = _SLOW & (_RADIUS > 1)  # without the coefficients of a plane
_FINE = np.maximum(*np.mgrid[:_BLOCK, :_BLOCK]) >= _BLOCK // 2  # the upper half of the frequencies
_NEXT, _FURTHER = ((low <= _RADIUS) & (high > _RADIUS) for low, high in ((2.5, 4.5), (4.5, 7.5)))


def _blocks(pixels: NDArray[np.float32]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return the mean luma (N,) of the blocks that are not clipped, and the power of their coefficients, 0-255 scale.

    The planes of the power (N, planes, 16, 16) are the mean of the channels, Y, and the mean of Cb and Cr.
    """
    step = max(_NEAREST, int(np.ceil(np.sqrt(pixels.shape[1] * pixels.shape[2] / _MOST))))
    windows = np.lib.stride_tricks.sliding_window_view(pixels, (_BLOCK, _BLOCK), axis=(1, 2))[:, ::step, ::step]
    blocks = windows.transpose(1, 2, 0, 3, 4).reshape(-1, len(pixels), _BLOCK, _BLOCK) * np.float32(255)
    clipped = (np.abs(blocks - np.float32(127.5)) > 127).mean(axis=(1, 2, 3))
    most = min(max(_CLIPPED, float(np.quantile(clipped, _SPARED))), _HOPELESS)
    blocks = blocks[clipped <= most]
    means = blocks.mean(axis=(2, 3))
    brightness = means @ _TO_YCC[0] if len(pixels) > 1 else means[:, 0]
    waves = _COSINES @ (blocks - _slopes(blocks)) @ _COSINES.T
    total = (waves**2).mean(axis=1)
    planes = waves if len(pixels) == 1 else np.einsum("yc,ncij->nyij", _TO_YCC.astype(np.float32), waves)
    chroma = (planes[:, 1:] ** 2).mean(axis=1) if len(pixels) > 1 else np.zeros_like(total)
    return brightness, np.stack([total, planes[:, 0] ** 2, chroma], axis=1)


def _slopes(blocks: NDArray[np.float32]) -> NDArray[np.float32]:
    """Fit a plane to each block (..., 16, 16) by least squares; return it without its mean."""
    ramp = (np.arange(_BLOCK) - (_BLOCK - 1) / 2).astype(np.float32)
    along = ramp / (ramp @ ramp * _BLOCK)
    down, across = blocks.sum(axis=-1) @ along, blocks.sum(axis=-2) @ along
    values: NDArray[np.float32] = down[..., None, None] * ramp[:, None] + across[..., None, None] * ramp
    return values


@dataclass(frozen=True)
class _Bin:
    """The noise of blocks of similar brightness.

    Attributes
    ----------
    count : int
        Number of the photo's blocks with this brightness.
    level : float
        Standard deviation, root mean square over the channels.
    luma, chroma : array (16, 16)
        Power of the coefficients.
    excess : float
        The level of the flat blocks divided by that of the flattest; 1 if they contain only noise.
    detail : float
        Mean variance of all blocks in the upper half of luma's frequencies, less that of the flattest blocks.
    """

    count: int
    level: float
    luma: NDArray[Any]
    chroma: NDArray[Any]
    excess: float
    detail: float


def _measured(power: NDArray[Any]) -> _Bin:
    """Measure the flattest of the blocks with this power (N, 3, 16, 16)."""
    texture = power[:, 1]
    scores = [texture[:, half & ~_SLOW].sum(axis=1) for half in (_WHITE, _BLACK)]

    def flattest(share: float) -> NDArray[Any]:
        count = min(max(_LEAST, int(share * len(power))), len(power))
        mean = np.zeros(power.shape[1:])
        for score, half in zip(scores, (_BLACK, _WHITE), strict=True):
            chosen = np.argpartition(score, count - 1)[:count]
            mean[:, half] = power[chosen].mean(axis=0)[:, half]
        return _without_shading(mean)

    best, flat = flattest(_FLATTEST), flattest(_FLAT)
    level = _deviation(best[0])
    detail = float(((texture.mean(axis=0) - best[1]) * _FINE).mean())
    return _Bin(len(power), level, best[1], best[2], _deviation(flat[0]) / max(level, 1e-6), max(detail, 0.0))


def _without_shading(power: NDArray[Any]) -> NDArray[Any]:
    """Limit the shading coefficients of the power (planes, 16, 16) to those that the finer ones predict for noise."""
    near, far = power[:, _NEXT].mean(axis=1), power[:, _FURTHER].mean(axis=1)
    squares = [float((_RADIUS[part] ** 2).mean()) for part in (_SLOW, _NEXT, _FURTHER)]
    # The logarithm of a Gaussian kernel's power falls with the square of the frequency.
    steeper = (squares[1] - squares[0]) / (squares[2] - squares[1])
    expected = near * np.maximum(near / np.maximum(far, 1e-9), 1) ** steeper
    made = power.copy()
    kept = np.minimum(power[:, _CURVED].mean(axis=1), expected)
    made[:, _SLOW], made[:, 0, 0] = kept[:, None], kept
    return made


def _deviation(power: NDArray[Any]) -> float:
    """Standard deviation of noise whose coefficients have this power (16, 16)."""
    return float(np.sqrt(power.mean()))


def _correlation(powers: list[NDArray[Any]], shares: NDArray[Any]) -> tuple[float, ...]:
    """Correlation of pixels that are 1 ... 4 apart, from the power of the coefficients in each bin."""
    total = [max(float(power.sum()), 1e-9) for power in powers]
    power = sum(share * one / whole for share, one, whole in zip(shares, powers, total, strict=True)) / shares.sum()
    along = (power.sum(axis=0) + power.sum(axis=1)) / 2
    # Integrate over all frequencies by the trapezoidal rule; the highest frequency gets the last coefficient's value.
    along = np.append(along, along[-1])
    along[[0, -1]] /= 2
    waves = np.cos(np.pi * np.arange(1, REACH + 1)[:, None] * np.arange(_BLOCK + 1) / _BLOCK)
    return tuple((waves @ along / max(along.sum(), 1e-9)).round(3).tolist())


def _median(values: list[float], weights: NDArray[Any]) -> float:
    order = np.argsort(values)
    total = np.cumsum(weights[order])
    return round(float(np.array(values)[order][np.searchsorted(total, total[-1] / 2)]), 3)
