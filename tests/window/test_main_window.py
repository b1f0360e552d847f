"""The main window: names, opening, noise, channels, saving, and what it remembers."""

import numpy as np
import pytest
from dialog_person import Person, proposed, saves
from PIL import Image
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QComboBox, QDoubleSpinBox, QSlider, QSpinBox, QWidget
from window_person import dialog_text, run_to_the_end, slider

from nerd_gui.imaging import add_noise, noise_level, open_sample, sample_names, to_8_bit
from nerd_gui.nerd import load_model
from nerd_gui.window.picture.layers import Compare, Layer


def test_object_names(window):
    names = (
        "pictureView iterationSlider iterationSpin followButton residualPlot noiseLevelPlot attentionHead0 "
        "attentionHead1 attentionHead2 attentionHead3 modelCombo solverCombo deviceCombo sigmaSpin"
    )
    for name in names.split():
        widget = window.findChild(QWidget, name)
        assert widget is not None, name
    for name in ("openAction", "runAction", "stopAction", "exportAction"):
        assert window.findChild(type(window.actions_.run), name) is not None, name


def test_every_interactive_widget_says_what_it_is(window):
    kinds = (QComboBox, QSpinBox, QDoubleSpinBox, QSlider)
    for kind in kinds:
        for widget in window.findChildren(kind):
            assert widget.objectName() and widget.accessibleName() and widget.toolTip(), widget


def test_opening_a_file_does_not_run_it(window):
    assert not window.session.controller.running and window.session.trajectory is None
    assert window.actions_.run.isEnabled() and not window.actions_.stop.isEnabled()
    assert not window.actions_.export.isEnabled()
    assert not window.noise.adds_noise
    assert np.array_equal(window.picture_view.current()[0], to_8_bit(window.session.workspace.photo.pixels)[0])


def test_the_first_start_runs_a_sample_with_noise(qtbot, make_window):
    window = make_window()
    qtbot.waitUntil(lambda: window.session.trajectory is not None and len(window.session.trajectory) > 1)
    subject = window.session.trajectory.subject
    assert subject.sigma == 25 and subject.clean is not None
    assert np.array_equal(subject.noisy, add_noise(subject.clean, 25, 0))
    window.actions_.stop.trigger()


def test_the_saved_file_is_the_shown_picture(qtbot, window, tmp_path, photo_path):
    run_to_the_end(qtbot, window)
    slider(window).setValue(2)
    view, target = window.picture_view, tmp_path / "out" / "x.png"
    target.parent.mkdir()
    before = photo_path.read_bytes()
    suggested = []
    with Person(proposed(suggested)):
        window.actions_.export.trigger()
    with Person(saves(str(target))):
        window.actions_.export.trigger()
    view.set_compare(Compare.SINGLE, None, Layer.ITERATE)
    assert np.array_equal(np.asarray(Image.open(target)), view.shown_picture())
    assert suggested == [("photo_denoised.png", "PNG (*.png)")]
    assert photo_path.read_bytes() == before


def test_changing_the_noise_keeps_the_old_run(qtbot, window):
    run_to_the_end(qtbot, window)
    before = window.session.trajectory
    window.findChild(QComboBox, "noiseModeCombo").setCurrentIndex(0)
    assert window.session.trajectory is before and window.session.differs
    assert slider(window).maximum() == 6 and window.actions_.export.isEnabled()
    window.findChild(QDoubleSpinBox, "sigmaSpin").setValue(40)
    run_to_the_end(qtbot, window)
    subject = window.session.trajectory.subject
    assert subject.sigma == 40 and subject.clean is not None
    assert window.session.trajectory[0].psnr is not None


def test_a_clean_reference_gives_psnr(qtbot, window, tmp_path, monkeypatch):
    clean = tmp_path / "clean.png"
    Image.fromarray(to_8_bit(open_sample(sample_names()[0]).crop(60, 60, 48, 40).pixels)[0]).save(clean)
    monkeypatch.setattr("nerd_gui.window.files.open_dialogs.QFileDialog.getOpenFileName", lambda *_: (str(clean), ""))
    window.actions_.open_clean.trigger()
    qtbot.waitUntil(lambda: not window.opener.busy)
    run_to_the_end(qtbot, window)
    assert window.session.trajectory[2].psnr is not None


def test_the_channel_of_a_colour_photo(qtbot, window, open_file, tmp_path, tiny_model_path):
    path = tmp_path / "colour.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (40, 36, 3), dtype=np.uint8)).save(path)
    combo = window.findChild(QComboBox, "channelCombo")
    assert not combo.isVisible()
    open_file(window, path)
    assert combo.isVisible()
    run_to_the_end(qtbot, window)
    view, trajectory = window.picture_view, window.session.trajectory
    qtbot.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=view.position_of(8, 9))
    features, net = trajectory[6].features, load_model(tiny_model_path)
    maps = net.attention_maps(features.z.float(), features.s.float(), 8, 9).weights.numpy()
    n_hat = trajectory[6].n_hat.astype(np.float32)
    for name, weights in {"Luma": (0.299, 0.587, 0.114), "Green": (0, 1, 0), "Blue": (0, 0, 1)}.items():
        combo.setCurrentText(name)
        weights = np.array(weights, np.float32)
        expected = noise_level(np.tensordot(weights, n_hat, 1))
        assert window.curves.noise_level_plot.points("noise_level")[1][-1] == pytest.approx(expected, rel=1e-3)
        assert np.allclose(window.attention_panel.map_weights(1), np.tensordot(weights, maps, 1)[1], atol=1e-4)


def test_choices_and_recent_files_are_remembered(qtbot, window, make_window, photo_path):
    window.findChild(QComboBox, "solverCombo").setCurrentText("Anderson")
    window.close()
    again = make_window(photo_path)
    assert again.findChild(QComboBox, "solverCombo").currentText() == "Anderson"
    assert again.recent_files.paths == [photo_path.absolute()]
    qtbot.waitUntil(lambda: again.session.workspace.photo is not None)


def test_the_help_lists_every_shortcut_of_the_menu(window):
    written = QKeySequence.SequenceFormat.NativeText
    keys = [key for action in window.findChildren(QAction) if (key := action.shortcut().toString(written))]
    assert {"Ctrl+Return", "Esc", "H", "Ctrl+Backspace", "Ctrl+R"} <= set(keys) and len(set(keys)) == len(keys)
    window.actions_.shortcuts.trigger()
    text = dialog_text(window)
    assert [key for key in keys if f"<b>{key}</b>" not in text] == []
