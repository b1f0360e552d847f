"""In what the picture of a run differs from what a run would be of that started now."""

from nerd_gui.window.session.run import Run
from nerd_gui.window.session.workspace import Workspace


def difference(workspace: Workspace, run: Run | None) -> str:
    """Why a new run would be of another picture than this one, in a sentence; empty where it would not."""
    if run is None or workspace.photo is None:
        return ""
    subject = run.subject
    if not workspace.has(subject):
        is_now = _noise(workspace.add_noise, workspace.sigma, workspace.seed)
        return f"{is_now}; this run {_had(subject.sigma, subject.seed)}."
    if subject.region is not None and subject.region != workspace.region:
        return "Another region is chosen than that of this run."
    if workspace.clean is not None and not workspace.add_noise and subject.clean is None:
        return "The clean photo was opened after this run, which does not know its PSNR."
    return ""


def _noise(adds: bool, sigma: float, seed: int) -> str:
    return f"The noise is now σ {sigma:g}, seed {seed}" if adds else "The photo now counts as noisy"


def _had(sigma: float | None, seed: int | None) -> str:
    return "was of the photo as it is" if sigma is None else f"had σ {sigma:g}, seed {seed}"
