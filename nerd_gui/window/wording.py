"""How numbers and networks are written of in the window."""

from pathlib import Path
from typing import Any

from nerd_gui.denoising import PICTURE, Subject, Trajectory, is_for_photos
from nerd_gui.denoising.captions import scientific as scientific


def picture_to_save(trajectory: Trajectory | None) -> str:
    """What the picture of a run is called where it is saved: that of a photo run for its picture is the photo."""
    whole = trajectory is not None and trajectory.subject.region is None and trajectory.settings.stop_on == PICTURE
    return "denoised photo" if whole else "shown iterate"


def short_name(model: str) -> str:
    """A network's name, also where it is named by its file."""
    return Path(model).stem


def solver_name(solver: str) -> str:
    """A solver's name for people."""
    return {"plain": "Plain iteration"}.get(solver, solver.capitalize())


def noise_words(subject: Subject) -> str:
    """The noise that was added to a photo, or that none was."""
    return "as it is" if subject.sigma is None else f"σ {subject.sigma:g}"


def purpose(recipe: dict[str, Any]) -> str:
    """What a network is for, by the recipe that it was trained with.

    Raises
    ------
    KeyError
        If the recipe does not say.
    """
    noise, model = recipe["noise"], recipe["model"]
    if is_for_photos(recipe):
        words = "for photos with the noise that cameras make"
    elif noise["low"] == noise["high"]:
        words = f"for white noise of σ {noise['low']:g}"
    else:
        words = f"for white noise of any σ from {noise['low']:g} to {noise['high']:g}"
    words += "; takes the channels of a colour photo " + ("together" if model["channels"] > 1 else "one by one")
    return words if model["post_normalization"] else words + "; without post-normalization"
