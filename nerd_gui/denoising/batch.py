"""Photos one after another: what goes wrong with one is named, and the next one follows."""

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
    """A photo file, and the file that it is saved as."""

    source: Path
    target: Path


@dataclass(frozen=True)
class Outcome:
    """What became of a photo.

    Attributes
    ----------
    state : {"saved", "skipped", "failed"}
        It was denoised, it had been already, or it was not.
    reason : str or None
        A sentence that says why it was not.
    report : dict or None
        That of its run (`Trajectory.report`), if there was one.
    """

    job: Job
    state: Literal["saved", "skipped", "failed"]
    reason: str | None = None
    report: dict[str, Any] | None = None


@dataclass(frozen=True)
class Progress:
    """How far a batch has come.

    Attributes
    ----------
    job : Job
        The photo that is under way.
    number, count : int
        It is the how manieth photo, from 1, of how many.
    step : Step
        How far that photo has come.
    seconds_left : float or None
        For the whole batch, told by the photos that are done, or by what is done of the first one; None
        where nothing is.
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
        Photo files, and folders of which the photos are taken, without the folders in them.
    destination : Destination
    treatment : Treatment
    skip_existing : bool
        Take a photo whose result is there already as done. (Files are written whole or not at all.)

    Attributes
    ----------
    jobs : tuple of Job
        In the order in which they are done. What is the result of another one is none of them.
    ignored : tuple of str
        Sentences that say what was left out.

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
            ignored.append(f"Left out, because they are results of other photos here: {_named(results)}.")
        self.jobs = tuple(map(Job, sources, destination.targets(sources)))
        self.ignored = tuple(ignored)

    def done_already(self, job: Job) -> bool:
        """Whether a photo is skipped because its result is there."""
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
        """Denoise the photos, yielding what became of each.

        What an earlier batch left half-written when it was killed is removed first.

        Parameters
        ----------
        should_stop : callable, optional
            Asked around and during each evaluation of f; true ends the batch, and of the photo under way nothing is
            saved. It may take its time: nothing is done meanwhile.
        jobs : sequence of Job, optional
            Those of the batch that are done; all of them if left out.
        watch : callable, optional
            Called as the photos come along.
        announce : callable, optional
            Called with a photo and a sentence that a person must be told of it; see `denoise_file`.
        networks : Networks, optional
            Those that have been loaded already.
        clock : callable, optional
            Seconds by which the time left is told; it may stand still while `should_stop` takes its time.
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
    """Denoise a photo of a batch, or find that it is done already, or say why it cannot be done.

    Raises
    ------
    Stopped
        If it was stopped. Nothing is saved then.
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
        if skip_existing and os.path.isfile(job.target):  # by another batch, meanwhile
            return Outcome(job, "skipped")
        if isinstance(error, MemoryError):
            return Outcome(job, "failed", f"“{job.source.name}” needs more memory than there is; close other programs.")
        return Outcome(job, "failed", str(error))
    return Outcome(job, "saved", report=report)


class _Timing:
    """Tells the time that a batch still takes by what its photos took."""

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
        """What is called with the steps of the photo under way."""
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
    """The photo files of a list, each once, and what stands beside them in folders of the list.

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
                raise PhotoError(f"The folder “{path}” holds no photos; name one that does, or the photos themselves.")
            left += others
        for file in files:
            found.setdefault(os.path.abspath(file), file)
    return list(found.values()), left


def summary(states: Sequence[str], count: int) -> str:
    """How many of a batch's photos came to what, in a sentence."""
    words = [f"{states.count('saved')} saved"]
    if "skipped" in states:
        words.append(f"{states.count('skipped')} done already")
    words.append(f"{states.count('failed')} failed")
    if len(states) < count:
        words.append(f"{count - len(states)} left")
    return f"{', '.join(words)}, of {count} photos."


def left_out(others: Sequence[Path], destination: Destination) -> list[str]:
    """That these are no photos; nothing of the folder of the results, which may stand beside the photos."""
    by_folder: dict[Path, list[Path]] = {}
    for path in others:
        if os.path.abspath(path) != os.path.abspath(destination.path):
            by_folder.setdefault(path.parent, []).append(path)
    return [
        f"Left out of “{folder}”, because by their names they are no photos: {_named(paths)}."
        for folder, paths in by_folder.items()
    ]


def _without_results(found: list[Path], destination: Destination) -> tuple[list[Path], list[Path]]:
    """What is to be denoised, and what is the result of something else in the list: of an earlier batch."""
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
