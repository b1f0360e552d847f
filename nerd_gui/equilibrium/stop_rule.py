"""When a solve ends: it has converged, stalled or diverged, has taken all its steps, or was cancelled."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, get_args

import torch
from torch import Tensor

Measure = Literal["residual", "relative_step", "residual_change"]
MEASURES: tuple[Measure, ...] = get_args(Measure)
STALL_RESIDUAL = 0.1  # a run that never came this near is lost, not stalled: let it use its steps
STALL_GAIN = 0.99  # the best residual has improved when it fell below this part of itself


class StopReason(StrEnum):
    """Why a solve ended."""

    CONVERGED = "converged"
    STEP_LIMIT = "step limit"
    STALLED = "stalled"
    DIVERGED = "diverged"
    CANCELLED = "cancelled"
    # No solver says these itself:
    FAILED = "failed"  # an error ended the run
    SETTLED = "settled"  # what z decodes to does not visibly change any more


class Progress:
    """Per sample, for how many iterates the best residual has not improved."""

    def __init__(self) -> None:
        self.best: Tensor | float = torch.inf
        self.idle: Tensor | int = 0

    def update(self, residual: Tensor) -> None:
        """Take note of the residual (B,) of the next iterate."""
        better = residual < STALL_GAIN * self.best
        self.best = torch.where(better, residual, self.best)
        self.idle = torch.where(better, 0, self.idle + 1)

    def stalled(self, patience: int) -> Tensor:
        """For each sample, whether it has come near and has then not improved for so many iterates."""
        return torch.as_tensor(self.idle >= patience) & torch.as_tensor(self.best < STALL_RESIDUAL)


@dataclass(frozen=True)
class StopRule:
    """When a solve ends; see `broyden` for the meaning of the fields.

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
        """Whether the caller asks for the solve to end."""
        return self.should_stop is not None and self.should_stop()

    def reason(
        self, index: int, finite: Tensor, measure: Tensor | None, progress: Progress, cancelled: bool
    ) -> StopReason | None:
        """Why the solve ends with this iterate; None if it goes on.

        Parameters
        ----------
        finite : Tensor, (B,), bool
            For each sample, whether f(z) and g are.
        measure : Tensor, (B,), or None
            What the solve stops on; None where it is undefined.
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
