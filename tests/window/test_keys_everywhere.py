"""Keys work wherever the focus is: the scrubber's keys on every control; every control is reached by Tab."""

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QGraphicsView,
    QLineEdit,
    QSlider,
    QToolButton,
    QWidget,
)

Key = Qt.Key
KINDS = (QComboBox, QSlider, QAbstractButton, QAbstractSpinBox)


@pytest.fixture
def window(qtbot, make_window, tmp_path):
    path = tmp_path / "photo.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (40, 36), dtype=np.uint8)).save(path)
    window = make_window(path)
    qtbot.waitUntil(lambda: window.session.workspace.photo is not None)
    window.noise.mode.setCurrentText("Add noise")
    window.controls.settings_button.max_iter.setValue(5)
    window.controls.settings_button.tolerance.setCurrentText("none (all steps)")
    with qtbot.waitSignal(window.session.controller.ended, timeout=30_000):
        window.run()
    window.session.pins.put(20, 18)
    return window


def state(widget):
    if isinstance(widget, QComboBox):
        return widget.currentText()
    if isinstance(widget, QSlider):
        return widget.value()
    return widget.text() if isinstance(widget, QAbstractSpinBox) else widget.isChecked()


def focusable(window):
    """Return the visible and enabled widgets that take the focus."""
    return [
        widget
        for kind in KINDS
        for widget in window.findChildren(kind)
        if widget.isVisible() and widget.isEnabled() and widget.window() is window and widget.objectName()
    ]


def press(key, modifiers=Qt.KeyboardModifier.NoModifier):
    """Send a key to the widget with the focus."""
    QTest.keyClick(QApplication.focusWidget(), key, modifiers)


def test_the_scrub_keys_work_on_every_control_and_change_none(window):
    session, seen = window.session, set()
    for widget in focusable(window):
        widget.setFocus(Qt.FocusReason.TabFocusReason)
        if not widget.hasFocus() or widget.objectName() in ("iterationSpin", "iterationSlider", "followButton"):
            continue
        before = state(widget)
        for key, index in (
            (Key.Key_Home, 0),
            (Key.Key_Right, 1),
            (Key.Key_Right, 2),
            (Key.Key_Left, 1),
            (Key.Key_End, 5),
        ):
            press(key)
            assert session.index == index, (widget.objectName(), key)
        assert state(widget) == before, widget.objectName()
        seen.add(widget.objectName())
    expected = {"leftLayerCombo", "compareModeCombo", "noiseModeCombo", "sigmaSpin", "attentionOverlayCombo"}
    assert expected <= seen


def test_the_scrub_keys_work_on_plots_strip_list_and_maps(window):
    window.activateWindow()
    focused = []
    for view in (*window.findChildren(QGraphicsView), *window.findChildren(QAbstractItemView), window.film_strip):
        if view.window() is not window or not view.isVisible():
            continue
        view.setFocus(Qt.FocusReason.MouseFocusReason)
        for key, index in ((Key.Key_Home, 0), (Key.Key_Right, 1), (Key.Key_End, 5), (Key.Key_Left, 4)):
            QTest.keyClick(view, key)
            assert window.session.index == index, (view.objectName(), key)
        focused.append(view.objectName())
    assert {"residualPlot", "noiseLevelPlot", "filmStrip"} <= set(focused) and len(focused) >= 5, focused


def test_space_plays_on_lists_and_sliders_and_presses_buttons(window):
    for name in ("leftLayerCombo", "attentionScaleCombo", "iterationSlider"):
        window.findChild(QWidget, name).setFocus()
        press(Key.Key_Space)
        assert window.scrubber.playing, name
        press(Key.Key_Space)
        assert not window.scrubber.playing, name
    check = window.findChild(QAbstractButton, "relativeStepCheck")
    check.setFocus()
    for key in (Key.Key_Space, Key.Key_Return):
        before = check.isChecked()
        press(key)
        assert check.isChecked() != before and not window.scrubber.playing


def test_up_and_down_still_turn_a_list(window):
    combo = window.findChild(QComboBox, "attentionScaleCombo")
    combo.setFocus()
    press(Key.Key_Down)
    assert combo.currentIndex() == 1
    press(Key.Key_Up)
    assert combo.currentIndex() == 0
    press(Key.Key_Down, Qt.KeyboardModifier.AltModifier)
    assert combo.view().isVisible()
    QTest.keyClick(combo.view(), Key.Key_End)
    QTest.keyClick(combo.view(), Key.Key_Return)
    assert combo.currentIndex() == combo.count() - 1 and window.session.index == 5


def test_a_text_that_is_typed_keeps_its_keys(window):
    spin = window.findChild(QAbstractSpinBox, "sigmaSpin")
    spin.setFocus(Qt.FocusReason.TabFocusReason)
    line = spin.findChild(QLineEdit)
    press(Key.Key_Home)
    assert window.session.index == 0, "nothing is typed yet"
    press(Key.Key_3)
    press(Key.Key_5)
    typed = line.cursorPosition()
    press(Key.Key_Left)
    assert line.cursorPosition() == typed - 1 and window.session.index == 0
    press(Key.Key_End)
    assert line.cursorPosition() == typed and window.session.index == 0
    press(Key.Key_Return)
    assert window.noise.sigma.value() == 35
    press(Key.Key_Right)
    assert window.session.index == 1, "it is typed"
    press(Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert window.noise.sigma.value() == 25, "and can be taken back from where it was typed"
    press(Key.Key_Z, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier)
    assert window.noise.sigma.value() == 35


def test_the_panel_of_settings_obeys_too(window):
    panel = window.controls.settings_button.menu()
    panel.popup(window.mapToGlobal(QPoint(0, 0)))
    combo = window.findChild(QComboBox, "solverCombo")
    combo.setFocus()
    before = combo.currentIndex()
    press(Key.Key_Home)
    press(Key.Key_Right)
    assert combo.currentIndex() == before and window.session.index == 1
    panel.close()


def test_the_drawer_of_folded_tools_obeys_too(qtbot, window):
    window.resize(1000, 700)
    more = window.findChild(QToolButton, "moreButton")
    qtbot.waitUntil(more.isVisible)
    more.setFocus()
    press(Key.Key_Return)
    combo = window.findChild(QComboBox, "noiseModeCombo")
    assert combo.isVisible() and combo.window() is not window
    combo.setFocus()
    before = combo.currentIndex()
    press(Key.Key_Home)
    press(Key.Key_Right)
    press(Key.Key_End)
    assert combo.currentIndex() == before and window.session.index == 5
    combo.window().close()


def test_every_control_is_reached_by_tab_from_top_to_bottom(window):
    wanted = {widget for widget in focusable(window) if widget.focusPolicy() != Qt.FocusPolicy.NoFocus}
    missed = {widget.objectName() for widget in focusable(window)} - {widget.objectName() for widget in wanted}
    assert not missed, f"without any focus: {missed}"
    window.picture_view.setFocus()
    reached = []
    for _ in range(300):
        press(Key.Key_Tab)
        widget = QApplication.focusWidget()
        if widget in reached:
            break
        reached.append(widget)
    assert wanted <= set(reached), {widget.objectName() for widget in wanted - set(reached)}
    assert window.picture_view.viewport() in reached
    names = [widget.objectName() for widget in reached]
    for row in (
        ("openButton", "photoModeButton", "noiseModeCombo", "sigmaSpin", "modelCombo", "denoiseButton", "exportButton"),
        ("leftLayerCombo", "compareModeCombo", "rightLayerCombo", "zoomFitButton"),
        ("firstIterateButton", "playButton", "iterationSlider", "attentionScaleCombo", "attentionHead0"),
    ):
        places = [names.index(name) for name in row]
        assert places == sorted(places), row


def test_lists_say_what_they_are_for(window):
    for combo in window.findChildren(QComboBox):
        texts = [combo.itemText(index) for index in range(combo.count())]
        assert combo.accessibleName() and combo.accessibleName() not in texts, combo.objectName()


def test_the_list_of_runs_and_the_film_strip_are_scrubbed_over(window):
    for name in ("runList", "filmStrip"):
        view = window.findChild(QWidget, name)
        view.setFocus()
        for key, index in ((Key.Key_Home, 0), (Key.Key_Right, 1), (Key.Key_End, 5), (Key.Key_Left, 4)):
            press(key)
            assert window.session.index == index, (name, key)


def test_undo_and_full_screen(qtbot, window):
    window.picture_view.setFocus()
    press(Key.Key_Right, Qt.KeyboardModifier.ShiftModifier)
    press(Key.Key_Right, Qt.KeyboardModifier.ShiftModifier)
    press(Key.Key_Return, Qt.KeyboardModifier.ShiftModifier)
    assert len(window.session.pins.all) == 2
    press(Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert len(window.session.pins.all) == 1 and "pins" in window.edit_actions.redo.text()
    press(Key.Key_Z, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier)
    assert len(window.session.pins.all) == 2
    selected = window.session.pins.selected
    press(Key.Key_N)
    assert window.session.pins.selected is not selected
    press(Key.Key_2, Qt.KeyboardModifier.ControlModifier)
    assert window.session.pins.selected.number == 2
    press(Key.Key_1, Qt.KeyboardModifier.ControlModifier)
    assert window.session.pins.selected.number == 1
    press(Key.Key_F11)
    assert window.isFullScreen()
    press(Key.Key_F11)
    assert not window.isFullScreen()
    window.session.pins.clear()
    assert not window.edit_actions.remove_pin.isEnabled()
    assert isinstance(window.findChild(QToolButton, "playButton"), QToolButton)
