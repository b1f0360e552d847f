"""Saves the results of a run: pictures with the photo's own bit depth, the report, the numbers."""

import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from nerd_gui.denoising import Trajectory
from nerd_gui.denoising.look import PLAIN, Look
from nerd_gui.denoising.provenance import describe, edit_of
from nerd_gui.files import why_not, write_file
from nerd_gui.imaging import Photo, PhotoError, free_name, save_picture, what_is_lost


def denoised_photo(trajectory: Trajectory, index: int, look: Look = PLAIN) -> Photo:
    """Return an iterate's picture with a look as a photo, with the original's bit depth and metadata."""
    return _photo_with(trajectory, trajectory.picture(index, look))


def noise_photo(trajectory: Trajectory, index: int) -> Photo:
    """Return an iterate's noise estimate around mid-grey; it omits the photo's XMP, which describes another picture."""
    return replace(_photo_with(trajectory, 0.5 + trajectory[index].n_hat.astype(np.float32)), xmp=None)


def _photo_with(trajectory: Trajectory, pixels: np.ndarray) -> Photo:
    photo, region = trajectory.subject.photo, trajectory.subject.region
    return replace(photo.crop(*region) if region else photo, pixels=pixels)


def suggested_path(trajectory: Trajectory, folder: Path, ending: str, suffix: str) -> Path:
    """Return a free file name for a result: NAME_denoised.png, or for a region NAME_region_COL_ROW_COLSxROWS.png.

    Parameters
    ----------
    ending : str
        The kind of result, such as "denoised" for the picture itself.
    """
    stem = _stem(trajectory)
    if trajectory.subject.region is None or ending != "denoised":
        stem += f"_{ending}"
    return free_name(folder, stem, suffix)


def _stem(trajectory: Trajectory) -> str:
    """Return the photo's name, followed by the region's position and size if only a region was run."""
    name, region = trajectory.subject.photo.name, trajectory.subject.region
    if region is None:
        return name
    row, col, rows, cols = region
    return f"{name}_region_{col}_{row}_{cols}x{rows}"


def save_iterate(
    trajectory: Trajectory, index: int, path: Path, *, look: Look = PLAIN, overwrite: bool
) -> tuple[str, ...]:
    """Save the picture of an iterate with a look; for the errors see `save_picture`.

    Returns
    -------
    tuple of str
        A sentence for each property of the photo that the file format cannot keep.
    """
    photo = denoised_photo(trajectory, index, look)
    lost = what_is_lost(path.suffix, photo)
    description, edit = describe(trajectory, index, look), edit_of(trajectory, index, look)
    save_picture(path, photo, description=description, edit=edit, overwrite=overwrite)
    return lost


def save_all_iterates(
    trajectory: Trajectory,
    folder: Path,
    suffix: str,
    look: Look = PLAIN,
    tell: Callable[[float], object] = lambda _: None,
) -> list[Path]:
    """Save all iterates as NAME_iterate_07.png and so on, or as NAME_iterate-2_07.png if such files exist already.

    Parameters
    ----------
    tell : callable, optional
        Called before each file with the fraction that is done; an exception that it raises ends the saving.

    Raises
    ------
    PhotoError
        If an iterate cannot be saved; those before it have been saved.
    """
    digits = max(2, len(str(len(trajectory) - 1)))
    number = 1
    while True:
        stem = f"{_stem(trajectory)}_iterate" + (f"-{number}" if number > 1 else "")
        paths = [folder / f"{stem}_{index:0{digits}d}{suffix}" for index in range(len(trajectory))]
        if not any(map(os.path.lexists, paths)):
            for index, path in enumerate(paths):
                tell(index / len(paths))
                save_iterate(trajectory, index, path, look=look, overwrite=False)
            return paths
        number += 1


def save_report(trajectory: Trajectory, path: Path, *, overwrite: bool) -> None:
    """Write the run's report (JSON): settings, residuals, noise levels, and what is needed to repeat the run.

    Raises
    ------
    PhotoError
        If the report cannot be written, or if the file exists and may not be replaced.
    """
    report = json.dumps(trajectory.report(), indent=2).encode()
    try:
        write_file(path, report, overwrite=overwrite)
    except OSError as error:
        raise PhotoError(f"The report “{path}” was not saved: {why_not(error, path)}.") from error
