"""How far to trust a result: Stein's unbiased estimate of its error, without the clean picture."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from nerd_gui.analysis.linearised import Linearised
from nerd_gui.analysis.solving import Interrupt
from nerd_gui.nerd import Network, exact_float32

BLOCK = 32


@dataclass(frozen=True, eq=False)
class Risk:
    """What the error of a result is expected to be.

    Attributes
    ----------
    mse : float
        Mean squared error of x_hat, where white is 1. Unbiased, so that it can be below 0 where there is hardly any.
    psnr : float
        The same in dB; infinite for an error of 0 and below.
    standard_error : float
        Of `mse` as an estimate of the error that was made: chance in the noise, which more probes cannot lessen, and in
        the probes.
    divergence : float
        Sum of d x_hat / d y over all values, each by itself.
    divergence_error : float
        Its standard error, by chance in the probes.
    map : Tensor (rows / 32, cols / 32)
        The mean squared error expected in each block of 32 x 32 pixels, of all channels; blocks at the right and at the
        bottom may be smaller.

    Examples
    --------
    With the network, picture and equilibrium of the examples of `nerd_gui.analysis`:

    >>> found = risk(net, y, z, sigma=25)
    >>> tuple(found.map.shape), found.standard_error > 0  # one block of 32 x 32 pixels holds it all
    ((1, 1), True)
    """

    mse: float
    psnr: float
    standard_error: float
    divergence: float
    divergence_error: float
    map: Tensor


def risk(
    net: Network,
    y: Tensor,
    z: Tensor,
    sigma: float,
    *,
    probes: int = 2,
    seed: int = 0,
    level: float | None = None,
    window: int | None = None,
    tol: float = 0.1,
    interrupt: Interrupt | None = None,
) -> Risk:
    """Stein's unbiased risk estimate of an equilibrium's picture, for white Gaussian noise of a known level.

    ``||x_hat - y||^2 / n - sigma^2 + 2 sigma^2 div / n`` (Stein 1981), the divergence by random probes b of signs
    (Ramani et al. 2008): the mean of b^T J b with J = d x_hat / d y, each by one linear equation at the equilibrium.

    Its error has a standard deviation that can be estimated likewise (Bellec & Zhang 2021, "Second-order Stein"):
    ``4 sigma^2 ||x_hat - y||^2 + 4 sigma^4 tr(J J) - 2 sigma^4 n`` is that of n times it, squared. For tr(J J) the mean
    of ||J b||^2 is taken, which is no smaller. At sigma 25 and 256x256 pixels that is 3.5 squared grey levels: 0.2 dB
    of a picture at 29 dB, and 0.6 dB of a smooth one at 34 dB. Larger pictures are estimated better.

    Parameters
    ----------
    net, y, z, level, window, interrupt
        See `Linearised`. A `level` that was measured in y itself counts as known.
    sigma : float
        Standard deviation of the noise, 0-255 scale.
    probes : int
        How many, at least 1.
    seed : int
        Of the probes.
    tol : float
        Of the linear equations; the divergence is about so accurate.

    Returns
    -------
    Risk

    Raises
    ------
    ValueError
        If there is no probe or sigma is not above 0.
    NotSolved
        If an equation cannot be solved.

    Examples
    --------
    With the network, picture and equilibrium of the examples of `nerd_gui.analysis`:

    >>> found = risk(net, y, z, sigma=25)
    >>> true = float((net.estimate(y, z)[0] - clean).square().mean())
    >>> abs(found.mse - true) < 3 * found.standard_error
    True
    """
    if probes < 1 or not sigma > 0:
        raise ValueError(f"The estimate takes at least 1 probe and a noise above 0, not {probes} and {sigma:g}.")
    at = Linearised(net, y, z, level=level, window=window, interrupt=interrupt)
    variance, n = (sigma / 255) ** 2, at.y.numel()
    with torch.no_grad(), exact_float32():
        removed = (net.estimate(at.y, at.z)[0] - at.y).square()
        generator = torch.Generator().manual_seed(seed)
        products, sizes = [], []
        for _ in range(probes):
            b = (torch.randint(0, 2, at.y.shape, generator=generator) * 2 - 1).to(at.y)
            pushed = _pushed_forward(at, b, tol)
            products.append(b * pushed)
            sizes.append(float(pushed.double().square().sum()))
    divergence = float(torch.stack([product.double().sum() for product in products]).mean())
    size = sum(sizes) / probes  # of J: the sum of the squares of its values
    mse = float(removed.double().mean()) - variance + 2 * variance * divergence / n
    # b^T J b varies by what of J + J^T lies beside the diagonal: at most twice the size without an even diagonal.
    divergence_error = math.sqrt(max(2 * (size - divergence**2 / n), 0.0) / probes)
    by_noise = 4 * variance * float(removed.double().sum()) + 4 * variance**2 * size - 2 * variance**2 * n
    error = math.hypot(math.sqrt(max(by_noise, 0.0)), 2 * variance * divergence_error) / n
    blocks = _blocks(removed - variance + 2 * variance * torch.stack(products).mean(0))
    psnr = -10 * math.log10(mse) if mse > 0 else math.inf
    return Risk(mse, psnr, error, divergence, divergence_error, blocks)


def psnr_error(mse: float, standard_error: float | None) -> float | None:
    """The standard error of a mean squared error as one of the PSNR, in dB; None where it has none."""
    return None if standard_error is None or mse <= 0 else 10 / math.log(10) * standard_error / mse


def _pushed_forward(at: Linearised, b: Tensor, tol: float) -> Tensor:
    """(d x_hat / d y) b at the equilibrium."""
    step = 1e-5 if b.dtype == torch.float64 else 1e-3  # f_inject is linear but for its ReLU
    above, below = (at.net.inject(at.y + way * b, at.level) for way in (step, -step))
    ds = (above - below) / (2 * step)
    dz = at.solve(ds, tol=tol)
    step *= float(at.z.square().mean().sqrt()) / max(float(dz.abs().max()), 1e-6)
    above, below = (at.net.estimate(at.y + way * b, at.z + way * dz)[0] for way in (step, -step))
    return (above - below) / (2 * step)


def _blocks(values: Tensor) -> Tensor:
    mean = values.mean(dim=1, keepdim=True)
    return F.avg_pool2d(mean, BLOCK, ceil_mode=True, count_include_pad=False)[0, 0]
