"""The captions in the corners of the pictures."""

from nerd_gui.denoising import Look
from nerd_gui.window.session.run import Run

_STARTS = {
    "zero": "the start: nothing is removed yet",
    "random": "the start: a random feature",
    "last": "the start: the last equilibrium",
    "predicted": "the start: predicted",
}


def iterate_caption(run: Run, index: int, look: Look, *, named: bool) -> str:
    """Return the caption of an iterate: its index, its PSNR or look, and what iterate 0 starts from.

    Parameters
    ----------
    named : bool
        Whether to name the run too, because there are several.
    """
    assert run.trajectory is not None
    words = [run.name] if named else []
    words.append(f"iterate {index}")
    if index == 0:
        words[-1] += f", {_STARTS[run.trajectory.settings.start]}"
    score = run.trajectory[index].psnr
    if not look.plain:
        words.append(str(look))
    elif score is not None:
        words.append(f"{score:.2f} dB")
    return " · ".join(words)


def removed_caption(index: int, look: Look) -> str:
    """Return the caption of the noise that an iterate removes."""
    return f"noise estimate {index}" if look.plain else f"removed noise {index} · {look}"


def kept_name(run: Run, index: int) -> str:
    """Return the name of the iterate that is kept for comparison."""
    return f"iterate {index} of {run.name}"


def kept_caption(run: Run, index: int, look: Look) -> str:
    """Return the caption of the kept iterate: its name, and its look unless that is plain."""
    return kept_name(run, index) if look.plain else f"{kept_name(run, index)} · {look}"
