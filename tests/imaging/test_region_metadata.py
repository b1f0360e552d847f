"""The metadata of a region keep time and camera settings, but not the size of the photo."""

import numpy as np
import pytest
from camera_exif import COLS, ROWS, THUMBNAIL, camera_exif
from PIL import ExifTags, Image

from nerd_gui.imaging import Photo, open_photo, save_picture


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
