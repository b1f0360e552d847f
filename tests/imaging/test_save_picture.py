"""Saved pictures, read back by other libraries."""

import io
import os
import struct
import tracemalloc
from dataclasses import replace

import imagecodecs
import numpy as np
import pytest
import tifffile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image, ImageCms

from nerd_gui.imaging import Photo, PhotoError, denoised_name, open_photo, save_picture, what_is_lost

ROWS, COLS = 19, 27
PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def make_exif(byteorder="<"):
    exif = Image.Exif()
    exif.endian = byteorder
    exif[0x010F], exif[0x0132], exif[0x013B] = "Canon", "2024:05:01 10:00:00", "Jürgen"
    exif[0x8769] = {0x829A: 0.008, 0x8827: 6400, 0x927C: b"maker's secret"}
    exif[0x8825] = {1: "N", 2: (48.0, 12.0, 30.5)}
    return exif.tobytes().replace(b"J?rgen", b"J\xfcrgen")  # Pillow writes ASCII only


def make_photo(channels, depth, alpha=False, **fields):
    """Return a photo and its integer values (real ones at depth 32) as files hold them: rows, cols[, channels]."""
    planes = channels + alpha
    generator = np.random.default_rng(channels + depth)
    if depth == 32:
        stored = generator.random((ROWS, COLS, planes), np.float32)
        values = stored
    else:
        stored = generator.integers(0, 2**depth, (ROWS, COLS, planes), dtype=f"uint{depth}")
        values = (stored / (2**depth - 1)).astype(np.float32)
    pixels = np.ascontiguousarray(values[..., :channels].transpose(2, 0, 1))
    photo = Photo(pixels, alpha=values[..., -1] if alpha else None, bit_depth=depth, **fields)
    return photo, stored[..., 0] if planes == 1 else stored


def read(path):
    """Read a file without using the code under test."""
    if path.suffix == ".tif":
        return tifffile.imread(path)
    if path.suffix == ".png":
        return imagecodecs.png_decode(path.read_bytes())
    return np.asarray(Image.open(path))


@pytest.mark.parametrize("alpha", [False, True])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(("suffix", "depth"), [(".png", 8), (".png", 16), (".tif", 8), (".tif", 16), (".tif", 32)])
def test_every_bit_is_kept(tmp_path, suffix, depth, channels, alpha):
    photo, stored = make_photo(channels, depth, alpha)
    path = save_picture(tmp_path / f"a{suffix}", photo)
    found = read(path)
    assert found.dtype == stored.dtype and np.array_equal(found, stored)
    again = open_photo(path)
    assert np.array_equal(again.pixels, photo.pixels) and again.bit_depth == depth
    assert (again.alpha is None) if not alpha else np.array_equal(again.alpha, photo.alpha)
    assert what_is_lost(suffix, photo) == ()


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("alpha", [False, True])
def test_pillow_reads_8_bit_files(tmp_path, channels, alpha):
    photo, stored = make_photo(channels, 8, alpha)
    for suffix in (".png", ".tiff"):
        assert np.array_equal(np.asarray(Image.open(save_picture(tmp_path / f"a{suffix}", photo))), stored)


def test_pillow_reads_deep_grey(tmp_path):
    for suffix, depth in [(".png", 16), (".tif", 16), (".tif", 32)]:
        photo, stored = make_photo(1, depth)
        assert np.array_equal(np.asarray(Image.open(save_picture(tmp_path / f"{depth}{suffix}", photo))), stored)


@pytest.mark.parametrize("channels", [1, 3])
def test_bmp(tmp_path, channels):
    photo, stored = make_photo(channels, 8, alpha=True, exif=make_exif(), icc_profile=PROFILE)
    assert np.array_equal(
        read(save_picture(tmp_path / "a.bmp", photo)), stored[..., 0] if channels == 1 else stored[..., :3]
    )
    lost = what_is_lost(".BMP", photo)
    assert len(lost) == 3 and all("BMP" in sentence for sentence in lost)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("alpha", [False, True])
def test_lossless_webp(tmp_path, channels, alpha):
    photo, _ = make_photo(channels, 8, alpha)
    found = read(save_picture(tmp_path / "a.webp", photo, quality=100))
    expected = np.dstack([*photo.pixels] * (3 // channels) + [photo.alpha] * alpha)
    assert np.array_equal(found, np.rint(expected * 255))


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("suffix", [".jpg", ".jpeg", ".webp"])
def test_lossy_formats_come_close(tmp_path, suffix, channels):
    ramp = np.linspace(0.1, 0.9, 64, dtype=np.float32)
    pixels = np.stack([np.tile(ramp ** (1 + channel), (48, 1)) for channel in range(channels)])
    photo = Photo(pixels, bit_depth=16)
    found = read(save_picture(tmp_path / f"a{suffix}", photo))
    found = np.moveaxis(found, -1, 0) if found.ndim == 3 else found[None]
    assert np.abs(found / 255 - photo.pixels).mean() < 0.01
    assert found.shape[0] == (1 if channels == 1 and suffix != ".webp" else 3)


def test_jpeg_keeps_the_full_resolution_of_colours(tmp_path):
    save_picture(tmp_path / "a.jpg", make_photo(3, 8)[0])
    assert all(component[1:3] == (1, 1) for component in Image.open(tmp_path / "a.jpg").layer)


def test_quality_matters(tmp_path):
    photo, _ = make_photo(3, 8)
    for suffix in (".jpg", ".webp"):
        rough = save_picture(tmp_path / f"10{suffix}", photo, quality=10)
        assert rough.stat().st_size < save_picture(tmp_path / f"95{suffix}", photo).stat().st_size


def test_values_are_clipped_and_rounded(tmp_path):
    pixels = np.array([[[-0.5, 0.2501, 1.7, 0.9999]]], np.float32)
    for suffix, depth, expected in [
        (".png", 8, [0, 64, 255, 255]),
        (".png", 16, [0, 16390, 65535, 65528]),
        (".tif", 32, [0, np.float32(0.2501), 1, np.float32(0.9999)]),
    ]:
        path = save_picture(tmp_path / f"{depth}{suffix}", Photo(pixels, bit_depth=depth))
        assert np.array_equal(np.ravel(read(path)), expected)


def test_what_is_lost():
    photo, _ = make_photo(3, 16, alpha=True, exif=make_exif(), icc_profile=PROFILE)
    assert what_is_lost(".jpg", photo) == ("JPEG keeps 8 of 16 bits.", "JPEG has no transparency.")
    assert what_is_lost(".webp", photo) == ("WebP keeps 8 of 16 bits.",)
    assert what_is_lost(".PNG", photo) == what_is_lost(".tif", photo) == ()
    assert what_is_lost(".png", make_photo(1, 32)[0]) == ("PNG keeps 16 bits of the photo's real numbers.",)
    assert what_is_lost(".jpg", make_photo(1, 8)[0]) == ()


def test_saving_makes_no_second_copy_in_real_numbers(tmp_path):
    pixels = np.broadcast_to(np.linspace(0, 1, 800, dtype=np.float32), (3, 600, 800)).copy()
    photo = Photo(pixels, bit_depth=8)
    save_picture(tmp_path / "a.png", photo)  # imports for saving
    tracemalloc.start()
    try:
        save_picture(tmp_path / "a.png", photo, overwrite=True)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < photo.pixels.nbytes


def test_real_numbers_become_16_bits_in_a_png(tmp_path):
    photo, stored = make_photo(3, 32)
    assert np.array_equal(read(save_picture(tmp_path / "a.png", photo)), np.rint(stored * np.float32(65535)))


@pytest.mark.parametrize("byteorder", ["<", ">"])
@pytest.mark.parametrize("depth", [8, 16])
@pytest.mark.parametrize("suffix", [".png", ".tif", ".jpg", ".webp"])
def test_exif_and_profile_are_kept(tmp_path, suffix, depth, byteorder):
    photo, stored = make_photo(3, depth, exif=make_exif(byteorder), icc_profile=PROFILE)
    path = save_picture(tmp_path / f"a{suffix}", photo)
    # tifffile reads what Pillow refuses: a 16-bit RGB TIFF.
    exif = Image.Exif()
    if suffix == ".tif":
        with tifffile.TiffFile(path) as tiff:
            tags = tiff.pages.first.tags
            assert tags["ExifTag"].value["ISOSpeedRatings"] == 6400 and tags["GPSTag"].value["GPSLatitudeRef"] == "N"
            assert tags["InterColorProfile"].value == PROFILE
            assert tags["DateTime"].value == "2024:05:01 10:00:00"
        exif.load_from_fp(io.BytesIO(path.read_bytes()))
        assert np.array_equal(tifffile.imread(path), stored)
    else:
        image = Image.open(path)
        assert image.info["icc_profile"] == PROFILE
        exif = image.getexif()
    assert (exif[0x010F], exif[0x013B]) == ("Canon", "Jürgen")
    assert exif.get_ifd(0x8769)[0x927C] == b"maker's secret" and exif.get_ifd(0x8769)[0x829A] == 0.008
    assert exif.get_ifd(0x8825)[2] == (48.0, 12.0, 30.5)
    again = open_photo(path)
    assert again.icc_profile == PROFILE and (suffix == ".tif" or again.exif == photo.exif)
    exif.load(again.exif)
    assert exif[0x013B] == "Jürgen" and exif.get_ifd(0x8769)[0x8827] == 6400


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_damaged_exif_does_not_bar_saving(tmp_path, suffix):
    whole = make_exif()
    generator = np.random.default_rng(0)
    for number in range(30):
        block = bytearray(whole)
        for position in generator.integers(14, len(block), 4):
            block[position] = generator.integers(256)
        path = save_picture(tmp_path / f"{number}{suffix}", make_photo(1, 8, exif=bytes(block))[0])
        assert open_photo(path).rows == ROWS


def test_exif_that_repeats_one_value_a_thousand_times_does_not_grow(tmp_path):
    block = struct.pack("<2sHIHHHIII", b"II", 42, 8, 1, 0x8769, 4, 1, 26, 0)
    entries = b"".join(struct.pack("<HHII", tag, 7, 10_000, 0) for tag in range(1000))
    block += struct.pack("<H", 1000) + entries + bytes(4)
    path = save_picture(tmp_path / "a.tif", make_photo(1, 8, exif=b"Exif\0\0" + block)[0])
    assert path.stat().st_size < 4 * len(block)
    assert len(open_photo(path).exif) < 4 * len(block)


def test_a_tiff_of_pillow_passes_its_exif_on(tmp_path):
    Image.fromarray(np.zeros((ROWS, COLS, 3), np.uint8)).save(tmp_path / "a.tif", exif=make_exif())
    save_picture(tmp_path / "b.jpg", open_photo(tmp_path / "a.tif"))
    exif = Image.open(tmp_path / "b.jpg").getexif()
    assert exif[0x010F] == "Canon" and exif.get_ifd(0x8769)[0x8827] == 6400 and exif.get_ifd(0x8825)[1] == "N"
    assert 0x0101 not in exif  # tags that describe the TIFF file itself are not copied


@pytest.mark.parametrize(
    ("options", "kept"),
    [
        ({"description": "Evening at the lake", "metadata": None}, "Evening at the lake"),
        ({"imagej": True}, None),  # these describe the pages of the original file
        ({"metadata": {"axes": "YX"}}, None),
        ({"ome": True}, None),
    ],
)
def test_a_caption_goes_along_and_a_program_s_mark_does_not(tmp_path, options, kept):
    tifffile.imwrite(tmp_path / "a.tif", np.zeros((ROWS, COLS), np.uint8), photometric="minisblack", **options)
    save_picture(tmp_path / "b.png", open_photo(tmp_path / "a.tif"))
    assert Image.open(tmp_path / "b.png").getexif().get(0x010E) == kept


def test_the_interoperability_directory_is_not_pointed_to_where_it_is_not(tmp_path):
    exif = Image.Exif()
    exif[0x8769] = {0x8827: 6400, 0xA005: {1: "R98"}}
    path = save_picture(tmp_path / "a.tif", make_photo(3, 16, exif=exif.tobytes())[0])
    with tifffile.TiffFile(path) as tiff:
        assert tiff.pages.first.tags["ExifTag"].value == {"ISOSpeedRatings": 6400}


def test_description(tmp_path):
    text = "NERD, σ = 25 <tiles & halo>"
    photo, _ = make_photo(3, 8, exif=make_exif())
    paths = {
        suffix: save_picture(tmp_path / f"a{suffix}", photo, description=text)
        for suffix in (".png", ".tif", ".jpg", ".webp", ".bmp")
    }
    assert Image.open(paths[".png"]).text["Description"] == text
    assert tifffile.TiffFile(paths[".tif"]).pages.first.description == text
    assert Image.open(paths[".jpg"]).info["comment"].decode() == text
    assert "25 &lt;tiles &amp; halo&gt;" in Image.open(paths[".webp"]).info["xmp"].decode()
    for path in paths.values():
        assert open_photo(path).rows == ROWS


def test_suffix_in_capitals(tmp_path):
    assert Image.open(save_picture(tmp_path / "A.JPG", make_photo(3, 8)[0])).format == "JPEG"


def test_an_existing_file_stays_unless_asked(tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(b"precious")
    with pytest.raises(PhotoError, match=r"a\.png.*exists already"):
        save_picture(path, make_photo(1, 8)[0])
    assert path.read_bytes() == b"precious"
    save_picture(path, make_photo(1, 8)[0], overwrite=True)
    assert Image.open(path).size == (COLS, ROWS)
    assert os.listdir(tmp_path) == ["a.png"]


def test_the_original_stays_unless_asked(tmp_path, monkeypatch):
    save_picture(tmp_path / "a.png", make_photo(1, 8)[0])
    before = (tmp_path / "a.png").read_bytes()
    photo = open_photo(tmp_path / "a.png")
    other = replace(photo, pixels=1 - photo.pixels)
    monkeypatch.chdir(tmp_path)
    for name in (tmp_path / "a.png", "a.png"):
        with pytest.raises(PhotoError, match="is the original"):
            save_picture(name, other)
    assert (tmp_path / "a.png").read_bytes() == before
    save_picture("a.png", other, overwrite=True)
    assert np.array_equal(open_photo("a.png").pixels, np.rint(other.pixels * 255).astype(np.float32) / np.float32(255))


def test_denoised_name_is_free(tmp_path):
    photo = Photo(np.zeros((1, 4, 5), np.float32), name="IMG 1", path=tmp_path / "IMG 1.JPG", format="JPEG")
    names = ["IMG 1_denoised.JPG", "IMG 1_denoised-2.JPG", "IMG 1_denoised-3.JPG"]
    for name in names:
        path = denoised_name(photo)
        assert path == tmp_path / name
        save_picture(path, photo)
    other = tmp_path / "other"
    assert denoised_name(photo, other, ".png") == other / "IMG 1_denoised.png"


def test_denoised_name_without_a_usable_suffix(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    pixels = np.zeros((1, 4, 5), np.float32)
    assert denoised_name(Photo(pixels, name="camera")) == tmp_path / "camera_denoised.png"
    phone = Photo(pixels, name="a", path=tmp_path / "a.jfif", format="JPEG")
    assert denoised_name(phone) == tmp_path / "a_denoised.jpg"


@pytest.mark.parametrize("suffix", [".png", ".tif"])
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_picture_comes_back(tmp_path, suffix, data):
    depth = data.draw(st.sampled_from([8, 16]))
    shape = data.draw(st.tuples(st.sampled_from([1, 2, 3, 4]), st.integers(1, 20), st.integers(1, 20)))
    stored = data.draw(hnp.arrays(f"uint{depth}", shape))
    values = (stored / (2**depth - 1)).astype(np.float32)
    colours = 1 if shape[0] < 3 else 3
    photo = Photo(values[:colours], alpha=values[-1] if shape[0] in (2, 4) else None, bit_depth=depth)
    path = save_picture(tmp_path / f"a{suffix}", photo, overwrite=True)
    assert np.array_equal(np.moveaxis(np.atleast_3d(read(path)), -1, 0), stored)
    again = open_photo(path)
    planes = [*again.pixels] if again.alpha is None else [*again.pixels, again.alpha]
    assert np.array_equal(np.rint(np.stack(planes).astype(np.float64) * (2**depth - 1)), stored)
