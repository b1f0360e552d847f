"""A region of a photo says when and how it was taken, and does not claim to be the photo."""

import struct

import numpy as np
import pytest
from PIL import ExifTags, Image

from nerd_gui.imaging import Photo, open_photo, save_picture

ROWS, COLS = 21, 34
THUMBNAIL = b"\xff\xd8thumbnail of the whole photo\xff\xd9"


def camera_exif(byteorder):
    """As cameras write it: the whole photo's size, number, subject and notes, and a thumbnail in a second directory."""
    exif = Image.Exif()
    exif.endian = byteorder
    exif[0x010F], exif[0x0112], exif[0x013B] = "Canon", 1, "Juergen"
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
    body += b"\0" * (len(body) % 2)
    (first,) = struct.unpack_from(byteorder + "I", body, 4)
    (count,) = struct.unpack_from(byteorder + "H", body, first)
    struct.pack_into(byteorder + "I", body, first + 2 + 12 * count, len(body))
    place = len(body) + 2 + 2 * 12 + 4
    entries = struct.pack(byteorder + "HHII" * 2, 0x0201, 4, 1, place, 0x0202, 4, 1, len(THUMBNAIL))
    body += struct.pack(byteorder + "H", 2) + entries + bytes(4) + THUMBNAIL
    return b"Exif\0\0" + bytes(body)


@pytest.mark.parametrize("byteorder", ["<", ">"])
@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".tif"])
def test_a_region_keeps_how_it_was_taken_and_not_what_stands_for_the_whole(tmp_path, suffix, byteorder):
    pixels = np.random.default_rng(0).random((3, ROWS, COLS), np.float32)
    photo = Photo(pixels, exif=camera_exif(byteorder), icc_profile=b"profile")
    whole = Image.Exif()
    whole.load(photo.exif)
    assert whole.get_ifd(ExifTags.IFD.IFD1)[0x0202] == len(THUMBNAIL)
    path = save_picture(tmp_path / f"a{suffix}", photo.crop(1, 2, 5, 6))
    exif = Image.open(path).getexif()
    details = exif.get_ifd(0x8769)
    assert (exif[0x010F], exif[0x013B]) == ("Canon", "Juergen")
    assert (details[0x8827], details[0x9003]) == (6400, "2024:05:01 10:00:00")
    assert exif.get_ifd(0x8825)[2] == (48.0, 12.0, 30.5)
    assert (details[0xA002], details[0xA003]) == (6, 5) == Image.open(path).size
    assert not {0x9214, 0x927C, 0xA420} & set(details) and not exif.get_ifd(ExifTags.IFD.IFD1)
    assert b"whole photo" not in path.read_bytes()
    assert open_photo(path).icc_profile == b"profile"


def test_the_rectangle_of_everything_is_the_photo():
    photo = Photo(np.zeros((1, ROWS, COLS), np.float32), exif=camera_exif("<"))
    assert photo.crop(0, 0, ROWS, COLS).exif == photo.exif


@pytest.mark.parametrize("damaged", [b"", b"II*\0", b"nonsense", b"II*\0\xff\xff\xff\xff"])
def test_a_region_of_a_photo_with_damaged_exif_has_none(damaged):
    assert Photo(np.zeros((1, ROWS, COLS), np.float32), exif=b"Exif\0\0" + damaged).crop(0, 0, 1, 1).exif is None
