"""Tests whether the removed noise is white: the correlation of neighbouring values of the noise estimate."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, eq=False)
class Whiteness:
    """The autocorrelation of the removed noise.

    Attributes
    ----------
    correlation : Tensor, (2 r + 1, 2 r + 1)
        Autocorrelation for shifts of up to r rows and columns, averaged over the channels; 1 in the middle.
    worst : float
        The largest modulus outside the middle; its expectation for white noise is near 0.
    bound : float
        For white noise, `worst` stays below this bound in 99.9 % of all cases.

    Examples
    --------
    >>> found = whiteness(torch.ones(1, 8, 8).cumsum(2))  # a ramp is not noise
    >>> found.white, found.worst > found.bound
    (False, True)
    """

    correlation: Tensor
    worst: float
    bound: float

    @property
    def white(self) -> bool:
        """Whether the correlation is small enough for white noise."""
        return self.worst <= self.bound


def whiteness(n_hat: Tensor, reach: int = 3) -> Whiteness:
    """Correlate a noise estimate with copies of itself that are shifted by up to `reach` pixels.

    Parameters
    ----------
    n_hat : Tensor, (C, rows, cols)
        In any unit.
    reach : int
        The largest shift in pixels.

    Returns
    -------
    Whiteness

    Raises
    ------
    ValueError
        If the picture is not larger than twice the reach.

    Examples
    --------
    >>> noise = torch.randn(1, 64, 64, generator=torch.Generator().manual_seed(0))
    >>> whiteness(noise).white, whiteness(noise + noise.roll(1, 2)).white
    (True, False)
    """
    channels, rows, cols = n_hat.shape
    if min(rows, cols) <= 2 * reach:
        raise ValueError(f"A picture of {rows} x {cols} pixels is too small to be shifted by {reach} pixels.")
    centred = n_hat.double() - n_hat.double().mean((1, 2), keepdim=True)
    power = torch.fft.rfft2(centred, s=(rows + reach, cols + reach)).abs().square()
    full = torch.fft.irfft2(power, s=(rows + reach, cols + reach))
    middle = full[:, :1, :1].clamp_min(torch.finfo(torch.float64).tiny)
    around = torch.roll(full, (reach, reach), (1, 2))[:, : 2 * reach + 1, : 2 * reach + 1] / middle
    correlation = around.mean(0)
    beside = correlation.abs().clone()
    beside[reach, reach] = 0
    lags = (2 * reach + 1) ** 2 // 2  # opposite shifts have equal correlations
    # Each correlation is normal with variance 1 / number of values; Bonferroni's bound holds for the largest of `lags`.
    quantile = math.sqrt(2) * float(torch.erfinv(torch.tensor(1 - 1e-3 / lags, dtype=torch.float64)))
    return Whiteness(correlation, float(beside.max()), quantile / math.sqrt(channels * rows * cols))
