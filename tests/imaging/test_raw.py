"""Raw files: small files made by the tests are developed to the known colours of their scene."""

import importlib.util
import struct

import numpy as np
import pytest
import tifffile
from dng import write_dng
from PIL import Image

from nerd_gui.imaging import (
    OpeningCancelled,
    PhotoError,
    denoised_name,
    open_photo,
    picture_files,
    preview,
    raw,
    save_picture,
    suffix_for_file,
    usual_suffix,
)

ROWS, COLS = 60, 90
INNER = np.s_[:, 6:-6, 6:-6]  # where the mosaic is interpolated from all sides


def srgb(linear):
    """Apply the curve of the sRGB standard, IEC 61966-2-1."""
    linear = np.asarray(linear, float)
    return np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * np.maximum(linear, 1e-9) ** (1 / 2.4) - 0.055)


def even(red, green, blue, rows=ROWS, cols=COLS):
    return np.broadcast_to(np.array([red, green, blue], float)[:, None, None], (3, rows, cols))


@pytest.mark.parametrize("level", [0.002, 0.05, 0.18, 0.6])
@pytest.mark.parametrize("neutral", [(1, 1, 1), (0.5, 1, 0.7)])
def test_a_grey_scene_becomes_neutral_grey_of_its_brightness(tmp_path, level, neutral):
    """For any light: the camera's white balance is used, and black and white are those of the file."""
    scene = even(*(level * part for part in neutral))
    photo = open_photo(write_dng(tmp_path / "a.dng", scene, neutral=neutral))
    assert photo.pixels.shape == (3, ROWS, COLS) and photo.bit_depth == 16 and photo.format == "RAW"
    assert photo.alpha is None and photo.icc_profile is not None
    np.testing.assert_allclose(photo.pixels[INNER], srgb(level), atol=0.002)


@pytest.mark.parametrize("colour", [(0.5, 0.1, 0.1), (0.1, 0.5, 0.1), (0.1, 0.1, 0.5), (0.6, 0.4, 0.05)])
def test_colours_are_those_of_the_scene(tmp_path, colour):
    photo = open_photo(write_dng(tmp_path / "a.dng", even(*colour)))
    found = photo.pixels[INNER].mean(axis=(1, 2))
    np.testing.assert_allclose(found, srgb(colour), atol=0.01)


@pytest.mark.parametrize(("orientation", "corner"), [(1, (0, 0)), (3, (-1, -1)), (6, (0, -1)), (8, (-1, 0))])
def test_the_photo_is_upright(tmp_path, orientation, corner):
    """The corner that is bright in the file appears where a viewer that obeys EXIF shows it."""
    scene = even(0.1, 0.1, 0.1).copy()
    scene[:, : ROWS // 2, : COLS // 2] = 0.6
    photo = open_photo(write_dng(tmp_path / "a.dng", scene, orientation=orientation))
    assert (photo.rows, photo.cols) == ((COLS, ROWS) if orientation in (6, 8) else (ROWS, COLS))
    rows, cols = ([8, -8][one] for one in corner)
    assert photo.pixels[1, rows, cols] == pytest.approx(srgb(0.6), abs=0.01)
    assert photo.pixels[1, [8, -8][corner[0] + 1], cols] == pytest.approx(srgb(0.1), abs=0.01)


def details(path):
    """Add an EXIF directory to a file: 1/125 s, ISO 6400, a wrong size, and notes that break if they are moved."""
    data = bytearray(path.read_bytes())
    data += b"\0" * (len(data) % 2)
    start = len(data)
    behind = start + 2 + 5 * 12 + 4
    (first,) = struct.unpack_from("<I", data, 4)
    for place in range(first + 2, first + 2 + 12 * struct.unpack_from("<H", data, first)[0], 12):
        if struct.unpack_from("<H", data, place)[0] == 0x8769:
            struct.pack_into("<I", data, place + 8, start)
    data += struct.pack("<H", 5)
    for tag, kind, count, value in (
        (0x829A, 5, 1, behind),
        (0x8827, 3, 1, 6400),
        (0x927C, 7, 14, behind + 8),
        (0xA002, 4, 1, 1),
        (0xA003, 4, 1, 1),
    ):
        data += struct.pack("<HHII", tag, kind, count, value)
    path.write_bytes(data + bytes(4) + struct.pack("<II", 1, 125) + b"maker's secret")


def test_how_it_was_taken_goes_along_into_a_tiff(tmp_path):
    xmp = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"/>'
    tags = [("ExifTag", 4, 1, 0, True), (700, 1, len(xmp), xmp, True)]
    details(write_dng(tmp_path / "IMG 1.DNG", even(0.2, 0.2, 0.2), orientation=6, tags=tags))
    photo = open_photo(tmp_path / "IMG 1.DNG")
    assert photo.xmp == xmp
    assert denoised_name(photo) == tmp_path / "IMG 1_denoised.tif"
    assert usual_suffix(photo) == suffix_for_file(tmp_path / "IMG 1.DNG") == ".tif"
    save_picture(tmp_path / "b.tif", photo)
    with tifffile.TiffFile(tmp_path / "b.tif") as tiff:
        tags = tiff.pages.first.tags
        assert (tags["Make"].value, tags["Model"].value) == ("Testmaker", "Camera 1")
        assert tags["DateTime"].value == "2024:05:01 10:00:00" and "Orientation" not in tags
        inner = tags["ExifTag"].value
        assert inner["ISOSpeedRatings"] == 6400 and inner["ExposureTime"] == (1, 125) and "MakerNote" not in inner
        assert (inner["PixelXDimension"], inner["PixelYDimension"]) == (ROWS, COLS)
        found = tiff.pages.first.asarray()
    assert found.dtype == np.uint16 and found.shape == (COLS, ROWS, 3)
    assert np.array_equal(found, np.rint(photo.pixels.transpose(1, 2, 0) * 65535))
    save_picture(tmp_path / "b.jpg", photo)
    assert Image.open(tmp_path / "b.jpg").getexif().get_ifd(0x8769)[0x8827] == 6400


def test_a_raw_file_is_known_by_its_content_too(tmp_path):
    write_dng(tmp_path / "a.dng", even(0.3, 0.3, 0.3)).rename(tmp_path / "a.tif")
    assert open_photo(tmp_path / "a.tif").format == "RAW"


def test_progress_and_cancelling(tmp_path):
    write_dng(tmp_path / "a.dng", even(0.3, 0.3, 0.3))
    told = []
    open_photo(tmp_path / "a.dng", progress=told.append)
    assert told == sorted(told) and told[-1] == 1 and len(told) > 4
    asked = iter([False] * 3)
    with pytest.raises(OpeningCancelled):
        open_photo(tmp_path / "a.dng", cancelled=lambda: next(asked, True))


@pytest.mark.parametrize("part", [0.02, 0.3, 0.9])
def test_a_file_cut_short_is_refused_with_a_sentence(tmp_path, part):
    data = write_dng(tmp_path / "a.dng", even(0.3, 0.3, 0.3)).read_bytes()
    (tmp_path / "a.dng").write_bytes(data[: int(part * len(data))])
    with pytest.raises(
        PhotoError, match=r"“a\.dng” is (damaged or incomplete|cannot be developed).*(another copy|develop)"
    ):
        open_photo(tmp_path / "a.dng")
    assert preview(tmp_path / "a.dng", 100) is None


def test_a_picture_that_is_too_large_is_refused_before_it_is_developed(tmp_path):
    data = write_dng(tmp_path / "a.dng", even(0.3, 0.3, 0.3)).read_bytes()
    length = struct.pack("<HHII", 257, 4, 1, ROWS), struct.pack("<HHIHH", 257, 3, 1, ROWS, 0)
    for entry in length:
        data = data.replace(entry, struct.pack("<HHII", 257, 4, 1, 40_000))
    (tmp_path / "a.dng").write_bytes(data)
    with pytest.raises(PhotoError, match=r"“a\.dng” is 90 pixels wide and 40 000 high; the limit is"):
        open_photo(tmp_path / "a.dng")


def test_what_is_no_raw_file_is_refused_with_a_sentence(tmp_path):
    Image.new("RGB", (9, 6)).save(tmp_path / "a.jpg")
    (tmp_path / "a.jpg").rename(tmp_path / "a.nef")
    with pytest.raises(PhotoError, match=r"“a\.nef” cannot be developed by LibRaw [\d.]+; develop it to TIFF"):
        open_photo(tmp_path / "a.nef")


def test_bytes_that_were_changed_never_do_more_than_refuse(tmp_path):
    whole = write_dng(tmp_path / "a.dng", even(0.3, 0.3, 0.3)).read_bytes()
    generator = np.random.default_rng(0)
    for _ in range(40):
        data = bytearray(whole)
        for place in generator.integers(8, 700, 3):
            data[place] = generator.integers(256)
        (tmp_path / "b.dng").write_bytes(data)
        try:
            assert open_photo(tmp_path / "b.dng").bit_depth in (8, 16, 32)
        except PhotoError as error:
            assert "b.dng" in str(error)


def test_without_rawpy_it_is_said_how_to_get_it(tmp_path, monkeypatch):
    write_dng(tmp_path / "a.dng", even(0.3, 0.3, 0.3))
    Image.new("RGB", (9, 6)).save(tmp_path / "b.png")
    assert [path.name for path in picture_files(tmp_path)] == ["a.dng", "b.png"]
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "rawpy" else find(name))
    with pytest.raises(PhotoError, match=r'“a\.dng” is a camera.s raw file.*pip install "nerd-gui\[raw\]"'):
        open_photo(tmp_path / "a.dng")
    assert [path.name for path in picture_files(tmp_path)] == ["b.png"]
    assert preview(tmp_path / "a.dng", 100) is None


def test_the_preview_in_the_file_is_shown_upright(tmp_path, monkeypatch):
    """A preview as cameras store it: red above and blue below, in the file's own orientation."""
    write_dng(tmp_path / "a.dng", even(0.2, 0.2, 0.2), orientation=8)
    pixels = np.zeros((40, 60, 3), np.uint8)
    pixels[:20, :, 0] = pixels[20:, :, 2] = 200
    assert preview(tmp_path / "a.dng", 30) is None, "there is none in it yet"
    monkeypatch.setattr(raw, "_preview", lambda _: pixels)
    small = preview(tmp_path / "a.dng", 30)
    assert (small.rows, small.cols) == (COLS, ROWS) and small.pixels.shape == (60, 40, 3)
    assert small.pixels[30, 5].tolist() == [200, 0, 0] and small.pixels[30, -5].tolist() == [0, 0, 200]


def test_the_parts_of_a_canon_file_become_one_exif_block():
    def box(name, body):
        return struct.pack(">I", 8 + len(body)) + name + body

    first, inner = Image.Exif(), Image.Exif()
    first[0x010F], inner[0x8827] = "Canon", 6400
    place = Image.Exif()
    place[1] = "N"
    parts = [one.tobytes().removeprefix(b"Exif\0\0") for one in (first, inner, place)]
    boxes = b"".join(box(name, part) for name, part in zip((b"CMT1", b"CMT2", b"CMT4"), parts, strict=True))
    data = box(b"ftyp", b"crx \0\0\0\1crx isom") + box(b"moov", b"\0" * 40 + boxes)
    exif = Image.Exif()
    exif.load(raw._exif(data, None))
    assert exif[0x010F] == "Canon" and exif.get_ifd(0x8769)[0x8827] == 6400 and exif.get_ifd(0x8825)[1] == "N"
    assert raw._exif(data[:24], None) is None
