"""The queue of photos with their states, and the control of the thread that denoises them. Does not use widgets."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum
from itertools import chain, count
from pathlib import Path
from typing import Any, Literal

from PySide6.QtCore import QObject, Signal

from nerd_gui import allocator
from nerd_gui.denoising import RunSettings
from nerd_gui.denoising.batch import Batch, Job, Outcome, Progress, expanded, left_out, summary
from nerd_gui.denoising.photo_files import Destination, Treatment
from nerd_gui.window.queue.worker import Gate, QueueWorker
from nerd_gui.window.threads import release, wait_for

#: The name of the folder for results, beside the first photo, unless a person chooses another one.
FOLDER_NAME = "denoised"


class Phase(Enum):
    """The state of a queue."""

    IDLE = "the queue is not running"
    WORKING = "photos are being denoised"
    PAUSED = "a person has paused the queue"
    HELD = "the queue waits until a run in the window has ended"
    STOPPING = "the queue ends at the network's next evaluation"


@dataclass
class Item:
    """A photo in the queue.

    Attributes
    ----------
    state : {"waiting", "under way", "saved", "skipped", "failed"}
    fraction : float
        The fraction that is done, while the photo is under way.
    reason, details : str
        Why the photo was not denoised, and the traceback if the error was unexpected.
    notes : list of str
        Sentences for the person about this photo.
    report : dict or None
        The report of the photo's run, see `Trajectory.report`.
    """

    job: Job
    state: Literal["waiting", "under way", "saved", "skipped", "failed"] = "waiting"
    fraction: float = 0.0
    reason: str = ""
    details: str = ""
    notes: list[str] = field(default_factory=list)
    report: dict[str, Any] | None = None


class PhotoQueue(QObject):
    """Denoises photos one after another; a photo that fails keeps its reason, and the next one follows.

    Signals
    -------
    listChanged
        `items` has been replaced.
    itemChanged : int
        The item in this row has changed.
    phaseChanged
    progressed
        `done`, `fraction` or `seconds_left` has changed.
    ended
        All photos have been tried, or the queue was stopped.
    """

    listChanged = Signal()
    itemChanged = Signal(int)
    phaseChanged = Signal()
    progressed = Signal()
    ended = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.items: list[Item] = []
        self.folder: Path | None = None
        self.note = ""
        self._sources: list[Path] = []
        self._others: list[Path] = []
        self._removed: set[Path] = set()
        self._rows: dict[Job, int] = {}
        self._treatment = Treatment(RunSettings())
        self._skip_existing = True
        self._overwrite = False
        self._worker: QueueWorker | None = None
        self._sent: set[Job] = set()
        self._gate = Gate()
        self._paused = self._held = self._stopping = False
        self._seconds_left: float | None = None

    # ---- the list -----------------------------------------------------------------------------------------------

    def add(self, paths: Sequence[Path]) -> None:
        """Add photos, and the photos of folders, to the list; a list whose photos have all been tried is replaced.

        Raises
        ------
        PhotoError
            If a folder cannot be read or holds no photo; the list then stays unchanged.
        """
        found, others = expanded(paths)
        if self._worker is None and not self.unfinished:
            self._forget()
        for path in map(Path.absolute, found):
            (self._others if path.is_dir() else self._sources).append(path)
            self._removed.discard(path)
        self._sources = list(dict.fromkeys(self._sources))
        self._others += others
        if self.folder is None and self._sources:
            self.folder = _folder_beside(self._sources[0])
        self._rebuild()

    def set_folder(self, folder: Path) -> None:
        """Set the folder for the results; photos whose results are in another folder wait again.

        Raises
        ------
        RunError
            If the folder is a file.
        """
        self.folder = folder
        self._rebuild()

    def remove(self, rows: Sequence[int]) -> None:
        """Remove photos from the list, except the one under way."""
        self._removed |= {self.items[row].job.source for row in rows if self.items[row].state != "under way"}
        self._rebuild()

    def _forget(self) -> None:
        self._sources, self._others, self._removed, self.folder = [], [], set(), None

    def _batch(self) -> Batch:
        destination = Destination(str(self.folder or ""), several=True, overwrite=self._overwrite)
        return Batch(self._sources, destination, self._treatment, skip_existing=self._skip_existing)

    def _rebuild(self) -> None:
        """Make all items again, since result names depend on the whole list; known photos keep their state."""
        batch, known = self._batch(), {item.job: item for item in self.items}
        self.items = [known.get(job) or Item(job) for job in batch.jobs if job.source not in self._removed]
        self._rows = {item.job: row for row, item in enumerate(self.items)}
        self.note = " ".join([*left_out(self._others, batch.destination), *batch.ignored])
        self.listChanged.emit()
        self.progressed.emit()

    @property
    def unfinished(self) -> list[Item]:
        """The photos that wait, are under way or have failed: those that *Start* would denoise."""
        return [item for item in self.items if item.state in ("waiting", "under way", "failed")]

    @property
    def existing(self) -> int:
        """The number of results that exist already."""
        return sum(item.job.target.exists() for item in self.items)

    # ---- progress -----------------------------------------------------------------------------------------------

    @property
    def phase(self) -> Phase:
        """What the queue is doing."""
        if self._worker is None:
            return Phase.IDLE
        if self._stopping:
            return Phase.STOPPING
        if self._paused:
            return Phase.PAUSED
        return Phase.HELD if self._held else Phase.WORKING

    @property
    def done(self) -> int:
        """The number of photos that have been tried."""
        return sum(item.state in ("saved", "skipped", "failed") for item in self.items)

    @property
    def fraction(self) -> float:
        """The fraction of the list that is done, with every photo counted as equally large."""
        under_way = sum(item.fraction for item in self.items if item.state == "under way")
        return (self.done + under_way) / max(1, len(self.items))

    @property
    def seconds_left(self) -> float | None:
        """The estimated time left; None before the first photo is done, and after photos have been added."""
        if self._worker is None or any(item.state == "waiting" and item.job not in self._sent for item in self.items):
            return None
        return self._seconds_left

    @property
    def summary(self) -> str:
        """The outcome of all photos, in a sentence."""
        states = [item.state for item in self.items if item.state in ("saved", "skipped", "failed")]
        return summary(states, len(self.items))

    # ---- running ------------------------------------------------------------------------------------------------

    def start(self, treatment: Treatment, *, skip_existing: bool = True, overwrite: bool = False) -> None:
        """Denoise the photos that wait or have failed; if there are none and nothing is skipped, all of them again.

        Parameters
        ----------
        skip_existing : bool
            Whether photos with existing results count as done.
        overwrite : bool
            Whether existing results may be replaced.

        Raises
        ------
        RunError
            If no file can be written to the folder for the results.
        """
        if self._worker is not None or not self.items:
            return
        self._treatment = treatment
        self._skip_existing, self._overwrite = skip_existing, overwrite
        self._batch().destination.check_folder()
        self._paused = False
        self._send([item.job for item in self.unfinished or ([] if skip_existing else self.items)])

    def _send(self, jobs: Sequence[Job]) -> None:
        self._renew(jobs)
        self._sent = set(jobs)
        self._gate, self._stopping, self._seconds_left = Gate(), False, None
        worker = QueueWorker(self._batch(), jobs, self._gate, self)
        worker.progressed.connect(self._on_progressed)
        worker.told.connect(self._on_told)
        worker.done.connect(self._on_done)
        worker.finished.connect(self._on_finished)
        self._worker = worker
        self._hold_or_release()
        self.listChanged.emit()
        self.progressed.emit()
        worker.start()

    def _renew(self, jobs: Sequence[Job]) -> None:
        """Reset photos to the state of photos that have never been tried."""
        renewed = set(jobs)
        self.items = [Item(item.job) if item.job in renewed else item for item in self.items]

    def pause(self, paused: bool) -> None:
        """Pause the queue, or let it continue."""
        self._paused = paused
        self._hold_or_release()

    def hold(self, held: bool) -> None:
        """Make the queue wait while a run of the window is under way."""
        self._held = held
        self._hold_or_release()

    def _hold_or_release(self) -> None:
        if self._paused or self._held:
            self._gate.hold()
        else:
            self._gate.release()
        self.phaseChanged.emit()

    def stop(self) -> None:
        """Discard the photo under way and leave the waiting ones; returns at once, the thread ends soon afterwards."""
        if self._worker is not None:
            self._stopping = True
            self._gate.stop()
            self.phaseChanged.emit()

    def wait(self) -> None:
        """Stop, and return when the thread has ended."""
        self.stop()
        if self._worker is not None:
            wait_for(self._worker)

    # ---- signals of the thread ----------------------------------------------------------------------------------

    def _item(self, job: Job) -> tuple[int, Item] | None:
        row = self._rows.get(job)
        return None if row is None else (row, self.items[row])

    def _on_progressed(self, progress: Progress) -> None:
        if (found := self._item(progress.job)) is not None and not self._stopping:
            row, item = found
            item.state, item.fraction = "under way", progress.step.fraction
            self._seconds_left = progress.seconds_left
            self.itemChanged.emit(row)
            self.progressed.emit()

    def _on_told(self, job: Job, sentence: str) -> None:
        if (found := self._item(job)) is not None:
            found[1].notes.append(sentence)

    def _on_done(self, outcome: Outcome, details: str) -> None:
        if (found := self._item(outcome.job)) is not None:
            row, item = found
            item.state, item.reason, item.details = outcome.state, outcome.reason or "", details
            item.report = outcome.report
            self.itemChanged.emit(row)
            self.progressed.emit()

    def _on_finished(self) -> None:
        worker = self._worker
        assert worker is not None
        release(worker)
        stopped, self._worker = self._stopping, None
        allocator.trim()
        self._renew([item.job for item in self.items if item.state == "under way"])  # stopped: nothing of it was saved
        added = [item.job for item in self.items if item.state == "waiting" and item.job not in self._sent]
        if added and not stopped:
            self._send(added)
            return
        self._paused = self._stopping = False
        self.listChanged.emit()
        self.progressed.emit()
        self.phaseChanged.emit()
        self.ended.emit()


def _folder_beside(photo: Path) -> Path:
    """Return the folder for results beside a photo: *denoised*, with a number if that name belongs to a file."""
    names = chain([FOLDER_NAME], (f"{FOLDER_NAME}-{number}" for number in count(2)))
    return next(path for path in map(photo.parent.joinpath, names) if path.is_dir() or not path.exists())
