"""Detects from the losses and gradients of its steps whether a training run has diverged."""

import math
from dataclasses import dataclass

#: Number of consecutive steps with a loss or gradient that is not finite that count as divergence.
_NOT_FINITE = 5
#: A loss above `_FAR` times its level is wild, and a run with `_STEPS` wild steps has diverged.
_FAR, _STEPS = 3.0, 20
#: Number of steps that the level averages over, and after which it is first used.
_MEMORY, _SETTLED = 500, 50


@dataclass
class DivergenceGuard:
    """Watches the loss of every step. Its four numbers are part of the run's state.

    Attributes
    ----------
    level : float
        Slow average of the loss; a wild step enters it with at most three times the level.
    seen : int
        Number of steps in that average.
    not_finite : int
        Number of consecutive steps up to now that were not finite.
    above : int
        Number of wild steps less that of other steps, never below 0, so that a single step of either kind decides
        nothing.
    """

    level: float = 0.0
    seen: int = 0
    not_finite: int = 0
    above: int = 0

    @property
    def alarmed(self) -> bool:
        """Whether the last steps were suspicious, so that the current state should not be saved to return to."""
        return self.above > 0 or self.not_finite > 0

    @property
    def diverged(self) -> bool:
        """Whether the run has diverged and should return to an earlier state."""
        return self.above >= _STEPS or self.not_finite >= _NOT_FINITE

    def watch(self, loss: float, gradient_norm: float) -> None:
        """Add the loss and gradient norm of a step."""
        if not math.isfinite(gradient_norm):
            self.not_finite += 1
            return
        self.not_finite = 0
        most = _FAR * self.level if self.seen else loss
        far = self.seen >= _SETTLED and loss > most
        self.above = self.above + 1 if far else max(0, self.above - 1)
        self.seen = min(self.seen + 1, _MEMORY)
        self.level += (min(loss, most) - self.level) / self.seen

    def calm(self) -> None:
        """Reset the counters and keep the level."""
        self.not_finite = self.above = 0
