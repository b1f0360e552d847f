"""The mouse wheel changes nothing in a control that has not been clicked."""

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractSpinBox, QApplication, QComboBox, QScrollArea, QSlider, QWidget
from scripted_session import make_trajectory

from nerd_gui.denoising.animation import AnimationSettings
from nerd_gui.window.files.animation_dialog import AnimationDialog
from nerd_gui.window.files.frame_drawer import FrameDrawer
from nerd_gui.window.screen import scrolled
from nerd_gui.window.wheel import turn_only_with_focus

KINDS = (QAbstractSpinBox, QComboBox, QSlider)


@pytest.fixture
def window(qtbot, make_window, tmp_path):
    path = tmp_path / "photo.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (24, 20), dtype=np.uint8)).save(path)
    window = make_window(path)
    qtbot.waitUntil(lambda: window.session.workspace.photo is not None)
    window.controls.settings_button.max_iter.setValue(2)
    window.noise.mode.setCurrentText("Add noise")
    with qtbot.waitSignal(window.session.controller.ended, timeout=30_000):
        window.run()
    return window


def turn(widget, ticks=-1):
    """Turn the wheel over the centre of a widget, with the window system's event."""
    window = widget.window()
    place = widget.mapTo(window, widget.rect().center())
    QTest.wheelEvent(window.windowHandle(), QPointF(place), QPoint(0, 120 * ticks))
    QApplication.processEvents()


def value(widget):
    return widget.currentIndex() if isinstance(widget, QComboBox) else widget.value()


def kind_of(widget):
    return next(kind for kind in KINDS if isinstance(widget, kind))


def test_a_finished_run_survives_the_wheel_over_every_control(window):
    trajectory = window.session.trajectory
    controls = [widget for kind in KINDS for widget in window.findChildren(kind)]
    before = [value(widget) for widget in controls]
    window.picture_view.setFocus()
    turned = turn_all(controls)
    settings = window.controls.settings_button.menu()
    settings.popup(window.mapToGlobal(QPoint(0, 0)))
    turned |= turn_all(controls)
    settings.close()
    assert {"sigmaSpin", "noiseModeCombo", "solverCombo", "iterationSpin", "maxIterSpin", "startCombo"} <= turned
    assert [value(widget) for widget in controls] == before
    assert window.session.trajectory is trajectory


def turn_all(controls):
    """Turn the wheel over all visible controls, both ways; return their names."""
    seen = [widget for widget in controls if not widget.visibleRegion().isEmpty()]
    for widget in seen:
        for ticks in (1, -1):
            turn(widget, ticks)
    return {widget.objectName() for widget in seen}


def test_the_wheel_turns_what_has_been_clicked(qtbot, window):
    for name in ("iterationSlider", "leftLayerCombo", "sigmaSpin"):
        widget = window.findChild(QWidget, name)
        widget.setFocus(Qt.FocusReason.MouseFocusReason)
        assert widget.hasFocus()
        before = value(widget)
        turn(widget)
        assert value(widget) != before, name


def test_the_wheel_does_not_give_the_focus(window):
    for kind in KINDS:
        for widget in window.findChildren(kind):
            assert widget.focusPolicy() != Qt.FocusPolicy.WheelFocus, widget.objectName()


def test_no_control_of_the_animations_dialog_takes_the_focus_by_the_wheel(qtbot):
    drawer = FrameDrawer()
    dialog = AnimationDialog(make_trajectory([1, 0.5]), AnimationSettings(), drawer)
    qtbot.addWidget(dialog)
    controls = [widget for kind in KINDS for widget in dialog.findChildren(kind)]
    assert len(controls) >= 3
    assert all(widget.focusPolicy() != Qt.FocusPolicy.WheelFocus for widget in controls)


def test_the_wheel_over_a_control_scrolls_what_it_lies_in(qtbot):
    content = QWidget()
    content.setFixedSize(100, 900)
    combo = QComboBox(content)
    combo.addItems(["a", "b", "c"])
    area = scrolled(content)
    qtbot.addWidget(area)
    turn_only_with_focus(area)
    area.resize(300, 200)
    area.show()
    area.setFocus()
    turn(combo)
    assert combo.currentIndex() == 0 and area.verticalScrollBar().value() > 0
    assert isinstance(area, QScrollArea)
