"""The pictures of one photo that the window can show, and their 8-bit forms, made when they are first looked at."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QImage

from nerd_gui.imaging.psnr_ssim import to_8_bit

MID_GREY = 0.5
_KEPT_BYTES = 256 << 20  # of frames that may be shown again


class Layer(StrEnum):
    """A picture of the photo; the value is the name a person reads."""

    NOISY = "noisy"
    ITERATE = "iterate"
    COMPARED = "iterate j"
    CLEAN = "clean"
    NOISE = "noise estimate"
    RESULT = "result"


class Compare(StrEnum):
    """How two layers are shown together; the value is the name a person reads."""

    SINGLE = "one picture"
    WIPE = "wipe"
    SIDE_BY_SIDE = "side by side"
    DIFFERENCE = "difference"


class Frame:
    """A picture ready to be painted.

    Attributes
    ----------
    pixels : array (rows, cols) or (rows, cols, 3), uint8
        Not to be changed.
    image : QImage
        The same in 32-bit pixels.
    """

    def __init__(self, pixels: NDArray[np.uint8]) -> None:
        self.pixels = pixels
        rows, cols = pixels.shape[:2]
        grey = pixels.ndim == 2
        form, line = (QImage.Format.Format_Grayscale8, cols) if grey else (QImage.Format.Format_RGB888, 3 * cols)
        # A copy in the screen's own format: it is painted several times faster and owns its memory.
        self.image = QImage(pixels.data, cols, rows, line, form).convertToFormat(QImage.Format.Format_RGB32)
        self._reduced: QImage | None = None

    def reduced(self, width: int, height: int) -> QImage:
        """Return the picture averaged down to a smaller size; the last one asked for is kept."""
        if self._reduced is None or self._reduced.size() != QSize(width, height):
            self._reduced = self.image.scaled(
                width, height, Qt.AspectRatioMode.IgnoreAspectRatio, Qt.TransformationMode.SmoothTransformation
            )
        return self._reduced


@dataclass(frozen=True)
class LaterPicture:
    """A picture that is made when it is first looked at, and known again by its key: one that is scrubbed over.

    Attributes
    ----------
    key : Hashable
        Equal keys mean equal pixels.
    shape : (rows, cols)
    make : callable
        Gives the pixels, in the form of any other picture.
    """

    key: Hashable
    shape: tuple[int, int]
    make: Callable[[], NDArray]


class PictureLayers:
    """The layers of one photo, all of the same rows x cols, as values and as frames."""

    def __init__(self) -> None:
        self._values: dict[Layer, NDArray | LaterPicture] = {}
        self._keys: dict[Layer, Hashable] = {}
        self._kept: OrderedDict[Hashable, Frame] = OrderedDict()
        self._frames: dict[Layer | tuple[Layer, Layer], Frame] = {}
        self._gain = 1.0

    @property
    def shape(self) -> tuple[int, int] | None:
        """(rows, cols) of every layer, None while there is no picture."""
        for values in self._values.values():
            return values.shape[0], values.shape[1]
        return None

    @property
    def gain(self) -> float:
        """The factor on differences and on the noise estimate."""
        return self._gain

    @gain.setter
    def gain(self, gain: float) -> None:
        self._gain = gain
        self._forget(Layer.NOISE)

    def __contains__(self, layer: object) -> bool:
        return layer in self._values

    def available(self) -> list[Layer]:
        """Return the layers that have a picture, in the order of `Layer`."""
        return [layer for layer in Layer if layer in self._values]

    def set(self, layer: Layer, pixels: NDArray | LaterPicture | None) -> None:
        """Replace or, with None, remove a layer. A picture of another size starts over: it drops all the others.

        Parameters
        ----------
        layer : Layer
        pixels : array (rows, cols) or (C, rows, cols) with C 1 or 3, LaterPicture of one, or None
            Floating point in [0, 1] (`Layer.NOISE`: n_hat, around 0) or uint8. Kept as it is and converted when it
            is shown, so it must not be changed afterwards. The frames of some `LaterPicture`s are kept too.

        Raises
        ------
        ValueError
            If the array is no such picture or holds NaN.
        """
        if pixels is None:
            self._values.pop(layer, None)
        else:
            values = pixels if isinstance(pixels, LaterPicture) else _checked(layer, pixels)
            if self.shape is not None and values.shape[:2] != self.shape:
                for held in (self._values, self._frames, self._kept):
                    held.clear()
            self._values[layer] = values
        self._keys[layer] = pixels.key if isinstance(pixels, LaterPicture) else None
        self._forget(layer)

    def frame(self, layer: Layer) -> Frame:
        """Return a layer as it is displayed; the noise estimate as ``0.5 + gain * n_hat``."""
        if layer not in self._frames:
            key = self._keys[layer]
            if layer is Layer.NOISE and key is not None:
                key = (key, self._gain)
            self._frames[layer] = self._kept.pop(key) if key in self._kept else self._made(layer)
            if key is not None:
                self._keep(key, self._frames[layer])
        return self._frames[layer]

    def _made(self, layer: Layer) -> Frame:
        values = self._value(layer)
        return Frame(_bytes(MID_GREY + self._gain * _unit(values) if layer is Layer.NOISE else values))

    def _keep(self, key: Hashable, frame: Frame) -> None:
        """Keep a frame as the latest one looked at, and forget the oldest past the limit."""
        self._kept[key] = frame
        rows, cols = frame.pixels.shape[:2]
        while len(self._kept) > max(1, _KEPT_BYTES // (8 * rows * cols)):
            self._kept.popitem(last=False)

    def _value(self, layer: Layer) -> NDArray:
        values = self._values[layer]
        if isinstance(values, LaterPicture):
            self._values[layer] = values = _checked(layer, values.make())
        return values

    def difference(self, left: Layer, right: Layer) -> Frame:
        """Return ``0.5 + gain * (right - left)``; a grey layer counts for all three channels of a coloured one."""
        if (left, right) not in self._frames:
            a, b = _unit(self._value(left)), _unit(self._value(right))
            if a.ndim != b.ndim:
                a, b = np.atleast_3d(a), np.atleast_3d(b)
            self._frames[left, right] = Frame(_bytes(MID_GREY + self._gain * (b - a)))
        return self._frames[left, right]

    def value(self, layer: Layer, row: int, col: int) -> tuple[float, ...]:
        """Return the unclipped values of a pixel, one for each channel, in 0-255 units."""
        values = self._value(layer)[row, col]
        return tuple((255 * _unit(np.atleast_1d(values))).tolist())

    def _forget(self, layer: Layer) -> None:
        """Drop what was made from `layer`, or depends on the gain: every difference."""
        self._frames.pop(layer, None)
        for key in [key for key in self._frames if isinstance(key, tuple)]:
            del self._frames[key]


def _checked(layer: Layer, pixels: NDArray) -> NDArray:
    """Return `pixels` as a view (rows, cols) or (rows, cols, 3)."""
    picture = pixels.ndim == 2 or (pixels.ndim == 3 and pixels.shape[0] in (1, 3))
    if not picture or 0 in pixels.shape:
        raise ValueError(
            f"The {layer} picture has the shape {pixels.shape}: give (rows, cols), (1, rows, cols) or (3, rows, cols)."
        )
    if pixels.dtype != np.uint8 and not np.issubdtype(pixels.dtype, np.floating):
        raise ValueError(f"The {layer} picture has the type {pixels.dtype}: give floating point in [0, 1] or uint8.")
    if np.isnan(pixels).any():
        raise ValueError(f"The {layer} picture holds NaN (not-a-number) values and cannot be shown.")
    if pixels.ndim == 2:
        return pixels
    return pixels[0] if pixels.shape[0] == 1 else np.moveaxis(pixels, 0, -1)


def _unit(values: NDArray) -> NDArray:
    """Return values in [0, 1] units."""
    return values / np.float32(255) if values.dtype == np.uint8 else values.astype(np.float32)


def _bytes(values: NDArray) -> NDArray[np.uint8]:
    """Return a fresh 8-bit array, rounded exactly as the measured (PSNR, SSIM) and the saved picture are."""
    rounded = values if values.dtype == np.uint8 else to_8_bit(values)
    fresh = np.empty(values.shape, np.uint8)
    if values.ndim == 2:
        fresh[...] = rounded
    else:
        for channel in range(3):  # one after the other: several times faster than all at once
            fresh[..., channel] = rounded[..., channel]
    return fresh
