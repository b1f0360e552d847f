"""Makes the thumbnail for a photo's EXIF block from the pixels that are saved."""

import io
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

_SIDES = (160, 120, 80, 48)  # pixels of the longer side to try; the first is the usual size of EXIF thumbnails
_QUALITIES = (90, 75, 60, 40)


def thumbnail_of_samples(samples: NDArray[Any], most_bytes: int) -> bytes | None:
    """Return a JPEG file of at most `most_bytes`; None if even a very small one does not fit.

    Parameters
    ----------
    samples : uint8, uint16 or float32 array (rows, cols) or (rows, cols, channels)
        The samples that `save_picture` writes: integers in the whole range of their type, or real numbers in [0, 1].
    """
    for side in _SIDES:
        image = _small(samples, side)
        for quality in _QUALITIES:
            stream = io.BytesIO()
            image.save(stream, "JPEG", quality=quality)
            if stream.tell() <= most_bytes:
                return stream.getvalue()
    return None


def _small(samples: NDArray[Any], side: int) -> Image.Image:
    """Reduce the picture to a longer side of at most `side`; averaging blocks first avoids a copy of the whole."""
    channels = 1 if samples.ndim == 2 else samples.shape[2]
    colours = samples.reshape(*samples.shape[:2], channels)[..., : 3 if channels > 2 else 1]
    block = max(1, max(samples.shape[:2]) // (2 * side))
    rows, cols = (max(1, length // block) for length in samples.shape[:2])
    means = np.empty((rows, cols, colours.shape[2]), np.float32)
    for row in range(rows):
        band = colours[row * block : (row + 1) * block, : cols * block]
        means[row] = band.reshape(len(band), cols, -1, colours.shape[2]).mean(axis=(0, 2), dtype=np.float32)
    most = 1 if samples.dtype.kind == "f" else np.iinfo(samples.dtype).max
    levels = np.rint(means * np.float32(255 / most)).astype(np.uint8)
    image = Image.fromarray(levels[..., 0] if levels.shape[2] == 1 else levels)
    image.thumbnail((side, side), Image.Resampling.BOX)
    return image
