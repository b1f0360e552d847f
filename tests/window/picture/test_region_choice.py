"""Choosing a region in the whole photo while the session has a run of another region."""

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QComboBox, QLabel


@pytest.fixture
def window(qtbot, make_window, open_file, tmp_path):
    path = tmp_path / "large.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (1100, 1200), dtype=np.uint8)).save(path)
    made = make_window()
    made.session.workspace.region_side = 32
    open_file(made, path)
    made.controls.settings_button.max_iter.setValue(3)
    with qtbot.waitSignal(made.session.controller.ended, timeout=30_000):
        made.run()
    return made


def test_no_pixel_of_the_whole_photo_is_taken_for_one_of_the_run(qtbot, window):
    view, caption = window.picture_view, window.findChild(QLabel, "attentionCaption")
    QTest.mouseMove(view.viewport(), view.position_of(8, 9))
    top, left = window.session.shown_corner
    qtbot.waitUntil(lambda: caption.text().startswith(f"pixel row {top + 8}, column {left + 9} "))
    window.actions_.region.trigger()
    assert window.session.pins.hovered is None
    QTest.mouseMove(view.viewport(), view.position_of(900, 900))
    qtbot.waitUntil(lambda: not window.attention_panel._hover_timer.isActive())
    assert window.session.pins.hovered is None and view.viewport().cursor().shape() == Qt.CursorShape.CrossCursor
    QTest.mouseMove(view.viewport(), view.viewport().rect().center())
    QTest.keyClick(view.viewport(), Qt.Key.Key_Escape)
    assert window.session.pins.hovered is not None and max(np.subtract(window.session.pins.hovered, (top, left))) < 32


def test_pins_and_maps_of_the_region_do_not_lie_over_the_whole_photo(window):
    view = window.picture_view
    window.actions_.region.trigger()
    plain = view.viewport().grab().toImage()
    QTest.keyClick(view.viewport(), Qt.Key.Key_Escape)
    top, left = window.session.shown_corner
    window.session.pins.put(top + 10, left + 12)
    window.findChild(QComboBox, "attentionOverlayCombo").setCurrentText("mean")
    over_region = view.viewport().grab().toImage()
    window.actions_.region.trigger()
    assert view.viewport().grab().toImage() == plain
    QTest.keyClick(view.viewport(), Qt.Key.Key_Escape)
    assert view.viewport().grab().toImage() == over_region
