"""The time budget of a training session, which ends early enough to validate and to write all files in time."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from nerd_gui.training.recipe import Stage
from nerd_gui.training.trainer import Trainer

#: Safety factor on the estimated times of validation and writing.
_SLACK = 1.25
#: The first validation comes at the latest after this fraction of the session, so that its duration is known early.
_FIRST_VALIDATION = 0.25
_REHEARSED = 3  # steps from which the duration of a step is measured
_FITTED = 0.97  # fraction of the remaining time that is planned for a decay


@dataclass
class Budget:
    """The time budget of one training session, and the measured durations of its parts.

    Attributes
    ----------
    began : float
        `time.monotonic()` when the session began.
    minutes : float
        The whole budget, for loading, training, validation and writing files.
    release : float
        How many times as long as the "average" of a validation it takes to make the released network; 0 if none is
        made.
    """

    began: float
    minutes: float
    release: float = 0.0
    seconds: dict[str, float] = field(default_factory=dict)
    longest: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def timing(self, part: str) -> Iterator[None]:
        """Measure the duration of a part: a "step", a "validation", or the "average" of weights in a validation."""
        began = time.monotonic()
        yield
        self.seconds[part] = time.monotonic() - began
        self.longest[part] = max(self.seconds[part], self.longest.get(part, 0.0))

    def left(self, *, new_stage: bool = False) -> float:
        """Return the seconds that remain for further steps; 0 or less if the session must end.

        The first step of a stage is assumed to take as long as the longest step so far, since it may compile f.
        """
        step = (self.longest if new_stage else self.seconds).get("step", 0.0)
        after = step + self.seconds.get("validation", 0.0) + self.release * self.seconds.get("average", 0.0)
        return self.began + 60 * self.minutes - time.monotonic() - _SLACK * after

    def due(self, mark: float, every: float) -> bool:
        """Whether a validation is due: whether `every` minutes have passed since `mark`."""
        if "validation" not in self.seconds:
            every = min(every, _FIRST_VALIDATION * self.minutes)
        return time.monotonic() - mark >= 60 * every


def fitting_decay(trainer: Trainer, budget: Budget, validate_every: float) -> int:
    """Compute the number of samples of a decay that ends together with the session."""
    per_sample = [
        rehearse(trainer, stage) / (stage.batch * trainer.processes.count)
        for stage in (trainer.stage, trainer.recipe.decay_stage)
    ]
    deep = trainer.recipe.deep_part
    (seconds,) = trainer.processes.agree((1 - deep) * per_sample[0] + deep * per_sample[1])
    left = _FITTED * budget.left()
    validations = left // (60 * validate_every) * budget.seconds["validation"]
    (left,) = trainer.processes.agree(left - validations)
    return max(1, int(left / seconds))


def rehearse(trainer: Trainer, stage: Stage) -> float:
    """Measure the seconds per step of a stage, after one step to warm up; then restore the run."""
    before, recipe = trainer.state(), trainer.recipe
    before.tensors = {name: value.detach().clone() for name, value in before.tensors.items()}
    trainer.recipe = replace(recipe, stages=(replace(stage, until=None),), deep_part=0.0)
    for index in range(1 + _REHEARSED):
        if index == 1:
            began = time.monotonic()
        trainer.step()
    seconds = time.monotonic() - began
    trainer.recipe = recipe
    trainer.restore(before)
    return seconds / _REHEARSED
