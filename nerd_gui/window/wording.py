"""Wording of numbers, networks, solvers and noise in the window."""

from pathlib import Path
from typing import Any

from nerd_gui.denoising import PICTURE, Subject, Trajectory, is_for_photos
from nerd_gui.denoising.captions import scientific as scientific


def picture_to_save(trajectory: Trajectory | None) -> str:
    """Return the name of a run's picture for saving: "denoised photo" if the run was to denoise the photo."""
    whole = trajectory is not None and trajectory.subject.region is None and trajectory.settings.stop_on == PICTURE
    return "denoised photo" if whole else "shown iterate"


def short_name(model: str) -> str:
    """Return a network's name, also for a network given by its file."""
    return Path(model).stem


def solver_name(solver: str) -> str:
    """Return a solver's name for people."""
    return {"plain": "Plain iteration"}.get(solver, solver.capitalize())


def noise_words(subject: Subject) -> str:
    """Return the noise that was added to a photo, or that none was."""
    return "no noise added" if subject.sigma is None else f"σ {subject.sigma:g}"


def purpose(recipe: dict[str, Any]) -> str:
    """Return what a network is for, according to the recipe that it was trained with.

    Raises
    ------
    KeyError
        If the recipe does not say.
    """
    noise, model = recipe["noise"], recipe["model"]
    if is_for_photos(recipe):
        words = "for photos with camera noise"
    elif noise["low"] == noise["high"]:
        words = f"for white noise of σ {noise['low']:g}"
    else:
        words = f"for white noise of any σ from {noise['low']:g} to {noise['high']:g}"
    if model.get("level_input"):
        words += "; takes the noise level as an input"
    words += "; takes the channels of a colour photo " + ("together" if model["channels"] > 1 else "one by one")
    return words if model["post_normalization"] else words + "; without post-normalization"
