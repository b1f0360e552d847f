"""The look of a result: how much of the estimated noise is taken away, made anew from a stored iterate without a run.

Every value of the picture follows from its surroundings in an order of arithmetic that does not depend on where the
array begins: a part of the picture is, to the bit, the same as that part of the whole.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nerd_gui.denoising.errors import RunError
from nerd_gui.imaging.colour import LUMA

#: The most that may be taken away, in parts of the noise estimate.
MOST_AMOUNT = 1.5
#: Pixels that a part must see beyond itself on each side, as far as the picture goes.
LOOK_HALO = 4
#: A residual of this many times the noise's energy is as much structure as noise; below it nothing is given back.
_SURE = 1.2
_LEVELS = 256  # of brightness in a noise profile
_LEAST_LEVEL = 0.25 / 255  # of noise: less than rounding to 8 bits makes
_PATCH, _PATCHES = 24, 16  # side of a patch in pixels, and patches a side, from which a profile is made
_BAND = 256  # rows that are made at a time


@dataclass(frozen=True)
class Look:
    """How a result is shown and saved.

    Attributes
    ----------
    luma, chroma : float
        Parts of the noise estimate's luma, and of what is left of it in each channel, that are taken away: 0 ... 1.5.
        A grey photo has luma alone.
    detail : float
        How much of the structure that is found in the luma taken away is given back, 0 ... 1.

    Raises
    ------
    RunError
        If a value lies outside its range.
    """

    luma: float = 1.0
    chroma: float = 1.0
    detail: float = 0.0

    def __post_init__(self) -> None:
        for name, most in (("luma", MOST_AMOUNT), ("chroma", MOST_AMOUNT), ("detail", 1.0)):
            value = getattr(self, name)
            if not (math.isfinite(value) and 0 <= value <= most):
                raise RunError(f"The look's {name} must lie between 0 and {most:g}, not {value}.")

    @property
    def plain(self) -> bool:
        """Whether all of the noise estimate is taken away, and nothing is given back."""
        return (self.luma, self.chroma, self.detail) == (1, 1, 0)

    def __str__(self) -> str:
        if self.luma == self.chroma:
            words = f"amount {self.luma:.0%}"
        else:
            words = f"luma {self.luma:.0%}, chroma {self.chroma:.0%}"
        return words + (f", detail {self.detail:.0%}" if self.detail else "")


PLAIN = Look()


@dataclass(frozen=True, eq=False)
class NoiseProfile:
    """What the luma of a noise estimate looks like where it is noise.

    Attributes
    ----------
    variance : float32 array (256,)
        Of the luma of n_hat at each brightness 0 ... 255 of the denoised picture's luma.
    """

    variance: NDArray[np.float32]

    @classmethod
    def of(cls, noisy: NDArray, n_hat: NDArray) -> "NoiseProfile":
        """Measure it on patches spread over a picture (C, rows, cols), where there is a noise estimate already.

        At each brightness it is the median of the local energy, which structure in a few places does not move.
        """
        brightness, energy = _sample(noisy, n_hat)
        if not len(energy):
            return cls(np.full(_LEVELS, _LEAST_LEVEL**2, np.float32))
        order = np.argsort(brightness, kind="stable")
        parts = max(1, min(12, len(order) // 200))  # each of as many pixels, so that each median is one of many
        groups = np.array_split(order, parts)
        centres = [float(np.median(brightness[group])) for group in groups]
        medians = [float(np.median(energy[group])) for group in groups]
        variance = np.interp(np.arange(_LEVELS) / (_LEVELS - 1), centres, medians)
        return cls(np.maximum(variance, _LEAST_LEVEL**2).astype(np.float32))

    def at(self, brightness: NDArray[np.float32]) -> NDArray[np.float32]:
        """The variance at each value of a luma; values are in [0, 1] and clipped to it."""
        return self.variance[(np.clip(brightness, 0, 1) * np.float32(_LEVELS - 1) + np.float32(0.5)).astype(np.uint8)]


def look_picture(
    look: Look, noisy: NDArray[np.float32], n_hat: NDArray, profile: NoiseProfile | None = None
) -> NDArray[np.float32]:
    """The picture of a noise estimate as a look shows it, not clipped; the plain look gives noisy + n_hat.

    Parameters
    ----------
    look : Look
    noisy : float32 array (C, rows, cols)
    n_hat : float array (C, rows, cols)
    profile : NoiseProfile, optional
        Of the whole picture; needed to give detail back.

    Returns
    -------
    float32 array (C, rows, cols)
        Of a part of a picture the outermost `LOOK_HALO` pixels are to be cut off, except at the picture's own border;
        `look_part` does.

    Raises
    ------
    ValueError
        If detail is to be given back and there is no profile.
    """
    change = n_hat.astype(np.float32)
    if look.plain:
        return noisy + change
    removed = luma_of(change)
    luma_amount, chroma_amount = np.float32(look.luma), np.float32(look.chroma)
    kept = removed * luma_amount
    if look.detail:
        if profile is None:
            raise ValueError("A profile of the noise is needed to give detail back.")
        kept *= 1 - np.float32(look.detail) * structure(noisy, change, removed, profile)
    if len(change) == 1:
        return noisy + kept
    change -= removed
    change *= chroma_amount
    change += kept
    change += noisy
    return change


def look_part(
    look: Look,
    noisy: NDArray[np.float32],
    n_hat: NDArray,
    part: tuple[int, int, int, int],
    profile: NoiseProfile | None = None,
) -> NDArray[np.float32]:
    """A part (row, col, rows, cols) of a picture as a look shows it; to the bit that part of `look_picture`.

    Only the part and its halo are read of `noisy` and `n_hat`, which are those of the whole picture.
    """
    row, col, rows, cols = part
    halo = LOOK_HALO if look.detail else 0
    top, left = max(0, row - halo), max(0, col - halo)
    seen = np.s_[:, top : row + rows + halo, left : col + cols + halo]
    picture = look_picture(look, noisy[seen], n_hat[seen], profile)
    return picture[:, row - top : row - top + rows, col - left : col - left + cols]


def look_whole(
    look: Look, noisy: NDArray[np.float32], n_hat: NDArray, profile: NoiseProfile | None = None
) -> NDArray[np.float32]:
    """`look_picture` of a whole picture, made band by band: it takes little memory beside the result."""
    channels, rows, cols = noisy.shape
    picture = np.empty((channels, rows, cols), np.float32)
    for row in range(0, rows, _BAND):
        band = min(_BAND, rows - row)
        picture[:, row : row + band] = look_part(look, noisy, n_hat, (row, 0, band, cols), profile)
    return picture


def luma_of(change: NDArray[np.float32]) -> NDArray[np.float32]:
    """The luma of (C, rows, cols) by sums in a fixed order; a matrix product's order depends on the array's size."""
    if len(change) == 1:
        return change[0]
    red, green, blue = (np.float32(weight) for weight in LUMA)
    luma = change[0] * red
    luma += change[1] * green
    luma += change[2] * blue
    return luma


def structure(
    noisy: NDArray[np.float32], change: NDArray[np.float32], removed: NDArray[np.float32], profile: NoiseProfile
) -> NDArray[np.float32]:
    """The share of a removed luma that is taken for structure, 0 ... 1: the Wiener filter's, for this noise."""
    energy = _energy(removed, profile.at(luma_of(noisy) + removed))
    return np.maximum(1 - np.float32(_SURE) / np.maximum(energy, np.float32(_SURE)), 0)


def _energy(removed: NDArray[np.float32], variance: NDArray[np.float32] | None = None) -> NDArray[np.float32]:
    """Mean square of a removed luma around each pixel, in parts of the noise's variance there."""
    square = removed * removed
    if variance is not None:
        square /= variance
    return _around(square)


def _around(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """The mean around each pixel of (rows, cols), weighted as a pyramid of 9 x 9 pixels; mirrored at the border.

    Twice 5 pixels in each direction, by sums of shifted copies: the sum of a pixel is taken in the same order wherever
    the array begins, which running sums do not do.
    """
    for axis in (0, 1):
        pad = [(0, 0), (0, 0)]
        pad[axis] = (LOOK_HALO, LOOK_HALO)
        values = np.pad(values, pad, mode="symmetric")
        for _ in range(2):
            values = _five(values, axis)
        values *= np.float32(1 / 25)
    return values


def _five(values: NDArray[np.float32], axis: int) -> NDArray[np.float32]:
    """Sums of 5 neighbours along an axis, 4 fewer than there are values."""
    along = np.moveaxis(values, axis, 0)
    twos = along[:-1] + along[1:]
    fives = twos[:-3] + twos[2:-1]
    fives += along[4:]
    return np.moveaxis(fives, 0, axis)


def _sample(noisy: NDArray[np.float32], n_hat: NDArray) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Brightness and local energy at pixels of patches on a grid; patches without a noise estimate are left out."""
    _, rows, cols = noisy.shape
    tall, wide = min(_PATCH, rows), min(_PATCH, cols)
    brightness, energy = [], []
    for row in np.unique(np.linspace(0, rows - tall, _PATCHES).astype(int)):
        for col in np.unique(np.linspace(0, cols - wide, _PATCHES).astype(int)):
            patch = np.s_[:, row : row + tall, col : col + wide]
            change = n_hat[patch].astype(np.float32)
            if not change.any():
                continue
            removed = luma_of(change)
            margin = LOOK_HALO if min(tall, wide) > 2 * LOOK_HALO else 0
            inner = np.s_[margin : tall - margin : 2, margin : wide - margin : 2]
            brightness.append((luma_of(noisy[patch]) + removed)[inner].ravel())
            energy.append(_energy(removed)[inner].ravel())
    if not energy:
        return np.empty(0, np.float32), np.empty(0, np.float32)
    return np.concatenate(brightness), np.concatenate(energy)
