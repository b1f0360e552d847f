"""Common to several analyses: f of a network for one picture, and the solution of z = f(z)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from nerd_gui.equilibrium import SolverStep, broyden
from nerd_gui.nerd import Network, exact_float32
from nerd_gui.nerd.attention import Precision

Interrupt = Callable[[], None]


def map_of(
    net: Network,
    y: Tensor,
    level: float | None,
    window: int | None,
    interrupt: Interrupt | None,
    precision: Precision = "float32",
) -> tuple[Callable[[Tensor], Tensor], Tensor]:
    """Return the map z -> f(z) of a network for a picture, and the injection s; see `Linearised` for the arguments."""
    with torch.no_grad(), exact_float32():
        s = net.inject(y, level)

    def f(z: Tensor) -> Tensor:
        with torch.no_grad(), exact_float32():
            return net.implicit(z, s, window=window, precision=precision, interrupt=interrupt)

    return f, s


@dataclass(frozen=True, eq=False)
class Solved:
    """The iterate of least residual that a solver found.

    Attributes
    ----------
    z : Tensor, (1, d, rows, cols)
    residual : float
    evaluations : int
        Evaluations of f in all steps.
    """

    z: Tensor
    residual: float
    evaluations: int


def solved(
    f: Callable[[Tensor], Tensor],
    start: Tensor,
    *,
    max_iter: int,
    tol: float,
    accuracy: float = 0.0,
    solver: Callable[..., Iterator[SolverStep]] = broyden,
) -> Solved:
    """Solve z = f(z), and return the iterate of least residual.

    It stops at the residual `tol`, or where the residual has fallen to the fraction `accuracy` of that of the start.
    """
    best, least, enough = start, float("inf"), 0.0
    for step in solver(f, start, max_iter=max_iter, tol=tol):
        residual = float(step.residual)
        if not step.index:
            enough = accuracy * residual
        if residual < least:
            best, least = step.z, residual
        if residual <= enough:
            break
    return Solved(best, least, step.evaluations)
