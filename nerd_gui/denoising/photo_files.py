"""Photo files in, denoised files out."""

import math
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from nerd_gui import __version__
from nerd_gui.denoising.errors import RunError
from nerd_gui.denoising.recorder import record
from nerd_gui.denoising.run import DenoisingRun
from nerd_gui.denoising.settings import RunSettings
from nerd_gui.denoising.subject import Subject
from nerd_gui.denoising.trajectory import Iterate, Trajectory
from nerd_gui.imaging import Photo, denoised_name, open_photo, save_picture, what_is_lost
from nerd_gui.nerd import NERD


class Destination:
    """Where denoised files go: one file, or a folder that takes them as NAME_denoised.

    Parameters
    ----------
    place : str
        A folder if it is one, if it ends in a separator, or if `several` photos go there; else a file.
    several : bool
    overwrite : bool
        Whether files that were there before may be replaced.

    Raises
    ------
    RunError
        If several photos are to go into one file, or a file's name lacks the suffix that tells its format.
    """

    def __init__(self, place: str, *, several: bool = False, overwrite: bool = False) -> None:
        self.path = Path(place)
        self.overwrite = overwrite
        self.is_folder = several or place.endswith(tuple(filter(None, (os.sep, os.altsep)))) or self.path.is_dir()
        self._written: set[Path] = set()
        if self.is_folder and self.path.exists() and not self.path.is_dir():
            raise RunError(f"“{place}” is a file; name a folder for the denoised photos.")
        if not self.is_folder and not self.path.suffix:
            raise RunError(f"“{place}” has no suffix; end it in .png for a file, or in {os.sep} for a folder.")

    @property
    def existing_folder(self) -> Path:
        """The folder that must be writable: that of the files, or the nearest one above it that is there."""
        if not self.is_folder:
            return self.path.parent
        path = self.path.absolute()
        return next(folder for folder in (path, *path.parents) if folder.exists())

    def file_for(self, photo: Photo) -> Path:
        """The file that this photo is saved as; of two photos of one name, the second gets a number.

        Raises
        ------
        RunError
            If it is there already and may not be replaced.
        PhotoError
            If its suffix is that of no picture.
        """
        path = self.path
        if self.is_folder:
            free = denoised_name(photo, self.path)
            path = self.path / f"{photo.name}_denoised{free.suffix}"
            if path in self._written:
                path = free
        what_is_lost(path.suffix, photo)  # raises for an unknown suffix
        if os.path.lexists(path) and not self.overwrite:
            raise RunError(f"“{path}” exists already; choose another name, or ask for it to be replaced (--overwrite).")
        return path

    def save(self, path: Path, photo: Photo, description: str) -> None:
        """Save a photo as the `file_for` it, making the folder if it is not there yet.

        Raises
        ------
        PhotoError
            If it cannot be saved.
        """
        if self.is_folder:
            path.parent.mkdir(parents=True, exist_ok=True)
        save_picture(path, photo, description=description, overwrite=self.overwrite)
        self._written.add(path)


def denoise_file(
    source: Path,
    destination: Destination,
    settings: RunSettings,
    net: NERD,
    *,
    sigma: float | None = None,
    seed: int = 0,
    clean: Photo | None = None,
    watch: Callable[[Iterate], None] | None = None,
    announce: Callable[[str], None] | None = None,
) -> tuple[Path, Trajectory]:
    """Denoise a photo file and save the result, at the photo's depth and with what its file says beside the pixels.

    Whatever stands in the way of the photo, the run or the saved file is found before the run, as far as it can be.

    Parameters
    ----------
    sigma, seed : float, int
        Add such noise first (0-255 scale); None: the photo is noisy already.
    clean : Photo, optional
        The clean picture of an already noisy photo.
    watch : callable, optional
        Called with every iterate as it comes.
    announce : callable, optional
        Called before the run with each step of the plan that makes it fit into memory, a sentence.

    Returns
    -------
    Path, Trajectory
        The saved file, whose pixels are `trajectory.picture(trajectory.result)`, and the run's record.

    Raises
    ------
    PhotoError
        If the photo cannot be opened or the result not saved.
    RunError
        If the run cannot start or go on, or the file exists already.
    """
    photo = open_photo(source)
    target = destination.file_for(photo)
    run = DenoisingRun(Subject.of(photo, sigma=sigma, seed=seed, clean=clean), settings, net)
    if announce is not None:
        for step in run.plan.steps:
            announce(step)
    trajectory = record(run, keep_features=False, watch=watch)
    result = replace(photo, pixels=trajectory.picture(trajectory.result))
    destination.save(target, result, describe(trajectory, trajectory.result))
    return target, trajectory


def describe(trajectory: Trajectory, index: int) -> str:
    """How the picture of an iterate came about, in one line, for the file's metadata."""
    settings, subject = trajectory.settings, trajectory.subject
    start = {"zero": "", "random": " from a random start", "last": " from the last equilibrium"}[settings.start]
    region = "" if subject.region is None else f", region {subject.region} of the photo"
    parts = math.prod(trajectory.plan.tiles)
    tiles = "" if parts == 1 else f", in {parts} tiles"
    added = "" if subject.sigma is None else f", noise added: sigma {subject.sigma:g}, seed {subject.seed}"
    return (
        f"NERD GUI {__version__}, {Path(settings.model).name.removesuffix('.safetensors')}, {settings.solver}, "
        f"{index} iterations{start}, residual {trajectory[index].residual:.1e}{region}{tiles}{added}"
    )
