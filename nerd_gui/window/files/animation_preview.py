"""Plays an animation in a dialog before it is saved."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QRect, QSize, Qt, QTimer
from PySide6.QtGui import QColor, QImage, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from nerd_gui.denoising.animation import Frames
from nerd_gui.window.described import described
from nerd_gui.window.files.frame_drawer import FrameDrawer
from nerd_gui.window.style.tokens import colours

_ROOM = QSize(640, 400)
_SETTLED = 150  # milliseconds without a change of the settings after which the frames are drawn


class AnimationPreview(QWidget):
    """Plays the frames as they will be saved, at their own rate; frames that are too large are reduced.

    A frame that has not been drawn yet is waited for, so the first round may be slower.
    """

    def __init__(self, drawer: FrameDrawer, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        described(
            self,
            "animationPreview",
            "Preview of the animation",
            "The animation as it will be saved. A large one is shown smaller than it is.",
        )
        self.setFixedSize(_ROOM)
        self._drawer = drawer
        self._frames: Frames | None = None
        self._images: dict[int, QImage] = {}
        self._durations: Sequence[int] = ()
        self._loop = True
        self._words = "The preview is being drawn …"
        self.index = 0
        self._turn = QTimer(self, singleShot=True)
        self._turn.timeout.connect(self._advance)
        self._settle = QTimer(self, singleShot=True, interval=_SETTLED)
        self._settle.timeout.connect(self._draw)
        drawer.drawn.connect(self._take)
        drawer.failed.connect(self._say_why)

    def play(self, frames: Frames) -> None:
        """Play these frames from the first on; until it is drawn, the earlier ones."""
        self._frames = frames
        self._settle.start()

    def keep_time(self, durations: Sequence[int], *, loop: bool) -> None:
        """Show each frame for its duration in milliseconds, once or over and over."""
        self._durations, self._loop = durations, loop
        self._wait()

    @property
    def image(self) -> QImage | None:
        """The frame that is shown, in pixels of the screen; None until it is drawn."""
        return self._images.get(self.index)

    def _draw(self) -> None:
        if self._frames is not None and self.isVisible():
            room = _ROOM * self.devicePixelRatioF()
            self._drawer.draw(self._frames, (room.width(), room.height()))

    def _take(self, index: int, image: QImage) -> None:
        if index == 0:
            self._images.clear()
            self.index = 0
        image.setDevicePixelRatio(self.devicePixelRatioF())
        self._images[index] = image
        self._wait()
        self.update()

    def _say_why(self, sentence: str) -> None:
        self._images.clear()
        self._words = sentence
        self.update()

    def _wait(self) -> None:
        """Turn to the next frame when the shown one has had its time."""
        following = self.index + 1
        if following == len(self._durations):
            following = 0 if self._loop else -1
        if self.image is not None and following in self._images and following != self.index:
            if not self._turn.isActive():
                self._turn.start(self._durations[self.index])
        else:
            self._turn.stop()

    def _advance(self) -> None:
        self.index = (self.index + 1) % len(self._durations)
        self._wait()
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the frame in the middle, or the reason why there is none."""
        painter = QPainter(self)
        if self.image is None:
            painter.setPen(self.palette().placeholderText().color())
            words = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(self.rect(), words, self._words)
        else:
            place = QRect(0, 0, 0, 0)
            place.setSize(self.image.deviceIndependentSize().toSize())
            place.moveCenter(self.rect().center())
            painter.drawImage(place, self.image)
            painter.setPen(QColor(colours(self.palette()).frame))  # since frames have the colour of the dialog
            painter.drawRect(place.adjusted(-1, -1, 0, 0))
        painter.end()
