"""`nerd-gui evaluate`: measures how well networks denoise folders of pictures."""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import fmean

import numpy as np

from nerd_gui.denoising import DenoisingRun, RunSettings, Subject, Trajectory, check_device, record
from nerd_gui.evaluation.figures import MEANS, RARE_SETTINGS, SETTINGS, EvaluationError, Figures
from nerd_gui.evaluation.picture_sets import PictureSet
from nerd_gui.imaging import psnr, ssim
from nerd_gui.nerd import load_model, weights_sha256


def evaluate(
    folders: Sequence[Path],
    sigmas: Sequence[float],
    models: Sequence[str],
    settings: RunSettings,
    *,
    windows: Sequence[int | None] = (None,),
    limit: int | None = None,
    other_solver: str | None = None,
    watch: Callable[[list[Figures], int], None] | None = None,
    announce: Callable[[str], None] | None = None,
) -> list[Figures]:
    """Denoise every picture in the folders, and compare the results with the clean pictures.

    Parameters
    ----------
    folders : sequence of Path
        Folders of clean pictures, to which noise is added (for a grey network, they are first converted to ITU-R 601
        luma, rounded to 8 bits); or of pairs NAME_real, NAME_mean of real photos, to which none is added (a grey
        network takes their channels as a batch).
    sigmas : sequence of float
        Noise levels for the clean pictures, 0-255 scale. A picture's noise is seeded with its index in the folder.
    models : sequence of str
        Names or files of networks.
    settings : RunSettings
        The settings of every run; `model` is ignored.
    windows : sequence of int or None
        The attention windows q to measure every network with; None: that of the settings.
    limit : int, optional
        Only use this number of pictures from the start of each folder.
    other_solver : str, optional
        Also solve with this solver, and measure how close its results are.
    watch : callable, optional
        Called after each image with the entries so far, the last of which is incomplete, and the number of images in
        it.
    announce : callable, optional
        Called before a run with each sentence of its memory plan that was not announced before.

    Returns
    -------
    list of dict
        One JSON-ready entry for each folder, model, window and sigma (None for pairs).

        It has "model", "sigma", "folder" (its name), "weights" (SHA-256 of the network's file), "settings",
        "other_solver", "device", "plan" (sentences about changes to fit into memory), and "partial", which is true
        until the entry has all its images. The figures are "psnr" (dB), "ssim", "residual_best", "residual_last",
        "noise_level" (0-255 scale), "psnr_last", "psnr_noisy", "ssim_noisy" and "agreement". They are means over the
        images; "images" has those of each image with its "name", "seed", "iterations" and "seconds".

        PSNR, SSIM and noise level are those of the result, the iterate of least residual; "psnr_last" is that of the
        last iterate. The noise level is that of luma, or the mean over the channels if noise was added. "agreement" is
        the PSNR (dB, not rounded to 8 bits) between the results of the two solvers. Undefined figures, and means over
        them, are None.

    Raises
    ------
    EvaluationError, PhotoError, ModelError, RunError
        If a folder, picture, network, solver or device cannot be used; this is checked before the first run.
    """
    check_device(settings.device)
    sets = _picture_sets(folders, sigmas, limit)
    variants = [settings if window is None else replace(settings, window=window) for window in windows]
    nets = {model: load_model(model, settings.device) for model in models}
    weights = {model: weights_sha256(model) for model in nets}
    cases = [
        (pictures, model, variant, sigma)
        for pictures in sets
        for model in nets
        for variant in variants
        for sigma in _levels(pictures, sigmas)
    ]

    def solvers(variant: RunSettings) -> list[RunSettings]:
        return [variant] if other_solver is None else [variant, replace(variant, solver=other_solver)]

    # Prepare all runs first, so that a damaged picture, or one too large for the memory, is found before hours of work.
    for pictures, model, variant, sigma in cases:
        for index in range(len(pictures)):
            for solver in solvers(variant):
                DenoisingRun(pictures.subject(index, sigma, nets[model]), solver, nets[model])
    entries: list[Figures] = []
    announced: set[str] = set()

    def solved(subject: Subject, solver: RunSettings, entry: Figures) -> Trajectory:
        run = DenoisingRun(subject, replace(solver, model=entry["model"]), nets[entry["model"]])
        for step in run.plan.steps:
            if announce is not None and step not in announced:
                announce(step)
            announced.add(step)
            if step not in entry["plan"]:
                entry["plan"].append(step)
        return record(run, keep_features=False)

    for pictures, model, variant, sigma in cases:
        images: list[Figures] = []
        entry: Figures = {"model": model, "sigma": None if sigma is None else float(sigma)}
        entry |= {**dict.fromkeys(MEANS), "images": images, "folder": pictures.name, "weights": weights[model]}
        entry |= {"settings": _deciding(variant) | {"limit": limit}}
        entry |= {"other_solver": other_solver, "device": settings.device, "plan": [], "partial": True}
        entries.append(entry)
        for index in range(len(pictures)):
            subject = pictures.subject(index, sigma, nets[model])
            figures = _figures(*(solved(subject, solver, entry) for solver in solvers(variant)))
            images.append({"name": pictures.name_of(index), "seed": subject.seed, **figures})
            entry |= {name: _mean([image[name] for image in images]) for name in MEANS}
            entry["partial"] = len(images) < len(pictures)
            if watch is not None:
                watch(entries, len(pictures))
    return entries


def _deciding(settings: RunSettings) -> Figures:
    rare = [name for name in RARE_SETTINGS if getattr(settings, name) != getattr(RunSettings, name)]
    return {name: getattr(settings, name) for name in (*SETTINGS, *rare)}


def _picture_sets(folders: Sequence[Path], sigmas: Sequence[float], limit: int | None) -> list[PictureSet]:
    """Open the picture sets of all folders, and check that the noise levels suit them."""
    sets = {folder: PictureSet.of(folder, limit) for folder in folders}
    names = [pictures.name for pictures in sets.values()]
    for folder, pictures in sets.items():
        if names.count(pictures.name) > 1:
            raise EvaluationError(
                f"Two folders are named “{pictures.name}”; rename one, so that their figures can be told apart."
            )
        if pictures.means is None and not sigmas:
            raise EvaluationError(
                f"The folder “{folder}” holds clean pictures; say with --sigma how much noise to add."
            )
    if sigmas and all(pictures.means is not None for pictures in sets.values()):
        raise EvaluationError("The folders hold real photos, which are noisy already; leave out --sigma.")
    return list(sets.values())


def _levels(pictures: PictureSet, sigmas: Sequence[float]) -> Sequence[float | None]:
    return sigmas if pictures.means is None else [None]


def _figures(trajectory: Trajectory, other: Trajectory | None = None) -> Figures:
    """Compute the figures of one image from its run, and the agreement with the other solver's run."""
    subject, result, last = trajectory.subject, trajectory.result, trajectory[-1]
    assert subject.clean is not None  # PictureSet.subject always provides it
    before = psnr(subject.clean, subject.noisy)
    scores, residuals = trajectory.curve("psnr"), trajectory.curve("residual")
    return {
        "psnr": scores[result],
        "ssim": trajectory.curve("ssim")[result],
        "residual_best": residuals[result],
        "residual_last": residuals[-1],
        "noise_level": _noise_level(trajectory),
        "psnr_last": scores[-1],
        "psnr_noisy": before if math.isfinite(before) else None,
        "ssim_noisy": ssim(subject.clean, subject.noisy),
        "agreement": None if other is None else _agreement(trajectory, other),
        "iterations": last.index,
        "seconds": last.seconds,
    }


def _noise_level(trajectory: Trajectory) -> float | None:
    """The noise level of the result: of luma, or, if noise was added to each channel, the mean over the channels."""
    if trajectory.subject.sigma is None:
        return trajectory.curve("noise_level")[trajectory.result]
    channels = range(trajectory.subject.channels)
    return _mean([trajectory.curve("noise_level", channel)[trajectory.result] for channel in channels])


def _agreement(one: Trajectory, other: Trajectory) -> float | None:
    """PSNR (dB) between two results, clipped to [0, 1] and not rounded; None if they are identical."""
    pictures = [np.clip(run.picture(run.result), 0, 1).astype(np.float64) for run in (one, other)]
    error = float(np.mean((pictures[0] - pictures[1]) ** 2))
    return -10 * math.log10(error) if error else None


def _mean(values: Sequence[float | None]) -> float | None:
    defined = [value for value in values if value is not None]
    return fmean(defined) if len(defined) == len(values) else None
