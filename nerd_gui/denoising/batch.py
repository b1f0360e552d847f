"""Batches: photos are denoised one after another, and an error in one does not stop the others."""

import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

from nerd_gui.denoising.errors import RunError
from nerd_gui.denoising.photo_files import Destination, Networks, Step, Stopped, Treatment, denoise_file
from nerd_gui.files import remove_leftovers
from nerd_gui.imaging import PhotoError
from nerd_gui.imaging.folder import sorted_out
from nerd_gui.nerd import ModelError


@dataclass(frozen=True)
class Job:
    """A photo file, and the file for its result."""

    source: Path
    target: Path


@dataclass(frozen=True)
class Outcome:
    """The outcome for one photo.

    Attributes
    ----------
    state : {"saved", "skipped", "failed"}
        Denoised now, denoised before, or not denoised.
    reason : str or None
        A sentence that says why it failed.
    report : dict or None
        The report of the run (`Trajectory.report`), if there was a run.
    """

    job: Job
    state: Literal["saved", "skipped", "failed"]
    reason: str | None = None
    report: dict[str, Any] | None = None


@dataclass(frozen=True)
class Progress:
    """The progress of a batch.

    Attributes
    ----------
    job : Job
        The current photo.
    number, count : int
        The current photo's number, from 1, and the number of photos.
    step : Step
        The progress of the current photo.
    seconds_left : float or None
        Estimated for the whole batch from the finished photos, or from the progress of the first one; None if there is
        no progress yet.
    """

    job: Job
    number: int
    count: int
    step: Step
    seconds_left: float | None


Watch = Callable[[Progress], None]
Announce = Callable[[Job, str], None]


class Batch:
    """Photos that are denoised one after another.

    Parameters
    ----------
    inputs : sequence of Path
        Photo files, and folders, whose photos are taken without those in subfolders.
    destination : Destination
    treatment : Treatment
    skip_existing : bool
        Skip photos whose result exists. (Results are written whole or not at all, so an existing one is complete.)

    Attributes
    ----------
    jobs : tuple of Job
        The photos in the order of processing. Files that are results of other photos in the list are left out.
    ignored : tuple of str
        Sentences that say which files were left out, and why.

    Raises
    ------
    PhotoError
        If a folder cannot be read or holds no photo.
    """

    def __init__(
        self,
        inputs: Sequence[Path],
        destination: Destination,
        treatment: Treatment,
        *,
        skip_existing: bool = False,
    ) -> None:
        self.destination = destination
        self.treatment = treatment
        self.skip_existing = skip_existing
        found, others = expanded(inputs)
        ignored = left_out(others, destination)
        sources, results = _without_results(found, destination)
        if results:
            ignored.append(f"Left out, because they are results of other photos in the list: {_named(results)}.")
        self.jobs = tuple(map(Job, sources, destination.targets(sources)))
        self.ignored = tuple(ignored)

    def done_already(self, job: Job) -> bool:
        """Whether a photo is skipped because its result exists."""
        return self.skip_existing and os.path.isfile(job.target)

    def outcomes(
        self,
        should_stop: Callable[[], bool] | None = None,
        *,
        jobs: Sequence[Job] | None = None,
        watch: Watch | None = None,
        announce: Announce | None = None,
        networks: Networks | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> Iterator[Outcome]:
        """Denoise the photos, and yield the outcome of each.

        Half-written files of an earlier batch that was killed are removed first.

        Parameters
        ----------
        should_stop : callable, optional
            Called before, during and after each evaluation of f. If it returns True, the batch ends, and the current
            photo is not saved. It may block, which pauses the batch.
        jobs : sequence of Job, optional
            The jobs of the batch to process; None: all.
        watch : callable, optional
            Called with the progress.
        announce : callable, optional
            Called with a job and a sentence that the user should read; see `denoise_file`.
        networks : Networks, optional
            A cache of loaded networks.
        clock : callable, optional
            Returns the seconds from which the remaining time is estimated; it may stand still while `should_stop`
            blocks.
        """
        jobs = self.jobs if jobs is None else jobs
        networks = networks or Networks()
        remove_leftovers(job.target for job in jobs)
        timing = _Timing(jobs, self.done_already, clock)
        for number, job in enumerate(jobs, 1):
            if should_stop is not None and should_stop():
                return
            timing.next(number)
            try:
                outcome = attempt(
                    job,
                    self.destination,
                    self.treatment,
                    networks,
                    skip_existing=self.skip_existing,
                    should_stop=should_stop,
                    watch=timing.watched(watch),
                    announce=None if announce is None else partial(announce, job),
                )
            except Stopped:
                return
            timing.saw(outcome)
            yield outcome


def attempt(
    job: Job,
    destination: Destination,
    treatment: Treatment,
    networks: Networks,
    *,
    skip_existing: bool = False,
    should_stop: Callable[[], bool] | None = None,
    watch: Callable[[Step], None] | None = None,
    announce: Callable[[str], None] | None = None,
) -> Outcome:
    """Denoise one photo of a batch, and return the outcome; errors become outcomes, too.

    Raises
    ------
    Stopped
        If `should_stop` returned True. Nothing is saved then.
    """
    if skip_existing and os.path.isfile(job.target):
        return Outcome(job, "skipped")
    try:
        destination.check(job.target)
        if watch is not None:
            watch(Step(0.0))
        report = denoise_file(
            job.source,
            job.target,
            treatment,
            networks,
            overwrite=destination.overwrite,
            should_stop=should_stop,
            watch=watch,
            announce=announce,
        )
    except (PhotoError, RunError, ModelError, MemoryError) as error:
        if skip_existing and os.path.isfile(job.target):  # another batch has written it in the meantime
            return Outcome(job, "skipped")
        if isinstance(error, MemoryError):
            return Outcome(job, "failed", f"“{job.source.name}” needs more memory than is free; close other programs.")
        return Outcome(job, "failed", str(error))
    return Outcome(job, "saved", report=report)


class _Timing:
    """Estimates the remaining time of a batch from the time that its photos took."""

    def __init__(self, jobs: Sequence[Job], done_already: Callable[[Job], bool], clock: Callable[[], float]) -> None:
        self._jobs = jobs
        self._done_already = done_already
        self._clock = clock
        self._took: list[float] = []
        self._number = self._waiting = 0
        self._began = 0.0

    def next(self, number: int) -> None:
        self._number, self._began = number, self._clock()
        self._waiting = sum(not self._done_already(job) for job in self._jobs[number:])

    def saw(self, outcome: Outcome) -> None:
        if outcome.state == "saved":
            self._took.append(self._clock() - self._began)

    def watched(self, watch: Watch | None) -> Callable[[Step], None] | None:
        """Turn a function of a batch's progress into one of the current photo's progress."""
        if watch is None:
            return None

        def saw(step: Step) -> None:
            job = self._jobs[self._number - 1]
            watch(Progress(job, self._number, len(self._jobs), step, self._left(step)))

        return saw

    def _left(self, step: Step) -> float | None:
        own, so_far = step.seconds_left, self._clock() - self._began
        if self._took:
            usual = sum(self._took) / len(self._took)
            own = max(0.0, usual - so_far) if own is None else own
        elif own is None:
            return None
        else:
            usual = so_far + own
        return own + usual * self._waiting


def expanded(inputs: Sequence[Path]) -> tuple[list[Path], list[Path]]:
    """Replace the folders in a list by their photos; return the photo files, each once, and the folders' other files.

    Raises
    ------
    PhotoError
        If a folder cannot be read or holds no photo.
    """
    found: dict[str, Path] = {}
    left: list[Path] = []
    for path in inputs:
        files = [path]
        if path.is_dir():
            files, others = sorted_out(path)
            if not files:
                raise PhotoError(f"The folder “{path}” holds no photos; name another folder, or the photos themselves.")
            left += others
        for file in files:
            found.setdefault(os.path.abspath(file), file)
    return list(found.values()), left


def summary(states: Sequence[str], count: int) -> str:
    """A sentence that counts the outcomes of a batch."""
    words = [f"{states.count('saved')} saved"]
    if "skipped" in states:
        words.append(f"{states.count('skipped')} done already")
    words.append(f"{states.count('failed')} failed")
    if len(states) < count:
        words.append(f"{count - len(states)} left")
    return f"{', '.join(words)}, of {count} photos."


def left_out(others: Sequence[Path], destination: Destination) -> list[str]:
    """Sentences that name the files that are not photos; the folder of the results is not mentioned."""
    by_folder: dict[Path, list[Path]] = {}
    for path in others:
        if os.path.abspath(path) != os.path.abspath(destination.path):
            by_folder.setdefault(path.parent, []).append(path)
    return [
        f"Left out of “{folder}”, because their names are not those of photos: {_named(paths)}."
        for folder, paths in by_folder.items()
    ]


def _without_results(found: list[Path], destination: Destination) -> tuple[list[Path], list[Path]]:
    """Split a list into photos to denoise, and results of other photos in the list from an earlier batch."""
    if not destination.is_folder:
        return found, []
    targets = {os.path.abspath(target) for target in destination.targets(found)}
    sources: list[Path] = []
    results: list[Path] = []
    for path in found:
        (results if os.path.abspath(path) in targets else sources).append(path)
    return sources, results


def _named(paths: list[Path]) -> str:
    first = ", ".join(f"“{path.name}”" for path in paths[:3])
    return first if len(paths) <= 3 else f"{first} and {len(paths) - 3} more"
