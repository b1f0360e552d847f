"""A screenshot without a user: of a finished run, or a sentence if that is impossible."""

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication

from nerd_gui.denoising import auto
from nerd_gui.window.application import run_window
from nerd_gui.window.run_bar import model_choice


@pytest.fixture
def photo(tmp_path):
    path = tmp_path / "photo.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (32, 32), dtype=np.uint8)).save(path)
    return path


@pytest.fixture(autouse=True)
def patience(qapp):
    """End the event loop after a while if no window is closed."""
    qapp.setQuitOnLastWindowClosed(False)  # otherwise a second quit remains for the event loops of the next tests
    timer = QTimer(qapp, singleShot=True, interval=20_000)
    timer.timeout.connect(QApplication.exit)
    timer.start()
    yield timer
    timer.stop()
    qapp.setQuitOnLastWindowClosed(True)


def test_the_finished_window_is_saved(photo, tmp_path, tiny_model_path):
    target = tmp_path / "window.png"
    assert run_window(photo, target, str(tiny_model_path)) == 0
    picture = np.asarray(Image.open(target))
    assert picture.shape[1] > picture.shape[0] > 500 and picture.std() > 10


def test_without_a_network_it_says_so_and_ends(photo, tmp_path, monkeypatch, capsys, patience):
    monkeypatch.setattr(model_choice, "model_names", list)
    monkeypatch.setattr(auto, "model_names", list)
    assert run_window(photo, tmp_path / "window.png") == 2
    assert "This installation has no trained network" in capsys.readouterr().err
    assert patience.isActive() and not (tmp_path / "window.png").exists()
