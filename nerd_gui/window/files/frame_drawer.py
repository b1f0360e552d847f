"""Draws the frames of an animation one after another on a thread, reduced to the size of a preview."""

from __future__ import annotations

import traceback

from PIL import Image
from PySide6.QtCore import QObject, QThread, Signal
from PySide6.QtGui import QImage

from nerd_gui.denoising.animation import Frames
from nerd_gui.window.threads import release

Size = tuple[int, int]  # width and height in pixels


class _Drawing(QThread):
    """Draws one frame.

    Attributes
    ----------
    image : QImage or None
        The frame, once it is drawn.
    defect : (str, str)
        A sentence and the details if it could not be drawn.
    """

    def __init__(self, frames: Frames, index: int, room: Size, parent: QObject) -> None:
        super().__init__(parent)
        self.frames, self.index, self.room = frames, index, room
        self.image: QImage | None = None
        self.defect = ("", "")

    def run(self) -> None:
        """Draw the frame; Qt calls this on the thread itself."""
        try:
            frame = self.frames.draw(self.index)
            frame.thumbnail(self.room, Image.Resampling.LANCZOS)
            width, height = frame.size
            # A copy, because the image would not keep the bytes alive.
            self.image = QImage(frame.tobytes(), width, height, 3 * width, QImage.Format.Format_RGB888).copy()
        except Exception as error:  # noqa: BLE001 - the thread's outermost frame: what escapes here would end the program
            self.defect = (
                f"The preview was not drawn because of an unexpected error ({type(error).__name__}: {error}).",
                traceback.format_exc(),
            )


class FrameDrawer(QObject):
    """Draws the frames that are wanted, from the first to the last, and drops those that are not wanted any more.

    Signals
    -------
    drawn : int, QImage
        A frame; it is no larger than the room for it.
    failed : str, str
        A sentence and the details of an unexpected error.
    """

    drawn = Signal(int, QImage)
    failed = Signal(str, str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._frames: Frames | None = None
        self._next, self._room = 0, (1, 1)
        self._drawing: _Drawing | None = None

    def draw(self, frames: Frames, room: Size) -> None:
        """Begin to draw these frames, in at most this width and height, in place of any others."""
        self._frames, self._next, self._room = frames, 0, room
        self._go_on()

    def stop(self) -> None:
        """Draw no more; a frame that is being drawn is dropped."""
        self._frames = None

    def wait(self) -> None:
        """Stop, and return when the thread has ended."""
        self.stop()
        if self._drawing is not None:
            self._drawing.wait()

    def _go_on(self) -> None:
        frames = self._frames
        if self._drawing is None and frames is not None and self._next < len(frames):
            self._drawing = _Drawing(frames, self._next, self._room, self)
            self._drawing.finished.connect(self._take)
            self._next += 1
            self._drawing.start()

    def _take(self) -> None:
        drawing = self._drawing
        assert drawing is not None
        release(drawing)
        self._drawing = None
        if drawing.frames is self._frames:
            if drawing.image is None:
                self.stop()
                self.failed.emit(*drawing.defect)
            else:
                self.drawn.emit(drawing.index, drawing.image)
        self._go_on()
