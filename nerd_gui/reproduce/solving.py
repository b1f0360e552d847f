"""Solve for the equilibrium of one picture, and return every iterate with its numbers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from nerd_gui.analysis.solving import map_of
from nerd_gui.denoising.trajectory import measured
from nerd_gui.equilibrium import SOLVERS
from nerd_gui.nerd import Network, exact_float32
from nerd_gui.reproduce.workbench import CleanPicture

#: The number of steps of a run unless an item says otherwise: the paper's maximum.
STEPS = 17


@dataclass(frozen=True, eq=False)
class Solution:
    """One iterate.

    Attributes
    ----------
    index : int
    z : Tensor, (1, d, rows, cols)
    s : Tensor, as z
    x_hat : float32 array (rows, cols)
        The denoised picture.
    n_hat : float32 array (rows, cols)
    residual : float
    psnr, ssim : float
    noise_level : float
        The estimated noise level (Fig. 8) on the 0–255 scale.
    """

    index: int
    z: Tensor
    s: Tensor
    x_hat: np.ndarray
    n_hat: np.ndarray
    residual: float
    psnr: float
    ssim: float
    noise_level: float


def iterates(
    net: Network, picture: CleanPicture, sigma: float, steps: int = STEPS, *, window: int | None = None
) -> Iterator[Solution]:
    """Return all iterates of `steps` Broyden steps from zero, in float32 and with the usual safeguard."""
    subject, y = picture.subject(sigma), picture.noisy(sigma)
    f, s = map_of(net, y, None, window, None)
    for step in SOLVERS["broyden"](f, net.initial(s), max_iter=steps, tol=0.0):
        with torch.no_grad(), exact_float32():
            x_hat, n_hat = (each[0].numpy() for each in net.estimate(y, step.z))
        found = measured(subject, n_hat)
        residual, score = float(step.residual), (found["psnr"], found["ssim"], found["noise_level"])
        yield Solution(step.index, step.z, s, x_hat[0], n_hat[0], residual, *score)


def result(
    net: Network, picture: CleanPicture, sigma: float, steps: int = STEPS, *, window: int | None = None
) -> Solution:
    """Return the iterate with the smallest residual."""
    return min(iterates(net, picture, sigma, steps, window=window), key=lambda found: found.residual)
