"""The texts below the picture for a person who wants to denoise a photo rather than to explore the solver."""

from nerd_gui.denoising.time_left import about
from nerd_gui.imaging import Photo
from nerd_gui.window.session.run import Run


def size(photo: Photo) -> str:
    """Return the size of a photo: “24 megapixels”, “2.3 megapixels”, or for a small photo its width and height."""
    megapixels = photo.rows * photo.cols / 1e6
    if megapixels < 1:
        return f"{photo.cols} × {photo.rows} pixels"
    number = f"{megapixels:.1f}".removesuffix(".0") if megapixels < 10 else f"{megapixels:.0f}"
    return "1 megapixel" if number == "1" else f"{number} megapixels"


def photo_summary(run: Run, *, paused: bool) -> str:
    """Return the state of a run, or its result for the photo."""
    of = size(run.subject.photo) if run.whole else f"a part of {run.subject.cols} × {run.subject.rows} pixels"
    trajectory = run.trajectory
    if paused:
        return f"Paused: {of}. Press Continue to go on."
    if not run.over:
        return f"Denoising {of} …"
    if not trajectory:
        return ""
    if run.unfinished:
        return f"Stopped before all of the {of} were denoised. Press Continue to go on."
    result = trajectory[trajectory.result]
    return f"Denoised: {of} in {about(trajectory[-1].seconds)}, noise level {result.noise_level:.1f}."
