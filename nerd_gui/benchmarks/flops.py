"""Counts the useful floating-point operations of an evaluation of f."""

from nerd_gui.nerd import NerdConfig
from nerd_gui.nerd.attention import window_offsets
from nerd_gui.training.recipe import Recipe, Stage


def visible_pairs(rows: int, cols: int, window: int) -> int:
    """Count the pairs of a query and a visible key in a picture of rows x cols; windows are clipped at the borders."""
    return _visible(rows, window) * _visible(cols, window)


def _visible(size: int, window: int) -> int:
    first, last = window_offsets(window)
    return sum(min(at + last, size - 1) - max(at + first, 0) + 1 for at in range(size))


def useful_flops(config: NerdConfig, rows: int, cols: int, window: int) -> dict[str, int]:
    """Count the useful operations of one evaluation of f (Eq. 11) on one picture; a multiply-add counts as two.

    With d features, an expansion of e (4 in the paper) and P = rows * cols pixels:

    - "projections": W_theta, W_psi, W_g and W_O are d x d each, ``4 * 2 d^2 P``;
    - "attention": each visible pair of pixels needs an inner product of two vectors and a weighted sum, ``2 d`` each
      over all heads, hence ``4 d`` for each of the `visible_pairs`;
    - "convolutions": d -> e d and e d -> d, 3 x 3, ``2 * (2 * 9 * d * e d) P``. Padding at the border is included, as
      in the rate of conv2d that this is compared with.

    The softmax, the normalisations and all other operations per pixel and feature are not counted.
    """
    d, pixels = config.features, rows * cols
    flops = {"projections": 0, "attention": 0, "convolutions": 0}
    if config.non_local:
        flops["projections"] = 4 * 2 * d * d * pixels
        flops["attention"] = 4 * d * visible_pairs(rows, cols, window)
    if config.transformation:
        flops["convolutions"] = 2 * conv_flops(d, config.expansion * d, pixels)
    return flops


def conv_flops(inputs: int, outputs: int, pixels: int) -> int:
    """Count the operations of a 3 x 3 convolution: ``2 * 9 * inputs * outputs`` for each pixel."""
    return 2 * 9 * inputs * outputs * pixels


def step_flops(recipe: Recipe, stage: Stage) -> int:
    """Count the useful operations of f in a training step: the solve, and three times the unrolled steps."""
    solve = stage.solver_steps + 1 if stage.solver_steps else 0
    one = sum(useful_flops(recipe.model, stage.patch, stage.patch, recipe.model.window).values())
    return stage.batch * one * (solve + 3 * stage.unroll)
