"""Previews: the photo's own picture, small, upright and with its size; None if there is no quick way."""

import io
import struct

import numpy as np
import pytest
import tifffile
from PIL import Image

from nerd_gui.imaging import open_photo, preview

ROWS, COLS = 480, 640


def scene():
    """A smooth picture with different colours in the corners, so that every rotation is noticed."""
    rows, cols = np.mgrid[:ROWS, :COLS]
    return np.stack([rows * 200 // ROWS, cols * 200 // COLS, np.full_like(rows, 90)], axis=-1).astype(np.uint8)


def with_orientation(orientation, thumbnail=None):
    """Make an EXIF block whose second directory contains the thumbnail."""
    entry = struct.pack(">HHIHH", 0x0112, 3, 1, orientation, 0)
    head, jpeg = b"Exif\0\0MM\0*" + struct.pack(">IH", 8, 1) + entry, b""
    if thumbnail is None:
        return head + bytes(4)
    stream = io.BytesIO()
    thumbnail.save(stream, "JPEG")
    jpeg, second = stream.getvalue(), len(head) - 6 + 4
    entries = [struct.pack(">HHII", 0x0201, 4, 1, second + 30), struct.pack(">HHII", 0x0202, 4, 1, len(jpeg))]
    return head + struct.pack(">IH", second, 2) + b"".join(entries) + bytes(4) + jpeg


def close_to_the_photo(path, side):
    small, photo = preview(path, side), open_photo(path)
    assert (small.rows, small.cols) == (photo.rows, photo.cols) and small.pixels.dtype == np.uint8
    rows, cols, channels = small.pixels.shape
    assert channels == 3 and rows / cols == pytest.approx(photo.rows / photo.cols, rel=0.02)
    where = np.ix_((np.arange(rows) + 0.5) * photo.rows // rows, (np.arange(cols) + 0.5) * photo.cols // cols)
    expected = photo.pixels.transpose(1, 2, 0)[tuple(index.astype(int) for index in where)] * 255
    assert np.abs(small.pixels - expected).max() < 12, "the same picture, turned the same way"
    return max(rows, cols)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_jpeg(tmp_path, orientation):
    Image.fromarray(scene()).save(tmp_path / "a.jpg", exif=with_orientation(orientation))
    assert close_to_the_photo(tmp_path / "a.jpg", 300) == 320


def test_grey_jpeg(tmp_path):
    Image.fromarray(scene()).convert("L").save(tmp_path / "a.jpg")
    assert close_to_the_photo(tmp_path / "a.jpg", 300) == 320


@pytest.mark.parametrize("orientation", [1, 6])
@pytest.mark.parametrize("compression", [None, "zlib"])
@pytest.mark.parametrize(("photometric", "dtype"), [("rgb", "uint16"), ("miniswhite", "uint8"), ("rgb", "float32")])
def test_tiff(tmp_path, photometric, dtype, compression, orientation):
    values = scene() if photometric == "rgb" else scene()[..., 0]
    if dtype != "uint8":
        values = values / np.float32(255) if dtype == "float32" else values * np.uint16(257)
    tifffile.imwrite(
        tmp_path / "a.tif",
        values,
        photometric=photometric,
        compression=compression,
        rowsperstrip=1,
        extratags=[(274, 3, 1, orientation, True)],
        metadata=None,
    )
    assert close_to_the_photo(tmp_path / "a.tif", 160) == 160


@pytest.mark.parametrize("suffix", ["png", "webp"])
@pytest.mark.parametrize("orientation", [1, 6])
def test_thumbnail_in_exif(tmp_path, suffix, orientation):
    image = Image.fromarray(scene())
    image.save(tmp_path / f"a.{suffix}", exif=with_orientation(orientation, image.resize((160, 120))), quality=100)
    assert close_to_the_photo(tmp_path / f"a.{suffix}", 320) == 160


def test_none_where_there_is_no_quick_way(tmp_path):
    Image.fromarray(scene()).save(tmp_path / "a.png")
    tifffile.imwrite(tmp_path / "a.tif", scene(), photometric="rgb", compression="zlib", rowsperstrip=ROWS)
    assert preview(tmp_path / "a.png", 300) is None and preview(tmp_path / "a.tif", 300) is None


@pytest.mark.parametrize("content", [b"", b"no picture", b"\xff\xd8\xff\xe0nothing", b"II*\0nothing"])
def test_bad_files_are_for_open_photo_to_name(tmp_path, content):
    (tmp_path / "a.jpg").write_bytes(content)
    assert preview(tmp_path / "a.jpg", 300) is None
    assert preview(tmp_path, 300) is None and preview(tmp_path / "nowhere.jpg", 300) is None
