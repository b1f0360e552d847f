"""Tests whether the equilibrium is unique: solves from several starts and compares the results (Sec. IV-B)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from nerd_gui.analysis.solving import Interrupt, map_of, solved
from nerd_gui.nerd import Network, exact_float32

_SIZES = (0.5, 1.0, 2.0)  # root mean square of the random starts, in multiples of the equilibrium's


@dataclass(frozen=True, eq=False)
class Starts:
    """The results of the solver from several starts.

    Attributes
    ----------
    names : tuple of str
    residuals : tuple of float
        The least residual reached from each start.
    pictures : Tensor, (starts, C, rows, cols)
        x_hat of each result.
    distances : Tensor, (starts, starts)
        PSNR between the pictures in dB; infinite where they are equal.
    disagreement : Tensor, (rows, cols)
        Standard deviation over the starts, of the worst channel, in grey levels of 255.

    Examples
    --------
    With the network, picture and equilibrium of the examples of `nerd_gui.analysis`:

    >>> found = starts(net, y, z, {"zero": torch.zeros_like(z)})
    >>> found.names, tuple(found.pictures.shape)
    (("the run's", 'zero'), (2, 1, 16, 16))
    """

    names: tuple[str, ...]
    residuals: tuple[float, ...]
    pictures: Tensor
    distances: Tensor
    disagreement: Tensor


def usual_starts(z: Tensor, seed: int = 0) -> dict[str, Tensor]:
    """Make the default starts for an equilibrium (1, d, rows, cols): zero, and random starts of three sizes."""
    generator = torch.Generator().manual_seed(seed)
    size = z.square().mean().sqrt()
    found = {"zero": torch.zeros_like(z)}
    for part in _SIZES:
        noise = torch.randn(z.shape, generator=generator, dtype=torch.float32).to(z)
        found[f"random, {part:g} of its size"] = part * size * noise
    return found


def starts(
    net: Network,
    y: Tensor,
    z: Tensor,
    begins: Mapping[str, Tensor] | None = None,
    *,
    seed: int = 0,
    level: float | None = None,
    window: int | None = None,
    max_iter: int = 17,
    tol: float = 1e-3,
    interrupt: Interrupt | None = None,
) -> Starts:
    """Solve from several starts by Broyden's method.

    Parameters
    ----------
    net, y, z, level, window, interrupt
        See `Linearised`.
    begins : mapping of names to starts (1, d, rows, cols), optional
        None: zero, and random starts of three sizes.
    seed : int
        Seed of the random starts.
    max_iter, tol
        The solver's step limit and the residual at which it stops.

    Returns
    -------
    Starts
        The first entry is the given z.

    Examples
    --------
    With the network, picture and equilibrium of the examples of `nerd_gui.analysis`:

    >>> found = starts(net, y, z, {"twice as far": 2 * z})
    >>> bool(found.distances[0, 1] > 50)  # dB: the same equilibrium
    True
    """
    begins = usual_starts(z, seed) if begins is None else begins
    f, _ = map_of(net, y, level, window, interrupt)
    f_z = f(z.to(y.dtype))
    names, residuals, ends = ["the run's"], [float((f_z - z).norm() / f_z.norm())], [z.to(y.dtype)]
    for name, begin in begins.items():
        found = solved(f, begin.to(y), max_iter=max_iter, tol=tol)
        names.append(name)
        residuals.append(found.residual)
        ends.append(found.z)
    with torch.no_grad(), exact_float32():
        stacked = torch.stack([net.estimate(y, end)[0][0] for end in ends])
    errors = (stacked[:, None] - stacked[None]).square().flatten(2).mean(2)
    disagreement = 255 * stacked.std(dim=0, correction=0).amax(0)
    return Starts(tuple(names), tuple(residuals), stacked, -10 * errors.log10(), disagreement)
