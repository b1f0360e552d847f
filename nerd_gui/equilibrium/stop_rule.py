"""When a solver stops: it has converged, stalled or diverged, has taken all its steps, or was cancelled."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, get_args

import torch
from torch import Tensor

Measure = Literal["residual", "relative_step", "residual_change"]
MEASURES: tuple[Measure, ...] = get_args(Measure)
STALL_RESIDUAL = 0.1  # above this residual a solver is not considered stalled, and may use all its steps
STALL_GAIN = 0.99  # a residual counts as an improvement if it is below this fraction of the best one


class StopReason(StrEnum):
    """Why a solver or a run ended."""

    CONVERGED = "converged"
    STEP_LIMIT = "step limit"
    STALLED = "stalled"
    DIVERGED = "diverged"
    CANCELLED = "cancelled"
    # Solvers do not set the following; runs do.
    FAILED = "failed"  # an error ended the run
    SETTLED = "settled"  # the decoded picture does not visibly change any more


class Progress:
    """Counts for each sample for how many iterates the best residual has not improved."""

    def __init__(self) -> None:
        self.best: Tensor | float = torch.inf
        self.idle: Tensor | int = 0

    def update(self, residual: Tensor) -> None:
        """Add the residual (B,) of the next iterate."""
        better = residual < STALL_GAIN * self.best
        self.best = torch.where(better, residual, self.best)
        self.idle = torch.where(better, 0, self.idle + 1)

    def stalled(self, patience: int) -> Tensor:
        """Whether each sample's best residual is small and has not improved for `patience` iterates."""
        return torch.as_tensor(self.idle >= patience) & torch.as_tensor(self.best < STALL_RESIDUAL)


@dataclass(frozen=True)
class StopRule:
    """The rule when a solver stops; see `broyden` for the meaning of the fields.

    Raises
    ------
    ValueError
        If a field is out of its range.
    """

    max_iter: int
    tol: float
    stop_on: str = "residual"
    patience: int | None = 8
    should_stop: Callable[[], bool] | None = None

    def __post_init__(self) -> None:
        if self.max_iter < 0:
            raise ValueError(f"The number of solver steps must be 0 or more, not {self.max_iter}.")
        if not self.tol >= 0:
            raise ValueError(f"The solver's tolerance must be 0 or more, not {self.tol}.")
        if self.stop_on not in MEASURES:
            raise ValueError(f"The solver can stop on {', '.join(MEASURES)}, not on {self.stop_on!r}.")
        if self.patience is not None and self.patience < 1:
            raise ValueError(f"The solver's patience must be None or at least 1, not {self.patience}.")

    def cancelled(self) -> bool:
        """Whether the caller wants the solver to stop."""
        return self.should_stop is not None and self.should_stop()

    def reason(
        self, index: int, finite: Tensor, measure: Tensor | None, progress: Progress, cancelled: bool
    ) -> StopReason | None:
        """Return why the solver ends with this iterate; None if it continues.

        Parameters
        ----------
        finite : Tensor, (B,), bool
            For each sample, whether f(z) and g are finite.
        measure : Tensor, (B,), or None
            The measure that is compared with the tolerance; None if it is undefined.
        """
        if not finite.all():
            return StopReason.DIVERGED
        there = torch.zeros_like(finite) if measure is None or self.tol == 0 else measure <= self.tol
        if there.all():
            return StopReason.CONVERGED
        if cancelled:
            return StopReason.CANCELLED
        if index == self.max_iter:
            return StopReason.STEP_LIMIT
        if self.tol > 0 and self.patience is not None and (there | progress.stalled(self.patience)).all():
            return StopReason.STALLED
        return None
