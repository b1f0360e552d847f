"""Anderson acceleration."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from nerd_gui.equilibrium.history import History
from nerd_gui.equilibrium.iteration import SolverStep, Stepwise, choose, most_pairs, solve
from nerd_gui.equilibrium.solver import Storage
from nerd_gui.equilibrium.stop_rule import StopRule

_PAIRS = 5  # default memory


def anderson(
    f: Callable[[Tensor], Tensor],
    z0: Tensor,
    *,
    max_iter: int,
    tol: float,
    memory: int | None = _PAIRS,
    pair_dtype: torch.dtype | None = None,
    beta: float = 1.0,
    regularization: float = 1e-6,
    safeguard: bool = True,
    stop_on: str = "residual",
    patience: int | None = 8,
    should_stop: Callable[[], bool] | None = None,
) -> Iterator[SolverStep]:
    """Find z = f(z) by Anderson acceleration (type II), one evaluation of f for each `next`.

    ``z_{i+1} = z_i + beta g_i - sum_j c_j (dz_j + beta dg_j)``, where the c_j make ``||g_i - sum_j c_j dg_j||`` least
    over the last `memory` pairs of changes, dz_j of the iterate and dg_j of g.

    Parameters
    ----------
    f, z0, max_iter, tol, pair_dtype, safeguard, stop_on, patience, should_stop
        See `broyden`.
    memory : int or None
        Number of pairs of changes to keep (None: all); a pair takes the memory of two tensors of the size of z.
    beta : float
        The factor of g in a step, above 0.
    regularization : float
        Added to the diagonal of the matrix of cosines between the dg_j, so that nearly parallel changes do not make the
        c_j very large. It has no unit, because cosines have none, and it does not change the fixed point.

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
    >>> *_, last = anderson(torch.cos, torch.zeros(1, 1), max_iter=17, tol=1e-6)
    >>> round(last.z.item(), 4), str(last.stop_reason)
    (0.7391, 'converged')
    """
    rule = StopRule(max_iter, tol, stop_on, patience, should_stop)
    if memory is not None and memory < 1:
        raise ValueError(f"Anderson's memory must be None (all pairs) or at least 1 pair, not {memory}.")
    if not beta > 0:
        raise ValueError(f"Anderson's beta must be above 0, not {beta}.")
    if not regularization > 0:
        raise ValueError(f"Anderson's regularization must be above 0, not {regularization}.")
    room = max(1, anderson_storage(max_iter=max_iter, memory=memory, stop_on=stop_on).pairs)
    return solve(lambda z: _Anderson(z, room, pair_dtype, beta, regularization), f, z0, rule, safeguard=safeguard)


def anderson_storage(
    *, max_iter: int, memory: int | None = _PAIRS, safeguard: bool = True, stop_on: str = "residual", **_: object
) -> Storage:
    """The memory that `anderson` needs with these keyword arguments."""
    pairs = min(memory or max_iter, most_pairs(max_iter, stop_on))
    return Storage(step=4, pairs=pairs, tensors_per_pair=2, safeguard=safeguard)


class _Anderson(Stepwise):
    def __init__(
        self, z: Tensor, room: int, pair_dtype: torch.dtype | None, beta: float, regularization: float
    ) -> None:
        self._changes = History(z, room, pair_dtype)  # dg
        self._moves = History(z, room, pair_dtype)  # dz + beta dg
        self._gram = z.new_zeros(z.shape[0], room, room)  # inner products of the dg
        self._beta = beta
        self._regularization = regularization
        self._from: tuple[Tensor, Tensor] | None = None

    @torch.no_grad()
    def step(self, z: Tensor, g: Tensor) -> Tensor:
        before, self._from = self._from, (z, g)
        if before is None:
            return self._beta * g
        dz, dg = z - before[0], g - before[1]
        slot = self._changes.slot
        self._changes.push(dg)
        self._moves.push(dz.add_(dg, alpha=self._beta))
        del dz
        used = self._changes.used
        row, right = self._changes.products(dg, g)
        del dg
        self._gram[:, slot, :used] = row
        self._gram[:, :used, slot] = row
        return self._moves.combination(g, self._beta, -self._coefficients(self._gram[:, :used, :used], right))

    def _coefficients(self, gram: Tensor, right: Tensor) -> Tensor:
        """Solve for the c_j (B, k); a change dg_j of norm 0 gets the coefficient 0."""
        size = gram.diagonal(dim1=1, dim2=2).double().sqrt()
        scale = torch.where(size > 0, 1 / size, 0)
        cosines = scale[:, :, None] * gram * scale[:, None, :]
        cosines.diagonal(dim1=1, dim2=2).fill_(1 + self._regularization)
        # Unlike solve, solve_ex does not wait for the device to check for singularity, which regularisation prevents.
        c, _ = torch.linalg.solve_ex(cosines, (scale * right)[:, :, None])
        result: Tensor = (c[:, :, 0] * scale).to(right.dtype)
        return result

    @torch.no_grad()
    def restart(self, samples: Tensor, z: Tensor, g: Tensor) -> Tensor:
        assert self._from is not None
        # The inner products of the cleared changes stay in the matrix, but their right-hand side is 0, so c_j = 0.
        self._changes.clear(samples)
        self._moves.clear(samples)
        self._from = choose(samples, z, self._from[0]), choose(samples, g, self._from[1])
        return z + self._beta * g
