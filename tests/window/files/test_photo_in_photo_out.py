"""From one photo file to the next in the window: opened, denoised and saved; the file is read back."""

import io

import numpy as np
import pytest
import tifffile
from camera_exif import camera_exif
from dialog_person import Person, saves
from dng import write_dng
from PIL import ExifTags, Image, ImageCms
from PySide6.QtWidgets import QMessageBox
from window_person import run_to_the_end

from nerd_gui.imaging import raw, to_8_bit

PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
XMP = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    b'<rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:Rating="4"/></rdf:RDF></x:xmpmeta>'
)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "photos").mkdir()
    return tmp_path / "photos"


def opened(qtbot, window, path, monkeypatch):
    """Open a photo with the dialog."""
    answer = ([str(path)], "")
    for name in ("getOpenFileName", "getOpenFileNames"):
        found = answer if name.endswith("s") else (str(path), "")
        monkeypatch.setattr(f"nerd_gui.window.files.open_dialogs.QFileDialog.{name}", lambda *_, found=found: found)
    window.actions_.open.trigger()
    qtbot.waitUntil(lambda: not window.opener.busy)


def save(window):
    """Save under the proposed name."""
    with Person(saves()):
        window.actions_.export.trigger()


def test_a_camera_s_jpeg_comes_back_upright_and_with_all_it_said(qtbot, window, folder, monkeypatch):
    """The camera was on its side: 48 x 36 pixels in the file, 36 x 48 when upright."""
    small = io.BytesIO()
    Image.new("RGB", (160, 120), "red").save(small, "JPEG", quality=95)
    thumbnail = small.getvalue().ljust(4000, b"\0")
    exif = camera_exif(">", thumbnail=thumbnail, orientation=6)
    noisy = np.random.default_rng(0).normal((60, 120, 180), 20, (36, 48, 3)).clip(0, 255).astype(np.uint8)
    Image.fromarray(noisy).save(folder / "IMG_1.JPG", quality=98, exif=exif, icc_profile=PROFILE, xmp=XMP)
    opened(qtbot, window, folder / "IMG_1.JPG", monkeypatch)
    run_to_the_end(qtbot, window)
    save(window)
    saved = Image.open(folder / "IMG_1_denoised.JPG")
    found = saved.getexif()
    inner = found.get_ifd(ExifTags.IFD.Exif)
    assert saved.format == "JPEG" and saved.size == (36, 48) == (inner[0xA002], inner[0xA003])
    assert (found[0x010F], found[0x0112], inner[0x8827]) == ("Canon", 1, 6400)
    assert found.get_ifd(ExifTags.IFD.GPSInfo)[1] == "N" and saved.info["icc_profile"] == PROFILE
    places = found.get_ifd(ExifTags.IFD.IFD1)
    start = places[0x0201]
    block = saved.info["exif"].removeprefix(b"Exif\0\0")
    tiny = Image.open(io.BytesIO(block[start : start + places[0x0202]])).convert("RGB")
    red, _, blue = np.asarray(tiny, float).mean(axis=(0, 1))
    assert tiny.width < tiny.height and blue > red + 60, "the new picture, upright; the camera's was red"
    assert b'xmp:Rating="4"' in saved.info["xmp"] and b"Nothing was generated" in saved.info["xmp"]
    picture = to_8_bit(window.session.trajectory.picture(window.session.index)).transpose(1, 2, 0)
    assert np.abs(np.asarray(saved, float) - picture).mean() < 3, "as near as JPEG comes"


def test_a_raw_file_is_developed_denoised_and_saved_as_a_deep_tiff(qtbot, window, folder, monkeypatch):
    scene = np.random.default_rng(0).normal(0.2, 0.02, (3, 36, 48)).clip(0, 1)
    opened(qtbot, window, write_dng(folder / "IMG_2.dng", scene, orientation=8), monkeypatch)
    run_to_the_end(qtbot, window)
    save(window)
    found = tifffile.imread(folder / "IMG_2_denoised.tif")
    picture = window.session.trajectory.picture(window.session.index)
    assert found.dtype == np.uint16 and found.shape == (48, 36, 3)
    assert np.array_equal(found, np.rint(np.clip(picture, 0, 1) * np.float32(65535)).transpose(1, 2, 0))


def test_without_rawpy_the_window_says_how_to_get_it(qtbot, window, folder, monkeypatch):
    before = window.session.workspace.photo
    monkeypatch.setattr(raw, "can_develop", lambda: False)
    opened(qtbot, window, write_dng(folder / "IMG_2.dng", np.full((3, 36, 48), 0.2)), monkeypatch)
    qtbot.waitUntil(lambda: bool(window.findChildren(QMessageBox)))
    (box,) = window.findChildren(QMessageBox)
    assert "IMG_2.dng" in box.text() and 'pip install "nerd-gui[raw]"' in box.text()
    assert window.session.workspace.photo is before
    box.close()


def test_a_16_bit_tiff_stays_one(qtbot, window, folder, monkeypatch):
    noisy = np.random.default_rng(0).integers(20_000, 40_000, (36, 48, 3), dtype=np.uint16)
    tifffile.imwrite(folder / "scan.tif", noisy, photometric="rgb", iccprofile=PROFILE, description="Evening")
    opened(qtbot, window, folder / "scan.tif", monkeypatch)
    run_to_the_end(qtbot, window)
    save(window)
    with tifffile.TiffFile(folder / "scan_denoised.tif") as tiff:
        page = tiff.pages.first
        assert page.tags["InterColorProfile"].value == PROFILE and page.dtype == np.uint16
        assert page.description == "Evening", "the caption that it had"
        picture = window.session.trajectory.picture(window.session.index)
        expected = np.rint(np.clip(picture, 0, 1) * np.float32(65535)).transpose(1, 2, 0)
        assert np.array_equal(page.asarray(), expected)
