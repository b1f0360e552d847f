"""What the noise of a photo is like: level against intensity, correlation from pixel to pixel, kurtosis.

Levels are on the 0-255 scale, in the values of the file. Of a colour photo the planes are luma Y and the differences
of colour Cb and Cr (ITU-T T.871), of a grey one Y alone.
"""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nerd_gui.imaging.colour import FROM_YCC

#: Pixels that the correlation is measured over.
LAGS = 6
_BLOCK, _STRIDE = 32, 16  # side of a block in pixels, and from one block to the next
_NEIGHBOURS = _BLOCK // _STRIDE  # blocks from one to the nearest that shares no pixel with it
_CELL = 8  # pixels, the side of what is coarse in a block
_BINS = 8  # of intensity
_FLATTEST = 0.15  # part of the blocks of a bin that counts as flat
_FEWEST, _MOST = 6, 500  # blocks that a bin must have, and that are measured
_FINE = 0.2  # part of the flat blocks that is taken to be without texture
_LENIENCE = 0.05  # by which the coarse part of a block's variance may differ by chance
_CLIPPED = 0.02  # part of a block's pixels that may be black or white
_REACH = 8  # pixels beyond which noise is taken to be uncorrelated
_TO_YCC = np.linalg.inv(FROM_YCC).astype(np.float32)


class NoiseStatisticsError(ValueError):
    """A photo that has no statistics; the message says why."""


@dataclass(frozen=True)
class PlaneStatistics:
    """The noise of one plane.

    Attributes
    ----------
    name : str
        "Y", "Cb" or "Cr".
    level : float
        Standard deviation that a pixel of the photo typically has: the median over the bins of intensity, each weighing
        as many blocks as the photo has in it.
    horizontal, vertical, mean : tuple of 6 floats
        Correlation with the pixel 1 ... 6 columns on, 1 ... 6 rows on, and the mean of the two.
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
    """The noise where the photo is about so bright.

    Attributes
    ----------
    intensity : float
        Mean luma of the flat blocks, 0-255.
    blocks : int
        How many flat blocks were measured.
    share : float
        Part of the photo's blocks that is about so bright.
    levels : tuple of float
        Standard deviation in each plane.
    """

    intensity: float
    blocks: int
    share: float
    levels: tuple[float, ...]


@dataclass(frozen=True)
class NoiseStatistics:
    """The noise of a photo, each plane's and that at each intensity.

    Attributes
    ----------
    planes : tuple of PlaneStatistics
        Y, Cb and Cr, or Y alone.
    bins : tuple of IntensityBin
        From dark to bright; those without enough flat blocks are left out.
    """

    planes: tuple[PlaneStatistics, ...]
    bins: tuple[IntensityBin, ...]

    @property
    def level(self) -> float:
        """The noise level of luma."""
        return self.planes[0].level

    def to_json(self) -> dict[str, Any]:
        """The same as a dictionary of plain numbers."""
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
    The photo is cut into blocks of 32x32 pixels, a slope fitted to each is taken away, and in each of eight bins of
    intensity the flattest 15 % of the blocks are looked at. How flat a block is, is said by its four neighbours: chosen
    by its own variance, blocks would be those whose noise happens to be weak. Of these, blocks and bins are left out
    whose variance is coarser than that of most: noise has grains of about one size in all of a photo, texture and edges
    are coarser. In a photo without flat parts fine texture counts as noise.

    The fitted slope takes a part of the noise along, the more the wider its grains are. Of noise that is uncorrelated
    beyond 8 pixels this lowers the covariance at all lags by about as much, which is put back; levels of noise with a
    Gaussian kernel of 3 pixels come out a few per cent low.
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
            "The photo has no part that is neither black nor white and large enough to measure its noise; take another."
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
    """Y, or Y, Cb and Cr, on the 0-255 scale; grey is 0 in Cb and Cr."""
    return 255 * (pixels if len(pixels) == 1 else np.tensordot(_TO_YCC, pixels, axes=1))


@dataclass(frozen=True)
class _Blocks:
    """Flat blocks of about one intensity.

    Attributes
    ----------
    share : float
        Part of the photo's blocks that is about so bright.
    means : array (N,)
        Mean luma of each.
    blocks : array (N, planes, 32, 32)
        The blocks without slopes.
    """

    share: float
    means: NDArray[Any]
    blocks: NDArray[Any]

    def of(self, kept: NDArray[Any]) -> "_Blocks":
        """Some of the blocks."""
        return _Blocks(self.share, self.means[kept], self.blocks[kept])


def _candidates(planes: NDArray[Any]) -> list[_Blocks]:
    """For each bin of intensity the blocks whose neighbours are flattest."""
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
    """The blocks that are no coarser than noise is in this photo, where a bin has enough of them."""
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
    """What a slope is a sum of: even, across and down, orthonormal, (3, 32, 32)."""
    ramp = np.arange(_BLOCK) - (_BLOCK - 1) / 2
    raw = np.stack([np.ones((_BLOCK, _BLOCK)), *np.meshgrid(ramp, ramp)])
    slopes: NDArray[Any] = (raw / np.linalg.norm(raw, axis=(1, 2), keepdims=True)).astype(np.float32)
    return slopes


def _without_slope(blocks: NDArray[Any]) -> NDArray[Any]:
    """Blocks (..., 32, 32) less the slope that is nearest to each."""
    slopes = _slopes()
    levelled: NDArray[Any] = blocks - np.einsum("...ij,kij,kmn->...mn", blocks, slopes, slopes, optimize=True)
    return levelled


def _measured(planes: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Of each block: the mean of luma, the coarse part of its variance, and whether it is neither black nor white."""
    rows, cols = ((size - _BLOCK) // _STRIDE + 1 for size in planes.shape[1:])
    means, coarse, usable = np.empty((rows, cols)), np.empty((rows, cols)), np.empty((rows, cols), bool)
    for row in range(rows):
        blocks = np.stack([_cut(planes, row, col)[0] for col in range(cols)])
        means[row] = blocks.mean(axis=(1, 2))
        coarse[row] = _coarse(_without_slope(blocks))
        usable[row] = ((blocks < 0.5) | (blocks > 254.5)).mean(axis=(1, 2)) <= _CLIPPED
    return means, coarse, usable


def _coarse(blocks: NDArray[Any]) -> NDArray[Any]:
    """Variance of the means of 8x8 pixels in blocks (N, 32, 32): what texture and edges have and fine noise has not."""
    cells = _BLOCK // _CELL
    values: NDArray[Any] = blocks.reshape(-1, cells, _CELL, cells, _CELL).mean(axis=(2, 4)).var(axis=(1, 2))
    return values


def _of_neighbours(values: NDArray[Any]) -> NDArray[Any]:
    """Mean over the nearest blocks above, below, left and right that share no pixel; inside alone at the border."""
    step = _NEIGHBOURS
    padded = np.pad(values, step, constant_values=np.nan)
    rows, cols = values.shape
    shifted = [(0, step), (2 * step, step), (step, 0), (step, 2 * step)]
    result: NDArray[Any] = np.nanmean([padded[top : top + rows, left : left + cols] for top, left in shifted], axis=0)
    return result


def _level(blocks: NDArray[Any]) -> float:
    """Median standard deviation of blocks (N, 32, 32) without slopes."""
    return float(np.sqrt(np.median(blocks.var(axis=(1, 2)))))


@dataclass(frozen=True)
class _Figures:
    """Correlation at lags 1 ... 6, excess kurtosis, and the true standard deviation over that without slopes."""

    horizontal: NDArray[Any]
    vertical: NDArray[Any]
    kurtosis: float
    factor: float


def _plane(blocks: NDArray[Any]) -> _Figures:
    """The figures of one plane's flat blocks (N, 32, 32), each of which weighs the same."""
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
    """Pairs of pixels of a block that lie so far apart, (17, 17) for -8 ... 8 rows and columns."""
    length = _BLOCK - np.abs(np.arange(-_REACH, _REACH + 1))
    return np.outer(length, length)


def _autocovariance(blocks: NDArray[Any]) -> NDArray[Any]:
    """Mean product of two pixels so far apart, (17, 17) for -8 ... 8 rows and columns, of blocks of mean 0."""
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
