"""Further data in a file are kept if the format has room for them, and named otherwise."""

import io
import struct
import zlib

import imagecodecs
import numpy as np
import pytest
import tifffile
from PIL import Image, PngImagePlugin

from nerd_gui.imaging import open_photo, save_picture, what_is_lost
from nerd_gui.imaging.encode import FORMATS

IPTC = b"\x1c\x02\x05\x00\x05Title\x1c\x02\x50\x00\x06Author"


def pixels(mode="RGB"):
    return Image.fromarray(np.random.default_rng(0).integers(0, 256, (24, 20, 3), dtype=np.uint8)).convert(mode)


def photoshop(iptc):
    body = b"Photoshop 3.0\0" + b"8BIM" + struct.pack(">HHI", 0x0404, 0, len(iptc)) + iptc + b"\0" * (len(iptc) % 2)
    return b"\xff\xed" + struct.pack(">H", len(body) + 2) + body


@pytest.fixture
def make(tmp_path):
    """Make a photo file in this format with all possible data."""

    def made(suffix):
        path = tmp_path / f"source{suffix}"
        if suffix == ".png":
            texts = PngImagePlugin.PngInfo()
            texts.add_text("Title", "Evening")
            texts.add_itxt("Author", "Müller")
            pixels().save(path, dpi=(300, 200), pnginfo=texts)
        elif suffix == ".jpg":
            pixels().save(path, dpi=(300, 200), comment="at the läke".encode(), extra=photoshop(IPTC), quality=98)
        elif suffix == ".tif":
            tags = [(33723, 7, len(IPTC), IPTC, True)]
            array = np.asarray(pixels())
            tifffile.imwrite(path, array, resolution=(300, 200), resolutionunit="INCH", extratags=tags)
        else:
            pixels().save(path, dpi=(300, 200))
        return open_photo(path)

    return made


def resolution(path):
    with Image.open(path) as image:
        return tuple(round(float(value)) for value in image.info["dpi"])


def iptc(path):
    if path.suffix == ".tif":
        with tifffile.TiffFile(path) as tiff:
            return tiff.pages.first.tags.valueof(33723)
    with Image.open(path) as image:
        return image.info["photoshop"][0x0404]


@pytest.mark.parametrize("source", [".png", ".jpg", ".tif", ".bmp"])
@pytest.mark.parametrize("target", [".png", ".jpg", ".tif", ".bmp"])
def test_the_resolution_is_kept(make, tmp_path, source, target):
    photo = make(source)
    assert resolution(save_picture(tmp_path / f"saved{target}", photo)) == (300, 200)
    assert not any("resolution" in sentence for sentence in what_is_lost(target, photo))


def test_a_format_without_room_for_the_resolution_says_so(make):
    assert what_is_lost(".webp", make(".bmp")) == ("WebP has no room for the resolution in pixels per inch.",)


def test_centimetres_become_inches_and_a_ratio_of_sides_is_no_resolution(tmp_path):
    array = np.asarray(pixels())
    tifffile.imwrite(tmp_path / "a.tif", array, resolution=(100, 100), resolutionunit="CENTIMETER")
    assert open_photo(tmp_path / "a.tif").particulars.resolution == pytest.approx((254, 254))
    pixels().save(tmp_path / "a.jpg")
    assert open_photo(tmp_path / "a.jpg").particulars.resolution is None


def test_the_texts_of_a_png_are_kept_beside_what_is_said_of_the_picture(make, tmp_path):
    photo = make(".png")
    with Image.open(save_picture(tmp_path / "saved.png", photo, description="Denoised")) as image:
        texts = {key: value for key, value in image.text.items() if not key.startswith("XML")}
    assert texts == {"Title": "Evening", "Author": "Müller", "Description": "Denoised"}
    again = open_photo(tmp_path / "saved.png")
    with Image.open(save_picture(tmp_path / "again.png", again, description="Denoised twice")) as image:
        assert (image.text["Description"], image.text["Comment"]) == ("Denoised", "Denoised twice")


def test_texts_behind_the_pixels_are_kept_too(tmp_path):
    deep = imagecodecs.png_encode(np.zeros((8, 9, 3), np.uint16))
    stream = io.BytesIO()
    pixels().save(stream, "PNG")
    body = b"tEXtTitle\0behind"
    chunk = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
    for name, data in (("8", stream.getvalue()), ("16", deep)):
        (tmp_path / f"{name}.png").write_bytes(data[:-12] + chunk + data[-12:])
        assert open_photo(tmp_path / f"{name}.png").particulars.texts == (("Title", "behind"),)


def test_the_comment_of_a_jpeg_is_kept(make, tmp_path):
    photo = make(".jpg")
    with Image.open(save_picture(tmp_path / "saved.jpg", photo, description="Denoised")) as image:
        assert image.info["comment"].decode() == "at the läke\nDenoised"
    with Image.open(save_picture(tmp_path / "saved.png", photo, description="Denoised")) as image:
        assert (image.text["Comment"], image.text["Description"]) == ("at the läke", "Denoised")


def test_texts_that_have_no_room_are_named(make):
    assert what_is_lost(".jpg", make(".png")) == ("JPEG has no room for the photo's texts “Title”, “Author”.",)
    assert "WebP has no room for the photo's texts “Comment”." in what_is_lost(".webp", make(".jpg"))


@pytest.mark.parametrize("source", [".jpg", ".tif"])
def test_iptc_is_kept_or_said_to_be_lost(make, tmp_path, source):
    photo = make(source)
    assert photo.particulars.iptc == IPTC
    for suffix in (".jpg", ".tif"):
        assert bytes(iptc(save_picture(tmp_path / f"saved{suffix}", photo))) == IPTC
        assert not any("IPTC" in sentence for sentence in what_is_lost(suffix, photo))
    for suffix in (".png", ".webp", ".bmp"):
        assert any("no room for the IPTC data" in sentence for sentence in what_is_lost(suffix, photo))


def test_iptc_larger_than_a_segment_has_no_room_in_a_jpeg(tmp_path):
    tags = [(33723, 7, 70_000, b"\x1c" * 70_000, True)]
    tifffile.imwrite(tmp_path / "a.tif", np.asarray(pixels()), extratags=tags)
    photo = open_photo(tmp_path / "a.tif")
    assert what_is_lost(".jpg", photo) == ("JPEG has no room for the IPTC data.",)
    assert open_photo(save_picture(tmp_path / "a.jpg", photo)).particulars.iptc is None


@pytest.mark.parametrize("suffix", [".tif", ".png", ".webp"])
def test_further_pages_and_frames_are_said_to_be_lost(tmp_path, suffix):
    path = tmp_path / f"a{suffix}"
    pixels().save(path, save_all=True, append_images=[pixels().rotate(90), pixels().rotate(180)])
    (sentence,) = what_is_lost(suffix, open_photo(path))
    assert sentence.startswith("Of the 3 p") and sentence.endswith(" in the file, only the first is kept.")


def test_reduced_versions_are_no_pages(tmp_path):
    array = np.asarray(pixels())
    with tifffile.TiffWriter(tmp_path / "a.tif") as tiff:
        tiff.write(array, photometric="rgb", subifds=1)
        tiff.write(array[::2, ::2], photometric="rgb", subfiletype=1)
    assert what_is_lost(".tif", open_photo(tmp_path / "a.tif")) == ()


def test_camera_data_of_a_bigtiff_are_said_to_be_lost(tmp_path):
    exif = Image.Exif()
    exif[0x010F] = "Maker"
    pixels().save(tmp_path / "a.tif", exif=exif, big_tiff=True)
    photo = open_photo(tmp_path / "a.tif")
    assert photo.exif is None
    lost = "The camera's EXIF data are not kept, because they cannot be read from a BigTIFF file."
    assert what_is_lost(".tif", photo) == (lost,)


@pytest.mark.parametrize("quality", [30, 75, 95, 96, 98, 99, 100])
def test_a_jpeg_is_saved_as_finely_as_it_was_and_never_coarser_than_usual(tmp_path, quality):
    pixels().save(tmp_path / "a.jpg", quality=quality)
    photo = open_photo(tmp_path / "a.jpg")
    assert photo.particulars.quality == quality
    with Image.open(save_picture(tmp_path / "b.jpg", photo)) as saved, io.BytesIO() as stream:
        pixels().save(stream, "JPEG", quality=max(95, quality))
        assert saved.quantization == Image.open(stream).quantization
    with Image.open(save_picture(tmp_path / "c.jpg", photo, quality=60)) as saved, io.BytesIO() as stream:
        pixels().save(stream, "JPEG", quality=60)
        assert saved.quantization == Image.open(stream).quantization


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_a_lossless_webp_stays_lossless(tmp_path, mode):
    pixels(mode).save(tmp_path / "a.webp", lossless=True, icc_profile=b"profile" if mode == "RGBA" else b"")
    photo = open_photo(tmp_path / "a.webp")
    again = open_photo(save_picture(tmp_path / "b.webp", photo))
    assert np.array_equal(again.pixels, photo.pixels) and again.particulars.quality == 100
    pixels(mode).save(tmp_path / "lossy.webp", quality=80)
    assert open_photo(tmp_path / "lossy.webp").particulars.quality is None


@pytest.mark.parametrize("suffix", FORMATS)
def test_saving_and_opening_again_loses_nothing_more(make, tmp_path, suffix):
    photo = make(".jpg")
    once = open_photo(save_picture(tmp_path / f"once{suffix}", photo))
    twice = open_photo(save_picture(tmp_path / f"twice{suffix}", once))
    assert twice.particulars._replace(resolution=None) == once.particulars._replace(resolution=None)
    if suffix != ".webp":  # which has no room for them
        assert twice.particulars.resolution == pytest.approx(once.particulars.resolution, rel=1e-3)
