"""Further metadata of a picture file, beside EXIF, XMP and colour profile; and what is not read from the file."""

import struct
import zlib
from bisect import bisect_left
from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple

from PIL import Image

from nerd_gui.imaging.metadata import IPTC_TAG, PHOTOSHOP_IPTC, bytes_of_tag

_RESOLUTION = (282, 283)  # tags: across, down
_INCHES = {2: 1.0, 3: 2.54}  # units per inch, by the value of the unit's tag
_EXIF_TAGS = (271, 272, 34_665, 34_853)  # make, model, and the EXIF and GPS directories
_MOST_TEXT = 2**20  # largest total number of characters
#: Keys of texts in PNG files that hold XMP or EXIF data, which are read separately.
_ELSEWHERE = ("XML:com.adobe.xmp", "Raw profile type exif", "Raw profile type xmp", "Raw profile type APP1")
COMMENT, DESCRIPTION = "Comment", "Description"
#: The quantisation tables for luma and colour in annex K of the JPEG standard; the order of values does not matter.
_STANDARD = (
    bytes.fromhex(
        "100b0a101828333d0c0c0e131a3a3c370e0d1018283945380e11161d3357503e"
        "12162538446d674d182337405168715c31404e5767797865485c5f6270646763"
    ),
    bytes.fromhex("1112182f12151a42181a38632f42") + bytes([99] * 50),
)


class Particulars(NamedTuple):
    """Further metadata of a file.

    Attributes
    ----------
    resolution : (float, float) or None
        Pixels per inch, across and down.
    texts : tuple of (key, text)
        The texts of a PNG file; the comment of a JPEG file has the key "Comment".
    iptc : bytes or None
        IPTC data as in the file.
    quality : int or None
        The quality with which a file must be saved to lose no more than this one: for JPEG files, the quality (1-100)
        whose tables are as fine; 100 for a lossless WebP file.
    left_behind : tuple of str
        Sentences about parts of the file that were not read.
    """

    resolution: tuple[float, float] | None = None
    texts: tuple[tuple[str, str], ...] = ()
    iptc: bytes | None = None
    quality: int | None = None
    left_behind: tuple[str, ...] = ()


def of_pillow(image: Image.Image, data: bytes) -> Particulars:
    """Read the further metadata of a PNG, JPEG, WebP or BMP file whose pixels have been read."""
    info = image.info
    texts = dict(_png_texts(data)) if image.format == "PNG" else {}
    comment, photoshop = info.get("comment"), info.get("photoshop")
    if isinstance(comment, bytes) and comment.strip(b"\0 "):
        texts[COMMENT] = _text(comment)
    left = further(getattr(image, "n_frames", 1), "pictures") if image.format != "TIFF" else []
    iptc = photoshop.get(PHOTOSHOP_IPTC) if isinstance(photoshop, dict) else None
    dpi = info.get("dpi")
    tables = getattr(image, "quantization", None)
    return Particulars(
        _plausible(dpi) if isinstance(dpi, tuple) and len(dpi) == 2 else None,
        tuple(texts.items()),
        iptc if isinstance(iptc, bytes) and iptc else None,
        (quality_of(tables) if tables else None) if image.format != "WEBP" else 100 if _is_lossless(data) else None,
        tuple(left),
    )


def of_tiff(page: Any, pages: int, data: bytes) -> Particulars:
    """Read the further metadata of a TIFF file from its first page; `pages` is the number of pages."""
    left = further(pages, "pages")
    if data[2:4] in (b"+\0", b"\0+") and any(tag in page.tags for tag in _EXIF_TAGS):
        left.append("The camera's EXIF data are not kept, because they cannot be read from a BigTIFF file.")
    unit = _INCHES.get(page.tags.valueof(296, 2))
    values = [_ratio(page.tags.valueof(tag)) for tag in _RESOLUTION]
    resolution = None
    if unit is not None and values[0] and values[1]:
        resolution = _plausible((values[0] * unit, values[1] * unit))
    return Particulars(resolution, iptc=bytes_of_tag(data, IPTC_TAG), left_behind=tuple(left))


def further(count: int, what: str) -> list[str]:
    """The sentence for a file with several pictures."""
    return [f"Of the {count} {what} in the file, only the first is kept."] if count > 1 else []


def quality_of(tables: dict[int, Any]) -> int:
    """Find the least quality, on the usual scale of encoders, whose tables have no larger sums than these."""
    return max(
        min(100, 1 + bisect_left(_sums(min(number, 1)), -sum(table))) for number, table in enumerate(tables.values())
    )


@cache
def _sums(number: int) -> tuple[int, ...]:
    """Negative sums of the tables of each quality, 1-100; they are negative so that they increase."""
    scales = [5000 // quality if quality < 50 else 200 - 2 * quality for quality in range(1, 101)]
    return tuple(-sum(min(max((value * scale + 50) // 100, 1), 255) for value in _STANDARD[number]) for scale in scales)


def _png_texts(png: bytes) -> Iterator[tuple[str, str]]:
    """Yield the texts of a PNG file up to a total length.

    Pillow would read the texts after the pixels only together with the pixels.
    """
    place, left = 8, _MOST_TEXT
    while place + 12 <= len(png):
        size, kind = struct.unpack_from(">I4s", png, place)
        key, _, body = png[place + 8 : place + 8 + size].partition(b"\0")
        place += 12 + size
        if kind == b"iTXt":
            packed, (_, _, body) = body[:1] == b"\1", (b"", b"", body[2:].split(b"\0", 2)[-1])
        elif kind in (b"tEXt", b"zTXt"):
            packed, body = kind == b"zTXt", body[kind == b"zTXt" :]
        else:
            continue
        if packed:
            try:
                body = zlib.decompressobj().decompress(body, left)
            except zlib.error:
                continue
        name = key.decode("latin-1")
        left -= len(body)
        if left > 0 and name and name not in _ELSEWHERE:
            yield name, body.decode("utf-8" if kind == b"iTXt" else "latin-1", "replace")


def _is_lossless(webp: bytes) -> bool:
    """Whether the first picture of a WebP file is lossless."""
    place = 12
    while place + 8 <= len(webp):
        kind, (size,) = webp[place : place + 4], struct.unpack_from("<I", webp, place + 4)
        if kind in (b"VP8L", b"VP8 "):
            return kind == b"VP8L"
        place += 24 if kind == b"ANMF" else 8 + size + size % 2
    return False


def _text(comment: bytes) -> str:
    try:
        return comment.rstrip(b"\0").decode()
    except UnicodeDecodeError:
        return comment.rstrip(b"\0").decode("latin-1")


def _ratio(value: Any) -> float:
    """Convert a rational number of a TIFF file; 0 if it is invalid."""
    try:
        above, below = value
        return float(above) / float(below)
    except (TypeError, ValueError, ZeroDivisionError):
        return 0.0


def _plausible(resolution: tuple[Any, Any]) -> tuple[float, float] | None:
    """Return a resolution if it is plausible. Many files hold 1, which is an aspect ratio and not pixels per inch."""
    across, down = (float(value) for value in resolution)
    return (across, down) if 1 < across < 1e5 and 1 < down < 1e5 else None


#: For a photo that was not read from a file.
NOTHING = Particulars()
