"""How well networks denoise folders of pictures: `nerd-gui evaluate`."""

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
    """Denoise every picture of some folders, and compare with the clean ones.

    Parameters
    ----------
    folders : sequence of Path
        Clean pictures, which get noise (a grey network sees them turned grey, ITU-R 601 luma rounded to 8 bits); or
        pairs NAME_real, NAME_mean of real photos, which get none (a grey network takes their channels as a batch).
    sigmas : sequence of float
        Noise levels for the clean pictures, 0-255 scale. A picture's noise is seeded with its index in the folder.
    models : sequence of str
        Names or files of networks.
    settings : RunSettings
        Of every run; its `model` is not looked at.
    windows : sequence of int or None
        The attention windows q that every network is measured with; None: that of the settings.
    limit : int, optional
        Take the first so many pictures of each folder only.
    other_solver : str, optional
        Solve with this one too, and say how near the two results are.
    watch : callable, optional
        Called after each image with the entries so far, whose last one is being filled, and its number of images.
    announce : callable, optional
        Called before a run with each step of the plan that makes it fit into memory, a sentence, once for each.

    Returns
    -------
    list of dict
        One entry for each folder, model, window and sigma (None for pairs): "model", "sigma", the means of "psnr" (dB),
        "ssim", "residual_best", "residual_last", "noise_level" (0-255 scale), "psnr_last", "psnr_noisy", "ssim_noisy",
        "agreement", and "images" with these of each image and its "name", "seed", "iterations", "seconds". PSNR, SSIM
        and noise level (of luma; of a channel on average where noise was added) are those of the result, the iterate of
        least residual; "psnr_last" is the last iterate's,
        "agreement" the PSNR (dB, not rounded to 8 bits) between the two solvers' results. Besides, "folder" (its name),
        "weights" (SHA-256 of the network's file), "settings", "other_solver", "device", "plan" (what was given up for
        memory), and "partial", true until the entry has all its images. None where a figure is undefined, and for a
        mean over such figures. JSON-ready.

    Raises
    ------
    EvaluationError, PhotoError, ModelError, RunError
        If a folder, a picture, a network, a solver or the device is not fit for it; found before the first run.
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

    # Nothing may end hours of work that could be known before them: a damaged picture, or one too large for the memory.
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
    """The pictures of all folders, and whether the noise levels suit them."""
    sets = {folder: PictureSet.of(folder, limit) for folder in folders}
    names = [pictures.name for pictures in sets.values()]
    for folder, pictures in sets.items():
        if names.count(pictures.name) > 1:
            raise EvaluationError(
                f"Two folders are named “{pictures.name}”; rename one, so that figures can be told apart."
            )
        if pictures.means is None and not sigmas:
            raise EvaluationError(
                f"The folder “{folder}” holds clean pictures; say with --sigma how much noise to add."
            )
    if sigmas and all(pictures.means is not None for pictures in sets.values()):
        raise EvaluationError("The folders hold real photos, which have their noise already; leave out --sigma.")
    return list(sets.values())


def _levels(pictures: PictureSet, sigmas: Sequence[float]) -> Sequence[float | None]:
    return sigmas if pictures.means is None else [None]


def _figures(trajectory: Trajectory, other: Trajectory | None = None) -> Figures:
    """One image's figures: those of the first run, and how near the other one's result is."""
    subject, result, last = trajectory.subject, trajectory.result, trajectory[-1]
    assert subject.clean is not None  # PictureSet.subject knows it of every picture
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
    """The result's; where sigma is known, which each channel got of its own, that of a channel on average."""
    if trajectory.subject.sigma is None:
        return trajectory.curve("noise_level")[trajectory.result]
    channels = range(trajectory.subject.channels)
    return _mean([trajectory.curve("noise_level", channel)[trajectory.result] for channel in channels])


def _agreement(one: Trajectory, other: Trajectory) -> float | None:
    """PSNR (dB) between two results clipped to [0, 1], not rounded; None where they are the same to the last bit."""
    pictures = [np.clip(run.picture(run.result), 0, 1).astype(np.float64) for run in (one, other)]
    error = float(np.mean((pictures[0] - pictures[1]) ** 2))
    return -10 * math.log10(error) if error else None


def _mean(values: Sequence[float | None]) -> float | None:
    defined = [value for value in values if value is not None]
    return fmean(defined) if len(defined) == len(values) else None
