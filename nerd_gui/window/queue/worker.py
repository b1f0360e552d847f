"""The thread a queue's photos are denoised on, and the gate by which it is held and stopped."""

import threading
import time
import traceback
from collections.abc import Sequence

from PySide6.QtCore import QObject, QThread, Signal

from nerd_gui.denoising.batch import Batch, Job, Outcome
from nerd_gui.denoising.photo_files import Networks


class Gate:
    """Lets work go on, holds it or ends it; with a clock that stands still while it is held.

    Used from two threads: one holds, releases and stops, the other one asks.
    """

    def __init__(self) -> None:
        self._open = threading.Event()
        self._open.set()
        self._stopped = False
        self._held_since: float | None = None
        self._held = 0.0

    def hold(self) -> None:
        """Let the work wait, from the next time it asks."""
        if self._held_since is None and not self._stopped:
            self._held_since = time.monotonic()
            self._open.clear()

    def release(self) -> None:
        """Let the work go on."""
        if self._held_since is not None:
            self._held += time.monotonic() - self._held_since
            self._held_since = None
        self._open.set()

    def stop(self) -> None:
        """Let the work end, from the next time it asks."""
        self._stopped = True
        self.release()

    def should_stop(self) -> bool:
        """Whether the work is to end; returns once it is not held."""
        self._open.wait()
        return self._stopped

    def clock(self) -> float:
        """Seconds, without those in which the work was held."""
        since = self._held_since
        return (time.monotonic() if since is None else since) - self._held


class QueueWorker(QThread):
    """Denoises photos of a batch; not even an unexpected error in one keeps it from the others.

    Signals
    -------
    progressed : Progress
    told : Job, str
        A sentence about a photo, see `denoise_file`.
    done : Outcome, str
        What became of a photo, and details of an unexpected error (else empty).
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
        """Work, on the thread itself."""
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
