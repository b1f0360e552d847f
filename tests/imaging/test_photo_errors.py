"""Bad files: each is refused with one sentence that names it; none is opened partly."""

import io
import os
import struct
import warnings
import zlib

import imagecodecs
import numpy as np
import pytest
import tifffile
from PIL import Image

from nerd_gui.imaging import MAX_SIDE, PhotoError, open_photo


def refusal(path):
    """Return the sentence with which `path` is refused; Pillow must not also warn about its size."""
    with warnings.catch_warnings(), pytest.raises(PhotoError) as caught:
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        open_photo(path)
    sentence = str(caught.value)
    assert path.name in sentence and "\n" not in sentence and sentence.endswith(".")
    return sentence


def png_header(cols, rows, depth=8, colour=2):
    """A PNG of a few bytes that claims to be large; its one row of pixels is missing."""

    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", cols, rows, depth, colour, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0")) + chunk(b"IEND", b"")


def encoded(kind, **options):
    values = np.random.default_rng(0).integers(0, 256, (60, 80, 3), dtype=np.uint8)
    stream = io.BytesIO()
    Image.fromarray(values).save(stream, kind, **options)
    return stream.getvalue()


def encoded_16_bit(kind):
    values = np.random.default_rng(0).integers(0, 65536, (60, 80, 3), dtype=np.uint16)
    if kind == "PNG":
        return imagecodecs.png_encode(values)
    stream = io.BytesIO()
    tifffile.imwrite(stream, values, photometric="rgb", compression="zlib", predictor=True)
    return stream.getvalue()


FILES = {
    "jpeg": encoded("JPEG"),
    "progressive jpeg": encoded("JPEG", progressive=True),
    "png": encoded("PNG"),
    "16-bit png": encoded_16_bit("PNG"),
    "webp": encoded("WEBP"),
    "lossless webp": encoded("WEBP", lossless=True),
    "bmp": encoded("BMP"),
    "tiff": encoded("TIFF"),
    "lzw tiff": encoded("TIFF", compression="tiff_lzw"),
    "16-bit tiff": encoded_16_bit("TIFF"),
}


def test_missing(tmp_path):
    assert "does not exist" in refusal(tmp_path / "nowhere.png")
    assert "does not exist" in refusal(tmp_path / "no folder" / "nowhere.png")


def test_below_a_file(tmp_path):
    (tmp_path / "a.png").write_bytes(FILES["png"])
    assert "does not exist" in refusal(tmp_path / "a.png" / "b.png")


def test_folder(tmp_path):
    assert "is a folder" in refusal(tmp_path)


def test_empty(tmp_path):
    (tmp_path / "a.png").touch()
    assert "is empty" in refusal(tmp_path / "a.png")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs a named pipe")
def test_device_does_not_block(tmp_path):
    os.mkfifo(tmp_path / "pipe.png")
    assert "not a file" in refusal(tmp_path / "pipe.png")


def test_enormous_file_is_not_read(tmp_path):
    with (tmp_path / "a.tif").open("wb") as file:
        file.truncate(5 * 2**30)  # sparse: uses no disk space
    assert "too large" in refusal(tmp_path / "a.tif")


@pytest.mark.parametrize("content", [b"Dear diary, today I took no photo at all.", b"\0" * 500, b"GIF89a" + b"\0" * 50])
def test_not_a_picture(tmp_path, content):
    (tmp_path / "a.png").write_bytes(content)
    assert "is not a picture" in refusal(tmp_path / "a.png")


def test_no_permission(tmp_path, monkeypatch):
    path = tmp_path / "a.png"
    path.write_bytes(FILES["png"])
    if os.name == "posix" and os.geteuid() != 0:
        path.chmod(0)
    else:  # root may read everything, and Windows has no such mode

        def forbidden(self, mode):
            raise PermissionError(13, "Permission denied", str(self))

        monkeypatch.setattr(type(path), "open", forbidden)
    assert "permission" in refusal(path)


@pytest.mark.parametrize("kind", FILES)
def test_cut_file_is_refused_unless_nothing_is_missing(tmp_path, kind):
    whole = FILES[kind]
    path = tmp_path / "a.bin"
    path.write_bytes(whole)
    expected = open_photo(path).pixels
    for length in [3, 30, *(len(whole) * tenth // 10 for tenth in range(1, 10))]:
        path.write_bytes(whole[:length])
        refusal(path)
    for missing in range(1, 30, 3):  # only the end marker may be missing
        path.write_bytes(whole[:-missing])
        try:
            opened = open_photo(path)
        except PhotoError:
            continue
        assert np.array_equal(opened.pixels, expected)


@pytest.mark.filterwarnings("ignore::UserWarning")  # Pillow's remarks on tags
@pytest.mark.parametrize("kind", FILES)
def test_damaged_file_is_opened_or_refused(tmp_path, kind):
    generator = np.random.default_rng(0)
    for _ in range(25):
        content = bytearray(FILES[kind])
        for position in generator.integers(4, min(len(content), 400), 3):
            content[position] = generator.integers(256)
        (tmp_path / "a.bin").write_bytes(content)
        try:
            photo = open_photo(tmp_path / "a.bin")
        except PhotoError as error:
            assert "a.bin" in str(error)
        else:
            assert photo.pixels.min() >= 0 and photo.pixels.max() <= 1


@pytest.mark.parametrize("depth", [8, 16])
@pytest.mark.parametrize(("cols", "rows"), [(40_000, 10), (10, 40_000), (30_000, 30_000), (2**31 - 1, 2**31 - 1)])
def test_too_large_is_refused_before_decoding(tmp_path, cols, rows, depth):
    (tmp_path / "a.png").write_bytes(png_header(cols, rows, depth))
    sentence = refusal(tmp_path / "a.png")
    assert f"{cols:,}".replace(",", " ") + " pixels wide" in sentence and "32 767" in sentence


def test_too_large_tiff(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", np.zeros((2, 40_000), np.uint16), photometric="minisblack")
    assert "40 000 pixels wide" in refusal(tmp_path / "a.tif")


@pytest.mark.parametrize("suffix", ["png", "tif", "bmp", "jpg"])
def test_largest_side_is_opened(tmp_path, suffix):
    Image.new("L", (MAX_SIDE, 2), 7).save(tmp_path / f"a.{suffix}")
    assert open_photo(tmp_path / f"a.{suffix}").cols == MAX_SIDE


def test_more_pixels_than_pillow_likes(tmp_path):
    (tmp_path / "a.png").write_bytes(png_header(15_000, 15_000, depth=1, colour=0) + bytes(8_000_000))
    assert "damaged or incomplete" in refusal(tmp_path / "a.png")  # the row is missing; the size is not what bars it


@pytest.mark.filterwarnings("ignore:.*zero-size")
def test_no_pixels(tmp_path):
    (tmp_path / "a.png").write_bytes(png_header(0, 10))
    refusal(tmp_path / "a.png")
    tifffile.imwrite(tmp_path / "a.tif", np.zeros((0, 0), np.uint8), photometric="minisblack")
    assert "no pixels" in refusal(tmp_path / "a.tif")


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_real_numbers_must_be_finite(tmp_path, value):
    values = np.full((8, 9), 0.5, np.float32)
    values[3, 4] = value
    tifffile.imwrite(tmp_path / "a.tif", values)
    assert "NaN" in refusal(tmp_path / "a.tif")


@pytest.mark.parametrize("value", [-0.01, 1.01, 255, 1e300])
def test_real_numbers_must_lie_between_black_and_white(tmp_path, value):
    values = np.full((8, 9), 0.5, np.float64)
    values[3, 4] = value
    tifffile.imwrite(tmp_path / "a.tif", values)
    sentence = refusal(tmp_path / "a.tif")
    assert f"{value:g}" in sentence and "HDR" in sentence


def test_rounding_beyond_white_is_forgiven(tmp_path):
    values = np.array([[-1e-6, 0.5], [0.25, 1 + 1e-6]], np.float32)
    tifffile.imwrite(tmp_path / "a.tif", values)
    assert np.array_equal(open_photo(tmp_path / "a.tif").pixels[0], [[0, 0.5], [0.25, 1]])


@pytest.mark.parametrize(
    ("values", "options", "words"),
    [
        (np.zeros((8, 9), np.int16), {"photometric": "minisblack"}, "int16"),
        (np.zeros((8, 9), np.complex64), {"photometric": "minisblack"}, "complex64"),
        (np.zeros((8, 9, 6), np.uint8), {"photometric": "rgb"}, "6 channels"),
        (np.zeros((8, 9, 3), np.uint8), {"photometric": "minisblack", "planarconfig": "contig"}, "3 channels"),
        (np.zeros((8, 9, 3), np.uint8), {"photometric": "rgb", "subfiletype": 1}, "raw file"),
        (np.zeros((8, 9, 3), np.uint8), {"photometric": "cielab"}, "LAB"),
    ],
)
def test_unusual_tiff_is_refused_by_what_it_is(tmp_path, values, options, words):
    tifffile.imwrite(tmp_path / "a.tif", values, **options)
    assert words in refusal(tmp_path / "a.tif")


def test_tiff_without_some_of_its_strips(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", np.ones((64, 9), np.uint8), photometric="minisblack", rowsperstrip=16)
    with tifffile.TiffFile(tmp_path / "a.tif", mode="r+") as tiff:
        tiff.pages.first.tags["StripByteCounts"].overwrite((144, 0, 144, 144))
    assert "incomplete" in refusal(tmp_path / "a.tif")
