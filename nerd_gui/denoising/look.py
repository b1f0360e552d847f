"""The look of a result: how much of the estimated noise is removed, computed from a stored iterate without a new run.

The order of all sums is independent of the array's position in the picture. So a part of the picture, computed on its
own, is bit for bit equal to that part of the whole.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nerd_gui.denoising.errors import RunError
from nerd_gui.imaging.colour import LUMA

#: The largest amount, as a multiple of the noise estimate.
MOST_AMOUNT = 1.5
#: Margin in pixels that the computation of a part needs on each side, except at the picture's border.
LOOK_HALO = 5
_REACH = 4  # radius in pixels of local means
#: Local energy of the removed part, as a multiple of the noise's, above which it counts as structure; noise alone
#: rarely exceeds it.
_SURE = 1.2
#: Energy of the picture's local differences, as a multiple of the noise's, at which half of the smoothed removed part
#: counts as structure.
_BUSY = 0.3
_LEVELS = 256  # brightness levels of a noise profile
_LEAST_LEVEL = 0.25 / 255  # least noise level: less than the error of rounding to 8 bits
_PATCH, _PATCHES = 24, 12  # a profile is measured on a grid of this many patches per side, each this many pixels wide
_BAND = 64  # rows that are computed at a time, so that they stay in the CPU's cache


@dataclass(frozen=True)
class Look:
    """How much noise is removed from a result when it is shown and saved.

    Attributes
    ----------
    luma, chroma : float
        Fractions of the noise estimate that are removed, 0 ... 1.5: of its luma, and of each channel's difference from
        the luma. A grey photo has only luma.
    detail : float
        Fraction, 0 ... 1, of the structure found in the removed luma that is given back.

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
        """Whether exactly the noise estimate is removed, and nothing is given back."""
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
    """The variance of a noise estimate's luma at each brightness, without the structure in it.

    Attributes
    ----------
    variance : float32 array (256,)
        Variance of the luma of n_hat at each brightness 0 ... 255 of the denoised luma.
    """

    variance: NDArray[np.float32]

    @classmethod
    def of(cls, noisy: NDArray[Any], n_hat: NDArray[Any]) -> "NoiseProfile":
        """Measure the profile on patches across a picture (C, rows, cols), except where there is no noise estimate yet.

        At each brightness, the variance is the median of the local energy, which is robust against structure in a few
        places.
        """
        brightness, energy = _sample(noisy, n_hat)
        if not len(energy):
            return cls(np.full(_LEVELS, _LEAST_LEVEL**2, np.float32))
        order = np.argsort(brightness, kind="stable")
        parts = max(1, min(12, len(order) // 200))  # groups of equal size, so that each median has enough samples
        groups = np.array_split(order, parts)
        centres = [float(np.median(brightness[group])) for group in groups]
        medians = [float(np.median(energy[group])) for group in groups]
        variance = np.interp(np.arange(_LEVELS) / (_LEVELS - 1), centres, medians)
        return cls(np.maximum(variance, _LEAST_LEVEL**2).astype(np.float32))

    def at(self, brightness: NDArray[np.float32]) -> NDArray[np.float32]:
        """Look up the variance for each value of a luma, which is clipped to [0, 1]."""
        return self.variance[(np.clip(brightness, 0, 1) * np.float32(_LEVELS - 1) + np.float32(0.5)).astype(np.uint8)]


def look_picture(
    look: Look, noisy: NDArray[np.float32], n_hat: NDArray[Any], profile: NoiseProfile | None = None
) -> NDArray[np.float32]:
    """Compute the picture of a noise estimate with a look, not clipped; the plain look gives noisy + n_hat.

    Parameters
    ----------
    look : Look
    noisy : float32 array (C, rows, cols)
    n_hat : float array (C, rows, cols)
    profile : NoiseProfile, optional
        The profile of the whole picture; required if detail is given back.

    Returns
    -------
    float32 array (C, rows, cols)
        If the arrays are a part of the picture, the outermost `LOOK_HALO` pixels are wrong and must be cut off, except
        at the picture's own border; `look_part` does this.

    Raises
    ------
    ValueError
        If detail is given back and there is no profile.
    """
    change = n_hat.astype(np.float32)
    if look.plain:
        return noisy + change
    removed = luma_of(change)
    luma_amount, chroma_amount = np.float32(look.luma), np.float32(look.chroma)
    kept = removed * luma_amount
    if look.detail:
        if profile is None:
            raise ValueError("A look that gives detail back needs the noise profile of the picture.")
        kept -= luma_amount * np.float32(look.detail) * structure(luma_of(noisy) + removed, removed, profile)
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
    n_hat: NDArray[Any],
    part: tuple[int, int, int, int] | None = None,
    profile: NoiseProfile | None = None,
) -> NDArray[np.float32]:
    """Compute a part (row, col, rows, cols) of a picture with a look; bit for bit equal to `look_picture`.

    `noisy` and `n_hat` are those of the whole picture, of which only the part and its margin are read. Processing it in
    bands of rows saves memory and time.
    """
    row, col, rows, cols = part or (0, 0, *noisy.shape[1:])
    halo = LOOK_HALO if look.detail else 0
    left = max(0, col - halo)
    picture = np.empty((len(noisy), rows, cols), np.float32)
    for start in range(row, row + rows, _BAND):
        stop, top = min(row + rows, start + _BAND), max(0, start - halo)
        seen = np.s_[:, top : stop + halo, left : col + cols + halo]
        made = look_picture(look, noisy[seen], n_hat[seen], profile)
        picture[:, start - row : stop - row] = made[:, start - top : stop - top, col - left : col - left + cols]
    return picture


def luma_of(change: NDArray[np.float32]) -> NDArray[np.float32]:
    """Compute the luma of (C, rows, cols) with sums in a fixed order, unlike a matrix product's."""
    luma: NDArray[np.float32] = change[0]
    if len(change) == 1:
        return luma
    red, green, blue = (np.float32(weight) for weight in LUMA)
    luma = luma * red
    luma += change[1] * green
    luma += change[2] * blue
    return luma


def structure(
    denoised: NDArray[np.float32], removed: NDArray[np.float32], profile: NoiseProfile
) -> NDArray[np.float32]:
    """Estimate the structure in the removed luma (rows, cols).

    Where the removed luma's energy exceeds the noise's, this is the part that a Wiener filter keeps. Elsewhere it is
    the local mean, in which noise cancels out, weighted by how much structure the denoised luma has there.

    Measured on ten pictures with noise of sigma 15 and 30 and two networks: its correlation with the true lost
    structure is 0.15 (0.08 for the whole removed luma), and giving all of it back changes the luma's PSNR by
    -0.1 ... +0.4 dB (-4 ... -8 dB for the whole removed luma).
    """
    variance = profile.at(denoised)
    energy = _around(removed * removed / variance)
    share = 1 - np.float32(_SURE) / np.maximum(energy, np.float32(_SURE))
    across = np.pad(denoised, 1, mode="symmetric")
    right, down = across[1:-1, 2:] - across[1:-1, :-2], across[2:, 1:-1] - across[:-2, 1:-1]
    busy = _around(right * right + down * down)
    busy /= busy + np.float32(_BUSY) * variance
    busy *= 1 - share
    busy *= _around(removed)
    busy += share * removed
    return busy


def _around(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Compute the local mean at each pixel of (…, rows, cols), weighted by a 9 x 9 pyramid and mirrored at the border.

    It is two means of 5 pixels along each axis. They are sums of shifted copies, whose order does not depend on where
    the array begins, unlike that of running sums.
    """
    for axis in (-2, -1):
        pad = [(0, 0)] * values.ndim
        pad[axis] = (_REACH, _REACH)
        values = np.pad(values, pad, mode="symmetric")
        for _ in range(2):
            values = _five(values, axis)
        values *= np.float32(1 / 25)
    return values


def _five(values: NDArray[np.float32], axis: int) -> NDArray[np.float32]:
    """Sums of 5 neighbours along an axis; the result is 4 elements shorter."""
    along = np.moveaxis(values, axis, 0)
    twos = along[:-1] + along[1:]
    fives = twos[:-3] + twos[2:-1]
    fives += along[4:]
    return np.moveaxis(fives, 0, axis)


def _sample(noisy: NDArray[np.float32], n_hat: NDArray[Any]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Brightness and local energy at pixels of patches on a grid; patches without a noise estimate are left out."""
    _, rows, cols = noisy.shape
    tall, wide = min(_PATCH, rows), min(_PATCH, cols)
    patches = []
    for row in np.unique(np.linspace(0, rows - tall, _PATCHES).astype(int)):
        for col in np.unique(np.linspace(0, cols - wide, _PATCHES).astype(int)):
            patch = np.s_[:, row : row + tall, col : col + wide]
            if n_hat[patch].any():
                patches.append((noisy[patch], n_hat[patch].astype(np.float32)))
    if not patches:
        return np.empty(0, np.float32), np.empty(0, np.float32)
    # Processing all patches together as (C, patches, rows, cols) is ten times as fast as one by one.
    pictures, changes = (np.stack(each, axis=1) for each in zip(*patches, strict=True))
    removed = luma_of(changes)
    margin = _REACH if min(tall, wide) > 2 * _REACH else 0
    inner = np.s_[:, margin : tall - margin : 2, margin : wide - margin : 2]
    return (luma_of(pictures) + removed)[inner].ravel(), _around(removed * removed)[inner].ravel()
