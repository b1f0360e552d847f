"""The maps of several pins side by side, read from the table and compared with the network's own maps."""

import time

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QComboBox, QLabel, QWidget

from nerd_gui.nerd import load_model
from nerd_gui.window.attention.head_map import WindowPicture
from nerd_gui.window.attention.measures import effective_radius, entropy_bits
from nerd_gui.window.colour_map import coloured
from nerd_gui.window.style.tokens import series_colour

CTRL, LEFT, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.ShiftModifier
TOP = (252, 255, 164)  # of inferno
PINS = ((10, 12), (20, 22), (30, 5))


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


@pytest.fixture
def pinned(qtbot, window):
    """Three pins, and all their maps."""
    for place, pixel in enumerate(PINS):
        window.session.pins.put(*pixel, beside=place > 0)
    settle(qtbot, window)
    return window


def settle(qtbot, window):
    qtbot.waitUntil(lambda: not window.attention_panel._waiting)


def expected(window, model, row, col):
    features = window.session.trajectory[window.session.index].features
    return load_model(model).attention_maps(features.z.float(), features.s.float(), row, col).weights[0].numpy()


def readout(window, pin, head):
    return window.findChild(QLabel, f"pin{pin}Readout{head}").text()


def measured(weights, row, col):
    """Measure a window of 5 x 5 as in the paper, far from the border."""
    return f"{entropy_bits(weights):.1f} bit\n{effective_radius(weights, 2, 2):.1f} px"


def colour_at(picture, row, col):
    """Return the colour of a pixel of the window near its corner, where the cross does not cover it."""
    corner = picture.pixel_rect(int(row), int(col)).topLeft().toPoint()
    return picture.grab().toImage().pixelColor(corner.x() + 2, corner.y() + 2).getRgb()[:3]


def test_every_pin_has_a_row_with_its_own_maps(pinned, tiny_model_path):
    for pin in pinned.session.pins.all:
        maps = expected(pinned, tiny_model_path, *pin.pixel)
        for head in range(4):
            assert readout(pinned, pin.number, head) == measured(maps[head], *pin.pixel)
            picture = pinned.findChild(WindowPicture, f"pin{pin.number}Head{head}")
            assert picture.isVisible()
            assert np.allclose(colour_at(picture, *np.unravel_index(maps[head].argmax(), (5, 5))), TOP, atol=3)
            least = colour_at(picture, *np.unravel_index(maps[head].argmin(), (5, 5)))
            assert np.allclose(least, coloured(maps[head].min() / maps[head].max()), atol=3)
    assert not pinned.findChild(WindowPicture, "attentionHead0").isVisible()


def test_the_titles_stand_over_their_columns_from_the_first(qtbot, window):
    window.session.pins.put(*PINS[0])
    window.session.pins.put(*PINS[1], beside=True)
    settle(qtbot, window)
    table = window.attention_panel.table
    titles = {label.text(): label for label in table.findChildren(QLabel) if label.parent() is table}
    assert list(titles) == ["around", "head 1", "head 2", "head 3", "head 4"]
    for head in range(4):
        picture = window.findChild(WindowPicture, f"pin1Head{head}")
        assert titles[f"head {head + 1}"].x() == picture.mapTo(table, picture.rect().topLeft()).x()


def test_the_numbers_are_in_the_colours_of_the_pins(pinned):
    for pin in pinned.session.pins.all:
        row = pinned.findChild(QWidget, f"pinRow{pin.number}")
        image = row.grab().toImage()
        dark = pinned.palette().window().color().lightness() < 128
        assert image.pixelColor(10, 5) == series_colour(pin.number - 1, dark=dark)


def test_rows_follow_the_iterate_and_go_with_their_pins(qtbot, pinned, tiny_model_path):
    QTest.keyClick(pinned.picture_view.viewport(), Qt.Key.Key_Home)
    settle(qtbot, pinned)
    assert readout(pinned, 1, 2) == measured(expected(pinned, tiny_model_path, *PINS[0])[2], *PINS[0])
    QTest.keyClick(pinned.picture_view.viewport(), Qt.Key.Key_Delete)
    assert pinned.findChild(QWidget, "pinRow3") is None and pinned.findChild(QWidget, "pinRow2").isVisible()
    QTest.keyClick(pinned.picture_view.viewport(), Qt.Key.Key_Delete)
    assert not pinned.attention_panel.table.isVisible()
    assert pinned.findChild(WindowPicture, "attentionHead0").isVisible(), "one pin: as large as before"


def test_a_click_on_a_row_selects_its_pin_and_a_map_lies_over_the_picture(qtbot, pinned):
    row = pinned.findChild(QWidget, "pinRow1")
    qtbot.mouseClick(row, LEFT, pos=row.rect().topLeft())
    assert pinned.session.pins.selected.number == 1
    qtbot.mouseClick(pinned.findChild(WindowPicture, "pin2Head3"), LEFT)
    assert pinned.session.pins.selected.number == 2
    assert pinned.findChild(QComboBox, "attentionOverlayCombo").currentText() == "head 4"
    image, top, left = pinned.picture_view.viewport().overlay
    assert (image.height(), image.width(), top, left) == (5, 5, PINS[1][0] - 2, PINS[1][1] - 2)


def test_one_range_for_all_pins_has_their_largest_weight(pinned, tiny_model_path):
    pinned.findChild(QComboBox, "attentionRangeCombo").setCurrentText("shared range")
    largest = max(expected(pinned, tiny_model_path, *pixel).max() for pixel in PINS)
    assert float(pinned.attention_panel._bar.high) == pytest.approx(largest, rel=0.05)


def test_a_pin_outside_the_region_says_so_in_its_row(qtbot, pinned):
    session = pinned.session
    session.workspace.set_region((0, 0, 26, 30))
    with qtbot.waitSignal(session.controller.ended, timeout=30_000):
        pinned.run()
    settle(qtbot, pinned)
    words = pinned.findChild(QLabel, "pin3Words")
    assert words.isVisible() and words.text() == "Pin 3 lies outside the region of this run"
    assert readout(pinned, 1, 0).endswith("px") and [pin.pixel for pin in session.pins.all] == list(PINS)
    session.pins.select(session.pins.all[2])
    assert pinned.attention_panel.table.isVisible()
    session.pins.put(35, 33)
    assert pinned.findChild(QLabel, "attentionEmpty").text() == "The pin lies outside the region of this run."


def test_pointing_with_shift_previews_in_place_of_the_selected_pin(qtbot, pinned, tiny_model_path, monkeypatch):
    view, shown = pinned.picture_view, pinned.findChild(QLabel, "attentionCaption")
    QTest.mouseMove(view.viewport(), view.position_of(15, 16))
    assert pinned.session.pins.active == PINS[2], "without Shift the pin stays"
    QTest.keyClick(view.viewport(), Qt.Key.Key_Left, SHIFT)
    qtbot.waitUntil(lambda: "in place of pin 3" in shown.text())
    pixel = pinned.session.pins.hovered
    maps = expected(pinned, tiny_model_path, *pixel)
    assert np.allclose(pinned.attention_panel.map_weights(1), maps[1], atol=1e-4)
    QTest.mouseMove(view.viewport(), view.position_of(14, 16))
    qtbot.waitUntil(lambda: shown.text().startswith(f"pixel row {PINS[2][0]}, column {PINS[2][1]} "))


def test_a_click_is_answered_at_once_however_many_pins_there_are(qtbot, pinned, monkeypatch):
    """The maps of the other pins are computed one by one afterwards."""
    run, reads = type(pinned.session.run), []
    true = run.attention_maps
    monkeypatch.setattr(run, "attention_maps", lambda *args: reads.append(args[-2:]) or true(*args))
    view = pinned.picture_view
    began = time.perf_counter()
    QTest.mouseClick(view.viewport(), LEFT, pos=view.position_of(*PINS[0]))
    assert time.perf_counter() - began < 0.05
    assert reads == [PINS[0]]
    settle(qtbot, pinned)
    assert sorted(reads) == sorted(PINS)
