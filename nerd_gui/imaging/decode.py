"""From the bytes of a picture file to its values.

The `PhotoError` sentences that start here lack their subject; `open_photo` puts the name of the file before them.
"""

import io
import logging
import struct
import zlib
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

from nerd_gui.imaging.metadata import exif_of_tiff, find_tag, upright_exif

# tifffile and imagecodecs are imported inside the functions that need them: training has only numpy and Pillow.

MAX_SIDE = 32_767  # pixels
MAX_PIXELS = 268_435_456  # 2^28, 3 GiB as float32 RGB

# Sizes are checked here, before anything is decoded and with a sentence; Pillow's own limit is a warning and lower.
Image.MAX_IMAGE_PIXELS = None
# tifffile logs what it cannot make sense of; what matters of that also fails to decode and is reported then.
logging.getLogger("tifffile").addHandler(logging.NullHandler())

_FORMATS = ("PNG", "JPEG", "TIFF", "WEBP", "BMP")
_TIFF_MAGIC = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_LAYOUT_TAGS = (258, 277, 338, 339)  # BitsPerSample, SamplesPerPixel, ExtraSamples, SampleFormat
_ROUNDING = 1e-3  # half-precision values near 1 are this coarse

# What the decoders raise on damaged files; none of them promises less.
_DECODER_ERRORS = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    AttributeError,
    LookupError,
    ArithmeticError,
    RuntimeError,
    EOFError,
    struct.error,
    zlib.error,
)


class PhotoError(ValueError):
    """A picture cannot be opened or saved; the text is one sentence for the person at the screen."""


class Decoded(NamedTuple):
    """A decoded file; `values` is float32 (rows, cols, colours, and one more for alpha), upright, in [0, 1]."""

    values: NDArray[np.float32]
    colours: int
    bit_depth: int
    format: str
    exif: bytes | None
    icc_profile: bytes | None


def decode(data: bytes) -> Decoded:
    """Decode the bytes of a PNG, JPEG, TIFF, WebP or BMP file.

    Raises
    ------
    PhotoError
        Whatever is wrong with them; the sentence lacks its subject.
    """
    try:
        return _decode_tiff(data) if data.startswith(_TIFF_MAGIC) else _decode_with_pillow(data)
    except PhotoError:
        raise
    except MemoryError as error:
        raise PhotoError("needs more memory than there is; close other programs or scale it down.") from error
    except Image.UnidentifiedImageError as error:
        raise PhotoError(
            "is not a picture that can be opened here; choose a PNG, JPEG, TIFF, WebP or BMP file."
        ) from error
    except _DECODER_ERRORS as error:
        raise PhotoError(f"is damaged or incomplete ({error}); take another copy of it.") from error


def _decode_with_pillow(data: bytes) -> Decoded:
    with Image.open(io.BytesIO(data), formats=_FORMATS) as image:
        _check_size(image.height, image.width)
        kind = "JPEG" if image.format == "MPO" else str(image.format)
        icc_profile = image.info.get("icc_profile")
        if kind == "PNG" and data[24] == 16:  # the header's bit depth: Pillow reduces 16-bit colours to 8 bits
            from imagecodecs import png_decode

            samples = png_decode(data)
        elif image.mode == "CMYK":
            samples = np.asarray(_cmyk_to_rgb(image, icc_profile))
            icc_profile = None
        else:
            image.load()  # some of what _plain_mode asks for comes with the pixels
            samples = np.asarray(image.convert(_plain_mode(image)))
        # Pillow turns a TIFF upright by itself.
        exif, orientation = (exif_of_tiff(data), 1) if kind == "TIFF" else upright_exif(image.info.get("exif"))
    values = _unit(_channels_last(samples), 8 * samples.itemsize)
    colours = 3 if values.shape[2] > 2 else 1
    return Decoded(_turn(values, orientation), colours, 8 * samples.itemsize, kind, exif, icc_profile)


def _plain_mode(image: Image.Image) -> str:
    if image.mode in ("1", "L", "LA", "La"):
        mode = "L"
    elif image.mode in ("P", "PA", "RGB", "RGBA", "RGBX", "RGBa", "YCbCr"):
        mode = "RGB"
    else:
        raise PhotoError(f"has colours of the kind “{image.mode}”; save it as grey or RGB first.")
    return mode + "A" if image.has_transparency_data else mode


def _cmyk_to_rgb(image: Image.Image, icc_profile: bytes | None) -> Image.Image:
    image.load()
    if icc_profile is not None:
        try:
            inks = ImageCms.ImageCmsProfile(io.BytesIO(icc_profile))
            return ImageCms.buildTransform(inks, ImageCms.createProfile("sRGB"), "CMYK", "RGB").apply(image)
        except (OSError, ImageCms.PyCMSError):
            pass  # an unusable profile says no more about the inks than a missing one
    return image.convert("RGB")


def _decode_tiff(data: bytes) -> Decoded:
    from tifffile import PHOTOMETRIC, TiffFile

    with TiffFile(io.BytesIO(data)) as tiff:
        page = tiff.pages.first
        _check_size(page.imagelength, page.imagewidth)
        if page.is_reduced or "DNGVersion" in page.tags or data[8:10] == b"CR":
            raise PhotoError("looks like a camera's raw file; develop it to TIFF, PNG or JPEG first.")
        # tifffile passes over tags that point beyond the end, and then takes default values for what they said.
        if any(find_tag(data, tag) is not None and tag not in page.tags for tag in _LAYOUT_TAGS):
            raise PhotoError("is incomplete, its description is missing; take another copy of it.")
        plain = page.photometric in (PHOTOMETRIC.MINISWHITE, PHOTOMETRIC.MINISBLACK, PHOTOMETRIC.RGB)
        if not plain or page.dtype is None:  # palettes, inks, luma and chroma
            return _decode_with_pillow(data)
        if page.dtype.kind not in "buf":
            raise PhotoError(f"holds {page.dtype} values; save it as unsigned integers or real numbers first.")
        colours = 3 if page.photometric == PHOTOMETRIC.RGB else 1
        if page.samplesperpixel not in (colours, colours + 1) or page.axes not in ("YX", "YXS", "SYX"):
            raise PhotoError(f"has {page.samplesperpixel} channels ({page.axes}); save it as grey or RGB first.")
        segments = zip(page.dataoffsets, page.databytecounts, strict=True)
        if any(count == 0 or offset + count > len(data) for offset, count in segments):
            raise PhotoError("is incomplete, some of its pixels are missing; take another copy of it.")
        samples = page.asarray()
        if page.axes == "SYX":
            samples = np.moveaxis(samples, 0, -1)
        bits = page.bitspersample
        negative = page.photometric == PHOTOMETRIC.MINISWHITE
        premultiplied = page.extrasamples[:1] == (1,)
        icc_profile = page.tags.valueof("InterColorProfile")
        orientation = page.tags.valueof("Orientation", 1)
    values = _unit(_channels_last(samples), bits)
    if negative:
        values[..., :1] = 1 - values[..., :1]
    if premultiplied:
        alpha = values[..., -1:]
        np.divide(values[..., :-1], alpha, out=values[..., :-1], where=alpha > 0)
        np.minimum(values, 1, out=values)
    bit_depth = 32 if samples.dtype.kind == "f" or bits > 16 else 16 if bits > 8 else 8
    return Decoded(_turn(values, orientation), colours, bit_depth, "TIFF", exif_of_tiff(data), icc_profile)


def _check_size(rows: int, cols: int) -> None:
    if min(rows, cols) < 1:
        raise PhotoError("has no pixels; take another copy of it.")
    if max(rows, cols) > MAX_SIDE or rows * cols > MAX_PIXELS:
        width, height, side = (f"{number:,}".replace(",", " ") for number in (cols, rows, MAX_SIDE))
        raise PhotoError(
            f"is {width} pixels wide and {height} high; the limit is {side} on a side and "
            f"{MAX_PIXELS // 10**6} million in all, so scale it down or cut it first."
        )


def _unit(samples: NDArray, bits: int) -> NDArray[np.float32]:
    """Scale unsigned integers (rows, cols, channels) of `bits` bits to [0, 1]; check that real numbers lie there."""
    if samples.dtype.kind != "f":
        # Channel by channel in memory, as `Photo` keeps them: no second copy of a large photo.
        planes = np.divide(np.moveaxis(samples, -1, 0), np.float32(2**bits - 1), dtype=np.float32, order="C")
        return np.moveaxis(planes, 0, -1)
    if not np.isfinite(samples).all():
        raise PhotoError("holds NaN (not-a-number) or infinite values; replace them first.")
    low, high = float(samples.min()), float(samples.max())
    if low < -_ROUNDING or high > 1 + _ROUNDING:
        raise PhotoError(
            f"holds real numbers from {low:g} to {high:g} where only 0 (black) to 1 (white) have a meaning here; "
            "scale it, or tone-map it if it is an HDR picture, first."
        )
    return np.clip(samples, 0, 1).astype(np.float32)


def _channels_last(values: NDArray) -> NDArray:
    return values[..., None] if values.ndim == 2 else values


def _turn(values: NDArray[np.float32], orientation: int) -> NDArray[np.float32]:
    """Turn (rows, cols, channels) upright; `orientation` is EXIF's, and any other number than 2–8 means upright."""
    if orientation in (5, 6, 7, 8):
        values = values.swapaxes(0, 1)
    if orientation in (2, 3, 6, 7):
        values = values[:, ::-1]
    if orientation in (3, 4, 7, 8):
        values = values[::-1]
    return values
