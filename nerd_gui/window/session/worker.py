"""The threads that run runs: thin shells around `DenoisingRun.iterates` and `PhotoRun.tiles`."""

import threading
import traceback
from abc import abstractmethod
from collections.abc import Callable

from PySide6.QtCore import QObject, QThread, Signal

from nerd_gui import allocator
from nerd_gui.denoising import DenoisingRun, PhotoRun, RunError
from nerd_gui.imaging import PhotoError
from nerd_gui.nerd import ModelError
from nerd_gui.window.session.regions import Region
from nerd_gui.window.session.run import Run

#: Errors whose message is a sentence for a person; any other error is a defect and is shown with its details.
EXPECTED_ERRORS = (RunError, PhotoError, ModelError)


class Worker(QThread):
    """Works on one run; every signal carries the worker's number, so that a late signal can be recognised.

    Signals
    -------
    prepared : int, DenoisingRun or PhotoRun
        The network has been loaded, and the memory suffices.
    ended : int
        The run has ended; nothing follows.
    failed : int, str, str
        A sentence for the person, and the details (empty for an expected error).
    """

    prepared = Signal(int, object)
    ended = Signal(int)
    failed = Signal(int, str, str)

    def __init__(self, number: int, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.number = number
        self._stop = threading.Event()

    def request_stop(self) -> None:
        """Ask the solver to end at its next evaluation; returns at once."""
        self._stop.set()

    @abstractmethod
    def _work(self) -> None: ...

    def run(self) -> None:
        """Do the work; Qt calls this on the thread itself."""
        try:
            self._work()
        except EXPECTED_ERRORS as error:
            self.failed.emit(self.number, str(error), "")
        except BaseException as error:  # noqa: BLE001 - the thread's outermost frame: nobody else would see that it ended
            if allocator.ran_out(error):
                self.failed.emit(self.number, "The run needs more memory than is free; close other programs.", "")
                return
            sentence = f"The run ended with an unexpected error ({type(error).__name__}: {error})."
            self.failed.emit(self.number, sentence, traceback.format_exc())
        else:
            self.ended.emit(self.number)


class RunWorker(Worker):
    """Solves a picture in one piece, and sends every iterate as it arrives.

    Signals
    -------
    iterateReady : int, Iterate
    """

    iterateReady = Signal(int, object)

    def __init__(self, number: int, make_run: Callable[[], DenoisingRun], parent: QObject | None = None) -> None:
        super().__init__(number, parent)
        self._make_run = make_run

    def _work(self) -> None:
        run = self._make_run()
        self.prepared.emit(self.number, run)
        for iterate in run.iterates(self._stop.is_set):
            self.iterateReady.emit(self.number, iterate)


class PhotoWorker(Worker):
    """Solves a whole photo tile by tile; it can pause, and a later worker can continue after it has stopped.

    Parameters
    ----------
    run : Run
        The run that the progress belongs to.
    make_run : callable
        Prepares the run, or returns the one to continue.
    view : callable
        Returns the part of the photo that is in view; called on this thread.

    Signals
    -------
    progressed : int, PhotoProgress
    """

    progressed = Signal(int, object)

    def __init__(
        self,
        number: int,
        run: Run,
        make_run: Callable[[], PhotoRun],
        view: Callable[[], Region | None],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(number, parent)
        self.of = run
        self._make_run = make_run
        self._view = view
        self._go = threading.Event()
        self._go.set()

    def request_stop(self) -> None:
        """Ask the solver to end at its next evaluation, even while it pauses; returns at once."""
        super().request_stop()
        self._go.set()

    def pause(self, paused: bool) -> None:
        """Pause the solver at its next evaluation, or let it continue."""
        if paused and not self._stop.is_set():
            self._go.clear()
        else:
            self._go.set()

    def _should_stop(self) -> bool:
        self._go.wait()
        return self._stop.is_set()

    def _work(self) -> None:
        with self.of.turn:  # waits for a stopped worker that is still in its last evaluation
            run = self._make_run()
            self.prepared.emit(self.number, run)
            for progress in run.tiles(self._should_stop, self._view):
                self.progressed.emit(self.number, progress)
