"""The run uses the network that Auto chose, under its real name."""

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QToolButton
from scripted_photo_run import ScriptedPhotoRun

from nerd_gui.window.session import run_controller


@pytest.fixture
def enlarged(tmp_path):
    """A noisy picture that was enlarged twice."""
    noisy = 120 + 14 * np.random.default_rng(0).standard_normal((60, 80, 3))
    image = Image.fromarray(noisy.round().astype(np.uint8)).resize((160, 120), Image.Resampling.BICUBIC)
    image.save(tmp_path / "enlarged.png")
    return tmp_path / "enlarged.png"


def denoise(qtbot, window):
    """Click on Denoise photo; return the prepared run."""
    count = len(ScriptedPhotoRun.made)
    qtbot.mouseClick(window.findChild(QToolButton, "denoiseButton"), Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: len(ScriptedPhotoRun.made) > count)
    return ScriptedPhotoRun.made[-1]


def test_a_whole_photo_runs_with_the_network_and_the_grain_size_that_auto_chose(
    qtbot, make_window, enlarged, monkeypatch
):
    ScriptedPhotoRun.made = []
    monkeypatch.setattr(run_controller, "PhotoRun", ScriptedPhotoRun)
    window = make_window(enlarged, model=None)
    run = denoise(qtbot, window)
    assert run.grain == 2 and run.settings.model == "nerd-lite-photo-colour"
    window.actions_.stop.trigger()
    window.controls.model.choose("nerd-lite-photo")
    window.findChild(QComboBox, "grainCombo").setCurrentText("2 (coarse)")
    run = denoise(qtbot, window)
    assert run.grain == 2 and run.settings.model == "nerd-lite-photo"
