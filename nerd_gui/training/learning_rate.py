"""The learning rate as a function of the samples seen: warm-up, stable phase, decay."""

import math

from nerd_gui.training.recipe import Recipe, Stage


def learning_rate(recipe: Recipe, stage: Stage, samples_since_start: int, decayed: float, factor: float) -> float:
    """Compute the learning rate, which each optimizer group multiplies by its own factor.

    Parameters
    ----------
    stage : Stage
        The current stage, whose `rate` is a factor.
    samples_since_start : int
        Samples seen since the run began, or was restored without optimizer moments. The rate warms up over the first
        `recipe.warm_up` of them.
    decayed : float
        The fraction of the decay that is over, 0 in the stable phase. The rate falls to 0 according to
        `recipe.decay_shape`.
    factor : float
        A factor that every divergence halves.
    """
    warmth = min(1.0, (samples_since_start + 1) / recipe.warm_up)
    left = (1 + math.cos(math.pi * decayed)) / 2 if recipe.decay_shape == "cosine" else 1 - math.sqrt(decayed)
    return recipe.learning_rate * stage.rate * factor * warmth * left
