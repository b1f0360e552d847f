r"""Reading and writing the metadata of picture files: EXIF, colour profile, description.

EXIF is handled as the bytes of its block, with the prefix ``Exif\0\0``, and copied unchanged if the format allows it,
so that nothing a camera wrote is lost. Only for TIFF, whose own directory holds the EXIF entries, the block is taken
apart; the entries are then copied unchanged, in their byte order.
"""

import re
import struct
import zlib
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

_PREFIX = b"Exif\0\0"
_METRES = 0.0254  # metres in an inch
_BYTE_ORDERS = {b"II*\0": "<", b"MM\0*": ">"}
_DESCRIPTION, _ORIENTATION, _INTEROP = 0x010E, 0x0112, 0xA005
_TEXTS = (_DESCRIPTION, 0x010F, 0x0110, 0x0131, 0x0132, 0x013B, 0x8298)  # make, model, software, time, artist, rights
_THUMBNAIL, _THUMBNAIL_BYTES = 0x0201, 0x0202  # position, and length in bytes
_WIDTH, _HEIGHT = 0xA002, 0xA003
_TIFF_WIDTH, _TIFF_HEIGHT = 0x0100, 0x0101
_EXIF_DIRECTORY = 0x8769
_OF_THE_WHOLE = (0x9214, 0x927C, 0xA214, 0xA420)  # subject area, maker's notes, subject location, image's unique number
_DIRECTORIES = {_EXIF_DIRECTORY: "ExifTag", 0x8825: "GPSTag"}  # tifffile writes these by name only
_BYTE, _ASCII, _SHORT, _LONG, _UNDEFINED = 1, 2, 3, 4, 7
#: The tag of an XMP packet in a TIFF file.
XMP_TAG = 700
#: The identifiers of IPTC data in a TIFF file, and in the Photoshop block of a JPEG file.
IPTC_TAG, PHOTOSHOP_IPTC = 33_723, 0x0404
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8}  # bytes per value, by type
# Descriptions by which scientific programs mark their own kinds of TIFF files; they would be wrong in other files.
_MARKERS = (b"ImageJ=", b"<?xml", b"{")


class _Entry(NamedTuple):
    """An entry of a directory: its tag, the type of its values, and their bytes in the file's byte order."""

    tag: int
    kind: int
    data: bytes


def upright_exif(raw: bytes | None) -> tuple[bytes | None, int]:
    """Return an EXIF block with its orientation set to 1, and the orientation (1–8) it had.

    None stands for a missing or unreadable block.
    """
    body = bytearray(re.sub(rb"\A(Exif\0\0)+", b"", raw or b""))
    order = _BYTE_ORDERS.get(bytes(body[:4]))
    if order is None:
        return None, 1
    orientation = 1
    place = find_tag(body, _ORIENTATION)
    if place is not None:
        kind, _, value = struct.unpack_from(order + "HIH", body, place + 2)
        if kind == _SHORT:
            orientation = value if 1 <= value <= 8 else 1
            struct.pack_into(order + "H", body, place + 8, 1)
    return _PREFIX + bytes(body), orientation


def find_tag(tiff: bytes | bytearray, tag: int) -> int | None:
    """Return the position of the 12-byte entry of `tag` in the first directory of a TIFF, or of EXIF's body.

    Return None if there is no such tag or no directory, and for BigTIFF.
    """
    order = _BYTE_ORDERS.get(bytes(tiff[:4]))
    if order is None or len(tiff) < 8:
        return None
    (start,) = struct.unpack_from(order + "I", tiff, 4)
    return next((place for place in _places(tiff, order, start) if _tag_at(tiff, order, place) == tag), None)


def exif_of_tiff(data: bytes) -> bytes | None:
    """Return the camera's data in a TIFF file as an EXIF block; None if there are none, and for BigTIFF."""
    _, texts, directories = _parts(data)
    return _block(data[:4], [entry for entry in texts if not entry.data.startswith(_MARKERS)], directories)


def exif_of_parts(first: bytes, details: bytes, place: bytes) -> bytes | None:
    """Make an EXIF block from three TIFF structures that hold the main, the EXIF and the GPS directory."""
    order, texts, _ = _parts(first)
    directories = {}
    for tag, part in zip(_DIRECTORIES, (details, place), strict=True):
        if part[:4] == first[:4] and len(part) >= 8:
            (start,) = struct.unpack_from(order + "I", part, 4)
            directories[tag] = [entry for entry in _directory(part, order, start) if entry.tag != _INTEROP]
    return _block(first[:4], texts, {tag: entries for tag, entries in directories.items() if entries})


def bytes_of_tag(tiff: bytes, tag: int) -> bytes | None:
    """Return the bytes of a value in the first directory of a TIFF; None if it is missing, and for BigTIFF."""
    order = _BYTE_ORDERS.get(tiff[:4])
    if order is None or len(tiff) < 8:
        return None
    (start,) = struct.unpack_from(order + "I", tiff, 4)
    return next((entry.data for entry in _directory(tiff, order, start) if entry.tag == tag), None)


def exif_of_region(exif: bytes, rows: int, cols: int) -> bytes | None:
    """Return the EXIF block for a region of a photo: how, when and where it was taken, and the region's size.

    Entries that only apply to the whole photo are omitted: the thumbnail, the unique number, the subject's position,
    and the maker's notes, which often contain further previews.
    """
    tiff = exif.removeprefix(_PREFIX)
    order, texts, directories = _parts(tiff)
    size = {_WIDTH: cols, _HEIGHT: rows}
    kept = {
        tag: [
            _Entry(entry.tag, _LONG, struct.pack(order + "I", size[entry.tag])) if entry.tag in size else entry
            for entry in entries
            if entry.tag not in _OF_THE_WHOLE
        ]
        for tag, entries in directories.items()
    }
    return _block(tiff[:4], texts, {tag: entries for tag, entries in kept.items() if entries})


def thumbnail_of(exif: bytes) -> bytes | None:
    """Return the JPEG file that an EXIF block holds as its thumbnail."""
    tiff = exif.removeprefix(_PREFIX)
    place = _thumbnail_place(tiff)
    return None if place is None else tiff[place]


def with_thumbnail(exif: bytes, make: Callable[[int], bytes | None]) -> bytes:
    """Return an EXIF block with its thumbnail replaced, and all other bytes unchanged.

    A block without a thumbnail is returned unchanged. If the thumbnail is not a JPEG file, or `make` returns None, the
    thumbnail is removed.

    Parameters
    ----------
    make : callable
        Takes the available number of bytes, and returns a JPEG file of at most this size, or None.
    """
    tiff = bytearray(exif.removeprefix(_PREFIX))
    order, second = _BYTE_ORDERS.get(bytes(tiff[:4]), "<"), _next_directory(tiff)
    if second is None:
        return exif
    pointer, start = second
    place = _thumbnail_place(tiff)
    new = None if place is None else make(place.stop - place.start)
    if place is None or new is None:
        struct.pack_into(order + "I", tiff, pointer, 0)
    if place is not None:
        tiff[place] = (new or b"").ljust(place.stop - place.start, b"\0")
    for entry in _places(tiff, order, start) if new is not None else ():
        if _tag_at(tiff, order, entry) == _THUMBNAIL_BYTES:
            struct.pack_into(order + "HII", tiff, entry + 2, _LONG, 1, len(new or b""))
        elif _tag_at(tiff, order, entry) == _ORIENTATION:
            struct.pack_into(order + "H", tiff, entry + 8, 1)
    return _PREFIX + bytes(tiff)


def with_size(exif: bytes, rows: int, cols: int) -> bytes:
    """Return an EXIF block with the photo's size replaced wherever it is stored, and all other bytes unchanged."""
    tiff = bytearray(exif.removeprefix(_PREFIX))
    order = _BYTE_ORDERS.get(bytes(tiff[:4]))
    pointer = find_tag(tiff, _EXIF_DIRECTORY)
    places = [find_tag(tiff, tag) for tag in (_TIFF_WIDTH, _TIFF_HEIGHT)]
    if order is not None and pointer is not None:
        (start,) = struct.unpack_from(order + "I", tiff, pointer + 8)
        places += [place for place in _places(tiff, order, start) if _tag_at(tiff, order, place) in (_WIDTH, _HEIGHT)]
    for place in places:
        if order is not None and place is not None:
            tag, kind, count = struct.unpack_from(order + "HHI", tiff, place)
            value = cols if tag in (_WIDTH, _TIFF_WIDTH) else rows
            if kind in (_SHORT, _LONG) and count == 1:
                struct.pack_into(order + "H2x" if kind == _SHORT else order + "I", tiff, place + 8, value)
    return _PREFIX + bytes(tiff)


def _next_directory(tiff: bytes | bytearray) -> tuple[int, int] | None:
    """Return the position of the pointer to a TIFF's second directory, and its value; None without one."""
    order = _BYTE_ORDERS.get(bytes(tiff[:4]))
    if order is None or len(tiff) < 8:
        return None
    (start,) = struct.unpack_from(order + "I", tiff, 4)
    if start + 2 > len(tiff):
        return None
    pointer = start + 2 + 12 * struct.unpack_from(order + "H", tiff, start)[0]
    if pointer + 4 > len(tiff):
        return None
    (second,) = struct.unpack_from(order + "I", tiff, pointer)
    return (pointer, second) if 0 < second < len(tiff) - 2 else None


def _thumbnail_place(tiff: bytes | bytearray) -> slice | None:
    """Return the position of the thumbnail's JPEG file; None if there is no complete one."""
    second = _next_directory(tiff)
    if second is None:
        return None
    order = _BYTE_ORDERS[bytes(tiff[:4])]
    values = {entry.tag: entry for entry in _directory(bytes(tiff), order, second[1])}
    numbers = []
    for tag in (_THUMBNAIL, _THUMBNAIL_BYTES):
        if tag not in values or values[tag].kind not in (_SHORT, _LONG):
            return None
        numbers.append(int.from_bytes(values[tag].data, "little" if order == "<" else "big"))
    first, length = numbers
    return slice(first, first + length) if length and 8 <= first <= len(tiff) - length else None


def _block(head: bytes, texts: list[_Entry], directories: dict[int, list[_Entry]]) -> bytes | None:
    """Make an EXIF block with this TIFF header; None if there are no entries."""
    if not texts and not directories:
        return None
    order = _BYTE_ORDERS[head]
    # The directories follow the first one, whose length does not depend on their positions.
    pointers = [_Entry(tag, _LONG, bytes(4)) for tag in directories]
    end = 8 + len(_packed(texts + pointers, order, 8))
    behind = b""
    for number, (tag, entries) in enumerate(directories.items()):
        pointers[number] = _Entry(tag, _LONG, struct.pack(order + "I", end + len(behind)))
        behind += _packed(entries, order, end + len(behind))
    return _PREFIX + head + struct.pack(order + "I", 8) + _packed(texts + pointers, order, 8) + behind


def tiff_options(exif: bytes | None, xmp: bytes | None, iptc: bytes | None, description: str | None) -> dict[str, Any]:
    """Return tifffile's options for writing an EXIF block, XMP, IPTC and, if the block has none, a description.

    The directories of the block become placeholders for `fill_tiff_directories`.
    """
    order, texts, directories = _parts((exif or b"").removeprefix(_PREFIX))
    tags: list[tuple[Any, ...]] = [(entry.tag, _ASCII, 0, entry.data.rstrip(b"\0"), True) for entry in texts]
    if any(entry.tag == _DESCRIPTION for entry in texts):
        description = None
    tags += [(_DIRECTORIES[tag], _LONG, 1, 0, True) for tag in directories]
    if xmp is not None:
        tags.append((XMP_TAG, _BYTE, len(xmp), xmp, True))
    if iptc is not None:
        tags.append((IPTC_TAG, _UNDEFINED, len(iptc), iptc, True))
    return {
        "byteorder": order,
        "extratags": tags,
        "description": None if description is None else description.encode(),
    }


def fill_tiff_directories(tiff: bytes, exif: bytes | None) -> bytes:
    """Append the directories of an EXIF block to a TIFF written with its `tiff_options`."""
    order, _, directories = _parts((exif or b"").removeprefix(_PREFIX))
    if not directories:
        return tiff
    filled = bytearray(tiff)
    for tag, entries in directories.items():
        place = find_tag(filled, tag)
        assert place is not None, "tiff_options has kept a place for every directory"
        filled += b"\0" * (len(filled) % 2)
        struct.pack_into(order + "I", filled, place + 8, len(filled))
        filled += _packed(entries, order, len(filled))
    return bytes(filled)


def jpeg_iptc(iptc: bytes | None) -> bytes:
    """Return the segment of a JPEG file for IPTC data; empty if there are none, or they are too large."""
    if iptc is None or not fits_jpeg(iptc):
        return b""
    padded = iptc + b"\0" * (len(iptc) % 2)
    body = b"Photoshop 3.0\0" + b"8BIM" + struct.pack(">HHI", PHOTOSHOP_IPTC, 0, len(iptc)) + padded
    return b"\xff\xed" + struct.pack(">H", len(body) + 2) + body


def fits_jpeg(iptc: bytes) -> bool:
    """Whether IPTC data fit into a JPEG file."""
    return len(iptc) <= 65_500


def add_png_chunks(
    png: bytes,
    exif: bytes | None,
    icc_profile: bytes | None,
    xmp: bytes | None,
    texts: Sequence[tuple[str, str]],
    resolution: tuple[float, float] | None,
) -> bytes:
    """Insert colour profile, EXIF, XMP, texts (keys and values) and pixels per inch after the header of a PNG file."""
    chunks = b""
    if icc_profile is not None:
        chunks += _chunk(b"iCCP", b"ICC profile\0\0" + zlib.compress(icc_profile))
    if exif is not None:
        chunks += _chunk(b"eXIf", exif.removeprefix(_PREFIX))
    if xmp is not None:
        chunks += _chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + xmp)
    if resolution is not None:
        across, down = (round(value / _METRES) for value in resolution)
        chunks += _chunk(b"pHYs", struct.pack(">IIB", across, down, 1))
    for key, text in texts:
        chunks += _chunk(b"iTXt", key.encode("latin-1", "replace") + b"\0\0\0\0\0" + text.encode())
    header = 8 + 25  # signature and IHDR
    return png[:header] + chunks + png[header:]


def _parts(tiff: bytes) -> tuple[str, list[_Entry], dict[int, list[_Entry]]]:
    """Return the byte order of a TIFF or of EXIF's body, its texts about the photo, and its directories by tag."""
    order = _BYTE_ORDERS.get(tiff[:4], "<")
    if tiff[:4] not in _BYTE_ORDERS or len(tiff) < 8:
        return order, [], {}
    (start,) = struct.unpack_from(order + "I", tiff, 4)
    main = {entry.tag: entry for entry in reversed(_directory(tiff, order, start))}  # the first of two counts
    texts = [main[tag] for tag in _TEXTS if tag in main and main[tag].kind == _ASCII]
    directories = {}
    for tag in _DIRECTORIES:
        if tag in main and len(main[tag].data) == 4:
            (start,) = struct.unpack(order + "I", main[tag].data)
            # The interoperability directory is omitted: it would be a third level, and holds nothing about the photo.
            directories[tag] = [entry for entry in _directory(tiff, order, start) if entry.tag != _INTEROP]
    return order, texts, {tag: entries for tag, entries in directories.items() if entries}


def _directory(tiff: bytes, order: str, start: int) -> list[_Entry]:
    """Return the entries of the directory at `start`, except those whose values lie beyond the end of the file."""
    entries = []
    room = len(tiff)  # limits the sum of all sizes: a malicious file could let values overlap to exhaust the memory
    for place in _places(tiff, order, start):
        tag, kind, count, pointer = struct.unpack_from(order + "HHII", tiff, place)
        size = count * _SIZES.get(kind, 0)
        first = place + 8 if size <= 4 else pointer
        if 0 < size <= min(room, len(tiff) - first):
            room -= size
            entries.append(_Entry(tag, kind, tiff[first : first + size]))
    return entries


def _places(tiff: bytes | bytearray, order: str, start: int) -> range:
    """Return the positions of the entries of the directory at `start`."""
    if start + 2 > len(tiff):
        return range(0)
    (count,) = struct.unpack_from(order + "H", tiff, start)
    return range(start + 2, min(start + 2 + 12 * count, len(tiff) - 11), 12)


def _tag_at(tiff: bytes | bytearray, order: str, place: int) -> int:
    return int(struct.unpack_from(order + "H", tiff, place)[0])


def _packed(entries: list[_Entry], order: str, start: int) -> bytes:
    """Return the bytes of a directory for the position `start`, followed by its values."""
    directory, values = struct.pack(order + "H", len(entries)), b""
    behind = start + 2 + 12 * len(entries) + 4
    for tag, kind, data in sorted(entries):
        directory += struct.pack(order + "HHI", tag, kind, len(data) // _SIZES[kind])
        if len(data) <= 4:
            directory += data.ljust(4, b"\0")
        else:
            directory += struct.pack(order + "I", behind + len(values))
            values += data + b"\0" * (len(data) % 2)
    return directory + struct.pack(order + "I", 0) + values


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
