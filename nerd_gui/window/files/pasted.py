"""A picture from the clipboard as a photo."""

from __future__ import annotations

import hashlib

import numpy as np
from PySide6.QtGui import QImage

from nerd_gui.imaging import MAX_PIXELS, Photo, PhotoError

NAME = "pasted picture"
_DEEP = (
    QImage.Format.Format_Grayscale16,
    QImage.Format.Format_RGBX64,
    QImage.Format.Format_RGBA64,
    QImage.Format.Format_RGBA64_Premultiplied,
)


def photo_of(image: QImage) -> Photo:
    """Return a pasted picture as a photo: with 16 bits if the picture has them, else 8; grey if all of it is grey.

    Raises
    ------
    PhotoError
        If the picture has no pixel, or too many.
    """
    rows, cols = image.height(), image.width()
    if image.isNull() or rows * cols > MAX_PIXELS:
        size = f"has {cols} × {rows} pixels, more than can be opened" if rows * cols else "holds no pixel"
        raise PhotoError(f"The picture in the clipboard {size}; save it as a file, or copy a part of it.")
    deep = image.format() in _DEEP
    form, kind = (QImage.Format.Format_RGBA64, np.uint16) if deep else (QImage.Format.Format_RGBA8888, np.uint8)
    made = image.convertToFormat(form)
    lines = np.frombuffer(made.constBits(), kind).reshape(rows, made.bytesPerLine() // np.dtype(kind).itemsize)
    values = np.moveaxis(lines[:, : 4 * cols].reshape(rows, cols, 4), -1, 0)
    top = np.float32(np.iinfo(kind).max)
    pixels = np.ascontiguousarray(values[:1] if image.isGrayscale() else values[:3]).astype(np.float32) / top
    alpha = values[3].astype(np.float32) / top
    return Photo(
        pixels,
        alpha=None if (alpha == 1).all() else alpha,
        bit_depth=16 if deep else 8,
        name=NAME,
        sha256=hashlib.sha256(pixels.tobytes()).hexdigest(),
    )
