"""Denoises photo files and saves the results."""

import os
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from nerd_gui.denoising.auto import AUTO, choose
from nerd_gui.denoising.errors import OutOfMemory, RunError, TooLittleMemory
from nerd_gui.denoising.memory_plan import limit_within
from nerd_gui.denoising.provenance import describe, edit_of
from nerd_gui.denoising.recorder import record
from nerd_gui.denoising.run import DenoisingRun
from nerd_gui.denoising.settings import RunSettings
from nerd_gui.denoising.subject import Subject
from nerd_gui.denoising.trajectory import Iterate, Trajectory
from nerd_gui.denoising.whole_photo import ONE_PIECE, PhotoRun, record_photo
from nerd_gui.equilibrium import StopReason
from nerd_gui.files import why_not, write_file
from nerd_gui.imaging import (
    OpeningCancelled,
    Photo,
    PhotoError,
    check_saving,
    open_photo,
    save_picture,
    suffix_for_file,
    what_is_lost,
)
from nerd_gui.nerd import NERD, Network, load_model

_TRIES = 3  # attempts for a photo when memory runs out


class Stopped(Exception):
    """The user has stopped the current photo; this is not an error."""


class Destination:
    """The destination of denoised files: one file, or a folder in which they are named NAME_denoised.

    Parameters
    ----------
    place : str
        It names a folder if such a folder exists, if it ends in a separator, or if `several`; else a file.
    several : bool
        Whether there are several photos.
    overwrite : bool
        Whether existing files may be replaced.

    Raises
    ------
    RunError
        If a folder is needed but a file has this name, or if a file's name has no suffix.
    """

    def __init__(self, place: str, *, several: bool = False, overwrite: bool = False) -> None:
        self.path = Path(place)
        self.overwrite = overwrite
        self.is_folder = several or place.endswith(tuple(filter(None, (os.sep, os.altsep)))) or os.path.isdir(place)
        if self.is_folder and os.path.exists(place) and not os.path.isdir(place):
            raise RunError(f"“{place}” is a file; name a folder for the denoised photos.")
        if not self.is_folder and not self.path.suffix:
            raise RunError(f"“{place}” has no suffix; add .png to name a file, or {os.sep} to name a folder.")

    def check_folder(self) -> None:
        """Check that files can be written to the folder, or to its nearest existing parent if it does not exist yet.

        Raises
        ------
        RunError
            If they cannot.
        """
        folder = self.path.parent
        if self.is_folder:
            path = self.path.absolute()
            folder = next(folder for folder in (path, *path.parents) if os.path.exists(folder))
        try:
            with tempfile.TemporaryFile(dir=folder):  # a real attempt, because permissions are not conclusive
                pass
        except OSError as error:
            raise RunError(
                f"Files cannot be written to “{folder}” ({error.strerror}); choose another folder."
            ) from error

    def targets(self, sources: Sequence[Path]) -> list[Path]:
        """Return the file for each photo's result. If photos have the same name, the second gets -2, the third -3, ...

        The names depend only on the list and not on the folder's content, so that the same list always gives the same
        files.
        """
        if not self.is_folder:
            return [self.path for _ in sources]
        taken: Counter[str] = Counter()
        targets = []
        for source in sources:
            stem, suffix = f"{source.stem}_denoised", suffix_for_file(source)
            name = f"{stem}{suffix}".casefold()  # some file systems do not tell A.png from a.png
            taken[name] += 1
            number = "" if taken[name] == 1 else f"-{taken[name]}"
            targets.append(self.path / f"{stem}{number}{suffix}")
        return targets

    def check(self, target: Path) -> None:
        """Check that no file is replaced without permission.

        Raises
        ------
        RunError
            If the file exists and may not be replaced.
        """
        if os.path.lexists(target) and not self.overwrite:
            raise RunError(
                f"“{target}” exists already; choose another name, or replace it with --overwrite, or skip existing "
                "results with --skip-existing."
            )


@dataclass(frozen=True)
class Treatment:
    """How each photo is denoised and saved.

    Attributes
    ----------
    settings : RunSettings
        If the network is `AUTO`, one is chosen for each photo.
    grain : int, optional
        The grain size, 1 or 2; None: Auto's choice, or 1 if a network is named.
    sigma, seed : float, int
        Level (0-255 scale) and seed of noise that is added first; sigma None: the photo is noisy already.
    clean : Photo, optional
        The clean picture of an already noisy photo.
    quality : int, optional
        Quality of saved JPEG and WebP files, 1-100; None: see `save_picture`.
    """

    settings: RunSettings
    grain: int | None = None
    sigma: float | None = None
    seed: int = 0
    clean: Photo | None = None
    quality: int | None = None


@dataclass(frozen=True)
class Step:
    """The progress of a photo.

    Attributes
    ----------
    fraction : float
        The fraction of the work that is done, 0 ... 1.
    seconds_left : float or None
        Until the photo is done; None if it cannot be estimated.
    iterate : Iterate or None
        The newest iterate, if the photo is solved in one piece.
    """

    fraction: float
    seconds_left: float | None = None
    iterate: Iterate | None = None


class Networks:
    """A cache of loaded networks by name and device."""

    def __init__(self) -> None:
        self._loaded: dict[tuple[str, str], Network] = {}

    def get(self, settings: RunSettings) -> Network:
        """Return the network of a run; it is loaded on first use.

        Raises
        ------
        ModelError
            If the network cannot be loaded.
        """
        key = settings.model, settings.device
        if key not in self._loaded:
            self._loaded[key] = load_model(settings.model, device=settings.device)
        return self._loaded[key]


def denoise_file(
    source: Path,
    target: Path,
    treatment: Treatment,
    networks: Networks,
    *,
    overwrite: bool = False,
    should_stop: Callable[[], bool] | None = None,
    watch: Callable[[Step], None] | None = None,
    announce: Callable[[str], None] | None = None,
) -> dict[str, Any] | None:
    """Denoise a photo file and save the result, with the photo's bit depth and metadata.

    As far as possible, errors in the photo, the settings or the destination are found before the run. A photo in which
    Auto finds hardly any noise is saved unchanged.

    Parameters
    ----------
    overwrite : bool
        Whether an existing file, even the original, may be replaced.
    should_stop : callable, optional
        Called while the photo is opened, and before, during and after each evaluation of f; if it returns True, the
        work ends.
    watch : callable, optional
        Called with the progress.
    announce : callable, optional
        Called with sentences that the user should read: before the run, what Auto has chosen and what was changed to
        make the run fit into memory; after it, what the file's format cannot store.

    Returns
    -------
    dict or None
        The run's report, see `Trajectory.report`; None if there was no run. The saved pixels are
        `trajectory.picture(trajectory.result)`.

    Raises
    ------
    Stopped
        If `should_stop` returned True. Nothing is saved then.
    PhotoError
        If the photo cannot be opened or the result not saved.
    RunError
        If the run cannot start or go on.
    ModelError
        If the network cannot be loaded.
    """

    def tell(sentence: str) -> None:
        if announce is not None:
            announce(sentence)

    try:
        photo = open_photo(source, cancelled=should_stop)
    except OpeningCancelled as error:
        raise Stopped from error
    check_saving(target, photo, overwrite=overwrite)
    lost = what_is_lost(target.suffix, photo)
    report = None
    settings, grain = _chosen(photo, treatment, tell)
    if settings is None:
        _make_folder(target)
        _save_as_it_is(photo, source, target, treatment.quality, overwrite)
    else:
        subject = Subject.of(photo, sigma=treatment.sigma, seed=treatment.seed, clean=treatment.clean)
        trajectory = _solved_within_memory(
            partial(prepare, subject, net=networks.get(settings), grain=grain), settings, should_stop, watch, tell
        )
        index = trajectory.result
        result = replace(photo, pixels=trajectory.picture(index))
        _make_folder(target)
        save_picture(
            target,
            result,
            description=describe(trajectory, index),
            edit=edit_of(trajectory, index),
            quality=treatment.quality,
            overwrite=overwrite,
        )
        report = trajectory.report()
    for loss in lost:
        tell(f"“{target}”: {loss}")
    return report


def _chosen(photo: Photo, treatment: Treatment, tell: Callable[[str], None]) -> tuple[RunSettings | None, int]:
    """The settings with the network for this photo, or None if it is best left unchanged; and the grain size."""
    settings = treatment.settings
    if settings.model != AUTO:
        return settings, treatment.grain or 1
    adds_noise = treatment.sigma is not None
    choice = choose(photo, adds_noise=adds_noise, device=settings.device, sigma=treatment.sigma)
    tell(choice.reason)
    chosen = None if choice.model is None else replace(settings, model=choice.model)
    return chosen, treatment.grain or choice.grain


def _make_folder(target: Path) -> None:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise PhotoError(f"“{target.name}” was not saved: {why_not(error, target.parent)}.") from error


def _save_as_it_is(photo: Photo, source: Path, target: Path, quality: int | None, overwrite: bool) -> None:
    if source.suffix.lower() != target.suffix.lower():
        save_picture(target, photo, quality=quality, overwrite=overwrite)
        return
    try:
        write_file(target, source.read_bytes(), overwrite=overwrite)
    except OSError as error:
        raise PhotoError(f"“{target.name}” was not saved: {why_not(error, target)}.") from error


def _solved_within_memory(
    prepare_run: Callable[[RunSettings], DenoisingRun | PhotoRun],
    settings: RunSettings,
    should_stop: Callable[[], bool] | None,
    watch: Callable[[Step], None] | None,
    tell: Callable[[str], None],
) -> Trajectory:
    """Run; if memory runs out, try again with two thirds of the planned memory, and then with four ninths."""
    said = None
    for _ in range(_TRIES):
        try:
            run = prepare_run(settings)
        except TooLittleMemory as error:  # from the second try on, the limit is the one set below
            raise OutOfMemory(said) if said is not None else error from None
        plan = run.plan.memory if isinstance(run, PhotoRun) else run.plan
        try:
            return _solved(run, should_stop, watch, tell)
        except OutOfMemory as error:
            said = str(error)
        del run  # frees its memory before the next run is prepared
        tell("Memory ran out; the photo is denoised again with two thirds as much memory.")
        settings = replace(settings, memory_limit=limit_within(settings, plan.needed * 2 // 3))
    raise OutOfMemory(said)


def prepare(subject: Subject, settings: RunSettings, net: Network, grain: int = 1) -> DenoisingRun | PhotoRun:
    """Prepare the run of a photo: in one piece if it is small, fits into memory and has grain size 1; else in tiles.

    Raises
    ------
    RunError, ModelError
        See `DenoisingRun` and `PhotoRun`.
    """
    if not isinstance(net, NERD):  # a user's model cannot be run in tiles
        return DenoisingRun(subject, settings, net)
    if grain == 1 and subject.rows * subject.cols <= ONE_PIECE:
        try:
            return DenoisingRun(subject, settings, net)
        except TooLittleMemory:  # in one piece; tiles take less
            return PhotoRun(subject, settings, net)
    return PhotoRun(subject, settings, net, grain=grain)


def _solved(
    run: DenoisingRun | PhotoRun,
    should_stop: Callable[[], bool] | None,
    watch: Callable[[Step], None] | None,
    tell: Callable[[str], None],
) -> Trajectory:
    for sentence in run.trajectory.plan.steps if isinstance(run, PhotoRun) else run.plan.steps:
        tell(sentence)
    watch = watch or (lambda _: None)
    if isinstance(run, PhotoRun):
        trajectory = record_photo(run, should_stop, watch=lambda at: watch(Step(at.fraction, at.seconds_left)))
    else:
        most = run.settings.max_iter
        trajectory = record(
            run, should_stop, keep_features=False, watch=lambda one: watch(Step(one.index / most, iterate=one))
        )
    if trajectory.stop_reason is StopReason.CANCELLED:
        raise Stopped
    return trajectory
