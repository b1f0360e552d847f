"""Opens cameras' raw files with LibRaw, if the optional package rawpy is installed."""

import importlib.util
import io
import struct
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

from nerd_gui.imaging.decode import TIFF_MAGIC, Decoded, Planes
from nerd_gui.imaging.errors import PhotoError, in_words
from nerd_gui.imaging.limits import check_size
from nerd_gui.imaging.metadata import XMP_TAG, bytes_of_tag, exif_of_parts, exif_of_region, exif_of_tiff, find_tag
from nerd_gui.imaging.watch import OpeningCancelled, Watch

#: Suffixes of raw files: Adobe, phones and others, Canon, Nikon, Sony, Fujifilm, Olympus, Panasonic, Pentax, Samsung.
RAW_SUFFIXES = (".dng", ".cr2", ".cr3", ".nef", ".nrw", ".arw", ".raf", ".orf", ".rw2", ".pef", ".srw")
_NOT_THERE = 'is a camera\'s raw file; to open such files, install rawpy: pip install "nerd-gui[raw]".'
#: The first bytes of raw files that are TIFF files except for their magic number.
_NEARLY_TIFF = (b"IIRO", b"IIRS", b"IIU\0")
_DNG_VERSION = 50_706
_BAND = 128  # rows that are scaled at a time, so that they stay in the CPU's cache
#: EXIF orientation by LibRaw's number for the rotation.
_ORIENTATIONS = {0: 1, 3: 3, 5: 8, 6: 6}


def can_develop() -> bool:
    """Whether rawpy is installed."""
    return importlib.util.find_spec("rawpy") is not None


def is_raw(path: Path, data: bytes) -> bool:
    """Whether a file is a camera's raw file, by its suffix or its first bytes."""
    return (
        path.suffix.lower() in RAW_SUFFIXES
        or data.startswith((b"FUJIFILMCCD-RAW", *_NEARLY_TIFF))
        or data[4:11] == b"ftypcrx"
        or (data[:4] in TIFF_MAGIC and (data[8:10] == b"CR" or find_tag(data, _DNG_VERSION) is not None))
    )


def decode_raw(data: bytes, watch: Watch | None = None) -> Decoded:
    """Develop the bytes of a raw file: 16 bits, camera's white balance, sRGB, upright, no automatic brightness.

    The file's data about exposure, lens and place become the EXIF block, without the maker's notes.

    Raises
    ------
    PhotoError
        If rawpy is missing or the file cannot be developed; the message lacks its subject.
    OpeningCancelled
        If the watch was cancelled, which is checked before unpacking, before developing, and while scaling.
    """
    if not can_develop():
        raise PhotoError(_NOT_THERE)
    import rawpy

    watch = watch or Watch()
    try:
        with rawpy.imread(io.BytesIO(data)) as raw:
            check_size(raw.sizes.height, raw.sizes.width, len(data))
            watch.at(0.05)
            raw.unpack()
            watch.at(0.25)
            samples = raw.postprocess(
                use_camera_wb=True,
                output_bps=16,
                no_auto_bright=True,
                output_color=rawpy.ColorSpace.sRGB,
                gamma=(2.4, 12.92),  # that of sRGB
            )
            exif = _exif(data, _preview(raw))
    except (PhotoError, OpeningCancelled):
        raise
    except rawpy.LibRawFileUnsupportedError as error:
        version = ".".join(map(str, rawpy.libraw_version))
        raise PhotoError(
            f"cannot be developed by LibRaw {version}; develop it to TIFF with the camera's own program, or convert it "
            "to DNG first."
        ) from error
    except (MemoryError, rawpy.LibRawUnsufficientMemoryError) as error:
        raise PhotoError("needs more memory than is free; close other programs.") from error
    except Exception as error:  # decoders may raise any error for a damaged file
        raise PhotoError(f"is damaged or incomplete ({_words(error)}); take another copy of it.") from error
    rows, cols, channels = samples.shape
    planes = Planes(rows, cols, channels, 1)
    for row in range(0, rows, _BAND):
        watch.at(0.85 + 0.15 * row / rows)
        planes.put(samples[row : row + _BAND], 16, row=row)
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes() if channels == 3 else None
    return Decoded(
        planes.values,
        channels,
        16,
        "RAW",
        None if exif is None else exif_of_region(exif, rows, cols),
        profile,
        bytes_of_tag(data, XMP_TAG),
    )


def embedded_preview(path: Path) -> tuple[Image.Image, int, int, int] | None:
    """Return the preview in a raw file as stored, its EXIF orientation, and the photo's stored rows and columns.

    Return None if there is no preview, or rawpy is not installed.
    """
    if not can_develop():
        return None
    import rawpy

    try:
        with rawpy.imread(str(path)) as raw:
            found, sizes = _preview(raw), raw.sizes
    except (rawpy.LibRawError, rawpy.NotSupportedError):
        return None
    if found is None:
        return None
    image = Image.open(io.BytesIO(found), formats=("JPEG",)) if isinstance(found, bytes) else Image.fromarray(found)
    return image, _ORIENTATIONS.get(sizes.flip, 1), sizes.height, sizes.width


def _preview(raw: Any) -> bytes | NDArray[np.uint8] | None:
    """Return the preview in a raw file, as a JPEG file or as pixels (rows, cols, 3)."""
    import rawpy

    try:
        preview: bytes | NDArray[np.uint8] | None = raw.extract_thumb().data
        return preview
    except (rawpy.LibRawError, rawpy.NotSupportedError):
        return None


def _words(error: Exception) -> str:
    """The message of a LibRaw error, which is bytes."""
    (said, *_) = error.args or ("",)
    return said.decode(errors="replace") if isinstance(said, bytes) else in_words(error)


def _exif(data: bytes, preview: bytes | NDArray[Any] | None) -> bytes | None:
    """Make the EXIF block of a raw file. Most raw files are TIFF files; others hold parts of one, or a JPEG file."""
    if data[:4] in TIFF_MAGIC:
        return exif_of_tiff(data)
    if data[:4] in _NEARLY_TIFF:
        return exif_of_tiff(b"II*\0" + data[4:])
    if data[4:11] == b"ftypcrx":
        return exif_of_parts(*(_canon_part(data, name) for name in (b"CMT1", b"CMT2", b"CMT4")))
    if isinstance(preview, bytes):
        with Image.open(io.BytesIO(preview), formats=("JPEG",)) as image:
            return exif_of_tiff(image.info.get("exif", b"").removeprefix(b"Exif\0\0"))
    return None


def _canon_part(data: bytes, name: bytes) -> bytes:
    """Return a box of a CR3 file with a TIFF directory: the main one (CMT1), EXIF (CMT2) or GPS (CMT4)."""
    place = data.find(name, 0, 2**20)
    if place < 4:
        return b""
    (length,) = struct.unpack_from(">I", data, place - 4)
    return data[place + 4 : place - 4 + length]
