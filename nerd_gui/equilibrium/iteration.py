"""The loop that all fixed-point solvers share, and the records that it yields.

Notation: `g(z) = f(z) - z`. A batch of B samples is solved together; every quantity is computed for each sample.
"""

from __future__ import annotations

import itertools
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from time import perf_counter
from typing import Protocol

import torch
from torch import Tensor

from nerd_gui.equilibrium.history import comparison, sample_norms
from nerd_gui.equilibrium.safeguard import FREE_ITERATES, is_wild
from nerd_gui.equilibrium.stop_rule import Progress, StopReason, StopRule


class Restarts(tuple[bool, ...]):
    """One flag for each sample; its truth value is whether any flag is set."""

    def __bool__(self) -> bool:
        return any(self)


@dataclass(frozen=True, eq=False)
class SolverStep:
    """One iterate of a solve.

    Attributes
    ----------
    index : int
        0 for the start, i for the iterate after i steps.
    z : Tensor, shape of z0
        The iterate. For a sample that diverged, its last iterate with finite f(z).
    f_z : Tensor, shape of z0
        f(z), in the type of z.
    residual : Tensor, (B,), float64, CPU
        ``||g_i|| / ||f(z_i)||``; infinite for a sample that diverged.
    relative_step : Tensor, (B,), float64, CPU, or None
        ``||z_{i+1} - z_i|| / ||z_i||`` (Fig. 10) of the step that the solver takes next. None if it is undefined
        (z_i = 0) or no step was computed (at the step limit, or after cancelling).
    residual_change : Tensor, (B,), float64, CPU, or None
        ``||g_i - g_{i-1}|| / ||g_{i-1}||`` (Sec. V-A). None if it is undefined.
    evaluations : int
        Number of evaluations of f so far, including this iterate's.
    seconds : float
        Wall time since the first `next`.
    restarted : Restarts
        For each sample, whether the safeguard dropped this iterate, so that the next step starts from the best one.
    stop_reason : StopReason or None
        Why the solver ended; None on all records but the last.
    z_next : Tensor, shape of z0, or None
        The next iterate; None on the last record.

    Examples
    --------
    >>> from nerd_gui.equilibrium import broyden
    >>> steps = list(broyden(torch.cos, torch.zeros(1, 1), max_iter=2, tol=0))
    >>> [(step.index, step.evaluations) for step in steps], steps[1].z.item()
    ([(0, 1), (1, 2), (2, 3)], 1.0)
    """

    index: int
    z: Tensor
    f_z: Tensor
    residual: Tensor
    relative_step: Tensor | None
    residual_change: Tensor | None
    evaluations: int
    seconds: float
    restarted: Restarts
    stop_reason: StopReason | None = None
    z_next: Tensor | None = None


class Update(Protocol):
    """The part of a solver that chooses the steps. Tensors are (B, D), and arguments must not be changed."""

    def advance(self, z: Tensor, f_z: Tensor, g_before: Tensor) -> tuple[Tensor, Tensor, list[Tensor]]:
        """Take the next step from z; return g, the next iterate, and the norms (B,) of `comparison` and of the step."""

    def restart(self, samples: Tensor, z: Tensor, g: Tensor) -> Tensor:
        """Drop the history of `samples` (B, bool, CPU), and return the result of a plain step from `z`."""


class Stepwise(ABC):
    """Base class for an `Update` that only needs z and g to compute a step."""

    def advance(self, z: Tensor, f_z: Tensor, g_before: Tensor) -> tuple[Tensor, Tensor, list[Tensor]]:
        """Add the result of `step` to z; see `Update`."""
        g, norms = comparison(z, f_z, g_before)
        step = self.step(z, g)
        size = sample_norms(step)
        return g, step.add_(z), [*norms, size]

    @abstractmethod
    def step(self, z: Tensor, g: Tensor) -> Tensor:
        """Update the history with z and g, and return the step from z as a new tensor."""

    @abstractmethod
    def restart(self, samples: Tensor, z: Tensor, g: Tensor) -> Tensor:
        """Drop the history of some samples; see `Update`."""


def most_pairs(max_iter: int, stop_on: str) -> int:
    """The largest number of pairs in a solver's history: one for each computed step but the first.

    At the step limit, no further step is taken; it is computed only if the solver stops on the relative step.
    """
    return max_iter if stop_on == "relative_step" else max(max_iter - 1, 0)


def choose(samples: Tensor, yes: Tensor, no: Tensor) -> Tensor:
    """Select the rows of `yes` where `samples` (B, bool, CPU), else of `no`; copies only if both are needed."""
    if samples.all():
        return yes
    if not samples.any():
        return no
    return torch.where(samples.to(yes.device)[:, None], yes, no)


class _Layout:
    """The memory layout of z0. Tensors with this layout are reshaped to (B, D) and back without copying."""

    def __init__(self, z0: Tensor) -> None:
        strides = z0.stride()
        self._order = [0, *sorted(range(1, z0.dim()), key=lambda dim: -strides[dim])]
        self._back = [self._order.index(dim) for dim in range(z0.dim())]
        self._sizes = [z0.shape[dim] for dim in self._order]

    def flat(self, x: Tensor) -> Tensor:
        return x.permute(self._order).reshape(len(x), -1)

    def shaped(self, flat: Tensor) -> Tensor:
        return flat.view(self._sizes).permute(self._back)


def solve(
    make_update: Callable[[Tensor], Update],
    f: Callable[[Tensor], Tensor],
    z0: Tensor,
    rule: StopRule,
    *,
    safeguard: bool,
) -> Iterator[SolverStep]:
    """Check `z0`, and return a generator of records; `make_update` is called with z0 as (B, D)."""
    if z0.dim() == 0 or z0.numel() == 0 or not z0.is_floating_point():
        raise ValueError(
            f"A solve starts from a non-empty float tensor whose first dimension is the batch, not from {z0.dtype} of "
            f"shape {tuple(z0.shape)}."
        )
    return _iterate(make_update, f, z0.detach(), rule, safeguard)


def _iterate(
    make_update: Callable[[Tensor], Update],
    f: Callable[[Tensor], Tensor],
    z0: Tensor,
    rule: StopRule,
    safeguard: bool,
) -> Iterator[SolverStep]:
    # `no_grad` is used in the helpers, not here: if a generator yielded inside it, the caller's code would run without
    # gradients.
    started = perf_counter()
    layout = _Layout(z0)
    z = layout.flat(z0)
    del z0  # so that its memory is freed once the iterates after it are computed
    update = make_update(z)
    progress = Progress()
    previous: tuple[Tensor, Tensor] | None = None  # z and g of the iterate before this one
    best_z = best_g = z if safeguard else z.new_empty(0)
    best = last = size_before = torch.full((len(z),), torch.inf, dtype=torch.float64)
    for index in itertools.count():
        if rule.cancelled():
            return
        f_z = layout.flat(_evaluate(f, layout.shaped(z)))
        cancelled = rule.cancelled()
        no_step = cancelled or (index == rule.max_iter and rule.stop_on != "relative_step")
        g, z_next, norms = _advance(update, z, f_z, previous, no_step)
        # This is the only place in a step that waits for the device.
        size_z, size_f, size_g, size_change, size_step = norms.cpu().double()
        finite = size_f.isfinite() & size_g.isfinite()
        residual = torch.where(finite, _ratio(size_g, size_f), torch.inf)
        relative_step = None if no_step else _defined(_ratio(size_step, size_z))
        residual_change = None if previous is None else _defined(_ratio(size_change, size_before))
        size_before = size_g
        measure = {"residual": residual, "relative_step": relative_step, "residual_change": residual_change}[
            rule.stop_on
        ]
        progress.update(residual)
        reason = rule.reason(index, finite, measure, progress, cancelled)
        restarted = torch.zeros_like(finite)
        if reason is StopReason.DIVERGED and previous is not None:
            z, f_z = _last_finite(finite, z, f_z, previous)
        elif reason is None and safeguard:
            improved = residual < best
            best_z, best_g = choose(improved, z, best_z), choose(improved, g, best_g)
            best = torch.minimum(best, residual)
            # A residual within the tolerance may double by rounding alone.
            floor = rule.tol if rule.stop_on == "residual" else 0.0
            restarted = is_wild(residual, last) & (residual > floor) & (index > FREE_ITERATES)
            if restarted.any():
                z_next, size_step = _restart(update, restarted, z, z_next, best_z, best_g)
                relative_step = _defined(_ratio(size_step, size_z))
        yield SolverStep(
            index=index,
            z=layout.shaped(z),
            f_z=layout.shaped(f_z),
            residual=residual,
            relative_step=relative_step,
            residual_change=residual_change,
            evaluations=index + 1,
            seconds=perf_counter() - started,
            restarted=Restarts(restarted.tolist()),
            stop_reason=reason,
            z_next=None if reason is not None or z_next is None else layout.shaped(z_next),
        )
        if reason is not None:
            return
        assert z_next is not None  # no_step implies a reason
        previous, last, z = (z, g), residual, z_next
        del f_z, z_next, g  # if the caller has dropped them too, f can reuse their memory


@torch.no_grad()
def _evaluate(f: Callable[[Tensor], Tensor], z: Tensor) -> Tensor:
    f_z = f(z)
    if f_z.shape != z.shape:
        raise ValueError(f"A fixed point needs f(z) shaped as z, {tuple(z.shape)}, but f returned {tuple(f_z.shape)}.")
    return f_z.detach().to(z.dtype)


@torch.no_grad()
def _advance(
    update: Update, z: Tensor, f_z: Tensor, previous: tuple[Tensor, Tensor] | None, no_step: bool
) -> tuple[Tensor, Tensor | None, Tensor]:
    """Compute g, the next iterate, and the norms (5, B) of z, f(z), g, the change of g, and the step."""
    before = f_z if previous is None else previous[1]
    if no_step:
        g, norms = comparison(z, f_z, before)
        return g, None, torch.stack([*norms, torch.zeros_like(norms[0])])
    g, z_next, norms = update.advance(z, f_z, before)
    return g, z_next, torch.stack(norms)


@torch.no_grad()
def _restart(
    update: Update, samples: Tensor, z: Tensor, z_next: Tensor | None, best_z: Tensor, best_g: Tensor
) -> tuple[Tensor, Tensor]:
    """Restart `samples` from their best iterate; return the next iterate and the norm of the step to it."""
    assert z_next is not None
    z_next = choose(samples, update.restart(samples, best_z, best_g), z_next)
    return z_next, sample_norms(z_next - z).cpu().double()


@torch.no_grad()
def _last_finite(finite: Tensor, z: Tensor, f_z: Tensor, previous: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
    last_z, last_g = previous
    return choose(finite, z, last_z), choose(finite, f_z, last_z + last_g)


def _ratio(part: Tensor, whole: Tensor) -> Tensor:
    """Compute part / whole, with 0 / 0 = 0, because a step of length 0 is a relative change of 0."""
    return torch.where(part == 0, torch.zeros_like(part), part / whole)


def _defined(ratio: Tensor) -> Tensor | None:
    return ratio if ratio.isfinite().all() else None
