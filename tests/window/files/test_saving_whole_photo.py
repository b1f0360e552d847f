"""A whole photo is saved as a photo; if it is not finished, a message says so."""

import numpy as np
import pytest
from dialog_person import Person, proposed, saves
from PIL import Image
from PySide6.QtWidgets import QMessageBox
from scripted_photo_run import ScriptedPhotoRun

from nerd_gui.imaging import to_8_bit
from nerd_gui.window.session import run_controller


@pytest.fixture
def window(make_window, tmp_path, monkeypatch):
    """A window with a photo above a megapixel, a chosen region, and a scripted run."""
    pixels = np.random.default_rng(0).integers(60, 250, (1000, 1100, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "large.png", compress_level=1)
    ScriptedPhotoRun.made = []
    monkeypatch.setattr(run_controller, "PhotoRun", ScriptedPhotoRun)
    made = make_window(tmp_path / "large.png")
    made.session.workspace.set_region((400, 400, 32, 32))
    return made


def finish_tiles(qtbot, window, run, count, done):
    run.permits.release(count)
    qtbot.waitUntil(lambda: window.session.progress is not None and window.session.progress.done == done)


def boxes(window):
    return [box for box in window.findChildren(QMessageBox) if box.isVisible()]


def test_a_whole_photo_is_saved_whole_and_an_unfinished_one_says_so(qtbot, window, tmp_path):
    window.actions_.denoise.trigger()
    qtbot.waitUntil(lambda: window.session.trajectory is not None and bool(ScriptedPhotoRun.made))
    (run,) = ScriptedPhotoRun.made
    finish_tiles(qtbot, window, run, 1, done=1)
    with Person(saves("early")):
        window.actions_.export.trigger()
    noisy = window.session.workspace.photo.pixels
    expected = noisy.copy()
    expected[:, :500, :550] += np.float32(np.float16(-0.06))
    saved = np.asarray(Image.open(tmp_path / "early.png"))
    assert np.array_equal(saved, to_8_bit(expected).transpose(1, 2, 0))
    (box,) = boxes(window)
    assert "1 of 4 tiles are denoised so far" in box.text()
    box.close()
    with qtbot.waitSignal(window.session.controller.ended):
        run.permits.release(3)
    seen = []
    with Person(proposed(seen)):
        window.actions_.export.trigger()
    with Person(saves()):
        window.actions_.export.trigger()
    assert seen == [("large_denoised.png", "PNG (*.png)")] and not boxes(window)
    saved = np.asarray(Image.open(tmp_path / "large_denoised.png"))
    assert np.array_equal(saved, to_8_bit(noisy + np.float32(np.float16(-0.06))).transpose(1, 2, 0))
