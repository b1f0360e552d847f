"""Saves a photo with its original bit depth; the file is written whole or not at all."""

import itertools
import os
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from nerd_gui.files import check_place, why_not, write_file
from nerd_gui.imaging.decode import FORMATS as READABLE
from nerd_gui.imaging.encode import FORMATS, JPEG_EXIF_BYTES, JPEG_XMP_BYTES, Format, Words
from nerd_gui.imaging.errors import PhotoError, in_words
from nerd_gui.imaging.metadata import exif_of_region, fits_jpeg, with_size, with_thumbnail
from nerd_gui.imaging.photo import Photo
from nerd_gui.imaging.raw import RAW_SUFFIXES
from nerd_gui.imaging.thumbnail import thumbnail_of_samples
from nerd_gui.imaging.xmp import Edit, has_further_parts, is_readable, smaller, xmp_of_saved

_BAND = 128  # rows that are rounded at a time, so that they stay in the CPU's cache
_QUALITY = 95  # default quality of JPEG and WebP files
_TRIAL = 8  # side in pixels of the part that is encoded as a test
_EDIT_BYTES = 6_000  # space reserved in an XMP packet for the record of an edit


def save_picture(
    path: str | os.PathLike[str],
    photo: Photo,
    *,
    description: str | None = None,
    edit: Edit | None = None,
    quality: int | None = None,
    overwrite: bool = False,
) -> Path:
    """Save a photo in the format that the suffix of `path` names: PNG, TIFF, JPEG, WebP or BMP.

    The values are clipped to [0, 1] and rounded to the bit depth of the photo, or to the format's largest depth. EXIF,
    XMP, colour profile and alpha are stored if the format can hold them; `what_is_lost` lists what it cannot. If the
    EXIF block has a thumbnail, it is replaced by one of the new picture. The file is written under another name in the
    same folder and then renamed, so that an error leaves the folder unchanged.

    Parameters
    ----------
    path : path
    photo : Photo
    description : str, optional
        A text for the file: PNG's “Description”, JPEG's comment, or, if the photo has no caption there, TIFF's
        ImageDescription or WebP's XMP. BMP files have no such text.
    edit : Edit, optional
        The record of what was done to the photo, for the file's XMP.
    quality : int, optional
        1–100 for JPEG and WebP; WebP at 100 is lossless. None: 95, or that of the photo's own file if it is higher.
    overwrite : bool
        Whether an existing file, even the original, may be replaced.

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
    data = _encoded(path, photo, _checked(path, photo, overwrite), description, edit, quality)
    try:
        write_file(path, data, overwrite=overwrite)
    except OSError as error:
        raise PhotoError(f"“{path.name}” was not saved: {why_not(error, path)}.") from error
    return path


def check_saving(path: str | os.PathLike[str], photo: Photo, *, overwrite: bool = False) -> None:
    """Check whether a photo like this one can be saved under this name, before the work on its pixels begins.

    Folders may still be missing.

    Raises
    ------
    PhotoError
        For the errors of `save_picture` that can be predicted.
    """
    path, corner = Path(path), np.s_[..., :_TRIAL, :_TRIAL]
    alpha = None if photo.alpha is None else photo.alpha[corner]
    form = _checked(path, photo, overwrite)
    _encoded(path, replace(photo, pixels=photo.pixels[corner], alpha=alpha), form)
    try:
        check_place(path)
    except OSError as error:
        raise PhotoError(f"“{path.name}” cannot be saved: {why_not(error, path)}.") from error


def _checked(path: Path, photo: Photo, overwrite: bool) -> Format:
    """Check that the photo may be saved under this name; return the format."""
    form = _format(path.suffix)
    if os.path.isdir(path):
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
    return form


def _encoded(
    path: Path,
    photo: Photo,
    form: Format,
    description: str | None = None,
    edit: Edit | None = None,
    quality: int | None = None,
) -> bytes:
    """Encode the file."""
    try:
        samples = _samples(photo, form)
        quality = max(_QUALITY, photo.particulars.quality or 0) if quality is None else quality
        return form.encode(samples, _words(photo, samples, form, description, edit), quality)
    except PhotoError:
        raise
    except MemoryError as error:
        raise PhotoError(f"“{path.name}” needs more memory than is free; close other programs first.") from error
    except Exception as error:  # encoders may raise any error
        raise PhotoError(
            f"“{path.name}” was not saved: the encoder refused it ({in_words(error)}); try another format."
        ) from error


def what_is_lost(suffix: str, photo: Photo) -> tuple[str, ...]:
    """Return a sentence for everything of the photo that a file with this suffix cannot store.

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
    if photo.exif is not None and not form.words:
        lost.append(f"{form.name} has no room for the camera's EXIF data.")
    if photo.exif is not None and _is_too_long(photo.exif, form):
        lost.append("JPEG has no room for all of the EXIF data; thumbnail and maker's notes are left out.")
    if photo.icc_profile is not None and not form.words:
        lost.append(f"{form.name} has no room for the colour profile.")
    if photo.xmp is not None:
        lost += _lost_of_xmp(photo.xmp, form)
    return (*lost, *_lost_of_particulars(photo, form))


def _lost_of_particulars(photo: Photo, form: Format) -> list[str]:
    lost, particulars = list(photo.particulars.left_behind), photo.particulars
    if particulars.resolution is not None and photo.exif is None and not form.resolution:
        lost.append(f"{form.name} has no room for the resolution in pixels per inch.")
    texts = [key for key, _ in particulars.texts if form.texts is not None and key not in form.texts]
    if texts:
        named = ", ".join(f"“{key}”" for key in texts[:4]) + (" and others" if len(texts) > 4 else "")
        lost.append(f"{form.name} has no room for the photo's texts {named}.")
    if particulars.iptc is not None and not (form.iptc and (form.name != "JPEG" or fits_jpeg(particulars.iptc))):
        lost.append(f"{form.name} has no room for the IPTC data.")
    return lost


def _is_too_long(exif: bytes, form: Format) -> bool:
    return form.name == "JPEG" and len(exif) > JPEG_EXIF_BYTES


def _lost_of_xmp(xmp: bytes, form: Format) -> list[str]:
    if not form.words:
        return [f"{form.name} has no room for the XMP data."]
    if not is_readable(xmp):
        return ["The photo's XMP data are damaged and are not kept."]
    lost = []
    if has_further_parts(xmp):
        lost.append("Other parts of the photo's file, such as a film, a gain map or a depth map, are not kept.")
    if form.name == "JPEG" and (names := smaller(xmp, JPEG_XMP_BYTES - _EDIT_BYTES)[1]):
        lost.append(f"JPEG has no room for all of the XMP data; left out are {', '.join(names)}.")
    return lost


def denoised_name(photo: Photo, folder: str | os.PathLike[str] | None = None, suffix: str | None = None) -> Path:
    """Return an unused path: NAME_denoised with a suffix, or NAME_denoised-2, -3 and so on.

    Parameters
    ----------
    photo : Photo
    folder : path, optional
        None: the folder of the original, or the working directory for a sample.
    suffix : str, optional
        Such as ".png"; None: `usual_suffix`.
    """
    if folder is None:
        folder = photo.path.parent if photo.path is not None else Path.cwd()
    return free_name(folder, f"{photo.name}_denoised", usual_suffix(photo) if suffix is None else suffix)


def free_name(folder: str | os.PathLike[str], stem: str, suffix: str) -> Path:
    """Return an unused path in a folder: the stem and the suffix, with -2, -3 … between them if needed."""
    candidates = itertools.chain([stem], (f"{stem}-{number}" for number in itertools.count(2)))
    return next(path for name in candidates if not os.path.lexists(path := Path(folder) / (name + suffix)))


def usual_suffix(photo: Photo) -> str:
    """Return the suffix for saving a photo: its own, else that of its format, else .png."""
    own = photo.path.suffix if photo.path is not None else ""
    return own if own.lower() in FORMATS else _USUAL_SUFFIX.get(photo.format or "", ".png")


def suffix_for_file(path: Path) -> str:
    """Return the suffix for the result of a photo file: the file's own, else that of its format, else .png."""
    if path.suffix.lower() in FORMATS:
        return path.suffix
    if path.suffix.lower() in RAW_SUFFIXES:
        return _USUAL_SUFFIX["RAW"]
    try:
        with Image.open(path, formats=READABLE) as image:
            return _USUAL_SUFFIX[str(image.format)]
    except Exception:  # noqa: BLE001 - the file is not a picture, and opening it will report the error
        return ".png"


def _format(suffix: str) -> Format:
    if suffix.lower() not in FORMATS:
        raise PhotoError(f"Pictures cannot be saved as “{suffix}”; use {', '.join(FORMATS)}.")
    return FORMATS[suffix.lower()]


def _words(photo: Photo, samples: NDArray[Any], form: Format, description: str | None, edit: Edit | None) -> Words:
    """Make the metadata of the saved file; thumbnail and size are those of the new samples."""
    exif = photo.exif
    if exif is not None and _is_too_long(exif, form):
        exif = exif_of_region(exif, photo.rows, photo.cols)
    if exif is not None:
        exif = with_size(with_thumbnail(exif, partial(thumbnail_of_samples, samples)), photo.rows, photo.cols)
    caption = description if form.name == "WebP" else None
    xmp = xmp_of_saved(photo.xmp, photo.rows, photo.cols, edit=edit, description=caption)
    return Words(exif, photo.icc_profile, xmp, description, photo.particulars)


def _samples(photo: Photo, form: Format) -> NDArray[Any]:
    """Return samples (rows, cols) or (rows, cols, channels) at the smaller of the photo's and the format's depth."""
    planes = [*photo.pixels]
    if photo.alpha is not None and form.alpha:
        planes.append(photo.alpha)
    depth = min(photo.bit_depth, form.depth)
    samples = np.empty((photo.rows, photo.cols, len(planes)), f"uint{depth}" if depth < 32 else np.float32)
    for row in range(0, photo.rows, _BAND):  # so that no second copy of a large photo is made as float32
        for number, plane in enumerate(planes):
            band = np.clip(plane[row : row + _BAND], 0, 1)
            if np.isnan(band).any():
                raise PhotoError(
                    f"“{photo.name}” holds NaN (not-a-number) values and cannot be saved; denoise it again."
                )
            if depth < 32:
                band *= np.float32(2**depth - 1)
                np.rint(band, out=band)
            samples[row : row + _BAND, :, number] = band
    return samples[..., 0] if len(planes) == 1 else samples


#: Suffixes of files that can be opened; results of the last two are saved as .jpg.
SUFFIXES = (*FORMATS, ".jfif", ".jpe")
_USUAL_SUFFIX = {"PNG": ".png", "TIFF": ".tif", "JPEG": ".jpg", "WEBP": ".webp", "BMP": ".bmp", "RAW": ".tif"}
