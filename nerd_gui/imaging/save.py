"""Saving a photo at the depth it came with: whole, or not at all."""

import io
import itertools
import os
import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from nerd_gui.files import why_not, write_file
from nerd_gui.imaging.metadata import add_png_chunks, fill_tiff_directories, tiff_options, xmp_description
from nerd_gui.imaging.photo import Photo, PhotoError

# tifffile and imagecodecs are imported inside the functions that need them: training has only numpy and Pillow.

_ENCODER_ERRORS = (OSError, ValueError, TypeError, LookupError, RuntimeError, OverflowError, SyntaxError, struct.error)


@dataclass(frozen=True)
class _Format:
    """What a file format can hold, and how it is written."""

    name: str
    depth: int  # bits, 32 for real numbers
    alpha: bool
    exif: bool
    icc_profile: bool
    max_side: int
    encode: Callable[[NDArray, Photo, str | None, int], bytes]


def save_picture(
    path: str | os.PathLike[str],
    photo: Photo,
    *,
    description: str | None = None,
    quality: int = 95,
    overwrite: bool = False,
) -> Path:
    """Save a photo in the format that the suffix of `path` names: PNG, TIFF, JPEG, WebP or BMP.

    The values are clipped to [0, 1] and rounded to the bit depth of the photo, or to the most the format has; EXIF,
    colour profile and alpha go along where it can hold them (`what_is_lost` tells). The file is written under another
    name in the same folder and then renamed: either it is there as a whole or the folder is as it was.

    Parameters
    ----------
    path : path
    photo : Photo
    description : str, optional
        A text for the file: PNG's “Description”, TIFF's ImageDescription, JPEG's comment, WebP's XMP; BMP has none.
    quality : int
        1–100 for JPEG and WebP; WebP at 100 is lossless.
    overwrite : bool
        Whether an existing file, the original among them, may be replaced.

    Returns
    -------
    Path
        The saved file.

    Raises
    ------
    PhotoError
        If the file exists and may not be replaced, the suffix is unknown, the photo holds NaN or is too large for the
        format, or it cannot be written.
    """
    path = Path(path)
    form = _format(path.suffix)
    if path.is_dir():
        raise PhotoError(f"“{path}” is a folder; choose a file name in it.")
    if not overwrite:
        if photo.path is not None and path.absolute() == photo.path.absolute():
            raise PhotoError(f"“{path.name}” is the original photo; choose another name, or ask for it to be replaced.")
        if os.path.lexists(path):
            raise PhotoError(f"“{path.name}” exists already; choose another name, or ask for it to be replaced.")
    if max(photo.rows, photo.cols) > form.max_side:
        raise PhotoError(
            f"{form.name} holds at most {form.max_side} pixels on a side; save “{path.name}” as PNG or TIFF."
        )
    try:
        data = form.encode(_samples(photo, form), photo, description, quality)
    except PhotoError:
        raise
    except MemoryError as error:
        raise PhotoError(f"“{path.name}” needs more memory than there is; close other programs first.") from error
    except _ENCODER_ERRORS as error:
        raise PhotoError(
            f"“{path.name}” was not saved: the encoder refused it ({error}); try another format."
        ) from error
    try:
        write_file(path, data, overwrite=overwrite)
    except OSError as error:
        raise PhotoError(f"“{path.name}” was not saved: {why_not(error, path)}.") from error
    return path


def what_is_lost(suffix: str, photo: Photo) -> tuple[str, ...]:
    """Return a sentence for everything that a file with this suffix cannot keep of the photo.

    Raises
    ------
    PhotoError
        If the suffix is unknown.
    """
    form = _format(suffix)
    lost = []
    if photo.bit_depth > form.depth:
        part = "bits of the photo's real numbers" if photo.bit_depth == 32 else f"of {photo.bit_depth} bits"
        lost.append(f"{form.name} keeps {form.depth} {part}.")
    if photo.alpha is not None and not form.alpha:
        lost.append(f"{form.name} has no transparency.")
    if photo.exif is not None and not form.exif:
        lost.append(f"{form.name} has no room for the camera's EXIF data.")
    if photo.icc_profile is not None and not form.icc_profile:
        lost.append(f"{form.name} has no room for the colour profile.")
    return tuple(lost)


def denoised_name(photo: Photo, folder: str | os.PathLike[str] | None = None, suffix: str | None = None) -> Path:
    """Return a path that is free: NAME_denoised with a suffix, or NAME_denoised-2, -3 …

    Parameters
    ----------
    photo : Photo
    folder : path, optional
        The folder of the original if left out; the current one for a sample.
    suffix : str, optional
        Such as ".png"; `usual_suffix` if left out.
    """
    if folder is None:
        folder = photo.path.parent if photo.path is not None else Path.cwd()
    return free_name(folder, f"{photo.name}_denoised", usual_suffix(photo) if suffix is None else suffix)


def free_name(folder: str | os.PathLike[str], stem: str, suffix: str) -> Path:
    """Return a path in a folder at which there is nothing yet: the stem and the suffix, or with -2, -3 … between."""
    candidates = itertools.chain([stem], (f"{stem}-{number}" for number in itertools.count(2)))
    return next(path for name in candidates if not os.path.lexists(path := Path(folder) / (name + suffix)))


def usual_suffix(photo: Photo) -> str:
    """Return the suffix to save a photo with: its own, or that of its format, or .png."""
    own = photo.path.suffix if photo.path is not None else ""
    return own if own.lower() in _FORMATS else _USUAL_SUFFIX.get(photo.format or "", ".png")


def suffix_for_file(path: Path) -> str:
    """Return the suffix to save a photo file's picture with: the file's own, or that of its format, or .png."""
    if path.suffix.lower() in _FORMATS:
        return path.suffix
    try:
        with Image.open(path, formats=[*_USUAL_SUFFIX]) as image:
            return _USUAL_SUFFIX[str(image.format)]
    except _ENCODER_ERRORS:  # no picture that could be saved at all
        return ".png"


def _format(suffix: str) -> _Format:
    if suffix.lower() not in _FORMATS:
        raise PhotoError(f"Pictures cannot be saved as “{suffix}”; use {', '.join(_FORMATS)}.")
    return _FORMATS[suffix.lower()]


def _samples(photo: Photo, form: _Format) -> NDArray:
    """Return (rows, cols) or (rows, cols, channels) at the depth that photo and format share."""
    planes = [*photo.pixels]
    if photo.alpha is not None and form.alpha:
        planes.append(photo.alpha)
    values = np.clip(np.stack(planes, axis=-1), 0, 1)
    if np.isnan(values).any():
        raise PhotoError(f"“{photo.name}” holds NaN (not-a-number) values and cannot be saved; denoise it again.")
    depth = min(photo.bit_depth, form.depth)
    if depth < 32:
        values = np.rint(values * np.float32(2**depth - 1)).astype(f"uint{depth}")
    return values[..., 0] if len(planes) == 1 else values


def _encode_png(samples: NDArray, photo: Photo, description: str | None, _: int) -> bytes:
    from imagecodecs import png_encode  # Pillow has no 16-bit colours

    return add_png_chunks(bytes(png_encode(samples)), photo.exif, photo.icc_profile, description)


def _encode_tiff(samples: NDArray, photo: Photo, description: str | None, _: int) -> bytes:
    from tifffile import imwrite

    stream = io.BytesIO()
    imwrite(
        stream,
        samples,
        bigtiff=False,
        photometric="rgb" if photo.channels == 3 else "minisblack",
        planarconfig=None if samples.ndim == 2 else "contig",
        extrasamples=None if photo.alpha is None else ["unassalpha"],
        compression="zlib",
        predictor=True,
        iccprofile=photo.icc_profile,
        metadata=None,
        software=False,
        **tiff_options(photo.exif, description),
    )
    return fill_tiff_directories(stream.getvalue(), photo.exif)


def _encode_jpeg(samples: NDArray, photo: Photo, description: str | None, quality: int) -> bytes:
    # Full colour resolution: fine detail is what a denoiser is for.
    comment = b"" if description is None else description.encode()
    return _pillow(samples, "JPEG", photo, quality=quality, subsampling=0, comment=comment)


def _encode_webp(samples: NDArray, photo: Photo, description: str | None, quality: int) -> bytes:
    xmp = b"" if description is None else xmp_description(description)
    return _pillow(samples, "WEBP", photo, quality=quality, lossless=quality == 100, exact=True, xmp=xmp)


def _encode_bmp(samples: NDArray, photo: Photo, _: str | None, __: int) -> bytes:
    return _pillow(samples, "BMP", photo)


def _pillow(samples: NDArray, name: str, photo: Photo, **options: object) -> bytes:
    stream = io.BytesIO()
    # Pillow takes an empty block for none.
    exif, icc_profile = photo.exif or b"", photo.icc_profile or b""
    Image.fromarray(samples).save(stream, name, exif=exif, icc_profile=icc_profile, **options)
    return stream.getvalue()


_PNG = _Format("PNG", 16, True, True, True, 2**31 - 1, _encode_png)
_TIFF = _Format("TIFF", 32, True, True, True, 2**31 - 1, _encode_tiff)
_JPEG = _Format("JPEG", 8, False, True, True, 65_535, _encode_jpeg)
_WEBP = _Format("WebP", 8, True, True, True, 16_383, _encode_webp)
_BMP = _Format("BMP", 8, False, False, False, 2**31 - 1, _encode_bmp)
_FORMATS = {
    ".png": _PNG,
    ".tif": _TIFF,
    ".tiff": _TIFF,
    ".jpg": _JPEG,
    ".jpeg": _JPEG,
    ".webp": _WEBP,
    ".bmp": _BMP,
}
#: Of the files that can be opened and saved.
SUFFIXES = tuple(_FORMATS)
_USUAL_SUFFIX = {"PNG": ".png", "TIFF": ".tif", "JPEG": ".jpg", "WEBP": ".webp", "BMP": ".bmp"}
