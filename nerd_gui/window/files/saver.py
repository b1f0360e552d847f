"""Files are written on a thread of their own, one after another, while the window goes on."""

import threading
import traceback
from collections import deque
from collections.abc import Callable

from PySide6.QtCore import QObject, QThread, Signal

from nerd_gui.denoising import RunError
from nerd_gui.denoising.session_file import SessionFileError
from nerd_gui.imaging import PhotoError

Tell = Callable[[float], None]


class SavingCancelled(Exception):
    """The rest is no longer wanted. The message says what becomes of it; without one, what is written so far stays."""


class _Saving(QThread):
    """One piece of saving.

    Parameters
    ----------
    name : str
        What is saved, as the status line and an error call it.
    done : str
        A sentence that says where it is then.
    work : callable
        Does it, on the thread. It is given a function to tell the fraction that is done; where it tells, it can be
        cancelled. It returns what the file cannot keep, as sentences, or an empty text.
    steps : bool
        Whether it tells.
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
        """Ask it to end where it tells next."""
        self._cancel.set()

    def run(self) -> None:
        """Work, on the thread itself."""
        try:
            lost = self._work(self._tell)
        except SavingCancelled as cancelled:
            self.saved.emit(str(cancelled) or f"The rest of {self.name} was left out.", "")
        except (PhotoError, RunError, SessionFileError) as error:
            self.failed.emit(str(error), "")
        except MemoryError:
            sentence = f"{self.name} was not saved: it needs more memory than there is; close other programs first."
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
    """Saves in the background; nothing that is asked for is dropped.

    Signals
    -------
    begun : str, bool
        What is being saved now, and whether it tells how far it is and can be cancelled.
    progressed : float
        The fraction of it that is done.
    saved : str, str
        It is: a sentence that says where, and what the file cannot keep, if anything.
    failed : str, str
        It is not: a sentence for the person, and details (empty for expected errors).
    idle
        Nothing is being saved any more.
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
        """Whether anything is being saved, or waits for it."""
        return self._current is not None

    def save(self, name: str, done: str, work: Callable[[Tell], str], *, steps: bool = False) -> None:
        """Save something when what was asked for before is saved; see `_Saving` for the parameters."""
        saving = _Saving(name, done, work, steps, self)
        saving.progressed.connect(self.progressed)
        saving.saved.connect(self.saved)
        saving.failed.connect(self.failed)
        saving.finished.connect(self._on_finished)
        self._waiting.append(saving)
        if self._current is None:
            self._begin()

    def cancel(self) -> None:
        """Leave out the rest of what is being saved, if it is saved in steps."""
        if self._current is not None:
            self._current.cancel()

    def when_idle(self, act: Callable[[], object]) -> None:
        """Do something once nothing is being saved any more, unless something cannot be saved before."""
        self._then = act

    def wait(self) -> None:
        """Return when everything that was asked for is saved or has failed; what it says meanwhile comes later."""
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
        """Go on with what waits."""
        saving = self._current
        assert saving is not None
        saving.wait()  # `finished` is sent from the thread's last lines; destroying it earlier is an error in Qt
        saving.deleteLater()
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
