"""Writes files on a thread, one after another, while the window stays responsive."""

import threading
import traceback
from collections import deque
from collections.abc import Callable

from PySide6.QtCore import QObject, QThread, Signal

from nerd_gui.denoising import RunError
from nerd_gui.denoising.session_file import SessionFileError
from nerd_gui.imaging import PhotoError
from nerd_gui.window.threads import release

Tell = Callable[[float], None]


class SavingCancelled(Exception):
    """Raised to cancel saving. Its message says what becomes of the file; without one, files already written stay."""


class _Saving(QThread):
    """Saves one thing.

    Parameters
    ----------
    name : str
        The name of what is saved, for the status line and for errors.
    done : str
        A sentence that says where it has been saved.
    work : callable
        Does the saving, on the thread. It gets a function to report the fraction that is done, which raises
        `SavingCancelled` after a cancellation. It returns sentences on what the file cannot keep, or "".
    steps : bool
        Whether `work` reports its progress.
    """

    progressed = Signal(float)
    saved = Signal(str, str)
    failed = Signal(str, str)

    def __init__(self, name: str, done: str, work: Callable[[Tell], str], steps: bool, parent: QObject) -> None:
        super().__init__(parent)
        self.name, self.steps = name, steps
        self._done = done
        self._work = work
        self._cancel = threading.Event()

    def cancel(self) -> None:
        """Ask the work to end when it next reports its progress."""
        self._cancel.set()

    def run(self) -> None:
        """Do the work; Qt calls this on the thread itself."""
        try:
            lost = self._work(self._tell)
        except SavingCancelled as cancelled:
            self.saved.emit(str(cancelled) or f"The rest of {self.name} was not saved.", "")
        except (PhotoError, RunError, SessionFileError) as error:
            self.failed.emit(str(error), "")
        except MemoryError:
            sentence = f"{self.name} was not saved: it needs more memory than is free; close other programs first."
            self.failed.emit(sentence, "")
        except BaseException as error:  # noqa: BLE001 - the thread's outermost frame: nobody else would see that it ended
            sentence = f"{self.name} was not saved: an unexpected error ({type(error).__name__}: {error})."
            self.failed.emit(sentence, traceback.format_exc())
        else:
            self.saved.emit(self._done, lost)

    def _tell(self, fraction: float) -> None:
        if self._cancel.is_set():
            raise SavingCancelled
        self.progressed.emit(fraction)


class Saver(QObject):
    """Saves in the background; every request is carried out, in order.

    Signals
    -------
    begun : str, bool
        What is being saved now, and whether it reports its progress and can be cancelled.
    progressed : float
        The fraction that is done.
    saved : str, str
        A sentence that says where it was saved, and sentences on what the file cannot keep, if anything.
    failed : str, str
        A sentence for the person, and the details (empty for an expected error).
    idle
        Everything has been saved, or has failed.
    """

    begun = Signal(str, bool)
    progressed = Signal(float)
    saved = Signal(str, str)
    failed = Signal(str, str)
    idle = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._waiting: deque[_Saving] = deque()
        self._current: _Saving | None = None
        self._then: Callable[[], object] | None = None
        self.failed.connect(self._forget_then)

    @property
    def busy(self) -> bool:
        """Whether anything is being saved or waits to be saved."""
        return self._current is not None

    def save(self, name: str, done: str, work: Callable[[Tell], str], *, steps: bool = False) -> None:
        """Save something after all earlier requests; for the parameters see `_Saving`."""
        saving = _Saving(name, done, work, steps, self)
        saving.progressed.connect(self.progressed)
        saving.saved.connect(self.saved)
        saving.failed.connect(self.failed)
        saving.finished.connect(self._on_finished)
        self._waiting.append(saving)
        if self._current is None:
            self._begin()

    def cancel(self) -> None:
        """Cancel what is being saved, if it is saved in steps."""
        if self._current is not None:
            self._current.cancel()

    def when_idle(self, act: Callable[[], object]) -> None:
        """Call a function once everything is saved, unless something fails before."""
        self._then = act

    def wait(self) -> None:
        """Return when everything has been saved or has failed; signals that are sent meanwhile arrive later."""
        while self._current is not None:
            self._current.wait()
            self._leave()

    def _begin(self) -> None:
        self._current = self._waiting.popleft()
        self.begun.emit(self._current.name, self._current.steps)
        self._current.start()

    def _on_finished(self) -> None:
        if self.sender() is self._current:
            self._leave()

    def _leave(self) -> None:
        """Begin the next request, or report that there is none."""
        saving = self._current
        assert saving is not None
        release(saving)
        if self._waiting:
            self._begin()
            return
        self._current = None
        self.idle.emit()
        then, self._then = self._then, None
        if then is not None:
            then()

    def _forget_then(self) -> None:
        self._then = None
