"""Opens photos, sessions and networks on threads, so that the window stays responsive; a request replaces the last."""

import threading
import traceback
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QObject, QThread, Signal

from nerd_gui import allocator
from nerd_gui.denoising.session_file import PhotoWanted, SavedSession, SessionFileError, read_session
from nerd_gui.imaging import (
    OpeningCancelled,
    Photo,
    PhotoError,
    PhotoNoise,
    Preview,
    open_photo,
    open_sample,
    photo_noise,
    preview,
)
from nerd_gui.nerd import ModelError, Network, load_model
from nerd_gui.window.threads import release, wait_for

Opened = Photo | SavedSession | Network

PREVIEW_SIDE = 1200  # pixels
_WORTH_A_PREVIEW = 2_000_000  # pixels; a smaller photo opens as fast as its preview
_STEPS = 200  # most progress reports for one file


class _Opening(QThread):
    """Opens one photo, session or network; once cancelled, it ends without a signal.

    Signals
    -------
    previewed : Preview
    progressed : float
    opened : Photo, SavedSession or Network, PhotoNoise or None
        What was opened, and the noise estimate of its photo.
    photoWanted : str
        A sentence that says that a session's photo is not where it was.
    failed : str, str
        A sentence for the person, and the details (empty for an expected error).
    """

    previewed = Signal(object)
    progressed = Signal(float)
    opened = Signal(object, object)
    photoWanted = Signal(str)
    failed = Signal(str, str)

    def __init__(self, name: str, open_: Callable[["_Opening"], Opened], parent: QObject) -> None:
        super().__init__(parent)
        self.name = name
        self._open = open_
        self._cancel = threading.Event()
        self._told = -1

    def cancel(self) -> None:
        """Ask the thread to end at its next step; returns at once."""
        self._cancel.set()

    def run(self) -> None:
        """Open the file; Qt calls this on the thread itself."""
        try:
            opened = self._open(self)
            photo = opened.photo if isinstance(opened, SavedSession) else opened
            noise = photo_noise(photo.pixels) if isinstance(photo, Photo) else None
        except OpeningCancelled:
            return
        except PhotoWanted as error:
            self.photoWanted.emit(str(error))
        except (PhotoError, SessionFileError, ModelError) as error:
            self.failed.emit(str(error), "")
        except BaseException as error:  # noqa: BLE001 - the thread's outermost frame: nobody else would see that it ended
            if allocator.ran_out(error):
                self.failed.emit(f"“{self.name}” needs more memory than is free; close other programs.", "")
                return
            sentence = f"“{self.name}” was not opened: an unexpected error ({type(error).__name__}: {error})."
            self.failed.emit(sentence, traceback.format_exc())
        else:
            self.opened.emit(opened, noise)

    def open_photo(self, path: Path) -> Photo:
        """Open a photo file; send a preview first if the photo is large."""
        small = preview(path, PREVIEW_SIDE)
        if small is not None and small.rows * small.cols > _WORTH_A_PREVIEW and not self._cancel.is_set():
            self.previewed.emit(small)
        return open_photo(path, progress=self._tell, cancelled=self._cancel.is_set)

    def open_session(self, path: Path, photo: Path | None) -> SavedSession:
        """Open a session; `photo` is where its photo is now, if that has changed."""
        return read_session(path, photo=photo, tell=self._tell_or_end, cancelled=self._cancel.is_set)

    def _tell_or_end(self, fraction: float) -> None:
        if self._cancel.is_set():
            raise OpeningCancelled
        self._tell(fraction)

    def _tell(self, fraction: float) -> None:
        """Report the progress, but not more often than a person can see."""
        if (step := int(fraction * _STEPS)) > self._told:
            self._told = step
            self.progressed.emit(fraction)


class PhotoOpener(QObject):
    """Opens one photo, session or network at a time in the background; signals from earlier requests are dropped.

    After `begun`, previews and progress follow, and then one of `opened`, `photoWanted`, `failed` and `cancelled`,
    unless another request begins before.

    Signals
    -------
    begun : str, bool
        The name of the file or the sample, and whether progress will be reported.
    previewed : Preview
    progressed : float
        The fraction that is done.
    opened : Photo, SavedSession or Network, PhotoNoise or None
        What was opened, and the noise estimate of its photo.
    photoWanted : str
        A sentence that says that the session's photo is not where it was.
    failed : str, str
        A sentence for the person, and the details (empty for an expected error).
    cancelled
    """

    begun = Signal(str, bool)
    previewed = Signal(object)
    progressed = Signal(float)
    opened = Signal(object, object)
    photoWanted = Signal(str)
    failed = Signal(str, str)
    cancelled = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._current: _Opening | None = None
        self._threads: set[_Opening] = set()

    @property
    def busy(self) -> bool:
        """Whether a file is being opened."""
        return self._current is not None

    def open(self, path: Path) -> None:
        """Open a photo file; a request under way is cancelled."""
        self._begin(path.name, lambda opening: opening.open_photo(path))

    def open_session(self, path: Path, name: str, photo: Path | None = None) -> None:
        """Open a session under a display name; `photo` is where its photo is now, if that has changed."""
        self._begin(name, lambda opening: opening.open_session(path, photo))

    def open_sample(self, name: str) -> None:
        """Open a built-in picture by its name."""
        self._begin(name, lambda _: open_sample(name))

    def open_network(self, path: Path, device: str) -> None:
        """Load the file of a network to a device."""
        self._begin(path.name, lambda _: load_model(path, device), told=False)

    def open_made(self, name: str, make: Callable[[], Photo]) -> None:
        """Open a picture that is not a file; `make` makes it, on the thread."""
        self._begin(name, lambda _: make())

    def cancel(self) -> None:
        """Cancel the request under way, at once for the window."""
        if self._leave():
            self.cancelled.emit()

    def wait(self) -> None:
        """Cancel, and return when all threads have ended."""
        self.cancel()
        for opening in list(self._threads):
            wait_for(opening)

    def _begin(self, name: str, open_: Callable[[_Opening], Opened], *, told: bool = True) -> None:
        self._leave()
        opening = _Opening(name, open_, self)
        opening.previewed.connect(self._on_previewed)
        opening.progressed.connect(self._on_progressed)
        opening.opened.connect(self._on_opened)
        opening.photoWanted.connect(self._on_photo_wanted)
        opening.failed.connect(self._on_failed)
        opening.finished.connect(self._on_finished)
        self._threads.add(opening)
        self._current = opening
        self.begun.emit(name, told)
        opening.start()

    def _leave(self) -> bool:
        """Cancel the request under way without a signal; return whether there was one."""
        current, self._current = self._current, None
        if current is not None:
            current.cancel()
        return current is not None

    def _on_previewed(self, preview: Preview) -> None:
        if self.sender() is self._current:
            self.previewed.emit(preview)

    def _on_progressed(self, fraction: float) -> None:
        if self.sender() is self._current:
            self.progressed.emit(fraction)

    def _on_opened(self, opened: Opened, noise: PhotoNoise | None) -> None:
        if self.sender() is self._current:
            self._current = None
            self.opened.emit(opened, noise)

    def _on_photo_wanted(self, sentence: str) -> None:
        if self.sender() is self._current:
            self._current = None
            self.photoWanted.emit(sentence)

    def _on_failed(self, sentence: str, details: str) -> None:
        if self.sender() is self._current:
            self._current = None
            self.failed.emit(sentence, details)

    def _on_finished(self) -> None:
        opening = self.sender()
        assert isinstance(opening, _Opening)
        release(opening)
        if opening is self._current:
            self._current = None
            self.failed.emit(f"“{opening.name}” was not opened for an unknown reason; try it again.", "")
        self._threads.discard(opening)
