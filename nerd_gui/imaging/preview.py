"""Makes a small preview of a photo file without decoding all its pixels."""

import io
import math
import os
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from nerd_gui.imaging.decode import FORMATS, TIFF_MAGIC, Planes
from nerd_gui.imaging.limits import check_scans, check_size
from nerd_gui.imaging.metadata import thumbnail_of, upright_exif
from nerd_gui.imaging.raw import embedded_preview, is_raw

# tifffile is imported inside the function that needs it: training has only numpy and Pillow.

_HEAD = 2**16  # bytes at the start of a file that identify its format


class Preview(NamedTuple):
    """A small picture of a photo, and the photo's size.

    Attributes
    ----------
    pixels : uint8 array (rows, cols, 3)
        The upright preview.
    rows, cols : int
        Size of the photo itself, upright.
    """

    pixels: NDArray[np.uint8]
    rows: int
    cols: int


def preview(path: str | os.PathLike[str], side: int) -> Preview | None:
    """Return a preview with a longer side of about `side` pixels, or smaller if the file only holds a smaller one.

    JPEG files are decoded at reduced size; in TIFF files, only some rows are decoded; in raw files, the preview is
    used; in other files, the thumbnail in the EXIF data.

    Returns
    -------
    Preview or None
        None if there is no quick way, and for files that `open_photo` will refuse.
    """
    try:
        with Path(path).open("rb") as file:
            head = file.read(_HEAD)
        if is_raw(Path(path), head):
            return _of_raw(Path(path), side)
        return _of_tiff(path, side) if head[:4] in TIFF_MAGIC else _with_pillow(path, side)
    except Exception:  # noqa: BLE001 - opening the photo itself will report the error
        return None


def _with_pillow(path: str | os.PathLike[str], side: int) -> Preview | None:
    with Image.open(path, formats=FORMATS) as image:
        check_size(image.height, image.width, os.path.getsize(path))
        if image.info.get("progressive"):
            check_scans(Path(path).read_bytes(), image.height, image.width)
        rows, cols, exif = image.height, image.width, image.info.get("exif")
        if image.format in ("JPEG", "MPO"):
            _reduce(image, side)
            return _turned(image, upright_exif(exif)[1], rows, cols)
        small = thumbnail_of(exif) if exif else None
    if small is None:
        return None
    with Image.open(io.BytesIO(small), formats=("JPEG",)) as image:
        return _turned(image, upright_exif(exif)[1], rows, cols)


def _of_raw(path: Path, side: int) -> Preview | None:
    found = embedded_preview(path)
    if found is None:
        return None
    image, orientation, rows, cols = found
    check_size(rows, cols, path.stat().st_size)
    with image:
        _reduce(image, side)
        return _turned(image, orientation, rows, cols)


def _reduce(image: Image.Image, side: int) -> None:
    """Set a JPEG file to be decoded at the reduced size that is closest to `side`."""
    longer = max(image.size)
    image.draft("RGB", (max(1, image.width * side // longer), max(1, image.height * side // longer)))


def _turned(image: Image.Image, orientation: int, rows: int, cols: int) -> Preview:
    """Turn a small picture upright and make a preview of it; rows and cols are the photo's stored size."""
    planes = Planes(image.height, image.width, 3, orientation)
    planes.put(np.asarray(image.convert("RGB")), 8)
    return _preview(planes, rows, cols, orientation)


def _of_tiff(path: str | os.PathLike[str], side: int) -> Preview | None:
    from tifffile import PHOTOMETRIC, TiffFile

    with TiffFile(path) as tiff:
        page = tiff.pages.first
        rows, cols, colours = page.imagelength, page.imagewidth, 3 if page.photometric == PHOTOMETRIC.RGB else 1
        check_size(rows, cols, os.path.getsize(path))
        plain = page.photometric in (PHOTOMETRIC.MINISWHITE, PHOTOMETRIC.MINISBLACK, PHOTOMETRIC.RGB)
        if not plain or page.dtype is None or page.dtype.kind not in "uf" or page.planarconfig != 1:
            return None
        step = math.ceil(max(rows, cols) / side)
        wanted = range(step // 2, rows, step)
        if page.is_memmappable:
            samples = page.asarray(out="memmap", squeeze=False)[0, 0, wanted.start :: step, ::step]
        elif page.is_tiled or 2 * page.rowsperstrip > step:  # it would be as much work as opening the photo
            return None
        else:
            samples = np.stack([_row(page, row)[::step] for row in wanted])
        orientation = page.tags.valueof("Orientation", 1)
        planes = Planes(samples.shape[0], samples.shape[1], colours, orientation)
        planes.put(samples[..., :colours], page.bitspersample)
        if page.photometric == PHOTOMETRIC.MINISWHITE:
            np.subtract(1, planes.values, out=planes.values)
    return _preview(planes, rows, cols, orientation)


def _row(page: Any, row: int) -> NDArray[Any]:
    """Decode one row of a page of a TIFF file, (cols, samples)."""
    strip, below = divmod(row, page.rowsperstrip)
    file = page.parent.filehandle
    file.seek(page.dataoffsets[strip])
    segment, _, _ = page.decode(file.read(page.databytecounts[strip]), strip)
    pixels: NDArray[Any] = segment[0, below]
    return pixels


def _preview(planes: Planes, rows: int, cols: int, orientation: int) -> Preview:
    pixels = np.rint(planes.values * 255).astype(np.uint8)
    turned = orientation in (5, 6, 7, 8)
    return Preview(
        np.ascontiguousarray(np.broadcast_to(pixels, (3, *pixels.shape[1:])).transpose(1, 2, 0)),
        *((cols, rows) if turned else (rows, cols)),
    )
