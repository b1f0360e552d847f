"""Opening: files written by Pillow, tifffile or imagecodecs are read with exactly their values."""

import hashlib
import itertools
import struct
import zlib

import imagecodecs
import numpy as np
import pytest
import tifffile
from PIL import Image, ImageCms, ImageOps

from nerd_gui.imaging import Photo, luma, open_photo

ROWS, COLS = 21, 34


def noise(channels, dtype=np.uint8, seed=0):
    shape = (ROWS, COLS, channels) if channels > 1 else (ROWS, COLS)
    return np.random.default_rng(seed).integers(0, np.iinfo(dtype).max, shape, dtype=dtype, endpoint=True)


def levels(photo, full):
    """Return the photo's integer values, (rows, cols) or (rows, cols, channels), alpha last."""
    planes = [*photo.pixels] + ([] if photo.alpha is None else [photo.alpha])
    scaled = np.stack(planes, axis=-1).astype(np.float64) * full
    assert np.abs(scaled - np.rint(scaled)).max() < 0.01
    return np.squeeze(np.rint(scaled).astype(np.int64), axis=-1) if len(planes) == 1 else np.rint(scaled)


@pytest.mark.parametrize(
    ("suffix", "channels"),
    [*itertools.product(["png", "tif", "webp"], [1, 2, 3, 4]), ("bmp", 1), ("bmp", 3)],
)
def test_8_bit_files_of_pillow(tmp_path, suffix, channels):
    values = noise(channels)
    path = tmp_path / f"holiday photo.{suffix}"
    options = {"lossless": True, "exact": True} if suffix == "webp" else {}
    Image.fromarray(values).save(path, **options)
    if suffix == "webp" and channels < 3:  # WebP only has colours
        values = np.dstack([values[..., 0] if channels == 2 else values] * 3 + ([values[..., 1]] * (channels == 2)))

    photo = open_photo(path)

    assert np.array_equal(levels(photo, 255), values)
    assert photo.channels == (3 if values.ndim == 3 and values.shape[2] > 2 else 1)
    assert (photo.rows, photo.cols, photo.bit_depth) == (ROWS, COLS, 8)
    assert photo.pixels.dtype == np.float32 and photo.pixels.flags.c_contiguous
    assert photo.format == {"png": "PNG", "tif": "TIFF", "bmp": "BMP", "webp": "WEBP"}[suffix]
    assert (photo.name, photo.path) == ("holiday photo", path)
    assert photo.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert photo.exif is None and photo.icc_profile is None


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_jpeg(tmp_path, mode):
    path = tmp_path / "a.JPG"
    Image.fromarray(noise(1 if mode == "L" else 3)).save(path, "JPEG", quality=60)
    photo = open_photo(path)
    assert np.array_equal(levels(photo, 255), np.asarray(Image.open(path)))
    assert photo.format == "JPEG" and photo.bit_depth == 8


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_16_bit_png_keeps_every_bit(tmp_path, channels):
    values = noise(channels, np.uint16)
    (tmp_path / "a.png").write_bytes(imagecodecs.png_encode(values))
    photo = open_photo(tmp_path / "a.png")
    assert np.array_equal(levels(photo, 65535), values)
    assert photo.bit_depth == 16 and photo.format == "PNG"


def test_16_bit_png_of_pillow(tmp_path):
    values = noise(1, np.uint16)
    Image.fromarray(values).save(tmp_path / "a.png")
    assert np.array_equal(levels(open_photo(tmp_path / "a.png"), 65535), values)


@pytest.mark.parametrize("depth", [8, 16])
def test_png_with_one_transparent_colour(tmp_path, depth):
    dtype = np.dtype(f"uint{depth}")
    values = noise(3, dtype)
    values[3, 4] = values[0, 0]
    body = struct.pack(">3H", *(int(value) for value in values[0, 0]))
    chunk = struct.pack(">I", 6) + b"tRNS" + body + struct.pack(">I", zlib.crc32(b"tRNS" + body))
    png = imagecodecs.png_encode(values)
    (tmp_path / "a.png").write_bytes(png[:33] + chunk + png[33:])
    photo = open_photo(tmp_path / "a.png")
    expected = np.any(values != values[0, 0], axis=-1)
    assert not expected[3, 4]
    assert np.array_equal(photo.alpha, expected)
    assert np.array_equal(levels(photo, np.iinfo(dtype).max)[..., :3], values)


@pytest.mark.parametrize("compression", [None, "zlib"])
@pytest.mark.parametrize("byteorder", ["<", ">"])
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "uint32"])
@pytest.mark.parametrize(("channels", "planar"), [(1, False), (2, False), (3, False), (3, True), (4, False), (4, True)])
def test_tiff_integers(tmp_path, dtype, channels, planar, byteorder, compression):
    values = noise(channels, np.dtype(dtype))
    stored = np.moveaxis(values, -1, 0) if planar else values
    tifffile.imwrite(
        tmp_path / "a.tif",
        stored,
        photometric="rgb" if channels > 2 else "minisblack",
        planarconfig=None if channels == 1 else "separate" if planar else "contig",
        extrasamples=["unassalpha"] if channels in (2, 4) else None,
        byteorder=byteorder,
        compression=compression,
    )
    photo = open_photo(tmp_path / "a.tif")
    if dtype == "uint32":  # float32 holds 24 of the bits
        expected = values / (2**32 - 1)
        planes = [*photo.pixels] + ([] if photo.alpha is None else [photo.alpha])
        assert np.allclose(np.squeeze(np.stack(planes, -1)), expected, rtol=1e-6, atol=0)
        assert photo.bit_depth == 32
    else:
        assert np.array_equal(levels(photo, np.iinfo(dtype).max), values)
        assert photo.bit_depth == np.iinfo(dtype).bits


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_tiff_real_numbers(tmp_path, dtype, channels):
    values = np.squeeze(np.random.default_rng(0).random((ROWS, COLS, channels))).astype(dtype)
    tifffile.imwrite(tmp_path / "a.tif", values, photometric="rgb" if channels > 2 else "minisblack")
    photo = open_photo(tmp_path / "a.tif")
    planes = [*photo.pixels] + ([] if photo.alpha is None else [photo.alpha])
    assert np.array_equal(np.squeeze(np.stack(planes, -1)), values.astype(np.float32))
    assert photo.bit_depth == 32


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_tiff_where_white_is_zero(tmp_path, dtype):
    values = noise(1, dtype)
    tifffile.imwrite(tmp_path / "a.tif", values, photometric="miniswhite")
    full = np.iinfo(dtype).max
    assert np.array_equal(levels(open_photo(tmp_path / "a.tif"), full), full - values.astype(np.int64))


def test_tiff_with_12_bits(tmp_path):
    values = noise(1, np.uint16) >> 4
    tifffile.imwrite(tmp_path / "a.tif", values, photometric="minisblack", bitspersample=12)
    photo = open_photo(tmp_path / "a.tif")
    assert np.array_equal(levels(photo, 4095), values)
    assert photo.bit_depth == 16


def test_tiff_with_multiplied_alpha_is_divided(tmp_path):
    colour = np.full((ROWS, COLS, 3), (200, 100, 50))
    alpha = np.arange(ROWS * COLS).reshape(ROWS, COLS, 1) % 256
    stored = np.rint(np.dstack([colour * alpha / 255, alpha])).astype(np.uint8)
    tifffile.imwrite(tmp_path / "a.tif", stored, photometric="rgb", extrasamples=["assocalpha"])
    photo = open_photo(tmp_path / "a.tif")
    opaque = alpha[..., 0] > 128
    assert np.abs(photo.pixels.transpose(1, 2, 0)[opaque] * 255 - (200, 100, 50)).max() < 1.01
    assert np.isfinite(photo.pixels).all() and photo.pixels.max() <= 1
    assert np.array_equal(np.rint(photo.alpha * 255), alpha[..., 0])


def test_first_page_of_a_tiff(tmp_path):
    pages = np.stack([noise(1, seed=seed) for seed in range(3)])
    tifffile.imwrite(tmp_path / "a.tif", pages, photometric="minisblack")
    assert np.array_equal(levels(open_photo(tmp_path / "a.tif"), 255), pages[0])


@pytest.mark.parametrize("suffix", ["png", "tif", "bmp"])
def test_one_bit(tmp_path, suffix):
    bits = noise(1) > 127
    Image.fromarray(bits).save(tmp_path / f"a.{suffix}")
    photo = open_photo(tmp_path / f"a.{suffix}")
    assert np.array_equal(photo.pixels[0], bits)
    assert photo.bit_depth == 8


@pytest.mark.parametrize("suffix", ["png", "tif", "bmp"])
def test_palette(tmp_path, suffix):
    image = Image.fromarray(noise(3)).quantize(40)
    image.save(tmp_path / f"a.{suffix}")
    photo = open_photo(tmp_path / f"a.{suffix}")
    assert np.array_equal(levels(photo, 255), np.asarray(image.convert("RGB")))
    assert photo.alpha is None


def test_palette_with_transparency(tmp_path):
    image = Image.fromarray(noise(3)).quantize(40)
    image.save(tmp_path / "a.png", transparency=bytes(range(40)))
    expected = np.asarray(image)
    photo = open_photo(tmp_path / "a.png")
    assert np.array_equal(np.rint(photo.alpha * 255), expected)
    assert photo.channels == 3


def smooth_cmyk():
    ramp = np.linspace(0, 200, COLS).astype(np.uint8)
    return Image.fromarray(np.dstack([np.tile(np.roll(ramp, 5 * k), (ROWS, 1)) for k in range(4)]), "CMYK")


@pytest.mark.parametrize("suffix", ["jpg", "tif"])
def test_cmyk_becomes_rgb(tmp_path, suffix):
    smooth_cmyk().save(tmp_path / f"a.{suffix}")
    photo = open_photo(tmp_path / f"a.{suffix}")
    expected = np.asarray(Image.open(tmp_path / f"a.{suffix}").convert("RGB"))
    assert np.array_equal(levels(photo, 255), expected)
    naive = 255 - np.minimum(255, np.asarray(smooth_cmyk()).astype(int)[..., :3] + np.asarray(smooth_cmyk())[..., 3:])
    assert np.abs(expected - naive).mean() < 40  # not inverted


def test_profile_of_inks_does_not_stay_with_rgb(tmp_path):
    smooth_cmyk().save(tmp_path / "a.jpg", icc_profile=b"not a profile")
    photo = open_photo(tmp_path / "a.jpg")
    assert photo.icc_profile is None and photo.channels == 3


def test_luma_and_chroma_tiff(tmp_path):
    image = Image.fromarray(noise(3)).convert("YCbCr")
    image.save(tmp_path / "a.tif")
    assert np.array_equal(levels(open_photo(tmp_path / "a.tif"), 255), np.asarray(image.convert("RGB")))


def make_exif(orientation):
    exif = Image.Exif()
    exif[0x010F], exif[0x0110], exif[0x0112], exif[0x013B] = "Canon", "EOS 5D", orientation, "Jürgen"
    exif[0x8769] = {0x829A: (1, 125), 0x9003: "2024:05:01 10:00:00", 0x8827: 6400, 0x927C: b"maker's secret"}
    exif[0x8825] = {1: "N", 2: (48.0, 12.0, 30.5)}
    return exif.tobytes()


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "tif"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_is_applied(tmp_path, suffix, orientation):
    path = tmp_path / f"a.{suffix}"
    options = {"lossless": True} if suffix == "webp" else {}
    Image.fromarray(noise(3)).save(path, exif=make_exif(orientation), **options)
    photo = open_photo(path)
    assert np.array_equal(levels(photo, 255), np.asarray(ImageOps.exif_transpose(Image.open(path)).convert("RGB")))
    assert (photo.rows, photo.cols) == ((COLS, ROWS) if orientation > 4 else (ROWS, COLS))
    kept = Image.Exif()
    kept.load(photo.exif)
    assert kept.get(0x0112, 1) == 1
    assert (kept[0x010F], kept.get_ifd(0x8769)[0x8827], kept.get_ifd(0x8825)[1]) == ("Canon", 6400, "N")


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_of_16_bit_pictures(tmp_path, orientation):
    values = noise(3, np.uint16)
    tifffile.imwrite(
        tmp_path / "a.tif", values, photometric="rgb", extratags=[(274, 3, 1, orientation, True)], metadata=None
    )
    methods = [None, *(getattr(Image.Transpose, name) for name in ORIENTATIONS)]
    channels = [Image.fromarray(channel.astype(np.int32)) for channel in np.moveaxis(values, -1, 0)]
    method = methods[orientation - 1]
    expected = [np.asarray(channel if method is None else channel.transpose(method)) for channel in channels]
    assert np.array_equal(np.rint(open_photo(tmp_path / "a.tif").pixels * 65535), expected)


ORIENTATIONS = [
    "FLIP_LEFT_RIGHT",
    "ROTATE_180",
    "FLIP_TOP_BOTTOM",
    "TRANSPOSE",
    "ROTATE_270",
    "TRANSVERSE",
    "ROTATE_90",
]


def test_turned_cmyk_tiff_is_turned_once(tmp_path):
    smooth_cmyk().save(tmp_path / "a.tif", exif=make_exif(6))
    assert (open_photo(tmp_path / "a.tif").rows, open_photo(tmp_path / "a.tif").cols) == (COLS, ROWS)


def test_exif_of_a_jpeg_keeps_every_other_byte(tmp_path):
    raw = make_exif(6)
    Image.fromarray(noise(3)).save(tmp_path / "a.jpg", exif=raw)
    kept = open_photo(tmp_path / "a.jpg").exif
    differing = [position for position in range(len(raw)) if raw[position] != kept[position]]
    assert len(kept) == len(raw) and len(differing) == 1


def test_unreadable_exif_does_not_bar_the_photo(tmp_path):
    Image.fromarray(noise(3)).save(tmp_path / "a.jpg", exif=b"Exif\0\0nonsense")
    photo = open_photo(tmp_path / "a.jpg")
    assert photo.exif is None and photo.rows == ROWS


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "tif"])
def test_colour_profile_is_kept(tmp_path, suffix):
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    Image.fromarray(noise(3)).save(tmp_path / f"a.{suffix}", icc_profile=profile)
    assert open_photo(tmp_path / f"a.{suffix}").icc_profile == profile


def test_mpo_of_a_phone_is_a_jpeg(tmp_path):
    images = [Image.fromarray(noise(3, seed=seed)) for seed in range(2)]
    images[0].save(tmp_path / "a.jpg", "MPO", save_all=True, append_images=images[1:])
    photo = open_photo(tmp_path / "a.jpg")
    assert photo.format == "JPEG" and np.array_equal(levels(photo, 255), np.asarray(Image.open(tmp_path / "a.jpg")))


def test_content_and_not_the_suffix_decides(tmp_path):
    Image.fromarray(noise(3)).save(tmp_path / "a.jpg", "PNG")
    assert open_photo(tmp_path / "a.jpg").format == "PNG"


def test_grey_rounds_like_pillow(tmp_path):
    values = np.random.default_rng(1).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    Image.fromarray(values).save(tmp_path / "a.png")
    photo = open_photo(tmp_path / "a.png").grey()
    assert photo.channels == 1
    assert np.array_equal(levels(photo, 255), np.asarray(Image.fromarray(values).convert("L")))
    assert photo.grey() is photo


def test_grey_of_16_bits_keeps_the_fraction():
    pixels = np.random.default_rng(1).random((3, 5, 6)).astype(np.float32)
    grey = Photo(pixels, bit_depth=16, icc_profile=b"rgb").grey()
    expected = 0.299 * pixels[0] + 0.587 * pixels[1] + 0.114 * pixels[2]
    assert np.allclose(grey.pixels[0], expected, atol=1e-6) and grey.icc_profile is None
    assert np.array_equal(luma(grey.pixels), grey.pixels[0])


def test_crop_copies_the_rectangle():
    pixels = np.random.default_rng(1).random((3, 20, 30)).astype(np.float32)
    photo = Photo(pixels, alpha=pixels[0], name="x", sha256="abc")
    crop = photo.crop(4, 5, 6, 7)
    assert np.array_equal(crop.pixels, pixels[:, 4:10, 5:12]) and np.array_equal(crop.alpha, pixels[0, 4:10, 5:12])
    assert not np.shares_memory(crop.pixels, pixels) and (crop.name, crop.sha256) == ("x", "abc")


@pytest.mark.parametrize("rectangle", [(-1, 0, 2, 2), (0, 0, 0, 2), (0, 0, 21, 2), (19, 0, 2, 2), (0, 29, 1, 2)])
def test_crop_must_lie_inside(rectangle):
    with pytest.raises(ValueError, match="does not lie inside"):
        Photo(np.zeros((1, 20, 30), np.float32)).crop(*rectangle)


@pytest.mark.parametrize(
    "arguments",
    [
        {"pixels": np.zeros((20, 30), np.float32)},
        {"pixels": np.zeros((2, 20, 30), np.float32)},
        {"pixels": np.zeros((1, 20, 30), np.float64)},
        {"pixels": np.zeros((1, 20, 30), np.float32), "alpha": np.zeros((20, 31), np.float32)},
        {"pixels": np.zeros((1, 20, 30), np.float32), "bit_depth": 12},
    ],
)
def test_photo_refuses_what_is_no_photo(arguments):
    with pytest.raises(ValueError, match="photo"):
        Photo(**arguments)
