"""The metadata of a saved picture: how it was made."""

import json
from dataclasses import asdict
from pathlib import Path

from nerd_gui import __version__
from nerd_gui.denoising.eye_rule import ANYWHERE, ROOT_MEAN_SQUARE
from nerd_gui.denoising.look import PLAIN, Look
from nerd_gui.denoising.settings import PICTURE
from nerd_gui.denoising.trajectory import Trajectory
from nerd_gui.imaging import Edit

PROGRAM = f"NERD GUI {__version__}"
#: IPTC's term for denoised photos, among others; generated pictures and composites have different terms.
SOURCE_TYPE = "algorithmicallyEnhanced"
STATEMENT = "Nothing was generated: a neural network estimated the noise, and only this was subtracted from the photo."
_STARTS = {
    "zero": "",
    "random": " from a random start",
    "last": " from the last equilibrium",
    "predicted": " from a predicted start",
}
_MEASURES = {"residual": "residual", "relative_step": "relative step", "residual_change": "change of the residual"}


def describe(trajectory: Trajectory, index: int, look: Look = PLAIN) -> str:
    """Describe in one line how the picture of an iterate was made."""
    settings, subject = trajectory.settings, trajectory.subject
    start = _STARTS[settings.start]
    region = "" if subject.region is None else f", region {subject.region} of the photo"
    tiles = "" if trajectory.plan.tiles == 1 else f", in {trajectory.plan.tiles} tiles"
    grain = "" if trajectory.grain == 1 else f", grain size {trajectory.grain}"
    added = "" if subject.sigma is None else f", noise added: sigma {subject.sigma:g}, seed {subject.seed}"
    shown = "" if look.plain else f", look: {look}"
    return (
        f"{PROGRAM}, {_network(trajectory)}, {settings.solver}, {index} iterations{start}, "
        f"residual {trajectory[index].residual:.1e}{region}{tiles}{grain}{added}{shown}"
    )


def edit_of(trajectory: Trajectory, index: int, look: Look = PLAIN) -> Edit:
    """Make the metadata of an iterate's picture: program, network, settings, source, and that nothing was generated."""
    settings, subject, iterate = trajectory.settings, trajectory.subject, trajectory[index]
    added = "none" if subject.sigma is None else f"sigma {subject.sigma:g}, seed {subject.seed}"
    rule = f"{_MEASURES.get(settings.stop_on, settings.stop_on)} {settings.tol:g}" if settings.tol else "none"
    if settings.stop_on == PICTURE:
        rule = f"picture settled to {ROOT_MEAN_SQUARE:g} of 255 levels, {ANYWHERE:g} in any 8 x 8 pixels"
    ended = "the run was not over" if trajectory.stop_reason is None else f"the run ended: {trajectory.stop_reason}"
    details = {
        "Statement": STATEMENT,
        "Network": _network(trajectory),
        "NetworkSHA256": trajectory.weights_sha256 or "unknown",
        "SourceSHA256": subject.photo.sha256 or "unknown",
        "Solver": settings.solver,
        "Steps": str(index),
        "Evaluations": str(iterate.evaluations),
        "StopRule": f"{rule}, at most {settings.max_iter} steps; {ended}",
        "Residual": f"{iterate.residual:.3e}",
        "Window": str(trajectory.window),
        "GrainSize": str(trajectory.grain),
        "NoiseAdded": added,
        "Strength": "not told" if settings.strength is None else f"{settings.strength:g}",
        "Look": str(look),
        "LookSettings": json.dumps(asdict(look)),
        "Settings": json.dumps(asdict(settings) | {"model": _network(trajectory)}),
    }
    if subject.region is not None:
        row, col, rows, cols = subject.region
        details["Region"] = f"column {col}, row {row}, {cols} x {rows} pixels of the photo"
    sentence = f"{describe(trajectory, index, look)}. {STATEMENT}"
    return Edit(PROGRAM, "filtered", sentence, SOURCE_TYPE, details)


def _network(trajectory: Trajectory) -> str:
    """The name of a run's network, without folder and suffix."""
    return Path(trajectory.settings.model).name.removesuffix(".safetensors")
