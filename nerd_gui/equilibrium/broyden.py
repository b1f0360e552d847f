"""Good Broyden iteration, the solver of the paper (Sec. IV-B)."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from nerd_gui.equilibrium.steps import Pairs, SolverStep, StopRule, choose, dot, products, sample_norms, solve


def broyden(
    f: Callable[[Tensor], Tensor],
    z0: Tensor,
    *,
    max_iter: int = 17,
    tol: float = 1e-3,
    memory: int | None = None,
    alpha: float = 1.0,
    safeguard: bool = True,
    stop_on: str = "residual",
    patience: int | None = 8,
    should_stop: Callable[[], bool] | None = None,
) -> Iterator[SolverStep]:
    """Find z = f(z) by good Broyden with ``B_0 = -I``, one evaluation of f for each `next`.

    ``z_{i+1} = z_i - alpha B_i g(z_i)``, where B_i approximates the inverse Jacobian of g by one pair of vectors for
    each step. Iterate 0 is `z0`; N steps cost N + 1 evaluations and nothing is evaluated ahead.

    Parameters
    ----------
    f : callable
        Maps a tensor to one of its shape, sample by sample; called without gradients. It returns a new tensor each
        time and leaves its argument as it is.
    z0 : Tensor, (B, ...)
        The start. The first dimension counts samples, which are solved independently.
    max_iter : int
        The most steps to take.
    tol : float
        The run has converged when the measure `stop_on` is at most `tol` for every sample. 0 means: take all steps.
    memory : int or None
        How many pairs to keep (None: all). The oldest is dropped after the update that used it. The pairs take
        ``2 * memory`` times the memory of z.
    alpha : float
        The length of a step.
    safeguard : bool
        When, after iterate 2, the residual of a sample is more than twice that of the iterate before (and not within
        `tol`), drop the step: forget the sample's pairs and take a plain step from its best iterate. A restart costs
        no evaluation of its own but one step of the budget, so `max_iter` bounds them. Off: pure Broyden.
    stop_on : {"residual", "relative_step", "residual_change"}
        The measure that `tol` applies to, see `SolverStep`.
    patience : int or None
        The run has stalled when, for every sample short of `tol`, the best residual is under 0.1 and has not improved
        by 1 % for `patience` iterates: the floor of the arithmetic inside f. None, or `tol` = 0: never.
    should_stop : callable or None
        Asked before and after each evaluation. True after one marks that record as cancelled; true before one ends the
        iteration without a further record.

    Yields
    ------
    SolverStep
        One for each iterate; the last one says why the run ended.

    Raises
    ------
    ValueError
        If an option is out of its range, or f changes the shape.

    Examples
    --------
    >>> *_, last = broyden(torch.cos, torch.zeros(1, 1), tol=1e-6)
    >>> round(last.z.item(), 4), str(last.stop_reason)
    (0.7391, 'converged')
    """
    rule = StopRule(max_iter, tol, stop_on, patience, should_stop)
    if memory is not None and memory < 1:
        raise ValueError(f"Broyden's memory must be None or at least 1 pair, not {memory}.")
    if not alpha > 0:
        raise ValueError(f"Broyden's step length must be above 0, not {alpha}.")
    slots = max(1, min(memory or max_iter, max_iter))
    return solve(lambda z: _Broyden(z, slots, alpha), f, z0, rule, safeguard=safeguard)


class _Broyden:
    """``B = -I + sum u v^T``, with the pairs (u, v) in a ring."""

    def __init__(self, z: Tensor, memory: int, alpha: float) -> None:
        self._pairs = Pairs(z, memory)
        self._alpha = alpha
        self._from: tuple[Tensor, Tensor] | None = None  # z and g of the iterate that the last step started from

    @torch.no_grad()
    def step(self, z: Tensor, g: Tensor) -> Tensor:
        if self._from is None:
            self._from = z, g
            return self._alpha * g
        dz, dg = z - self._from[0], g - self._from[1]
        self._from = z, g
        pairs = self._pairs
        # Four passes over the pairs instead of six: dz = -alpha B g_old, so that B dg = B g + dz / alpha.
        b_g = _apply(pairs.first, pairs.second, g)
        v = _apply(pairs.second, pairs.first, dz)  # dz^T B
        slope = dot(v, dg)
        u = b_g.neg() if self._alpha == 1 else torch.sub((1 - 1 / self._alpha) * dz, b_g)
        # A slope of rounding size teaches nothing (a sample that has converged has none): leave B as it is.
        noise = torch.finfo(slope.dtype).eps * (sample_norms(v) * sample_norms(dg))[:, None]
        u.mul_(torch.where(slope.abs() > noise, 1 / slope, 0))
        if pairs.used == pairs.memory:
            old_u, old_v = pairs.first[:, pairs.slot], pairs.second[:, pairs.slot]
            b_g.addcmul_(old_u, dot(old_v, g), value=-1)
        b_g.addcmul_(u, dot(v, g))
        pairs.push(u, v)
        return b_g.mul_(-self._alpha)

    @torch.no_grad()
    def restart(self, samples: Tensor, z: Tensor, g: Tensor) -> Tensor:
        assert self._from is not None
        self._pairs.clear(samples)
        self._from = choose(samples, z, self._from[0]), choose(samples, g, self._from[1])
        return self._alpha * g


def _apply(left: Tensor, right: Tensor, x: Tensor) -> Tensor:
    """``(-I + sum left right^T) x`` for each sample: (B, k, D), (B, k, D), (B, D) -> (B, D)."""
    return torch.baddbmm(x[:, None], products(right, x)[:, None], left, beta=-1)[:, 0]
