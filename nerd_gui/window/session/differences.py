"""Compares the picture of a run with the picture that a run started now would have."""

from nerd_gui.window.session.run import Run
from nerd_gui.window.session.workspace import Workspace


def difference(workspace: Workspace, run: Run | None) -> str:
    """Return a sentence on how a new run's picture would differ from this run's; empty if it would not."""
    if run is None or workspace.photo is None:
        return ""
    subject = run.subject
    if not workspace.has(subject):
        is_now = _noise(workspace.add_noise, workspace.sigma, workspace.seed)
        return f"{is_now}; this run {_had(subject.sigma, subject.seed)}."
    if subject.region is not None and subject.region != workspace.region:
        return "The chosen region is not the region of this run."
    if workspace.clean is not None and not workspace.add_noise and subject.clean is None:
        return "The clean photo was opened after this run, so the run’s PSNR is not known."
    return ""


def _noise(adds: bool, sigma: float, seed: int) -> str:
    return f"The noise is now σ {sigma:g}, seed {seed}" if adds else "The photo now counts as noisy"


def _had(sigma: float | None, seed: int | None) -> str:
    return "added no noise" if sigma is None else f"had σ {sigma:g}, seed {seed}"
