"""Files that would take all memory, or minutes, are refused at once; errors of decoders become sentences."""

import io
import struct
import zlib

import numpy as np
import pytest
import tifffile
from PIL import Image, ImageFile

from nerd_gui.cli import main
from nerd_gui.imaging import PhotoError, decode, open_photo, preview, save_picture
from nerd_gui.imaging.limits import allow_pixels


@pytest.fixture(autouse=True)
def usual_limits():
    yield
    allow_pixels(None)


def refusal(path, progress=None):
    with pytest.raises(PhotoError) as caught:
        open_photo(path, progress=progress)
    sentence = str(caught.value)
    assert sentence.startswith(f"“{path.name}” ") and sentence.endswith(".") and "\n" not in sentence
    return sentence


def png(cols, rows, pixels, depth=8, colour=2):
    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", cols, rows, depth, colour, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def progressive(rows, cols, scans):
    """Make a JPEG file that repeats its last scan many times; a decoder would process all of them."""
    stream = io.BytesIO()
    Image.new("L", (cols, rows), 90).save(stream, "JPEG", progressive=True)
    whole = stream.getvalue()
    last, end = whole.rindex(b"\xff\xda"), whole.rindex(b"\xff\xd9")
    return whole[:end] + whole[last:end] * scans + whole[end:]


class DecoderDefect(Exception):
    """An error of an unexpected class."""


@pytest.mark.parametrize(
    "error",
    [AssertionError(), SystemError("tile cannot extend\noutside image"), RecursionError("deep"), DecoderDefect("odd.")],
    ids=repr,
)
@pytest.mark.parametrize("kind", ["png", "16-bit png", "tiff"])
def test_whatever_a_decoder_raises_becomes_a_sentence(tmp_path, monkeypatch, error, kind):
    def damaged(*_, **__):
        raise error

    path = tmp_path / "a.bin"
    if kind == "tiff":
        tifffile.imwrite(path, np.zeros((8, 9), np.uint8))
        monkeypatch.setattr(tifffile.TiffPage, "segments", damaged)
    elif kind == "16-bit png":
        path.write_bytes(png(8, 8, zlib.compress(bytes(8 * 49)), depth=16))
        monkeypatch.setattr("imagecodecs.png_decode", damaged)
    else:
        Image.new("P", (8, 8)).save(path, "PNG")
        monkeypatch.setattr(ImageFile.ImageFile, "load", damaged)
    words = " ".join(str(error).split()).rstrip(".") or "AssertionError"
    assert f"is damaged or incomplete ({words});" in refusal(path)


def test_a_palette_that_pillow_asserts_of_does_not_end_a_batch(tmp_path, monkeypatch, tiny_model_path, capsys):
    """This was a traceback once, which ended the batch and lost its report."""
    monkeypatch.chdir(tmp_path)
    for name in "abc":
        Image.new("P", (16, 16)).save(f"{name}.png")
    load = ImageFile.ImageFile.load

    def damaged(image):
        if image.size == (17, 16):
            raise AssertionError
        return load(image)

    Image.new("P", (17, 16)).save("b.png")
    monkeypatch.setattr(ImageFile.ImageFile, "load", damaged)
    command = ["denoise", "a.png", "b.png", "c.png", "-o", "out", "--report", "run.json"]
    assert main([*command, "--model", str(tiny_model_path), "--max-iter", "1"]) == 1
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["a_denoised.png", "c_denoised.png"]
    assert "“b.png” is damaged or incomplete (AssertionError)" in capsys.readouterr().err
    assert (tmp_path / "run.json").stat().st_size > 1000


def test_a_few_bytes_that_claim_to_be_huge_are_refused_at_once(tmp_path):
    path = tmp_path / "a.png"
    for depth, colour in ((1, 0), (8, 2), (16, 6)):
        path.write_bytes(png(16_384, 16_384, zlib.compress(b"\0"), depth, colour))
        assert "claims to be 16 384 pixels wide and 16 384 high in only" in refusal(path)
        assert preview(path, 100) is None
    allow_pixels(2**28)
    assert "damaged or incomplete" in refusal(path)  # its pixels are missing: it is not refused for its size


def test_a_person_may_allow_more_pixels(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("nerd_gui.imaging.limits._ANY_FILE", 2**15)
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "white.png"
    Image.new("L", (400, 300), 255).save(path)
    assert "--max-pixels" in refusal(path)
    assert main(["noise", "white.png", "--max-pixels", "1000"]) == 2
    assert "is 400 pixels wide and 300 high; the limit is" in capsys.readouterr().err
    assert main(["noise", "white.png", "--max-pixels", "120000"]) == 2
    assert "neither black nor white" in capsys.readouterr().err  # it was opened, and has no noise to measure
    photo = open_photo(path)
    assert (photo.rows, photo.cols) == (300, 400) and photo.pixels.min() == 1


def test_a_jpeg_of_endless_scans_is_refused(tmp_path):
    path = tmp_path / "a.jpg"
    path.write_bytes(progressive(4096, 4096, 300))
    assert "holds 306 scans" in refusal(path)
    assert preview(path, 100) is None
    path.write_bytes(progressive(64, 64, 300))  # a small file may contain many of them
    assert np.allclose(open_photo(path).pixels, 90 / 255)
    path.write_bytes(progressive(4096, 4096, 0))
    assert open_photo(path).cols == 4096


def test_a_tiff_without_most_of_its_strips_is_refused_before_memory_is_taken(tmp_path, monkeypatch):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, np.ones((64, 9), np.uint8), photometric="minisblack", rowsperstrip=4)
    with tifffile.TiffFile(path, mode="r+") as tiff:
        tiff.pages.first.tags["ImageLength"].overwrite(16_000)
    monkeypatch.setattr(decode, "Planes", None)
    assert "incomplete" in refusal(path)


@pytest.mark.parametrize("beginning", [b"", b"a shopping list", b"\0\0\0\x18ftypmp42", b"RIFF\0\0\0\0AVI "])
def test_what_is_no_picture_is_not_read_as_a_whole(tmp_path, beginning):
    path, read = tmp_path / "a.png", []
    with path.open("wb") as file:
        file.write(beginning)
        file.truncate(3 * 2**30)  # sparse: takes no room
    assert "is not a picture" in refusal(path, read.append)
    assert read == []


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "BMP"])
def test_nor_is_what_is_far_larger_than_its_picture_could_be(tmp_path, kind):
    path, read = tmp_path / "a.bin", []
    Image.new("RGB", (100, 80)).save(path, kind)
    with path.open("r+b") as file:
        file.truncate(3 * 2**30)
    assert "3.2 GB, which is too large for its picture of 100 × 80 pixels" in refusal(path, read.append)
    assert read == []


def test_a_profile_that_is_none_is_left_out_and_the_photo_can_be_saved(tmp_path):
    """The error occurred only after the run, when PNG or JPEG files were written."""
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, np.zeros((8, 9, 3), np.uint8), photometric="rgb", extratags=[(34675, 3, 2, (1, 2), True)])
    photo = open_photo(path)
    assert photo.icc_profile is None
    for suffix in (".png", ".tif", ".jpg", ".webp"):
        assert open_photo(save_picture(tmp_path / f"saved{suffix}", photo)).cols == 9
