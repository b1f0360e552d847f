"""Decodes the bytes of a picture file.

The messages of `PhotoError` in this module lack their subject; `open_photo` prepends the name of the file.
"""

import io
import logging
import math
from collections.abc import Callable, Iterator
from operator import methodcaller
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms, UnidentifiedImageError

from nerd_gui.imaging.errors import PhotoError, in_words
from nerd_gui.imaging.limits import check_scans, check_size
from nerd_gui.imaging.metadata import XMP_TAG, exif_of_tiff, find_tag, upright_exif
from nerd_gui.imaging.particulars import NOTHING, Particulars, of_pillow, of_tiff
from nerd_gui.imaging.watch import OpeningCancelled, Watch

# tifffile and imagecodecs are imported inside the functions that need them: training has only numpy and Pillow.

# This module checks sizes itself, before decoding; Pillow's own check has a lower limit and only warns.
Image.MAX_IMAGE_PIXELS = None
# tifffile logs what it cannot interpret. These messages are hidden, because serious problems also fail to decode.
logging.getLogger("tifffile").addHandler(logging.NullHandler())

FORMATS = ("PNG", "JPEG", "TIFF", "WEBP", "BMP")
TIFF_MAGIC = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_MAGIC = (*TIFF_MAGIC, b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"BM")
NO_PICTURE = "is not a picture that can be opened here; choose a PNG, JPEG, TIFF, WebP or BMP file."
_LAYOUT_TAGS = (258, 277, 338, 339)  # BitsPerSample, SamplesPerPixel, ExtraSamples, SampleFormat
_INCOMPLETE = "is incomplete, some of its pixels are missing; take another copy of it."
_MOST_PAGES = 1000  # counting stops here
_BAND = 128  # rows that are scaled at a time, so that they stay in the CPU's cache
_ROUNDING = 1e-3  # tolerance for values outside [0, 1]: the spacing of half-precision values near 1


class Decoded(NamedTuple):
    """A decoded file; `planes` is float32 (colours or colours + alpha, rows, cols), upright, in [0, 1]."""

    planes: NDArray[np.float32]
    colours: int
    bit_depth: int
    format: str
    exif: bytes | None
    icc_profile: bytes | None
    xmp: bytes | None
    particulars: Particulars = NOTHING


def looks_like_a_picture(head: bytes) -> bool:
    """Whether the first bytes of a file are those of a supported format."""
    return head.startswith(_MAGIC) or (head[:4] == b"RIFF" and head[8:12] == b"WEBP")


def size_claimed(path: Path) -> tuple[int, int] | None:
    """Read the rows and columns from the header of a PNG, JPEG or BMP file; None for other or damaged files."""
    try:
        with Image.open(path, formats=("PNG", "JPEG", "BMP")) as image:
            return image.height, image.width
    except Exception:  # noqa: BLE001 - decoding will report the error
        return None


def decode(data: bytes, watch: Watch | None = None) -> Decoded:
    """Decode the bytes of a PNG, JPEG, TIFF, WebP or BMP file.

    In addition to the planes, at most the integer samples are held in memory, and for TIFF files only a part of them.

    Raises
    ------
    PhotoError
        If the bytes cannot be decoded; the message lacks its subject.
    OpeningCancelled
        If the watch was cancelled.
    """
    watch = watch or Watch()
    try:
        return _decode_tiff(data, watch) if data.startswith(TIFF_MAGIC) else _decode_with_pillow(data, watch)
    except (PhotoError, OpeningCancelled):
        raise
    except MemoryError as error:
        raise PhotoError("needs more memory than is free; close other programs or scale it down.") from error
    except UnidentifiedImageError as error:
        raise PhotoError(NO_PICTURE) from error
    except Exception as error:  # decoders may raise any error for a damaged file
        raise PhotoError(f"is damaged or incomplete ({in_words(error)}); take another copy of it.") from error


class _WatchedFile(io.BytesIO):
    """The bytes of a file; reading them reports the decoder's progress."""

    def __init__(self, data: bytes, watch: Watch) -> None:
        super().__init__(data)
        self._length = len(data)
        self._furthest = 0
        self._watch = watch

    def read(self, size: int | None = -1) -> bytes:
        self._furthest = max(self._furthest, self.tell())  # decoders also jump back, to headers
        self._watch.at(self._furthest / self._length)
        return super().read(size)


class Planes:
    """Collects decoded samples as float32 planes (channels, rows, cols), upright, in [0, 1].

    Parameters
    ----------
    rows, cols : int
        Size of the picture as stored in the file.
    orientation : int
        EXIF orientation; any number other than 2–8 means upright.
    """

    def __init__(self, rows: int, cols: int, channels: int, orientation: int) -> None:
        turned = orientation in (5, 6, 7, 8)
        self.values = np.zeros((channels, cols, rows) if turned else (channels, rows, cols), np.float32)
        stored = self.values
        if orientation in (3, 4, 7, 8):
            stored = stored[:, ::-1]
        if orientation in (2, 3, 6, 7):
            stored = stored[:, :, ::-1]
        self._stored = stored.swapaxes(1, 2) if turned else stored

    def put(self, samples: NDArray[Any], bits: int, row: int = 0, col: int = 0, channel: int = 0) -> None:
        """Scale samples (rows, cols[, channels]) to [0, 1]: unsigned integers of `bits` bits, or real numbers."""
        samples = _channels_last(samples)
        rows, cols, channels = samples.shape
        for number in range(channels):
            place = self._stored[channel + number, row : row + rows, col : col + cols]
            if samples.dtype.kind == "f":
                np.clip(samples[..., number], 0, 1, out=place, casting="same_kind")
            else:
                np.divide(samples[..., number], np.float32(2**bits - 1), out=place, dtype=np.float32)


def _decode_with_pillow(data: bytes, watch: Watch) -> Decoded:
    reading, scaling = watch.part(0, 0.6), watch.part(0.6, 1)
    with Image.open(_WatchedFile(data, reading), formats=FORMATS) as image:
        check_size(image.height, image.width, len(data))
        kind = "JPEG" if image.format == "MPO" else str(image.format)
        if kind == "JPEG":
            check_scans(data, image.height, image.width)
        icc_profile = _block(image.info.get("icc_profile"))
        bit_depth = 8
        if kind == "PNG" and data[24] == 16:  # the header's bit depth: Pillow reduces 16-bit colours to 8 bits
            from imagecodecs import png_decode

            samples, bit_depth = _channels_last(png_decode(data)), 16
            channels, bands = samples.shape[2], (samples[row : row + _BAND] for row in range(0, image.height, _BAND))
        else:
            image.load()  # _plain_mode needs information that is only read with the pixels
            if image.mode == "CMYK":
                plain, icc_profile = _cmyk_to_rgb(icc_profile), None
            else:
                plain = methodcaller("convert", _plain_mode(image))
            channels = len(plain(image.crop((0, 0, 1, 1))).getbands())
            bands = (np.asarray(plain(band)) for band in _bands(image))
        # Pillow applies the orientation of TIFF files itself.
        exif, orientation = (exif_of_tiff(data), 1) if kind == "TIFF" else upright_exif(_block(image.info.get("exif")))
        planes = Planes(image.height, image.width, channels, orientation)
        for number, band in enumerate(bands):
            scaling.at(number * _BAND / image.height)
            planes.put(band, bit_depth, row=number * _BAND)
        xmp, particulars = _block(image.info.get("xmp")), of_pillow(image, data)
    return Decoded(planes.values, 3 if channels > 2 else 1, bit_depth, kind, exif, icc_profile, xmp, particulars)


def _bands(image: Image.Image) -> Iterator[Image.Image]:
    """Yield the picture in bands of `_BAND` rows, so that no second copy of the whole picture is made."""
    for row in range(0, image.height, _BAND):
        yield image.crop((0, row, image.width, min(row + _BAND, image.height)))


def _plain_mode(image: Image.Image) -> str:
    if image.mode in ("1", "L", "LA", "La"):
        mode = "L"
    elif image.mode in ("P", "PA", "RGB", "RGBA", "RGBX", "RGBa", "YCbCr"):
        mode = "RGB"
    else:
        raise PhotoError(f"has colours of the kind “{image.mode}”; save it as grey or RGB first.")
    return mode + "A" if image.has_transparency_data else mode


def _cmyk_to_rgb(icc_profile: bytes | None) -> Callable[[Image.Image], Image.Image]:
    """Return a function that converts CMYK to RGB."""
    if icc_profile is not None:
        try:
            inks = ImageCms.ImageCmsProfile(io.BytesIO(icc_profile))
            return ImageCms.buildTransform(inks, ImageCms.createProfile("sRGB"), "CMYK", "RGB").apply
        except (OSError, ImageCms.PyCMSError):
            pass  # an unusable profile is treated like a missing one
    return methodcaller("convert", "RGB")


def _decode_tiff(data: bytes, watch: Watch) -> Decoded:
    from tifffile import PHOTOMETRIC, TiffFile

    with TiffFile(io.BytesIO(data)) as tiff:
        page = tiff.pages.first
        check_size(page.imagelength, page.imagewidth, len(data))
        if page.is_tiled:  # a tile is decoded whole, even if it is larger than the picture
            check_size(page.tilelength, page.tilewidth, len(data))
        if page.is_reduced or "DNGVersion" in page.tags or data[8:10] == b"CR":
            raise PhotoError("looks like a camera's raw file; develop it to TIFF, PNG or JPEG first.")
        # tifffile ignores tags that point beyond the end of the file, and would use default values instead.
        if any(find_tag(data, tag) is not None and tag not in page.tags for tag in _LAYOUT_TAGS):
            raise PhotoError("is incomplete, a part of its header is missing; take another copy of it.")
        plain = page.photometric in (PHOTOMETRIC.MINISWHITE, PHOTOMETRIC.MINISBLACK, PHOTOMETRIC.RGB)
        if not plain or page.dtype is None:  # palettes, inks, luma and chroma
            particulars = of_tiff(page, _count_of(tiff), data)
            return _decode_with_pillow(data, watch)._replace(particulars=particulars)
        if page.dtype.kind not in "buf":
            raise PhotoError(f"holds {page.dtype} values; save it as unsigned integers or real numbers first.")
        colours = 3 if page.photometric == PHOTOMETRIC.RGB else 1
        if page.samplesperpixel not in (colours, colours + 1) or page.axes not in ("YX", "YXS", "SYX"):
            raise PhotoError(f"has {page.samplesperpixel} channels ({page.axes}); save it as grey or RGB first.")
        segments = list(zip(page.dataoffsets, page.databytecounts, strict=True))
        if len(segments) < math.prod(page.chunked) or any(
            count == 0 or offset + count > len(data) for offset, count in segments
        ):
            raise PhotoError(_INCOMPLETE)
        planes = _read_segments(page, watch)
        bits = page.bitspersample
        negative = page.photometric == PHOTOMETRIC.MINISWHITE
        premultiplied = page.extrasamples[:1] == (1,)
        icc_profile = _block(page.tags.valueof("InterColorProfile"))
        xmp = _block(page.tags.valueof(XMP_TAG))
        real = page.dtype.kind == "f"
        particulars = of_tiff(page, _count_of(tiff), data)
    if negative:
        np.subtract(1, planes[0], out=planes[0])
    if premultiplied:
        for plane in planes[:-1]:
            np.divide(plane, planes[-1], out=plane, where=planes[-1] > 0)
            np.minimum(plane, 1, out=plane)
    bit_depth = 32 if real or bits > 16 else 16 if bits > 8 else 8
    return Decoded(planes, colours, bit_depth, "TIFF", exif_of_tiff(data), icc_profile, xmp, particulars)


def _count_of(tiff: Any) -> int:
    """Count the pages of a TIFF file without reduced versions; if later pages are damaged, return 1."""
    try:
        return 1 + sum(not page.aspage().is_reduced for page in tiff.pages[1:_MOST_PAGES])
    except Exception:  # noqa: BLE001 - only the first page is opened anyway
        return 1


def _read_segments(page: Any, watch: Watch) -> NDArray[np.float32]:
    """Decode a page of a TIFF, strip by strip or tile by tile, and turn it upright."""
    rows, cols = page.imagelength, page.imagewidth
    planes = Planes(rows, cols, page.samplesperpixel, page.tags.valueof("Orientation", 1))
    filled, low, high = 0, math.inf, -math.inf
    for segment, (channel, _, row, col, _), _ in page.segments():
        if segment is None:
            raise PhotoError(_INCOMPLETE)
        samples = segment[0, : rows - row, : cols - col]
        if samples.dtype.kind == "f" and samples.size:
            if not np.isfinite(samples).all():
                raise PhotoError("holds NaN (not-a-number) or infinite values; replace them first.")
            low, high = min(low, float(samples.min())), max(high, float(samples.max()))
        planes.put(samples, page.bitspersample, row, col, channel)
        filled += samples.size
        watch.at(filled / planes.values.size)
    if filled < planes.values.size:
        raise PhotoError(_INCOMPLETE)
    if low < -_ROUNDING or high > 1 + _ROUNDING:
        raise PhotoError(
            f"holds real numbers from {low:g} to {high:g}, but only 0 (black) to 1 (white) can be shown; scale it, or "
            "tone-map it if it is an HDR picture, first."
        )
    return planes.values


def _block(value: object) -> bytes | None:
    """Return XMP, EXIF or a colour profile; None if it is missing or, in a damaged file, not bytes."""
    return value if isinstance(value, bytes) and value else None


def _channels_last(values: NDArray[Any]) -> NDArray[Any]:
    return values[..., None] if values.ndim == 2 else values
