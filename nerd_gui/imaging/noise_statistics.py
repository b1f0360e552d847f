"""Statistics of a photo's noise: level by intensity, correlation of neighbouring pixels, kurtosis.

Levels are on the 0-255 scale, in the gamma-encoded values of the file. The planes of a colour photo are Y, Cb and Cr
(ITU-T T.871); a grey photo has only Y.
"""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nerd_gui.imaging.colour import FROM_YCC

#: The largest distance in pixels for which correlation is reported.
LAGS = 6
_BLOCK, _STRIDE = 32, 16  # side of a block, and distance between blocks, in pixels
_NEIGHBOURS = _BLOCK // _STRIDE  # steps to the nearest block that shares no pixel
_CELL = 8  # side in pixels of the cells whose means measure coarse structure in a block
_BINS = 8  # number of intensity bins
_FLATTEST = 0.15  # fraction of the blocks of a bin that counts as flat
_FEWEST, _MOST = 6, 500  # least number of blocks in a bin, and largest number of blocks measured
_FINE = 0.2  # fraction of the flat blocks that is assumed to be without texture
_LENIENCE = 0.05  # tolerance for random differences of the coarse fraction of a block's variance
_CLIPPED = 0.02  # fraction of a block's pixels that may be black or white
_REACH = 8  # noise is assumed to be uncorrelated beyond this distance in pixels
_TO_YCC = np.linalg.inv(FROM_YCC).astype(np.float32)


class NoiseStatisticsError(ValueError):
    """The statistics of a photo cannot be measured; the message says why."""


@dataclass(frozen=True)
class PlaneStatistics:
    """The noise of one plane.

    Attributes
    ----------
    name : str
        "Y", "Cb" or "Cr".
    level : float
        Typical standard deviation: the median over the intensity bins, weighted by the photo's blocks in each bin.
    horizontal, vertical, mean : tuple of 6 floats
        Correlation of pixels that are 1 ... 6 columns apart, 1 ... 6 rows apart, and the mean of both.
    kurtosis : float
        Excess kurtosis: 0 for Gaussian noise.
    """

    name: str
    level: float
    horizontal: tuple[float, ...]
    vertical: tuple[float, ...]
    mean: tuple[float, ...]
    kurtosis: float


@dataclass(frozen=True)
class IntensityBin:
    """The noise in the parts of the photo with a certain brightness.

    Attributes
    ----------
    intensity : float
        Mean luma of the flat blocks, 0-255.
    blocks : int
        Number of flat blocks that were measured.
    share : float
        Fraction of the photo's blocks with this brightness.
    levels : tuple of float
        Standard deviation of the noise in each plane.
    """

    intensity: float
    blocks: int
    share: float
    levels: tuple[float, ...]


@dataclass(frozen=True)
class NoiseStatistics:
    """The noise of a photo, by plane and by intensity.

    Attributes
    ----------
    planes : tuple of PlaneStatistics
        Y, Cb and Cr, or only Y.
    bins : tuple of IntensityBin
        From dark to bright; bins without enough flat blocks are omitted.
    """

    planes: tuple[PlaneStatistics, ...]
    bins: tuple[IntensityBin, ...]

    @property
    def level(self) -> float:
        """The noise level of luma."""
        return self.planes[0].level

    def to_json(self) -> dict[str, Any]:
        """Convert to a JSON-ready dictionary."""
        return asdict(self)


def noise_statistics(pixels: NDArray[Any]) -> NoiseStatistics:
    """Measure the noise of a photo in its flat parts.

    Parameters
    ----------
    pixels : array (C, rows, cols), values in [0, 1]
        A noisy photo; C = 1 (grey) or 3 (RGB).

    Returns
    -------
    NoiseStatistics

    Raises
    ------
    NoiseStatisticsError
        If the photo has too few blocks of 32x32 pixels that are neither black nor white.

    Notes
    -----
    The photo is cut into blocks of 32x32 pixels, and a fitted plane is subtracted from each. In each of eight intensity
    bins, the flattest 15 % of the blocks are measured. The flatness of a block is judged by its four neighbours; if it
    were judged by its own variance, blocks whose noise happens to be weak would be selected. Then, blocks and bins are
    rejected in which more of the variance is coarse than in most: noise has grains of similar size everywhere in a
    photo, texture and edges are coarser. In a photo without flat parts, fine texture is measured as noise.

    Subtracting the plane also removes a part of the noise, and more of it if the grains are large. For noise that is
    uncorrelated beyond 8 pixels, this lowers the covariance at all lags by nearly the same amount, which is corrected.
    Levels of noise with a Gaussian kernel of 3 pixels still come out a few percent too low.
    """
    planes = _planes(np.asarray(pixels, np.float32))
    if min(planes.shape[1:]) < 3 * _BLOCK:
        raise NoiseStatisticsError(
            f"The photo is too small for statistics of its noise ({planes.shape[2]} x {planes.shape[1]} pixels); "
            f"take one of at least {3 * _BLOCK} x {3 * _BLOCK}."
        )
    candidates = _candidates(planes)
    if not candidates:
        raise NoiseStatisticsError(
            "The photo has too few parts that are neither black nor white to measure its noise; take another photo."
        )
    bins = _without_texture(candidates)
    together = np.concatenate([one.blocks for one in bins])
    figures = [_plane(together[:, index]) for index in range(len(planes))]
    levels = np.array(
        [[_level(one.blocks[:, index]) * figure.factor for index, figure in enumerate(figures)] for one in bins]
    )
    shares = np.array([one.share for one in bins])
    return NoiseStatistics(
        planes=tuple(
            PlaneStatistics(
                name=name,
                level=_weighted_median(levels[:, index], shares),
                horizontal=_rounded(figure.horizontal),
                vertical=_rounded(figure.vertical),
                mean=_rounded((figure.horizontal + figure.vertical) / 2),
                kurtosis=round(figure.kurtosis, 3),
            )
            for index, (name, figure) in enumerate(zip(("Y", "Cb", "Cr"), figures, strict=False))
        ),
        bins=tuple(
            IntensityBin(
                round(float(one.means.mean()), 1),
                len(one.blocks),
                round(one.share, 3),
                tuple(np.round(row, 3).tolist()),
            )
            for one, row in zip(bins, levels, strict=True)
        ),
    )


def _planes(pixels: NDArray[Any]) -> NDArray[Any]:
    """Convert to Y, or to Y, Cb and Cr, on the 0-255 scale; Cb and Cr are 0 for grey."""
    return 255 * (pixels if len(pixels) == 1 else np.tensordot(_TO_YCC, pixels, axes=1))


@dataclass(frozen=True)
class _Blocks:
    """Flat blocks of similar intensity.

    Attributes
    ----------
    share : float
        Fraction of the photo's blocks with this intensity.
    means : array (N,)
        Mean luma of each block.
    blocks : array (N, planes, 32, 32)
        The blocks, less their fitted planes.
    """

    share: float
    means: NDArray[Any]
    blocks: NDArray[Any]

    def of(self, kept: NDArray[Any]) -> "_Blocks":
        """Select some of the blocks."""
        return _Blocks(self.share, self.means[kept], self.blocks[kept])


def _candidates(planes: NDArray[Any]) -> list[_Blocks]:
    """For each intensity bin, select the blocks with the flattest neighbours."""
    means, coarse, usable = _measured(planes)
    score = _of_neighbours(coarse)
    which = np.digitize(means, np.linspace(0, 255, _BINS + 1)[1:-1])
    found = []
    for index in range(_BINS):
        places = np.argwhere((which == index) & usable)
        if len(places) < _FEWEST:
            continue
        count = min(max(_FEWEST, round(_FLATTEST * len(places))), _MOST)
        flat = places[np.argsort(score[tuple(places.T)])[:count]]
        blocks = np.stack([_without_slope(_cut(planes, *place)) for place in flat])
        found.append(_Blocks(float(len(places) / usable.sum()), means[tuple(flat.T)], blocks))
    return found


def _without_texture(candidates: list[_Blocks]) -> list[_Blocks]:
    """Reject blocks that are coarser than this photo's noise, and bins that have too few others."""
    parts = [_coarse(one.blocks[:, 0]) / one.blocks[:, 0].var(axis=(1, 2)).clip(1e-9) for one in candidates]
    most = 2 * np.quantile(np.concatenate(parts), _FINE) + _LENIENCE
    kept = []
    for one, part in zip(candidates, parts, strict=True):
        fine = one.of(part <= most)
        if 3 * len(fine.means) < len(part):
            continue
        luma = fine.blocks[:, 0].var(axis=(1, 2))
        kept.append(fine.of(luma <= 2 * np.median(luma)))
    return kept or candidates


def _cut(planes: NDArray[Any], row: int, col: int) -> NDArray[Any]:
    """One block (C, 32, 32) of the planes."""
    top, left = row * _STRIDE, col * _STRIDE
    return planes[:, top : top + _BLOCK, left : left + _BLOCK]


def _slopes() -> NDArray[Any]:
    """An orthonormal basis of planes over a block: constant, horizontal and vertical ramp, (3, 32, 32)."""
    ramp = np.arange(_BLOCK) - (_BLOCK - 1) / 2
    raw = np.stack([np.ones((_BLOCK, _BLOCK)), *np.meshgrid(ramp, ramp)])
    slopes: NDArray[Any] = (raw / np.linalg.norm(raw, axis=(1, 2), keepdims=True)).astype(np.float32)
    return slopes


def _without_slope(blocks: NDArray[Any]) -> NDArray[Any]:
    """Subtract from each block (..., 32, 32) the plane fitted by least squares."""
    slopes = _slopes()
    levelled: NDArray[Any] = blocks - np.einsum("...ij,kij,kmn->...mn", blocks, slopes, slopes, optimize=True)
    return levelled


def _measured(planes: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """For each block: mean luma, the coarse part of its variance, and whether it is not clipped."""
    rows, cols = ((size - _BLOCK) // _STRIDE + 1 for size in planes.shape[1:])
    means, coarse, usable = np.empty((rows, cols)), np.empty((rows, cols)), np.empty((rows, cols), bool)
    for row in range(rows):
        blocks = np.stack([_cut(planes, row, col)[0] for col in range(cols)])
        means[row] = blocks.mean(axis=(1, 2))
        coarse[row] = _coarse(_without_slope(blocks))
        usable[row] = ((blocks < 0.5) | (blocks > 254.5)).mean(axis=(1, 2)) <= _CLIPPED
    return means, coarse, usable


def _coarse(blocks: NDArray[Any]) -> NDArray[Any]:
    """Variance of the means of 8x8 cells in blocks (N, 32, 32): large for texture and edges, small for fine noise."""
    cells = _BLOCK // _CELL
    values: NDArray[Any] = blocks.reshape(-1, cells, _CELL, cells, _CELL).mean(axis=(2, 4)).var(axis=(1, 2))
    return values


def _of_neighbours(values: NDArray[Any]) -> NDArray[Any]:
    """Mean over the nearest blocks above, below, left and right that share no pixel, if they are inside the photo."""
    step = _NEIGHBOURS
    padded = np.pad(values, step, constant_values=np.nan)
    rows, cols = values.shape
    shifted = [(0, step), (2 * step, step), (step, 0), (step, 2 * step)]
    result: NDArray[Any] = np.nanmean([padded[top : top + rows, left : left + cols] for top, left in shifted], axis=0)
    return result


def _level(blocks: NDArray[Any]) -> float:
    """Median standard deviation of blocks (N, 32, 32), less their fitted planes."""
    return float(np.sqrt(np.median(blocks.var(axis=(1, 2)))))


@dataclass(frozen=True)
class _Figures:
    """Correlation at lags 1 ... 6, excess kurtosis, and the factor that corrects the level for the subtracted plane."""

    horizontal: NDArray[Any]
    vertical: NDArray[Any]
    kurtosis: float
    factor: float


def _plane(blocks: NDArray[Any]) -> _Figures:
    """Compute the figures of one colour plane from flat blocks (N, 32, 32), which all have equal weight."""
    deviation = blocks.std(axis=(1, 2), keepdims=True)
    moving = deviation[:, 0, 0] > 1e-3
    if not moving.any():
        return _Figures(np.zeros(LAGS), np.zeros(LAGS), 0.0, 1.0)
    blocks = blocks[moving] / deviation[moving]
    covariance = _autocovariance(blocks)
    slopes = _slopes()
    lost = sum(_autocovariance(slope[None]) * _overlap() for slope in slopes) / _BLOCK**2
    shift = float((lost * covariance).sum() / (1 - lost.sum()))
    covariance = covariance + shift
    middle = _REACH
    variance = covariance[middle, middle]
    along = slice(middle + 1, middle + 1 + LAGS)
    return _Figures(
        horizontal=covariance[middle, along] / variance,
        vertical=covariance[along, middle] / variance,
        kurtosis=float((blocks**4).mean() - 3),
        factor=float(np.sqrt(variance)),
    )


def _overlap() -> NDArray[Any]:
    """Number of pairs of pixels in a block at each distance, (17, 17) for -8 ... 8 rows and columns."""
    length = _BLOCK - np.abs(np.arange(-_REACH, _REACH + 1))
    return np.outer(length, length)


def _autocovariance(blocks: NDArray[Any]) -> NDArray[Any]:
    """Mean product of two pixels at each distance, (17, 17) for -8 ... 8 rows and columns; blocks have mean 0."""
    size = _BLOCK + _REACH
    power = np.mean(np.abs(np.fft.rfft2(blocks, (size, size))) ** 2, axis=0)
    products = np.fft.fftshift(np.fft.irfft2(power, (size, size)))
    middle = size // 2
    window = slice(middle - _REACH, middle + _REACH + 1)
    values: NDArray[Any] = products[window, window] / _overlap()
    return values


def _weighted_median(values: NDArray[Any], weights: NDArray[Any]) -> float:
    order = np.argsort(values)
    total = np.cumsum(weights[order])
    return round(float(values[order][np.searchsorted(total, total[-1] / 2)]), 3)


def _rounded(values: NDArray[Any]) -> tuple[float, ...]:
    return tuple(np.round(values, 3).tolist())
