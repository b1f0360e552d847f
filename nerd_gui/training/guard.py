"""Whether a run has diverged, judged by what its steps report."""

import math
from dataclasses import dataclass

#: So many steps in a row that are not finite are a divergence.
_NOT_FINITE = 5
#: A loss of more than so many times its level is far above it, and a run that is so for `_STEPS` steps has diverged.
_FAR, _STEPS = 3.0, 20
#: Steps that the level is the average of; it counts once it has seen `_SETTLED` of them.
_MEMORY, _SETTLED = 500, 50


@dataclass
class DivergenceGuard:
    """Watches the loss of every step; four numbers that belong to the run's state.

    Attributes
    ----------
    level : float
        Slow average of the loss; a wild step counts in it as three times the level, no more.
    seen : int
        Steps in that average.
    not_finite : int
        How many steps in a row, up to now, were not finite.
    above : int
        Steps far above the level less those that were not, never below 0: one step that is wild, or one that is not in
        a run that has diverged, decides nothing.
    """

    level: float = 0.0
    seen: int = 0
    not_finite: int = 0
    above: int = 0

    @property
    def alarmed(self) -> bool:
        """Whether the last steps were such that this moment is none to return to."""
        return self.above > 0 or self.not_finite > 0

    @property
    def diverged(self) -> bool:
        """Whether the run has diverged, so that it should return to a state of before."""
        return self.above >= _STEPS or self.not_finite >= _NOT_FINITE

    def watch(self, loss: float, gradient_norm: float) -> None:
        """Take note of a step."""
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
        """Begin to count again, at the level of before."""
        self.not_finite = self.above = 0
