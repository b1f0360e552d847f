"""The expected error of a result without the clean picture: Stein's unbiased risk estimate."""

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
    """The expected error of a result.

    Attributes
    ----------
    mse : float
        Mean squared error of x_hat, where white is 1. As the estimate is unbiased, a small error may come out below 0.
    psnr : float
        The same in dB; infinite if `mse` is 0 or below.
    standard_error : float
        Standard error of `mse` as an estimate of the actual error. It has two sources: the noise, which more probes
        cannot average out, and the random probes.
    divergence : float
        Sum over all values i of d x_hat_i / d y_i.
    divergence_error : float
        Standard error of `divergence` due to the random probes.
    map : Tensor (rows / 32, cols / 32)
        The expected mean squared error, over all channels, in each block of 32 x 32 pixels; blocks at the right and at
        the bottom may be smaller.

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
    probes: int = 1,
    seed: int = 0,
    level: float | None = None,
    window: int | None = None,
    tol: float = 0.01,
    interrupt: Interrupt | None = None,
) -> Risk:
    """Estimate the error of an equilibrium's picture by Stein's method, for white Gaussian noise of a known level.

    The estimate is ``||x_hat - y||^2 / n - sigma^2 + 2 sigma^2 div / n`` (Stein 1981). The divergence is the mean of
    b^T J b over random probes b of values +-1 (Ramani et al. 2008), with J = d x_hat / d y; each probe costs one linear
    equation at the equilibrium.

    The variance of n times the estimate can be estimated in turn (Bellec & Zhang 2021, "Second-order Stein"), by
    ``4 sigma^2 ||x_hat - y||^2 + 4 sigma^4 tr(J J) - 2 sigma^4 n``. In place of tr(J J), its upper bound, the mean of
    ||J b||^2, is used. At sigma 25 and 256x256 pixels, the standard error is 3.5 squared grey levels: 0.2 dB for a
    picture at 29 dB, and 0.6 dB for a smooth one at 34 dB. Larger pictures are estimated more accurately.

    Parameters
    ----------
    net, y, z, level, window, interrupt
        See `Linearised`. A `level` that was measured in y itself is treated as a constant.
    sigma : float
        Standard deviation of the noise, 0-255 scale.
    probes : int
        Number of random probes, at least 1. More probes hardly reduce the error, most of which comes from the noise.
    seed : int
        Seed of the probes.
    tol : float
        Relative residual to which the linear equations are solved. The relative error of the divergence is about as
        large. That of the estimate is larger for smooth pictures, for which large terms nearly cancel: five times for
        a part of the sample *brick*.

    Returns
    -------
    Risk

    Raises
    ------
    ValueError
        If `probes` is below 1 or `sigma` is not above 0.
    NotSolved
        If a linear equation cannot be solved.

    Examples
    --------
    With the network, picture and equilibrium of the examples of `nerd_gui.analysis`:

    >>> found = risk(net, y, z, sigma=25)
    >>> true = float((net.estimate(y, z)[0] - clean).square().mean())
    >>> abs(found.mse - true) < 3 * found.standard_error
    True
    """
    if probes < 1 or not sigma > 0:
        raise ValueError(f"The estimate needs at least 1 probe and a sigma above 0, not {probes} and {sigma:g}.")
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
    size = sum(sizes) / probes  # estimates the squared Frobenius norm of J
    mse = float(removed.double().mean()) - variance + 2 * variance * divergence / n
    # The variance of b^T J b comes from the off-diagonal part of J + J^T. It is at most twice the squared norm of J
    # less that of its diagonal, which is at least divergence^2 / n.
    divergence_error = math.sqrt(max(2 * (size - divergence**2 / n), 0.0) / probes)
    by_noise = 4 * variance * float(removed.double().sum()) + 4 * variance**2 * size - 2 * variance**2 * n
    error = math.hypot(math.sqrt(max(by_noise, 0.0)), 2 * variance * divergence_error) / n
    blocks = _blocks(removed - variance + 2 * variance * torch.stack(products).mean(0))
    psnr = -10 * math.log10(mse) if mse > 0 else math.inf
    return Risk(mse, psnr, error, divergence, divergence_error, blocks)


def psnr_error(mse: float, standard_error: float | None) -> float | None:
    """Convert the standard error of a mean squared error to that of the PSNR, in dB; None if undefined."""
    return None if standard_error is None or mse <= 0 else 10 / math.log(10) * standard_error / mse


def _pushed_forward(at: Linearised, b: Tensor, tol: float) -> Tensor:
    """(d x_hat / d y) b at the equilibrium."""
    step = 1e-5 if b.dtype == torch.float64 else 1e-3  # f_inject is piecewise linear
    above, below = (at.net.inject(at.y + way * b, at.level) for way in (step, -step))
    ds = (above - below) / (2 * step)
    dz = at.solve(ds, tol=tol)
    step *= float(at.z.square().mean().sqrt()) / max(float(dz.abs().max()), 1e-6)
    above, below = (at.net.estimate(at.y + way * b, at.z + way * dz)[0] for way in (step, -step))
    return (above - below) / (2 * step)


def _blocks(values: Tensor) -> Tensor:
    mean = values.mean(dim=1, keepdim=True)
    return F.avg_pool2d(mean, BLOCK, ceil_mode=True, count_include_pad=False)[0, 0]
