"""The slider for the strength: the run continues from its last iterate, with another noise level as input."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QDoubleSpinBox, QSlider, QSpinBox
from window_person import run_to_the_end

from nerd_gui.denoising.session_file import write_session
from nerd_gui.window.look.strength import Strength
from nerd_gui.window.session.saved import saved


@pytest.fixture
def told(qtbot, make_window, photo_path, told_model_path):
    """A window in which a network with level input has denoised a photo."""
    window = make_window(photo_path, model=told_model_path)
    window.controls.settings_button.max_iter.setValue(6)
    run_to_the_end(qtbot, window)
    return window


def strength(window):
    return window.findChild(Strength)


def type_percent(window, percent):
    spin = window.findChild(QSpinBox, "lookStrengthSpin")
    spin.setFocus()
    spin.selectAll()
    QTest.keyClicks(spin, str(percent))
    QTest.keyClick(spin, Qt.Key.Key_Return)


def wait_for_run(qtbot, window, count):
    qtbot.waitUntil(lambda: len(window.session.runs) == count and not window.session.controller.running)


def test_a_network_that_finds_the_level_out_for_itself_has_none(qtbot, window):
    run_to_the_end(qtbot, window)
    assert not strength(window).isVisible()


def test_another_strength_goes_on_from_the_equilibrium(qtbot, told):
    first = told.session.run
    usual = first.trajectory.settings.strength
    slider = told.findChild(QSlider, "lookStrengthSlider")
    assert strength(told).isVisible() and slider.value() == 100
    type_percent(told, 200)
    wait_for_run(qtbot, told, 2)
    second = told.session.run
    assert second.trajectory.settings.strength == pytest.approx(2 * usual, abs=0.05)
    # Its first iterate is the equilibrium of the first run, decoded.
    last, begun = first.trajectory[first.trajectory.result], second.trajectory[0]
    assert abs(begun.n_hat.astype(float) - last.n_hat.astype(float)).max() < 2e-3
    assert slider.value() == 200 and told.findChild(QSpinBox, "lookStrengthSpin").value() == 200
    # The settings equal those of the run, so that no difference is reported.
    assert told.findChild(QDoubleSpinBox, "strengthSpin").value() == second.settings.strength
    assert told.differences.sentence == ""
    told.session.show_run(first)
    assert slider.value() == 100 and "strength" in told.differences.sentence


def test_its_start_is_no_changed_setting_after_reopening(qtbot, told, make_window, told_model_path, tmp_path):
    type_percent(told, 200)
    wait_for_run(qtbot, told, 2)
    write_session(tmp_path / "a.nerd", saved(told.session, {}), overwrite=False)
    reopened = make_window(tmp_path / "a.nerd", model=told_model_path)
    qtbot.waitUntil(lambda: len(reopened.session.runs) == 2 and reopened.differences.sentence != "")
    assert reopened.session.run.settings.start == "last"
    assert "strength" in reopened.differences.sentence and "start" not in reopened.differences.sentence
    reopened.session.run.continues = False
    reopened.controls.changed.emit()
    assert "start" in reopened.differences.sentence, "which the mark prevents"


def test_dragging_starts_one_run_when_the_slider_rests(qtbot, told):
    slider = told.findChild(QSlider, "lookStrengthSlider")
    slider.setSliderDown(True)
    for value in (120, 140, 160):
        slider.setSliderPosition(value)
    with qtbot.assertNotEmitted(strength(told).chosen, wait=600):
        pass
    assert len(told.session.runs) == 1  # the slider is still held
    slider.setSliderDown(False)
    wait_for_run(qtbot, told, 2)
    first, second = told.session.runs
    told_of = [run.trajectory.settings.strength for run in (first, second)]
    assert told_of[1] == pytest.approx(1.6 * told_of[0], abs=0.05)


def test_a_photo_in_tiles_is_not_run_again_unasked(qtbot, told):
    told.session.run.in_tiles = True
    with qtbot.waitSignal(strength(told).chosen):
        type_percent(told, 150)
    assert len(told.session.runs) == 1 and not told.session.controller.running
    assert "strength" in told.differences.sentence


def test_a_run_under_way_is_not_ended_by_the_slider(qtbot, told, monkeypatch):
    monkeypatch.setattr(type(told.session.controller), "running", property(lambda _: True))
    with qtbot.waitSignal(strength(told).chosen):
        type_percent(told, 150)
    assert len(told.session.runs) == 1
    assert told.controls.settings().strength is not None


def test_another_photo_has_its_own_strength(qtbot, told, open_built_in):
    with qtbot.waitSignal(strength(told).chosen):
        type_percent(told, 150)
    assert told.controls.settings().strength is not None
    wait_for_run(qtbot, told, 2)
    open_built_in(told, "coins")
    assert told.controls.settings().strength is None
