"""The thread a run lives on: a thin shell around `DenoisingRun.iterates`."""

import threading
import traceback
from collections.abc import Callable

from PySide6.QtCore import QObject, QThread, Signal

from nerd_gui.denoising import DenoisingRun, RunError
from nerd_gui.imaging import PhotoError
from nerd_gui.nerd import ModelError

#: Errors whose message is a sentence for a person; anything else is a defect and is shown with its details.
EXPECTED_ERRORS = (RunError, PhotoError, ModelError)


class RunWorker(QThread):
    """Prepares and iterates one run; every signal carries the run's id, so that late ones can be told.

    Signals
    -------
    prepared : int, DenoisingRun
        The network is loaded and the memory suffices.
    iterateReady : int, Iterate
    ended : int
        The stream is over; nothing follows.
    failed : int, str, str
        A sentence for the person, and details (empty for expected errors).
    """

    prepared = Signal(int, object)
    iterateReady = Signal(int, object)
    ended = Signal(int)
    failed = Signal(int, str, str)

    def __init__(self, run_id: int, make_run: Callable[[], DenoisingRun], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.run_id = run_id
        self._make_run = make_run
        self._stop = threading.Event()

    def request_stop(self) -> None:
        """Ask the solver to end at its next evaluation; returns at once."""
        self._stop.set()

    def run(self) -> None:
        """Work, on the thread itself."""
        try:
            run = self._make_run()
            self.prepared.emit(self.run_id, run)
            for iterate in run.iterates(self._stop.is_set):
                self.iterateReady.emit(self.run_id, iterate)
        except EXPECTED_ERRORS as error:
            self.failed.emit(self.run_id, str(error), "")
        except Exception as error:  # noqa: BLE001 - the thread's outermost frame: what escapes here would end the program
            sentence = f"The run ended with an unexpected error ({type(error).__name__}: {error})."
            self.failed.emit(self.run_id, sentence, traceback.format_exc())
        else:
            self.ended.emit(self.run_id)
