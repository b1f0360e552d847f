"""Saving fails with one sentence, and leaves the folder as it was."""

import errno
import os

import imagecodecs
import numpy as np
import pytest
import tifffile
from PIL import Image

from nerd_gui.imaging import Photo, PhotoError, save_picture

PHOTO = Photo(np.random.default_rng(0).random((3, 19, 27), np.float32))


@pytest.mark.parametrize("name", ["a.gif", "a", "a.heic"])
def test_unknown_suffix(tmp_path, name):
    with pytest.raises(PhotoError, match=r"\.png"):
        save_picture(tmp_path / name, PHOTO)
    assert os.listdir(tmp_path) == []


def failing(error):
    def fail(*_, **__):
        raise error

    return fail


@pytest.mark.parametrize("suffix", [".png", ".tif", ".jpg", ".webp", ".bmp"])
@pytest.mark.parametrize("existing", [False, True])
def test_full_disk_leaves_the_folder_as_it_was(tmp_path, monkeypatch, suffix, existing):
    path = tmp_path / f"a{suffix}"
    if existing:
        path.write_bytes(b"precious")
    monkeypatch.setattr(os, "fsync", failing(OSError(errno.ENOSPC, "No space left on device")))
    with pytest.raises(PhotoError, match="disk is full"):
        save_picture(path, PHOTO, overwrite=True)
    assert os.listdir(tmp_path) == ([path.name] if existing else [])
    assert not existing or path.read_bytes() == b"precious"


def test_write_that_stops_midway_leaves_the_folder_as_it_was(tmp_path):
    resource = pytest.importorskip("resource", reason="needs Unix")
    path = tmp_path / "a.tif"
    path.write_bytes(b"precious")
    photo = Photo(np.random.default_rng(0).random((3, 200, 200), np.float32), bit_depth=32)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))  # the operating system refuses the rest
    try:
        with pytest.raises(PhotoError, match=r"a\.tif.*not saved"):
            save_picture(path, photo, overwrite=True)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert os.listdir(tmp_path) == ["a.tif"] and path.read_bytes() == b"precious"


@pytest.mark.parametrize(
    ("module", "function", "suffix"),
    [(imagecodecs, "png_encode", ".png"), (tifffile, "imwrite", ".tif"), (Image.Image, "save", ".jpg")],
)
@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space left"), RuntimeError("encoder"), MemoryError()])
def test_failing_encoder_leaves_nothing(tmp_path, monkeypatch, module, function, suffix, error):
    monkeypatch.setattr(module, function, failing(error))
    with pytest.raises(PhotoError, match=f"a{suffix}"):
        save_picture(tmp_path / f"a{suffix}", PHOTO)
    assert os.listdir(tmp_path) == []


def test_a_file_that_appears_while_the_picture_is_encoded_stays(tmp_path, monkeypatch):
    path = tmp_path / "a.png"
    monkeypatch.setattr(os, "fsync", lambda _: path.write_bytes(b"precious"))
    with pytest.raises(PhotoError, match="exists already"):
        save_picture(path, PHOTO)
    assert os.listdir(tmp_path) == ["a.png"] and path.read_bytes() == b"precious"


def test_missing_folder(tmp_path):
    with pytest.raises(PhotoError, match=r"folder .* does not exist"):
        save_picture(tmp_path / "nowhere" / "a.png", PHOTO)


def test_forbidden_folder(tmp_path, monkeypatch):
    if os.name == "posix" and os.geteuid() != 0:
        tmp_path.chmod(0o500)
    else:  # root may write everywhere
        monkeypatch.setattr(os, "open", failing(PermissionError(errno.EACCES, "Permission denied")))
    with pytest.raises(PhotoError, match="not permitted"):
        save_picture(tmp_path / "a.png", PHOTO)
    assert os.listdir(tmp_path) == []


def test_folder_in_place_of_the_file(tmp_path):
    (tmp_path / "a.png").mkdir()
    with pytest.raises(PhotoError, match="is a folder"):
        save_picture(tmp_path / "a.png", PHOTO, overwrite=True)


def test_nan_is_not_saved(tmp_path):
    pixels = np.zeros((1, 4, 5), np.float32)
    pixels[0, 1, 1] = np.nan
    with pytest.raises(PhotoError, match="NaN"):
        save_picture(tmp_path / "a.png", Photo(pixels))
    assert os.listdir(tmp_path) == []


def test_webp_has_a_largest_side(tmp_path):
    with pytest.raises(PhotoError, match="16383"):
        save_picture(tmp_path / "a.webp", Photo(np.zeros((1, 1, 16_384), np.float32)))
    assert os.listdir(tmp_path) == []
