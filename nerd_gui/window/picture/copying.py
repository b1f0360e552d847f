"""Makes a picture for the clipboard from a part of a layer, in small steps so that the window stays responsive."""

from __future__ import annotations

import time
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtGui import QImage

from nerd_gui.imaging.psnr_ssim import to_8_bit
from nerd_gui.window.picture.comparison import Region
from nerd_gui.window.picture.sources import Source

_AT_ONCE = 1 << 16  # pixels in one band
_TURN = 0.02  # seconds of work before the event loop gets its turn


class PictureCopy(QObject):
    """Makes one copy at a time; a new request replaces the one under way.

    Signals
    -------
    made : QImage
    """

    made = Signal(QImage)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._bands: Iterator[NDArray[np.uint8]] | None = None
        self._so_far: list[NDArray[np.uint8]] = []
        self._timer = QTimer(self, singleShot=True, interval=0)
        self._timer.timeout.connect(self._go_on)

    def start(self, source: Source, part: Region) -> None:
        """Begin a copy; a small picture is finished before this returns."""
        self._bands, self._so_far = _bands(source, part), []
        self._go_on()

    def _go_on(self) -> None:
        end = time.perf_counter() + _TURN
        while self._bands is not None and time.perf_counter() < end:
            band = next(self._bands, None)
            if band is None:
                self._bands = None
                pixels = np.ascontiguousarray(np.concatenate(self._so_far))
                rows, cols = pixels.shape[:2]
                self._so_far = []
                image = QImage(pixels.data, cols, rows, 3 * cols, QImage.Format.Format_RGB888).copy()
                self.made.emit(image)
            else:
                self._so_far.append(band)
        if self._bands is not None:
            self._timer.start()


def _bands(source: Source, part: Region) -> Iterator[NDArray[np.uint8]]:
    """Yield the rows of a part from top to bottom in bands of displayed levels, each (rows, cols, 3)."""
    row, col, rows, cols = part
    step = max(1, _AT_ONCE // cols)
    for start in range(0, rows, step):
        levels = to_8_bit(source.read((row + start, col, min(step, rows - start), cols)))
        yield np.moveaxis(np.broadcast_to(levels, (3, *levels.shape[1:])), 0, -1)
