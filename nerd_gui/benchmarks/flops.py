"""How many floating-point operations an evaluation of f needs, counting only what is useful."""

from nerd_gui.nerd import NerdConfig
from nerd_gui.nerd.attention import window_offsets
from nerd_gui.training.recipe import Recipe, Stage


def visible_pairs(rows: int, cols: int, window: int) -> int:
    """Pairs of a query and a key that it sees in a picture of rows x cols: windows are clipped at the borders."""
    return _visible(rows, window) * _visible(cols, window)


def _visible(size: int, window: int) -> int:
    first, last = window_offsets(window)
    return sum(min(at + last, size - 1) - max(at + first, 0) + 1 for at in range(size))


def useful_flops(config: NerdConfig, rows: int, cols: int, window: int) -> dict[str, int]:
    """Useful operations of one evaluation of f (Eq. 11) on one picture, a multiplication and an addition being two.

    With d features, an expansion of e (4 in the paper) and P = rows * cols pixels:

    - "projections": W_theta, W_psi, W_g and W_O are d x d each, ``4 * 2 d^2 P``;
    - "attention": each visible pair of pixels takes the product of two vectors and the sum of one into another, over
      all heads together ``2 d`` each, hence ``4 d`` for each of the `visible_pairs`;
    - "convolutions": d -> e d and e d -> d, 3 x 3, ``2 * (2 * 9 * d * e d) P``. At the border the padding is counted,
      as it is in the rate of conv2d that this is compared with.

    The softmax, the normalisations and all else that is done once for each pixel and feature count as nothing.
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
    """Operations of a 3 x 3 convolution: ``2 * 9 * inputs * outputs`` for each pixel."""
    return 2 * 9 * inputs * outputs * pixels


def step_flops(recipe: Recipe, stage: Stage) -> int:
    """Useful operations of f in one step: the solve, the unrolled steps, and twice those for their gradient."""
    solve = stage.solver_steps + 1 if stage.solver_steps else 0
    one = sum(useful_flops(recipe.model, stage.patch, stage.patch, recipe.model.window).values())
    return stage.batch * one * (solve + 3 * stage.unroll)
