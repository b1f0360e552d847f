"""Analyses of how far a result can be trusted: its expected error, and whether the removed part is noise."""

from __future__ import annotations

import math

import numpy as np
import torch

from nerd_gui.analysis.catalogue.entry import Analysis, Question, analysed
from nerd_gui.analysis.catalogue.shown import Picture, Scale, Shown, Table
from nerd_gui.analysis.risk import BLOCK, psnr_error, risk
from nerd_gui.analysis.whiteness import whiteness
from nerd_gui.denoising.analysed import Analysed
from nerd_gui.denoising.channels import batch_size
from nerd_gui.imaging import photo_noise, psnr


def _ask_risk(question: Question) -> Analysed:
    subject = question.trajectory.subject
    level = subject.sigma if subject.sigma is not None else photo_noise(subject.photo.pixels).level
    found = risk(*question.of, level, seed=question.seed, **question.keywords)
    numbers = {
        "sigma": level,
        "sigma_is_measured": subject.sigma is None,
        "mse": found.mse,
        "psnr": found.psnr,
        "standard_error": found.standard_error,
        "divergence": found.divergence,
        "true_psnr": _true_psnr(question),
    }
    return analysed(numbers, expected_mse=found.map)


def _true_psnr(question: Question) -> float | None:
    """PSNR of the result in dB, in the channels of the network's input; None if the clean picture is not known."""
    trajectory, channel = question.trajectory, question.channel
    subject = trajectory.subject
    if subject.clean is None or batch_size(question.at.net, subject.channels) == 1:
        return trajectory[trajectory.result].psnr
    return float(psnr(subject.clean[channel][None], trajectory.picture(trajectory.result)[channel][None]))


def _show_risk(found: Analysed) -> Shown:
    numbers = found.numbers
    expected, error, true = numbers["psnr"], numbers["standard_error"], numbers["true_psnr"]
    width = psnr_error(numbers["mse"], error)
    score = "too high to be estimated" if expected is None else f"{expected:.2f} dB"
    if expected is not None and width is not None:
        score = f"{expected:.2f} ± {width:.2f} dB"
    rows = [("Expected PSNR", score)]
    if true is not None:
        rows.append(("True PSNR", f"{true:.2f} dB"))
    rows += [
        ("Noise", f"σ {numbers['sigma']:.1f}" + (", measured" if numbers["sigma_is_measured"] else "")),
        ("Expected error", f"{255 * math.sqrt(max(numbers['mse'], 0.0)):.2f} grey levels"),
    ]
    levels = 255 * np.sqrt(np.clip(found.arrays["expected_mse"], 0, None))
    picture = Picture(
        "",
        "expected error",
        levels,
        Scale.GREY,
        "grey levels",
        f"The expected root mean square error in each block of {BLOCK} × {BLOCK} pixels. Trust bright blocks less",
        enlarge=BLOCK,
        cell=BLOCK,
    )
    says = f"The PSNR expected without knowing the clean picture: {score}"
    says += "." if true is None else f"; the true PSNR is {true:.2f} dB."
    return Shown(says, Table((), tuple(rows)), (picture,))


def _ask_whiteness(question: Question) -> Analysed:
    trajectory = question.trajectory
    found = whiteness(torch.from_numpy(trajectory[trajectory.result].n_hat.astype(np.float32)))
    numbers = {"white": found.white, "largest_correlation": found.worst, "bound": found.bound}
    return analysed(numbers, correlation=found.correlation)


def _show_whiteness(found: Analysed) -> Shown:
    numbers = found.numbers
    beside = found.arrays["correlation"].copy()
    middle = beside.shape[0] // 2
    beside[middle, middle] = 0  # the value is always 1, beside which all others would look white
    rows = (
        ("Largest correlation", f"{numbers['largest_correlation']:.4f}"),
        ("Limit for white noise", f"{numbers['bound']:.4f}"),
    )
    picture = Picture(
        "",
        "correlation with neighbours",
        beside,
        Scale.SIGNED,
        tip="The correlation of the removed noise with itself, shifted by up to 3 rows and columns: red where they are "
        "alike, blue where they are opposite. The middle, no shift, is left out",
        enlarge=32,
        mark=(middle, middle),
        corner=None,
    )
    says = (
        "What was removed looks like white noise: no detail of the photo is in it."
        if numbers["white"]
        else "What was removed is not white noise: it has structure, from the photo or from the noise itself."
    )
    return Shown(says, Table((), rows), (picture,))


RISK = Analysis(
    "risk",
    "Expected error",
    "How good the result is, with an error bar and a map, without knowing the clean picture.",
    "Stein's unbiased risk estimate: MSE ≈ ‖x̂ − y‖²/n − σ² + 2σ²·div/n, where div = Σ ∂x̂ᵢ/∂yᵢ is estimated by "
    "bᵀ(∂x̂/∂y)b with two random vectors b of ±1, each by one linear equation at the equilibrium. It holds for white "
    "Gaussian noise of a known level.",
    9,
    _ask_risk,
    _show_risk,
)
WHITENESS = Analysis(
    "whiteness",
    "Was it noise?",
    "Whether only noise was removed, or some of the photo's structure with it.",
    "The autocorrelation of n̂ for shifts of up to 3 rows and columns. For white noise of n values, each correlation is "
    "normally distributed with variance 1/n, and the largest is below the limit in 99.9 % of cases.",
    1,
    _ask_whiteness,
    _show_whiteness,
)
