"""The thumbnail and the size in a saved file's EXIF belong to the saved picture; everything else is kept."""

import io
from dataclasses import replace

import numpy as np
import pytest
from camera_exif import camera_exif
from PIL import ExifTags, Image

from nerd_gui.imaging import Photo, open_photo, save_picture, what_is_lost
from nerd_gui.imaging.thumbnail import thumbnail_of_samples

ROWS, COLS = 300, 420
SUFFIXES = (".jpg", ".png", ".webp")


def picture(depth=8):
    """Red on the left, green at the top right, blue below, with grain that vanishes in a small picture."""
    pixels = np.zeros((3, ROWS, COLS), np.float32)
    pixels[0, :, : COLS // 2] = pixels[1, : ROWS // 2, COLS // 2 :] = pixels[2, ROWS // 2 :, COLS // 2 :] = 0.6
    pixels += np.random.default_rng(0).uniform(0, 0.05, pixels.shape).astype(np.float32)
    return pixels


def noisy_jpeg(side=160, quality=90):
    """A thumbnail by the camera, unlike the picture."""
    stream = io.BytesIO()
    Image.fromarray(np.random.default_rng(1).integers(0, 255, (side * 3 // 4, side, 3), np.uint8)).save(
        stream, "JPEG", quality=quality
    )
    return stream.getvalue()


def block(path):
    return Image.open(path).info["exif"].removeprefix(b"Exif\0\0")


def thumbnail(path):
    """Return the thumbnail that Pillow finds, or None."""
    found = Image.open(path).getexif().get_ifd(ExifTags.IFD.IFD1)
    if not found:
        return None
    return Image.open(io.BytesIO(block(path)[found[0x0201] : found[0x0201] + found[0x0202]]))


@pytest.mark.parametrize("byteorder", ["<", ">"])
@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("depth", [8, 16])
def test_the_thumbnail_is_the_new_picture_s(tmp_path, suffix, byteorder, depth):
    old = noisy_jpeg()
    photo = Photo(picture(), bit_depth=depth, exif=camera_exif(byteorder, thumbnail=old))
    path = save_picture(tmp_path / f"a{suffix}", photo)
    small = thumbnail(path)
    assert small.format == "JPEG" and small.size == (160, 114)
    whole = Image.open(save_picture(tmp_path / "whole.bmp", photo))
    difference = np.asarray(small, float) - np.asarray(whole.resize(small.size, Image.Resampling.BOX), float)
    assert np.quantile(np.abs(difference), 0.95) < 8, "but for the edges, where JPEG blurs the colours"
    assert old[-300:-100] not in path.read_bytes(), "nothing is left of the old one"
    before, after = camera_exif(byteorder, thumbnail=old)[6:], block(path)
    assert len(before) == len(after) and before[: before.index(old) - 30] == _with_old_size(before, after)


def _with_old_size(before, after):
    """Return the beginning of the new block with the two old sizes, for comparison with the old block."""
    order = "little" if before[:2] == b"II" else "big"
    changed = after
    for new, old in ((COLS, 34), (ROWS, 21)):
        changed = changed.replace(new.to_bytes(4, order), old.to_bytes(4, order), 1)
        changed = changed.replace(new.to_bytes(2, order) + b"\0\0", old.to_bytes(2, order) + b"\0\0", 1)
    return changed[: before.index(b"\xff\xd8") - 30]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_photo_without_a_thumbnail_gets_none(tmp_path, suffix):
    exif = camera_exif("<", thumbnail=None)
    path = save_picture(tmp_path / f"a{suffix}", Photo(picture(), exif=exif))
    assert thumbnail(path) is None and len(block(path)) == len(exif) - 6


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_the_size_is_that_of_the_upright_picture(tmp_path, suffix):
    """A camera on its side stores 420 x 300 and says so in EXIF; the saved photo is upright."""
    exif = camera_exif(">", thumbnail=noisy_jpeg(), orientation=6)
    stored = np.asarray(Image.fromarray(np.rint(picture() * 255).astype(np.uint8).transpose(1, 2, 0)))
    Image.fromarray(stored).save(tmp_path / "in.jpg", exif=exif)
    path = save_picture(tmp_path / f"a{suffix}", open_photo(tmp_path / "in.jpg"))
    saved = Image.open(path)
    found = saved.getexif()
    inner = found.get_ifd(ExifTags.IFD.Exif)
    assert saved.size == (ROWS, COLS) == (inner[0xA002], inner[0xA003])
    assert found[0x0112] == 1
    small = thumbnail(path)
    assert small.size == (114, 160)
    red, _, _ = small.convert("RGB").getpixel((57, 30))
    _, green, _ = small.convert("RGB").getpixel((90, 130))
    assert red > 130 and green > 130, "upright: what lay on the left is above"


def test_it_fits_into_the_room_that_the_old_one_had(tmp_path):
    for old in (noisy_jpeg(120, 10), noisy_jpeg(48, 10)):
        path = save_picture(tmp_path / f"{len(old)}.jpg", Photo(picture(), exif=camera_exif("<", thumbnail=old)))
        assert max(thumbnail(path).size) <= 160 and len(block(path)) == len(camera_exif("<", thumbnail=old)) - 6
    path = save_picture(
        tmp_path / "none.jpg", Photo(picture(), exif=camera_exif("<", thumbnail=b"\xff\xd8tiny\xff\xd9"))
    )
    assert thumbnail(path) is None


@pytest.mark.parametrize("shape", [(1, 1), (1, 5000), (3000, 2), (160, 160), (700, 500, 2), (321, 400, 4)])
@pytest.mark.parametrize("kind", [np.uint8, np.uint16, np.float32])
def test_every_shape_and_depth_has_a_small_picture(shape, kind):
    full = 1 if kind == np.float32 else np.iinfo(kind).max
    samples = np.full(shape, 0.5 * full).astype(kind)
    small = Image.open(io.BytesIO(thumbnail_of_samples(samples, 10_000)))
    assert max(small.size) <= 160 and small.mode == ("RGB" if shape[2:] == (4,) else "L")
    assert np.abs(np.asarray(small, float) - 127.5).max() < 2


def test_an_exif_block_too_long_for_a_jpeg_loses_what_is_least_missed(tmp_path):
    """TIFF files of raw converters may contain such blocks."""
    photo = Photo(picture(), exif=camera_exif("<", thumbnail=noisy_jpeg() + bytes(70_000)))
    assert what_is_lost(".png", photo) == ()
    assert "thumbnail and maker's notes" in what_is_lost(".jpg", photo)[0]
    path = save_picture(tmp_path / "a.jpg", photo)
    inner = Image.open(path).getexif().get_ifd(ExifTags.IFD.Exif)
    assert inner[0x8827] == 6400 and 0x927C not in inner and thumbnail(path) is None
    for length, kept in ((65_533, True), (65_534, False)):
        short = camera_exif("<", thumbnail=noisy_jpeg())
        padded = replace(photo, exif=short + bytes(length - len(short)))
        path = save_picture(tmp_path / f"{length}.jpg", padded)
        assert (thumbnail(path) is not None) is kept is (what_is_lost(".jpg", padded) == ())
