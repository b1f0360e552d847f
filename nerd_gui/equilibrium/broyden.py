"""Good Broyden iteration, the solver of the paper (Sec. V-A)."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
import torch.nn.functional as F
from torch import Tensor

from nerd_gui.equilibrium.history import History, comparison, dot, sample_norms
from nerd_gui.equilibrium.iteration import SolverStep, Stepwise, choose, most_pairs, solve
from nerd_gui.equilibrium.solver import Storage
from nerd_gui.equilibrium.stop_rule import StopRule

_LEAST_STEP = 1e-3  # least estimate of a step's norm, as a fraction of its part along g; below it is rounding error


def broyden(
    f: Callable[[Tensor], Tensor],
    z0: Tensor,
    *,
    max_iter: int,
    tol: float,
    memory: int | None = None,
    pair_dtype: torch.dtype | None = None,
    alpha: float = 1.0,
    safeguard: bool = True,
    stop_on: str = "residual",
    patience: int | None = 8,
    should_stop: Callable[[], bool] | None = None,
) -> Iterator[SolverStep]:
    """Find z = f(z) by good Broyden with ``B_0 = -I``, one evaluation of f for each `next`.

    ``z_{i+1} = z_i - alpha B_i g(z_i)`` with ``g(z) = f(z) - z``, where B_i approximates the inverse Jacobian of g.
    Each step adds a pair of vectors to it. Iterate 0 is `z0`; N steps take N + 1 evaluations, each on demand.

    Parameters
    ----------
    f : callable
        Maps a tensor to a new tensor of the same shape, each sample independently, and does not change its argument.
        It is called without gradients.
    z0 : Tensor, (B, ...)
        The start. The first dimension is the batch; its samples are solved independently.
    max_iter : int
        The largest number of steps.
    tol : float
        The solver stops when the measure `stop_on` is at most `tol` for every sample. With 0, it takes all steps.
    memory : int or None
        Number of pairs to keep (None: all). The oldest pair is dropped after the update that uses it. With a limit, a
        pair takes the memory of two tensors of the size of z; without one, of one tensor only, since the pairs can be
        computed from the steps.
    pair_dtype : torch.dtype or None
        The type in which pairs are stored (None: that of z), such as float16 to save memory. Computations use the type
        of z.
    alpha : float
        The factor of a step's length.
    safeguard : bool
        Whether to drop wild steps. A step is wild if, after iterate 2, it more than doubles a sample's residual (and
        does not end within `tol`). Then the sample's pairs are dropped and it takes a plain step from its best iterate.
        A restart needs no additional evaluation but counts as a step, so `max_iter` holds. False: pure Broyden.
    stop_on : {"residual", "relative_step", "residual_change"}
        The measure that is compared with `tol`, see `SolverStep`.
    patience : int or None
        The solver ends as stalled when, for every sample above `tol`, the best residual is below 0.1 and has not
        improved by 1 % for `patience` iterates, which happens when the arithmetic inside f allows no smaller residual.
        None, or `tol` = 0: it never stalls.
    should_stop : callable or None
        Called before and after each evaluation. If it returns True after an evaluation, that record is the last one and
        marked as cancelled; if before, the iteration ends without a further record.

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
    >>> *_, last = broyden(torch.cos, torch.zeros(1, 1), max_iter=17, tol=1e-6)
    >>> round(last.z.item(), 4), str(last.stop_reason)
    (0.7391, 'converged')
    """
    rule = StopRule(max_iter, tol, stop_on, patience, should_stop)
    if memory is not None and memory < 1:
        raise ValueError(f"Broyden's memory must be None (all pairs) or at least 1 pair, not {memory}.")
    if not alpha > 0:
        raise ValueError(f"Broyden's step length must be above 0, not {alpha}.")
    if memory is None or memory >= max_iter:
        room = max(1, most_pairs(max_iter, stop_on))
        return solve(lambda z: FromSteps(z, room, pair_dtype, alpha), f, z0, rule, safeguard=safeguard)
    return solve(lambda z: _FromPairs(z, memory, pair_dtype, alpha), f, z0, rule, safeguard=safeguard)


def broyden_storage(
    *, max_iter: int, memory: int | None = None, safeguard: bool = True, stop_on: str = "residual", **_: object
) -> Storage:
    """The memory that `broyden` needs with these keyword arguments."""
    pairs = most_pairs(max_iter, stop_on)
    if memory is None or memory >= max_iter:
        return Storage(step=4, pairs=pairs, tensors_per_pair=1, safeguard=safeguard)
    return Storage(step=6, pairs=min(memory, pairs), tensors_per_pair=2, safeguard=safeguard)


class FromSteps:
    """Broyden's update with all pairs, as a product ``B_k = F_{k-1} ... F_0 B_0`` that depends on the steps s_j only.

    ``F_j = I + (s_{j+1} + (alpha - 1) s_j) s_j^T / ||s_j||^2`` (Kelley 1995, "Iterative Methods for Linear and
    Nonlinear Equations", Sec. 7.3). Compared with pairs (u, v), this halves both the memory and the memory traffic.
    """

    def __init__(self, z: Tensor, room: int, dtype: torch.dtype | None, alpha: float) -> None:
        self._steps = History(z, room, dtype)
        self._gram = z.new_zeros(z.shape[0], room, room)  # inner products of the steps
        self._weight = z.new_zeros(z.shape[0], room)  # 1 / ||s_j||^2, or 0 to leave the factor F_j out
        self._alpha = alpha
        self._kept = False  # whether the last step is in self._steps

    @torch.no_grad()
    def advance(self, z: Tensor, f_z: Tensor, g_before: Tensor) -> tuple[Tensor, Tensor, list[Tensor]]:
        """Learn from the iterate `z` and take the next step; see `Update`."""
        steps, used = self._steps, self._steps.used
        if not used:
            g, norms = comparison(z, f_z, g_before)
            own, along = torch.full_like(self._weight[:, :1], self._alpha), self._weight[:, :0]
            square = torch.zeros_like(own)
        else:
            g, norms, (row, right) = steps.compare(z, f_z, g_before)
            own, along = self._step(used, row, right)
            gram = self._gram[:, :used, :used]
            square = (along * (2 * own * right + torch.bmm(gram, along[:, :, None])[:, :, 0])).sum(1, keepdim=True)
        plain = own * norms[2][:, None].to(own.dtype)
        about = (square + plain.square()).clamp_min(0).sqrt().maximum(_LEAST_STEP * plain.abs())
        self._kept = used < steps.room
        z_next, size = steps.advance(z, g, own, along, about=about, keep=self._kept)
        return g, z_next, [*norms, size]

    def _step(self, used: int, row: Tensor, right: Tensor) -> tuple[Tensor, Tensor]:
        """Update B with the newest step; return the coefficients of -B g along g, (B, 1), and the steps, (B, used).

        `row` and `right` are the inner products (B, used) of all steps with the newest step and with g.
        """
        alpha, newest = self._alpha, used - 1
        self._gram[:, newest, :used] = row
        self._gram[:, :used, newest] = row
        gram, weight = self._gram[:, :used, :used], self._weight[:, :used]
        # With x_0 = g and x_{j+1} = F_j x_j, the inner products s_j^T x_j solve a triangular system.
        past = weight[:, None, :-1] * (gram[:, :, 1:] + (alpha - 1) * gram[:, :, :-1])
        system = torch.eye(used, dtype=row.dtype, device=row.device) - F.pad(past, (0, 1)).tril(-1)
        inner = torch.linalg.solve_triangular(system, right[:, :, None], upper=False, unitriangular=True)[:, :, 0]
        moved = weight[:, :-1] * inner[:, :-1]
        along = F.pad(moved, (1, 0)) + (alpha - 1) * F.pad(moved, (0, 1))  # -B g = g + sum along_j s_j
        square, last = row[:, newest, None] / alpha, inner[:, newest, None]
        slope = square - last  # dz^T B dg
        # If the slope is only rounding error, as after convergence, B is not updated.
        learns = slope.abs() > torch.finfo(row.dtype).eps * (square + last.abs())
        gain = torch.where(learns, last / slope, 0)
        self._weight[:, newest, None] = torch.where(learns, 1 / (alpha * square), 0)
        along = alpha * (1 + gain) * along
        along[:, newest, None] += (alpha - 1) * gain
        return alpha * (1 + gain), along

    @torch.no_grad()
    def restart(self, samples: Tensor, z: Tensor, g: Tensor) -> Tensor:
        """Drop the pairs of some samples, and return the result of a plain step from z; see `Update`."""
        if not samples.all():
            return self.forget(samples, z, g)
        self._steps.empty()
        self._weight.zero_()
        z_next = z + self._alpha * g
        if self._kept:
            self._steps.push(z_next - z)
        return z_next

    @torch.no_grad()
    def forget(self, samples: Tensor, z: Tensor, g: Tensor) -> Tensor:
        """Restart like `restart`, for `samples` (B, bool) on the device, without waiting for it.

        The factors F_j of these samples get weight 0.
        """
        self._weight.masked_fill_(samples.to(g.device)[:, None], 0)
        z_next = z + self._alpha * g
        if self._kept:
            self._steps.replace(samples, z_next - z)
        return z_next


class _FromPairs(Stepwise):
    """Broyden's update with a limited number of pairs (u, v), as a sum ``B = -I + sum u v^T``."""

    def __init__(self, z: Tensor, room: int, dtype: torch.dtype | None, alpha: float) -> None:
        self._u, self._v = History(z, room, dtype), History(z, room, dtype)
        self._alpha = alpha
        self._from: tuple[Tensor, Tensor] | None = None  # z and g of the iterate that the last step started from

    @torch.no_grad()
    def step(self, z: Tensor, g: Tensor) -> Tensor:
        if self._from is None:
            self._from = z, g
            return self._alpha * g
        dz, dg = z - self._from[0], g - self._from[1]
        self._from = z, g
        # As dz = -alpha B g_old, B dg = B g + dz / alpha; this takes four passes over the pairs instead of six.
        (with_g,) = self._v.products(g)
        b_g = self._u.combination(g, -1.0, with_g)
        v = self._v.combination(dz, -1.0, *self._u.products(dz))  # dz^T B
        slope = dot(v, dg)
        # If the slope is only rounding error, as after convergence, B is not updated.
        noise = torch.finfo(slope.dtype).eps * (sample_norms(v) * sample_norms(dg))[:, None]
        del dg
        u = dz.mul_(1 - 1 / self._alpha).sub_(b_g).mul_(torch.where(slope.abs() > noise, 1 / slope, 0))
        if self._u.used == self._u.room:
            self._u.add_oldest(b_g, -with_g[:, self._u.slot, None])
        b_g.addcmul_(u, dot(v, g))
        self._u.push(u)
        self._v.push(v)
        return b_g.mul_(-self._alpha)

    @torch.no_grad()
    def restart(self, samples: Tensor, z: Tensor, g: Tensor) -> Tensor:
        assert self._from is not None
        self._u.clear(samples)
        self._v.clear(samples)
        self._from = choose(samples, z, self._from[0]), choose(samples, g, self._from[1])
        return z + self._alpha * g
