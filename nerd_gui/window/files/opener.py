"""Photos are opened on a thread of their own: the window goes on, and a newer wish replaces an older one."""

import threading
import traceback
from pathlib import Path

from PySide6.QtCore import QObject, QThread, Signal

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

PREVIEW_SIDE = 1200  # pixels
_WORTH_A_PREVIEW = 2_000_000  # pixels; smaller photos are there as soon as their previews
_STEPS = 200  # of progress that are told


class _Opening(QThread):
    """One photo on its way; where it is cancelled it ends without another word.

    Signals
    -------
    previewed : Preview
    progressed : float
    opened : Photo, PhotoNoise
        The photo and its noise.
    failed : str, str
        A sentence for the person, and details (empty for expected errors).
    """

    previewed = Signal(object)
    progressed = Signal(float)
    opened = Signal(object, object)
    failed = Signal(str, str)

    def __init__(self, name: str, path: Path | None, parent: QObject) -> None:
        super().__init__(parent)
        self.name = name
        self._path = path  # None: the name is that of a sample
        self._cancel = threading.Event()
        self._told = -1

    def cancel(self) -> None:
        """Ask it to end at its next step; returns at once."""
        self._cancel.set()

    def run(self) -> None:
        """Work, on the thread itself."""
        try:
            photo = self._open()
            noise = photo_noise(photo.pixels)
        except OpeningCancelled:
            return
        except PhotoError as error:
            self.failed.emit(str(error), "")
        except Exception as error:  # noqa: BLE001 - the thread's outermost frame: what escapes here would end the program
            sentence = f"“{self.name}” was not opened: an unexpected error ({type(error).__name__}: {error})."
            self.failed.emit(sentence, traceback.format_exc())
        else:
            self.opened.emit(photo, noise)

    def _open(self) -> Photo:
        if self._path is None:
            return open_sample(self.name)
        small = preview(self._path, PREVIEW_SIDE)
        if small is not None and small.rows * small.cols > _WORTH_A_PREVIEW and not self._cancel.is_set():
            self.previewed.emit(small)
        return open_photo(self._path, progress=self._tell, cancelled=self._cancel.is_set)

    def _tell(self, fraction: float) -> None:
        """Say how far it is, but not more often than can be seen."""
        if (step := int(fraction * _STEPS)) > self._told:
            self._told = step
            self.progressed.emit(fraction)


class PhotoOpener(QObject):
    """Opens one photo at a time, in the background; what an older wish still sends is dropped.

    After `begun` there come previews and progress, and then one of `opened`, `failed` and `cancelled`, unless another
    photo is begun before.

    Signals
    -------
    begun : str
        The name of the file or the sample.
    previewed : Preview
    progressed : float
        The fraction that is done.
    opened : Photo, PhotoNoise
        The photo and its noise.
    failed : str, str
        A sentence for the person, and details (empty for expected errors).
    cancelled
    """

    begun = Signal(str)
    previewed = Signal(object)
    progressed = Signal(float)
    opened = Signal(object, object)
    failed = Signal(str, str)
    cancelled = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._current: _Opening | None = None
        self._threads: set[_Opening] = set()

    @property
    def busy(self) -> bool:
        """Whether a photo is on its way."""
        return self._current is not None

    def open(self, path: Path) -> None:
        """Open a photo file; one that is on its way is given up."""
        self._begin(path.name, path)

    def open_sample(self, name: str) -> None:
        """Open a built-in picture by its name."""
        self._begin(name, None)

    def cancel(self) -> None:
        """Give up the photo that is on its way: at once, as the window sees it."""
        if self._leave():
            self.cancelled.emit()

    def wait(self) -> None:
        """Give up, and return when every thread has ended."""
        self.cancel()
        for opening in list(self._threads):
            opening.wait()

    def _begin(self, name: str, path: Path | None) -> None:
        self._leave()
        opening = _Opening(name, path, self)
        opening.previewed.connect(self._on_previewed)
        opening.progressed.connect(self._on_progressed)
        opening.opened.connect(self._on_opened)
        opening.failed.connect(self._on_failed)
        opening.finished.connect(self._on_finished)
        self._threads.add(opening)
        self._current = opening
        self.begun.emit(name)
        opening.start()

    def _leave(self) -> bool:
        """Want the photo that is on its way no more; tell whether there was one."""
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

    def _on_opened(self, photo: Photo, noise: PhotoNoise) -> None:
        if self.sender() is self._current:
            self._current = None
            self.opened.emit(photo, noise)

    def _on_failed(self, sentence: str, details: str) -> None:
        if self.sender() is self._current:
            self._current = None
            self.failed.emit(sentence, details)

    def _on_finished(self) -> None:
        opening = self.sender()
        assert isinstance(opening, _Opening)
        opening.wait()  # `finished` is sent from the thread's last lines; destroying it earlier is an error in Qt
        self._threads.discard(opening)
        opening.deleteLater()
