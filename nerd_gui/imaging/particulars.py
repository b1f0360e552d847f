"""What a picture file says beside its pixels, the camera's data and the colours; and what of it is not read at all."""

import struct
import zlib
from bisect import bisect_left
from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple

from PIL import Image

from nerd_gui.imaging.metadata import IPTC_TAG, PHOTOSHOP_IPTC, bytes_of_tag

_RESOLUTION = (282, 283)  # tags: across, down
_INCHES = {2: 1.0, 3: 2.54}  # by the tag of the unit
_EXIF_TAGS = (271, 272, 34_665, 34_853)  # make, model, and the directories of the shot and of its place
_MOST_TEXT = 2**20  # characters that are kept
#: Keys of a PNG's texts that hold what is kept elsewhere.
_ELSEWHERE = ("XML:com.adobe.xmp", "Raw profile type exif", "Raw profile type xmp", "Raw profile type APP1")
COMMENT, DESCRIPTION = "Comment", "Description"
#: The tables of the JPEG standard's annex K, for luma and for colour; their order does not matter here.
_STANDARD = (
    bytes.fromhex(
        "100b0a101828333d0c0c0e131a3a3c370e0d1018283945380e11161d3357503e"
        "12162538446d674d182337405168715c31404e5767797865485c5f6270646763"
    ),
    bytes.fromhex("1112182f12151a42181a38632f42") + bytes([99] * 50),
)


class Particulars(NamedTuple):
    """What is kept of it.

    Attributes
    ----------
    resolution : (float, float) or None
        Pixels per inch, across and down.
    texts : tuple of (key, text)
        Of a PNG file; the comment of a JPEG file has the key "Comment".
    iptc : bytes or None
        IPTC's data, as they stand in the file.
    quality : int or None
        What a file needs to be as fine as this one: of JPEG tables the quality (1-100) whose own are no coarser; 100
        for a lossless WebP file.
    left_behind : tuple of str
        Sentences that say what in the file was not read.
    """

    resolution: tuple[float, float] | None = None
    texts: tuple[tuple[str, str], ...] = ()
    iptc: bytes | None = None
    quality: int | None = None
    left_behind: tuple[str, ...] = ()


def of_pillow(image: Image.Image, data: bytes) -> Particulars:
    """Those of a PNG, JPEG, WebP or BMP file whose pixels have been read."""
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
    """Those of a TIFF file, by its first page, and how many there are."""
    left = further(pages, "pages")
    if data[2:4] in (b"+\0", b"\0+") and any(tag in page.tags for tag in _EXIF_TAGS):
        left.append("The camera's EXIF data are not kept: they stand in a BigTIFF file.")
    unit = _INCHES.get(page.tags.valueof(296, 2))
    values = [_ratio(page.tags.valueof(tag)) for tag in _RESOLUTION]
    resolution = None
    if unit is not None and values[0] and values[1]:
        resolution = _plausible((values[0] * unit, values[1] * unit))
    return Particulars(resolution, iptc=bytes_of_tag(data, IPTC_TAG), left_behind=tuple(left))


def further(count: int, what: str) -> list[str]:
    """What is said of a file of several pictures."""
    return [f"Of the {count} {what} in the file, only the first is kept."] if count > 1 else []


def quality_of(tables: dict[int, Any]) -> int:
    """The least quality, in the scale that encoders share, whose tables are no coarser than these on the whole."""
    return max(
        min(100, 1 + bisect_left(_sums(min(number, 1)), -sum(table))) for number, table in enumerate(tables.values())
    )


@cache
def _sums(number: int) -> tuple[int, ...]:
    """Sums over the table of each quality, 1-100, negative so that they rise."""
    scales = [5000 // quality if quality < 50 else 200 - 2 * quality for quality in range(1, 101)]
    return tuple(-sum(min(max((value * scale + 50) // 100, 1), 255) for value in _STANDARD[number]) for scale in scales)


def _png_texts(png: bytes) -> Iterator[tuple[str, str]]:
    """The texts of a PNG file, also those behind its pixels, which Pillow reads with these alone; none without end."""
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
    """Whether the first picture of a WebP file is coded without loss."""
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
    """A rational number of a TIFF file; 0 for none."""
    try:
        above, below = value
        return float(above) / float(below)
    except (TypeError, ValueError, ZeroDivisionError):
        return 0.0


def _plausible(resolution: tuple[Any, Any]) -> tuple[float, float] | None:
    """A resolution, unless it is none: many files hold 1, which is a ratio of sides and says nothing of inches."""
    across, down = (float(value) for value in resolution)
    return (across, down) if 1 < across < 1e5 and 1 < down < 1e5 else None


#: Of a photo that comes from no file.
NOTHING = Particulars()
