"""What the line under the picture says to a person who is here for the photo, not for the solver."""

from nerd_gui.denoising.time_left import about
from nerd_gui.imaging import Photo
from nerd_gui.window.session.run import Run


def size(photo: Photo) -> str:
    """How large a photo is: “24 megapixels”, “2.3 megapixels”; a small one by its sides."""
    megapixels = photo.rows * photo.cols / 1e6
    if megapixels < 1:
        return f"{photo.cols} × {photo.rows} pixels"
    return f"{megapixels:.1f}".removesuffix(".0") + " megapixels" if megapixels < 10 else f"{megapixels:.0f} megapixels"


def photo_summary(run: Run, *, paused: bool) -> str:
    """How far a run has come, or what it has made of the photo."""
    of = size(run.subject.photo) if run.whole else f"a part of {run.subject.cols} × {run.subject.rows} pixels"
    trajectory = run.trajectory
    if paused:
        return f"Paused: {of}; Continue goes on."
    if not run.over:
        return f"Denoising {of} …"
    if not trajectory:
        return ""
    if run.unfinished:
        return f"Stopped before all of the {of} were denoised; Continue goes on."
    result = trajectory[trajectory.result]
    return f"Denoised: {of} in {about(trajectory[-1].seconds)}, noise level {result.noise_level:.1f}."
