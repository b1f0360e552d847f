"""Plain fixed-point iteration, with which Fig. 10 compares the solvers."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from nerd_gui.compiled.history_kernel import lasting
from nerd_gui.equilibrium.iteration import SolverStep, Stepwise, solve
from nerd_gui.equilibrium.solver import Storage
from nerd_gui.equilibrium.stop_rule import StopRule


def plain(
    f: Callable[[Tensor], Tensor],
    z0: Tensor,
    *,
    max_iter: int,
    tol: float,
    memory: int | None = None,
    pair_dtype: torch.dtype | None = None,
    damping: float = 1.0,
    safeguard: bool = True,
    stop_on: str = "residual",
    patience: int | None = 8,
    should_stop: Callable[[], bool] | None = None,
) -> Iterator[SolverStep]:
    """Iterate ``z <- damping f(z) + (1 - damping) z``, one evaluation of f for each `next`.

    It takes the keyword arguments of `broyden`, so that the solvers are interchangeable.

    Parameters
    ----------
    f, z0, max_iter, tol, stop_on, patience, should_stop
        See `broyden`.
    memory, pair_dtype, safeguard
        Without effect, because this iteration keeps no history.
    damping : float
        The factor of a step's length, above 0; 1 is ``z <- f(z)``.

    Yields
    ------
    SolverStep
        One for each iterate; the last one says why the run ended.

    Raises
    ------
    ValueError
        If an option is out of its range, or f returns another shape.

    Examples
    --------
    >>> *_, last = plain(torch.cos, torch.zeros(1, 1), max_iter=60, tol=1e-6)
    >>> round(last.z.item(), 4), str(last.stop_reason)
    (0.7391, 'converged')
    """
    rule = StopRule(max_iter, tol, stop_on, patience, should_stop)
    if not damping > 0:
        raise ValueError(f"The damping of the plain iteration must be above 0, not {damping}.")
    return solve(lambda z: _Plain(damping), f, z0, rule, safeguard=False)


def plain_storage(**_: object) -> Storage:
    """The memory that `plain` needs, which does not depend on its keyword arguments."""
    return Storage(step=3)


class _Plain(Stepwise):
    def __init__(self, damping: float) -> None:
        self._damping = damping

    @torch.no_grad()
    def step(self, z: Tensor, g: Tensor) -> Tensor:
        return torch.mul(g, self._damping, out=lasting(g, g.shape))

    def restart(self, samples: Tensor, z: Tensor, g: Tensor) -> Tensor:
        return z + self._damping * g
