"""Photo and Explore: what each shows, which is active at first, and that it is remembered; the tool bar in both."""

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QAbstractButton, QApplication, QComboBox, QLabel, QPlainTextEdit, QToolButton, QWidget
from window_person import run_to_the_end

from nerd_gui.imaging import to_8_bit
from nerd_gui.window.modes import Mode
from nerd_gui.window.picture.layers import Compare, Layer
from nerd_gui.window.session import workspace

LEFT = Qt.MouseButton.LeftButton
SOLVER_WORDS = ("iterate", "residual", "solver", "head", "σ", "sigma", "equilibrium", "evaluation", "network", "step")


def click(qtbot, window, name):
    qtbot.mouseClick(window.findChild(QToolButton, name), LEFT)
    QApplication.processEvents()


def words(window):
    """Return all visible texts."""
    kinds = {QLabel: QLabel.text, QAbstractButton: QAbstractButton.text, QComboBox: QComboBox.currentText}
    seen = [read(w) for kind, read in kinds.items() for w in window.findChildren(kind) if w.isVisible()]
    assert not any(edit.isVisible() for edit in window.findChildren(QPlainTextEdit))
    return [text for text in seen if text] + window.picture_view.captions()


def visible(window, *names):
    return [name for name in names if window.findChild(QWidget, name).isVisible()]


def test_photo_shows_the_photo_and_no_word_of_the_solver(qtbot, window):
    run_to_the_end(qtbot, window)
    window.session.pins.put(20, 20)
    window.session.go(2)
    click(qtbot, window, "photoModeButton")
    said = words(window)
    found = [(text, word) for text in said for word in SOLVER_WORDS if word in text.lower()]
    assert found == [] and {"before", "after"} <= set(said)
    hidden = ("scrubber", "filmStrip", "curves", "attentionPanel", "noiseModeCombo", "modelCombo", "exploreButton")
    assert visible(window, *hidden) == []
    shown = ["openButton", "denoiseButton", "stopButton", "exportButton", "lookPanel", "compareModeCombo", "modeSwitch"]
    assert visible(window, *shown) == shown
    assert window.session.index == window.session.trajectory.result  # the shown picture is the one that is saved
    level = window.session.trajectory[window.session.index].noise_level
    assert window.summary.text().startswith("Denoised: 40 × 48 pixels in ")
    assert window.summary.text().endswith(f" s, noise level {level:.1f}.")
    pins = window.session.pins.all
    qtbot.mouseClick(window.picture_view.viewport(), LEFT, pos=window.picture_view.position_of(5, 5))
    assert window.session.pins.all == pins
    click(qtbot, window, "exploreModeButton")
    assert visible(window, *hidden) == list(hidden) and window.summary.text().startswith("Iterate ")


def test_photo_compares_before_and_after_whatever_was_selected(qtbot, window):
    hint = window.findChild(QLabel, "pixelLabel")
    click(qtbot, window, "photoModeButton")
    assert hint.text() == "1 = 100 %  ·  0 = fit", "nothing can be compared yet"
    run_to_the_end(qtbot, window)
    view = window.picture_view
    view.set_compare(Compare.SIDE_BY_SIDE, Layer.NOISE, Layer.FEATURE)
    click(qtbot, window, "photoModeButton")
    assert view.captions() == ["before", "after"] and "line" not in hint.text()
    left, right = view.current()
    noisy, after = window.session.run.subject.noisy, window.session.trajectory.picture(window.session.index)
    assert np.array_equal(left, to_8_bit(noisy)[0]) and np.array_equal(right, to_8_bit(after)[0])
    combo = window.findChild(QComboBox, "compareModeCombo")
    combo.setFocus()
    qtbot.keyClick(combo, Qt.Key.Key_Up)
    assert view.compare()[0] is Compare.WIPE and hint.text().startswith("Drag the line to compare  ·  hold F")
    click(qtbot, window, "exploreModeButton")
    assert view.compare() == (Compare.WIPE, Layer.NOISE, Layer.FEATURE)


def test_what_has_changed_is_said_without_a_word_of_the_solver(qtbot, window):
    run_to_the_end(qtbot, window)
    window.controls.solver.setCurrentIndex(window.controls.solver.findData("plain"))
    assert "solver" in window.notice_bar.sentence("changed")
    click(qtbot, window, "photoModeButton")
    said = [text for text in words(window) if any(word in text.lower() for word in SOLVER_WORDS)]
    assert window.notice_bar.isVisible() and said == []
    click(qtbot, window, "exploreModeButton")
    assert "solver" in window.notice_bar.sentence("changed")
    click(qtbot, window, "photoModeButton")
    with qtbot.waitSignal(window.session.controller.ended, timeout=30_000):
        qtbot.mouseClick(window.findChild(QAbstractButton, "changedNoticeButton"), LEFT)
    assert window.session.run.settings.solver == "plain" and not window.notice_bar.isVisible()


def test_denoise_before_and_after_and_the_amount_are_all_that_a_photo_needs(qtbot, window):
    click(qtbot, window, "photoModeButton")
    assert window.summary.text().startswith("photo, 40 × 48 pixels. Its noise level is about ")
    with qtbot.waitSignal(window.session.controller.ended, timeout=30_000):
        click(qtbot, window, "denoiseButton")
        assert window.summary.text().startswith("Denoising 40 × 48 pixels")
    assert window.actions_.export.isEnabled() and "photo" in window.actions_.export.text()
    assert window.findChild(QWidget, "lookAmountSlider").isEnabled()


def test_the_mode_suits_what_is_opened_until_one_is_chosen_and_is_then_kept(
    qtbot, settings, make_window, photo_path, monkeypatch
):
    settings.remove("mode")
    window = make_window(photo_path)
    assert window.modes.mode is Mode.EXPLORE  # a small picture
    monkeypatch.setattr(workspace, "REGION_THRESHOLD", 1000)  # pretend that it was taken by a camera
    window.close()
    window = make_window(photo_path)
    assert window.modes.mode is Mode.PHOTO
    click(qtbot, window, "exploreModeButton")
    window.close()
    window = make_window(photo_path)
    assert window.modes.mode is Mode.EXPLORE and window.modes.actions[Mode.EXPLORE].isChecked()
    window.modes.actions[Mode.PHOTO].trigger()  # by the menu
    window.close()
    assert make_window(photo_path).modes.mode is Mode.PHOTO


def test_to_explore_from_photo_mode_shows_everything(qtbot, window):
    click(qtbot, window, "photoModeButton")
    run_to_the_end(qtbot, window)  # Explore in the menu, or its keys
    assert window.modes.mode is Mode.EXPLORE and window.curves.isVisible()


# ---- the tool bar ---------------------------------------------------------------------------------------------------


def places(window, *names):
    return [window.findChild(QWidget, name).mapTo(window, QPoint()).x() for name in names]


def test_the_tools_stand_in_their_order_and_keep_their_places(qtbot, window):
    window.resize(1366, 768)
    QApplication.processEvents()
    order = ["openButton", "modeSwitch", "noiseModeCombo", "modelCombo", "denoiseButton", "exploreButton"]
    order += ["stopButton", "exportButton"]
    before = places(window, *order)
    assert before == sorted(before) and visible(window, *order) == order
    window.noise.mode.setCurrentIndex(1 - window.noise.mode.currentIndex())
    run_to_the_end(qtbot, window)
    assert places(window, *order) == before


@pytest.mark.parametrize("width", [800, 920, 1100])
def test_a_narrow_window_folds_what_matters_least(qtbot, window, width):
    window.resize(width, 700)
    QApplication.processEvents()
    lasting = ["openButton", "modeSwitch", "denoiseButton", "stopButton", "exportButton"]
    assert window.width() == width and visible(window, *lasting) == lasting
    right_ends = [window.findChild(QWidget, name).geometry().right() for name in lasting]
    assert max(right_ends) < width and not window.noise.isVisible()
    click(qtbot, window, "moreButton")
    assert window.noise.isVisible() and window.noise.mode.isVisible()
    window.noise.sigma.setValue(31)
    window.findChild(QWidget, "moreTools").close()
    window.resize(1500, 700)
    QApplication.processEvents()
    assert visible(window, "sigmaSpin") == ["sigmaSpin"] or not window.noise.adds_noise
    assert not window.findChild(QWidget, "moreButton").isVisible() and window.session.workspace.sigma == 31
