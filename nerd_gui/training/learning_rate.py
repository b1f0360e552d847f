"""The learning rate as a function of the samples seen: warm-up, stable phase, decay."""

import math

from nerd_gui.training.recipe import Recipe, Stage


def learning_rate(recipe: Recipe, stage: Stage, samples_since_start: int, decayed: float, factor: float) -> float:
    """The rate that every optimizer's groups take a part of.

    Parameters
    ----------
    stage : Stage
        The one that the run is in, with its part of the recipe's rate.
    samples_since_start : int
        Samples seen since the run began, or began again without its moments: it warms up over `recipe.warm_up` of them.
    decayed : float
        The part of the decay that is over, 0 in the stable phase: the rate falls to 0 as `recipe.decay_shape` says.
    factor : float
        Of the whole rate, halved by every divergence.
    """
    warmth = min(1.0, (samples_since_start + 1) / recipe.warm_up)
    left = (1 + math.cos(math.pi * decayed)) / 2 if recipe.decay_shape == "cosine" else 1 - math.sqrt(decayed)
    return recipe.learning_rate * stage.rate * factor * warmth * left
