"""The look of a result: how much of the estimated noise is taken away, made anew from a stored iterate without a run.

Every value of the picture follows from its surroundings in an order of arithmetic that does not depend on where the
array begins: a part of the picture is, to the bit, the same as that part of the whole.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nerd_gui.denoising.errors import RunError
from nerd_gui.imaging.colour import LUMA

#: The most that may be taken away, in parts of the noise estimate.
MOST_AMOUNT = 1.5
#: Pixels that a part must see beyond itself on each side, as far as the picture goes.
LOOK_HALO = 5
_REACH = 4  # of a mean around a pixel
#: Energy of the residual in parts of the noise's above which it holds structure: local means of noise seldom get there.
_SURE = 1.2
#: Energy of the picture's differences, in parts of the noise's, at which half of the smoothed residual is structure.
_BUSY = 0.3
_LEVELS = 256  # of brightness in a noise profile
_LEAST_LEVEL = 0.25 / 255  # of noise: less than rounding to 8 bits makes
_PATCH, _PATCHES = 24, 12  # side of a patch in pixels, and patches a side, from which a profile is made
_BAND = 64  # rows that are made at a time: they stay in the processor's cache


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
    def of(cls, noisy: NDArray[Any], n_hat: NDArray[Any]) -> "NoiseProfile":
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
    look: Look, noisy: NDArray[np.float32], n_hat: NDArray[Any], profile: NoiseProfile | None = None
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
    """A part (row, col, rows, cols) of a picture as a look shows it, or all of it; to the bit that of `look_picture`.

    Only the part and its halo are read of `noisy` and `n_hat`, which are those of the whole picture, and it is made
    band by band: that takes little memory beside the result, and less time.
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
    """The luma of (C, rows, cols) by sums in a fixed order; a matrix product's order depends on the array's size."""
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
    """What of the luma taken away (rows, cols) is taken for structure.

    Where its energy is above the noise's, the Wiener filter's share of it; where it is not, its local mean, in which
    noise cancels and structure does not, as far as the denoised luma has structure there too.

    On ten pictures with noise of sigma 15 and 30 and two networks, this correlates with what the networks had lost by
    0.15 (0.08: the residual as it is); given back whole it moves the luma's PSNR by -0.1 ... +0.4 dB (-4 ... -8).
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
    """The mean around each pixel of (…, rows, cols), weighted as a pyramid of 9 x 9 pixels; mirrored at the border.

    Twice 5 pixels in each direction, by sums of shifted copies: the sum of a pixel is taken in the same order wherever
    the array begins, which running sums do not do.
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
    """Sums of 5 neighbours along an axis, 4 fewer than there are values."""
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
    # All at once, (C, patches, rows, cols): one by one they take ten times as long.
    pictures, changes = (np.stack(each, axis=1) for each in zip(*patches, strict=True))
    removed = luma_of(changes)
    margin = _REACH if min(tall, wide) > 2 * _REACH else 0
    inner = np.s_[:, margin : tall - margin : 2, margin : wide - margin : 2]
    return (luma_of(pictures) + removed)[inner].ravel(), _around(removed * removed)[inner].ravel()
