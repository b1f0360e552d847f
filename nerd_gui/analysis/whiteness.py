"""Is what was removed noise? The correlation of neighbouring values of the removed noise."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, eq=False)
class Whiteness:
    """How the removed noise correlates with itself.

    Attributes
    ----------
    correlation : Tensor, (2 r + 1, 2 r + 1)
        Autocorrelation up to r rows and columns, mean of the channels; 1 in the middle.
    worst : float
        The largest modulus beside the middle: 0 for white noise, up to chance.
    bound : float
        What chance allows of it, 99.9 % of the time for white noise.

    Examples
    --------
    >>> found = whiteness(torch.ones(1, 8, 8).cumsum(2))  # a slope is no noise
    >>> found.white, found.worst > found.bound
    (False, True)
    """

    correlation: Tensor
    worst: float
    bound: float

    @property
    def white(self) -> bool:
        """Whether chance explains it."""
        return self.worst <= self.bound


def whiteness(n_hat: Tensor, reach: int = 3) -> Whiteness:
    """Correlate a noise estimate with itself, moved by up to `reach` pixels.

    Parameters
    ----------
    n_hat : Tensor, (C, rows, cols)
        In any unit.
    reach : int
        In pixels.

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
        raise ValueError(f"A picture of {rows} x {cols} pixels is too small to be moved by {reach}.")
    centred = n_hat.double() - n_hat.double().mean((1, 2), keepdim=True)
    power = torch.fft.rfft2(centred, s=(rows + reach, cols + reach)).abs().square()
    full = torch.fft.irfft2(power, s=(rows + reach, cols + reach))
    middle = full[:, :1, :1].clamp_min(torch.finfo(torch.float64).tiny)
    around = torch.roll(full, (reach, reach), (1, 2))[:, : 2 * reach + 1, : 2 * reach + 1] / middle
    correlation = around.mean(0)
    beside = correlation.abs().clone()
    beside[reach, reach] = 0
    lags = (2 * reach + 1) ** 2 // 2  # those opposite are the same
    # Each is normal with variance 1 / values; the largest of `lags` of them, by the bound of Bonferroni.
    quantile = math.sqrt(2) * float(torch.erfinv(torch.tensor(1 - 1e-3 / lags, dtype=torch.float64)))
    return Whiteness(correlation, float(beside.max()), quantile / math.sqrt(channels * rows * cols))
