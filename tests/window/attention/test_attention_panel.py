"""The attention panel of a run: the pinned pixel, the pixel under the pointer if there is no pin, and the overlay."""

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QComboBox, QLabel

from nerd_gui.nerd import load_model

CTRL, LEFT = Qt.KeyboardModifier.ControlModifier, Qt.MouseButton.LeftButton


@pytest.fixture
def window(qtbot, make_window, tmp_path):
    path = tmp_path / "photo.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (40, 36), dtype=np.uint8)).save(path)
    made = make_window(path)
    qtbot.waitUntil(lambda: made.session.workspace.photo is not None)
    made.controls.settings_button.max_iter.setValue(3)
    with qtbot.waitSignal(made.session.controller.ended, timeout=30_000):
        made.run()
    return made


def expected(window, model, row, col):
    features = window.session.trajectory[window.session.index].features
    return load_model(model).attention_maps(features.z.float(), features.s.float(), row, col).weights[0].numpy()


def caption(window):
    return window.findChild(QLabel, "attentionCaption").text()


def test_a_hovered_pixel_is_shown_until_one_is_pinned(qtbot, window, tiny_model_path):
    view, panel = window.picture_view, window.attention_panel
    QTest.mouseMove(view.viewport(), view.position_of(8, 9))
    qtbot.waitUntil(lambda: caption(window) == f"pixel row 8, column 9 · iterate {window.session.index}")
    assert np.allclose(panel.map_weights(2), expected(window, tiny_model_path, 8, 9)[2], atol=1e-4)
    qtbot.mouseClick(view.viewport(), LEFT, pos=view.position_of(20, 21))
    QTest.mouseMove(view.viewport(), view.position_of(30, 31))
    qtbot.waitUntil(lambda: window.session.pins.hovered == (30, 31) and not panel._hover_timer.isActive())
    assert caption(window).startswith("pixel row 20, column 21 ")


def test_ctrl_click_pins_beside_and_the_last_pin_is_shown(qtbot, window):
    view = window.picture_view
    qtbot.mouseClick(view.viewport(), LEFT, pos=view.position_of(10, 12))
    QTest.keyPress(view.viewport(), Qt.Key.Key_Control)
    qtbot.mouseClick(view.viewport(), LEFT, CTRL, pos=view.position_of(20, 22))
    QTest.keyRelease(view.viewport(), Qt.Key.Key_Control)
    assert caption(window).startswith("pixel row 20, column 22 ")
    window.actions_.clear_pins.trigger()
    QTest.mouseMove(view.viewport(), QPoint(1, 1))
    window.session.go(0)
    assert caption(window) == "Click a pixel to see where each head looks"


def test_the_chosen_map_lies_over_the_picture_and_follows_the_iterate(qtbot, window):
    view = window.picture_view
    plain = view.viewport().grab().toImage()
    window.session.pins.put(10, 12)
    window.findChild(QComboBox, "attentionOverlayCombo").setCurrentText("mean")
    first = view.viewport().grab().toImage()
    window.session.go(0)
    second = view.viewport().grab().toImage()
    window.session.pins.clear()
    window.session.go(3)
    assert first != plain and second != first
    assert view.viewport().grab().toImage() == plain
