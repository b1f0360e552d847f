"""What a stretch of training costs beside its steps, so that everything is written before its minutes are over."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from nerd_gui.training.recipe import Stage
from nerd_gui.training.trainer import Trainer

#: What is still to come may take so much longer than it took before.
_SLACK = 1.25
#: The first validation comes after this part of the stretch at the latest: from then on its cost is known.
_FIRST_VALIDATION = 0.25
_REHEARSED = 3  # steps that say how long one takes
_FITTED = 0.97  # of the time that is left, for a decay that is to end with it


@dataclass
class Budget:
    """The minutes of one stretch, and how long its parts have taken.

    Attributes
    ----------
    began : float
        `time.monotonic()` when the stretch began.
    minutes : float
        All that it may take: loading, training, validation, files.
    release : float
        The making of the released network takes so many times as long as that of the averaged one for a validation; 0
        if none is made.
    """

    began: float
    minutes: float
    release: float = 0.0
    seconds: dict[str, float] = field(default_factory=dict)
    longest: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def timing(self, part: str) -> Iterator[None]:
        """Note how long a part of the stretch takes: a "step", a "validation", and the "average" in it."""
        began = time.monotonic()
        yield
        self.seconds[part] = time.monotonic() - began
        self.longest[part] = max(self.seconds[part], self.longest.get(part, 0.0))

    def left(self, *, new_stage: bool = False) -> float:
        """Seconds in which steps can still be made, 0 or less when it is time to end.

        The first step of a stage may take as long as the longest up to now, for instance to compile f.
        """
        step = (self.longest if new_stage else self.seconds).get("step", 0.0)
        after = step + self.seconds.get("validation", 0.0) + self.release * self.seconds.get("average", 0.0)
        return self.began + 60 * self.minutes - time.monotonic() - _SLACK * after

    def due(self, mark: float, every: float) -> bool:
        """Whether a validation is due, `every` so many minutes from `mark` on."""
        if "validation" not in self.seconds:
            every = min(every, _FIRST_VALIDATION * self.minutes)
        return time.monotonic() - mark >= 60 * every


def fitting_decay(trainer: Trainer, budget: Budget, validate_every: float) -> int:
    """Samples of a decay that ends with the stretch, with validations so many minutes apart."""
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
    """Seconds that a step of a stage takes, one before it not counted; the run stays as it was."""
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
