"""The thread that denoises a queue's photos, and the gate that pauses and stops it."""

import threading
import time
import traceback
from collections.abc import Sequence

from PySide6.QtCore import QObject, QThread, Signal

from nerd_gui.denoising.batch import Batch, Job, Outcome
from nerd_gui.denoising.photo_files import Networks


class Gate:
    """Lets work continue, pauses it or ends it; its clock stands still during pauses.

    Two threads use it: one calls hold, release and stop, and the other asks `should_stop`.
    """

    def __init__(self) -> None:
        self._open = threading.Event()
        self._open.set()
        self._stopped = False
        self._held_since: float | None = None
        self._held = 0.0

    def hold(self) -> None:
        """Pause the work when it next asks."""
        if self._held_since is None and not self._stopped:
            self._held_since = time.monotonic()
            self._open.clear()

    def release(self) -> None:
        """Let the work continue."""
        if self._held_since is not None:
            self._held += time.monotonic() - self._held_since
            self._held_since = None
        self._open.set()

    def stop(self) -> None:
        """End the work when it next asks."""
        self._stopped = True
        self.release()

    def should_stop(self) -> bool:
        """Whether the work should end; while the work is paused, this waits."""
        self._open.wait()
        return self._stopped

    def clock(self) -> float:
        """Return a time in seconds that does not advance during pauses."""
        since = self._held_since
        return (time.monotonic() if since is None else since) - self._held


class QueueWorker(QThread):
    """Denoises photos of a batch; even an unexpected error in one photo does not stop the others.

    Signals
    -------
    progressed : Progress
    told : Job, str
        A sentence about a photo for the person, see `denoise_file`.
    done : Outcome, str
        The outcome of a photo, and the details of an unexpected error (otherwise empty).
    """

    progressed = Signal(object)
    told = Signal(object, str)
    done = Signal(object, str)

    def __init__(self, batch: Batch, jobs: Sequence[Job], gate: Gate, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._jobs = tuple(jobs)
        self._batch = batch
        self._gate = gate

    def run(self) -> None:
        """Denoise the photos; Qt calls this on the thread itself."""
        left, networks = list(self._jobs), Networks()
        while left:
            try:
                for outcome in self._batch.outcomes(
                    self._gate.should_stop,
                    jobs=tuple(left),
                    watch=self.progressed.emit,
                    announce=self.told.emit,
                    networks=networks,
                    clock=self._gate.clock,
                ):
                    left.remove(outcome.job)
                    self.done.emit(outcome, "")
                return
            except BaseException as error:  # noqa: BLE001 - a defect that one photo meets must not cost a night's work
                job = left.pop(0)
                sentence = f"An unexpected error ({type(error).__name__}: {error})."
                self.done.emit(Outcome(job, "failed", sentence), traceback.format_exc())
