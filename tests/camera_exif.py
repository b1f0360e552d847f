"""EXIF data like that of cameras: size, number, subject and notes of the photo, and a thumbnail."""

import struct

from PIL import Image

ROWS, COLS = 21, 34
THUMBNAIL = b"\xff\xd8thumbnail of the whole photo\xff\xd9"


def camera_exif(byteorder, *, thumbnail=THUMBNAIL, orientation=1):
    """Return the block with its prefix; without a second directory if the thumbnail is None."""
    exif = Image.Exif()
    exif.endian = byteorder
    exif[0x010F], exif[0x0112], exif[0x013B] = "Canon", orientation, "Juergen"
    exif[0x8769] = {
        0x829A: 0.008,
        0x8827: 6400,
        0x9003: "2024:05:01 10:00:00",
        0x9214: (4, 5),
        0x927C: b"a preview of the whole photo",
        0xA002: COLS,
        0xA003: ROWS,
        0xA420: "0123456789abcdef" * 2,
    }
    exif[0x8825] = {1: "N", 2: (48.0, 12.0, 30.5)}
    body = bytearray(exif.tobytes().removeprefix(b"Exif\0\0"))
    if thumbnail is None:
        return b"Exif\0\0" + bytes(body)
    body += b"\0" * (len(body) % 2)
    (first,) = struct.unpack_from(byteorder + "I", body, 4)
    (count,) = struct.unpack_from(byteorder + "H", body, first)
    struct.pack_into(byteorder + "I", body, first + 2 + 12 * count, len(body))
    place = len(body) + 2 + 2 * 12 + 4
    entries = struct.pack(byteorder + "HHII" * 2, 0x0201, 4, 1, place, 0x0202, 4, 1, len(thumbnail))
    body += struct.pack(byteorder + "H", 2) + entries + bytes(4) + thumbnail
    return b"Exif\0\0" + bytes(body)
