"""The photo: its pixels and metadata, and opening it."""

import errno
import hashlib
import io
import os
import stat
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nerd_gui.imaging.colour import luma, luma_8_bit
from nerd_gui.imaging.decode import NO_PICTURE, decode, looks_like_a_picture, size_claimed
from nerd_gui.imaging.errors import PhotoError
from nerd_gui.imaging.limits import most_pixels
from nerd_gui.imaging.metadata import exif_of_region
from nerd_gui.imaging.particulars import NOTHING, Particulars
from nerd_gui.imaging.raw import decode_raw, is_raw
from nerd_gui.imaging.watch import Watch
from nerd_gui.imaging.xmp import xmp_of_region

_BYTES_PER_PIXEL = 16  # uncompressed float32 with four channels
_MUCH = 2**28  # bytes that a file may have beyond its pixels, such as a film
_HEAD = 2**16  # bytes at the start of a file that identify its format
_PIECE = 2**22  # bytes that are read at a time


@dataclass(frozen=True, eq=False)
class Photo:
    r"""A picture with its metadata and its origin.

    Attributes
    ----------
    pixels : float32 array (C, rows, cols)
        Values in [0, 1], gamma-encoded as in the file; C = 1 (grey) or 3 (RGB). Upright: the EXIF orientation is
        applied.
    alpha : float32 array (rows, cols) or None
        Opacity in [0, 1]; the pixels are not multiplied by it.
    bit_depth : int
        8, 16, or 32 for real numbers; the photo is saved with this depth.
    name : str
        The file's name without its suffix, or the sample's name.
    path : Path or None
    format : str or None
        "PNG", "JPEG", "TIFF", "WEBP", "BMP" or "RAW".
    exif : bytes or None
        The EXIF block with the prefix ``Exif\0\0``; its orientation is 1.
    icc_profile : bytes or None
    xmp : bytes or None
        The XMP packet as it stood in the file.
    particulars : Particulars
        Further metadata.
    sha256 : str
        Hash of the file's bytes, or of the pixels if there is no file. A crop or grey version keeps its photo's hash.

    Raises
    ------
    ValueError
        If the shapes, the type or the bit depth are not as described.
    """

    pixels: NDArray[np.float32]
    alpha: NDArray[np.float32] | None = None
    bit_depth: int = 8
    name: str = "picture"
    path: Path | None = None
    format: str | None = None
    exif: bytes | None = None
    icc_profile: bytes | None = None
    xmp: bytes | None = None
    sha256: str = ""
    particulars: Particulars = NOTHING

    def __post_init__(self) -> None:
        shape = self.pixels.shape
        if len(shape) != 3 or shape[0] not in (1, 3) or 0 in shape or self.pixels.dtype != np.float32:
            raise ValueError(f"A photo needs float32 pixels (1 or 3, rows, cols), not {self.pixels.dtype} {shape}.")
        if self.alpha is not None and self.alpha.shape != shape[1:]:
            raise ValueError(f"The alpha of a photo {shape[1:]} cannot have the shape {self.alpha.shape}.")
        if self.bit_depth not in (8, 16, 32):
            raise ValueError(f"The bit depth of a photo is 8, 16 or 32, not {self.bit_depth}.")

    @property
    def channels(self) -> int:
        """C: 1 for grey, 3 for RGB."""
        return int(self.pixels.shape[0])

    @property
    def rows(self) -> int:
        """The height in pixels."""
        return int(self.pixels.shape[1])

    @property
    def cols(self) -> int:
        """The width in pixels."""
        return int(self.pixels.shape[2])

    def grey(self) -> "Photo":
        """Return the photo as grey, ITU-R 601 luma; 8-bit photos are rounded like Pillow's ``convert("L")``.

        Published figures for grey versions of colour pictures depend on this rounding. The colour profile is removed.
        """
        if self.channels == 1:
            return self
        pixels = (luma_8_bit if self.bit_depth == 8 else luma)(self.pixels)
        return replace(self, pixels=pixels[None], icc_profile=None)

    def crop(self, row: int, col: int, rows: int, cols: int) -> "Photo":
        """Return a copy of the rectangle of `rows` x `cols` pixels with the upper left pixel (row, col).

        EXIF and XMP entries that only apply to the whole photo are removed (`exif_of_region`).

        Raises
        ------
        ValueError
            If the rectangle is empty or reaches beyond the photo.
        """
        if min(row, col) < 0 or min(rows, cols) < 1 or row + rows > self.rows or col + cols > self.cols:
            raise ValueError(
                f"The rectangle of {rows} × {cols} pixels at row {row}, column {col} does not lie inside "
                f"“{self.name}”, which has {self.rows} rows and {self.cols} columns."
            )
        window = np.s_[..., row : row + rows, col : col + cols]
        alpha = None if self.alpha is None else self.alpha[window].copy()
        whole = (rows, cols) == (self.rows, self.cols)
        exif = self.exif if self.exif is None or whole else exif_of_region(self.exif, rows, cols)
        xmp = self.xmp if self.xmp is None or whole else xmp_of_region(self.xmp)
        return replace(self, pixels=self.pixels[window].copy(), alpha=alpha, exif=exif, xmp=xmp)


def open_photo(
    path: str | os.PathLike[str],
    *,
    progress: Callable[[float], object] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Photo:
    """Open a PNG, JPEG, TIFF, WebP or BMP file of any depth and colour type, or a camera's raw file, upright.

    Raw files are developed to 16 bits (`decode_raw`) if the optional package rawpy is installed. Palettes, CMYK and
    YCbCr are converted to RGB, one bit to grey. If there are several pages, the first is opened.

    Parameters
    ----------
    path : path
    progress : callable, optional
        Called with the fraction that is done, 0 ... 1, as often as the format's decoder allows.
    cancelled : callable, optional
        Called at the same steps; if it returns True, opening ends.

    Returns
    -------
    Photo

    Raises
    ------
    PhotoError
        If there is no such file, its format is not supported, it is damaged or incomplete, larger than `limits` allows,
        or has real numbers outside [0, 1].
    OpeningCancelled
        If `cancelled` returned True.
    """
    path = Path(path)
    watch = Watch(progress, cancelled)
    data = _read(path, watch.part(0, 0.1))
    try:
        decoded = (decode_raw if is_raw(path, data) else decode)(data, watch.part(0.1, 1))
    except PhotoError as error:
        raise PhotoError(f"“{path.name}” {error}") from error
    watch.at(1)
    return Photo(
        pixels=decoded.planes[: decoded.colours],
        alpha=decoded.planes[-1] if len(decoded.planes) > decoded.colours else None,
        bit_depth=decoded.bit_depth,
        name=path.stem,
        path=path,
        format=decoded.format,
        exif=decoded.exif,
        icc_profile=decoded.icc_profile,
        xmp=decoded.xmp,
        sha256=hashlib.sha256(data).hexdigest(),
        particulars=decoded.particulars,
    )


def _read(path: Path, watch: Watch) -> bytes:
    try:
        status = path.stat()
        if stat.S_ISREG(status.st_mode) and 0 < status.st_size <= _BYTES_PER_PIXEL * most_pixels() + _MUCH:
            with path.open("rb") as file:
                content = io.BytesIO()
                content.write(file.read(_HEAD))
                _check_head(path, content.getvalue(), status.st_size)
                watch.at(content.tell() / status.st_size)
                while piece := file.read(_PIECE):
                    content.write(piece)
                    watch.at(content.tell() / status.st_size)
            return content.getvalue()
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ENOTDIR):
            raise PhotoError(f"“{path}” does not exist; check its name and folder.") from error
        if isinstance(error, PermissionError):
            raise PhotoError(f"“{path.name}” may not be read; give yourself permission to read it.") from error
        raise PhotoError(f"“{path.name}” cannot be read ({error.strerror}); take another copy of it.") from error
    if stat.S_ISDIR(status.st_mode):
        raise PhotoError(f"“{path.name}” is a folder; choose a picture in it.")
    if not stat.S_ISREG(status.st_mode):
        raise PhotoError(f"“{path.name}” is a device and not a file; choose a picture.")
    if status.st_size == 0:
        raise PhotoError(f"“{path.name}” is empty; take another copy of it.")
    raise PhotoError(f"“{path.name}” is too large for a picture ({status.st_size / 1e9:.0f} GB); scale it down first.")


def _check_head(path: Path, head: bytes, file_bytes: int) -> None:
    """Refuse a file that is not a picture, or far too large for its picture, before reading all of it."""
    if not is_raw(path, head) and not looks_like_a_picture(head):
        raise PhotoError(f"“{path.name}” {NO_PICTURE}")
    size = size_claimed(path) if file_bytes > _MUCH else None
    if size is not None and file_bytes > _BYTES_PER_PIXEL * size[0] * size[1] + _MUCH:
        raise PhotoError(
            f"“{path.name}” has {file_bytes / 1e9:.1f} GB, which is too large for its picture of {size[1]} × {size[0]} "
            "pixels; take another copy of it."
        )
