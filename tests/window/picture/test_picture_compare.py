"""Comparison of two layers: wipe, side by side, difference, flip, tested by the pixels on the screen."""

import numpy as np
import pytest
from picture_screen import LEFT, address_picture, at, drag, origin, random_picture, rgb, screen, wheel
from PySide6.QtCore import QEvent, QPoint, Qt
from PySide6.QtGui import QFocusEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QComboBox, QDoubleSpinBox

from nerd_gui.window.picture.layers import Compare, Layer


def test_the_dragged_divider_has_the_left_layer_on_its_left_and_the_right_on_its_right(session, qtbot, view):
    noisy, iterate = random_picture(300, 400, seed=1), random_picture(300, 400, seed=2)
    view.set_picture(Layer.NOISY, noisy)
    view.set_picture(Layer.ITERATE, iterate)
    view.set_zoom(1)
    canvas = view.viewport()
    x0, y0 = origin(view)
    for target in (x0 + 90, x0 + 333):
        handle = view.divider_handle()
        QTest.mouseMove(canvas, handle)
        assert canvas.cursor().shape() == Qt.CursorShape.SplitHCursor
        with qtbot.assertNotEmitted(session.pins.changed):
            drag(canvas, handle, QPoint(target, handle.y() - 40))
        assert view.divider_handle().x() == target
        seen, handle, edge = screen(view)[y0 : y0 + 300, x0 : x0 + 400], view.divider_handle(), target - x0
        clear = np.abs(np.arange(300) - (handle.y() - y0)) > 16  # rows without the handle
        np.testing.assert_array_equal(seen[clear, : edge - 2], rgb(noisy)[clear, : edge - 2])
        np.testing.assert_array_equal(seen[clear, edge + 2 :], rgb(iterate)[clear, edge + 2 :])
    drag(canvas, view.divider_handle(), QPoint(-500, 100))
    np.testing.assert_array_equal(screen(view)[y0 : y0 + 200, x0 + 2 : x0 + 400], rgb(iterate)[:200, 2:])


def test_a_click_on_the_divider_still_picks_the_pixel(session, qtbot, view):
    for layer in (Layer.NOISY, Layer.ITERATE):
        view.set_picture(layer, address_picture(200, 200))
    centre = view.position_of(100, 100)
    assert abs(view.divider_handle().x() - centre.x()) <= 3
    with qtbot.waitSignal(session.pins.changed):
        QTest.mouseClick(view.viewport(), LEFT, pos=centre)
    assert session.pins.active == (100, 100)


def test_side_by_side_views_are_linked(view):
    picture = random_picture(200, 200)
    view.set_picture(Layer.NOISY, picture)
    view.set_picture(Layer.ITERATE, 255 - picture)
    view.set_compare(Compare.SIDE_BY_SIDE)
    canvas = view.viewport()

    def panes() -> tuple[np.ndarray, np.ndarray]:
        QApplication.sendEvent(canvas, QEvent(QEvent.Type.Leave))  # no pointer mark
        seen, half = screen(view), (canvas.width() - 6) // 2
        return seen[:, :half], seen[:, -half:]

    view.set_zoom(5)
    wheel(view, QPoint(100, 150), 2)  # in the left view
    for _ in range(2):
        left, right = panes()
        assert left.std() > 50
        np.testing.assert_array_equal(left, 255 - right)
        before = view.position_of(100, 100, pane=0)
        start = QPoint(canvas.width() * 3 // 4, 200)
        drag(canvas, start, start + QPoint(-31, 45))  # in the right view
        assert view.position_of(100, 100, pane=0) - before == QPoint(-31, 45)
    shift = view.position_of(50, 60, pane=1) - view.position_of(50, 60, pane=0)
    assert shift.y() == 0 and shift.x() == canvas.width() - (canvas.width() - 6) // 2
    assert view.pixel_at(view.position_of(100, 100, 1)) == view.pixel_at(view.position_of(100, 100, 0)) == (100, 100)
    assert view.pixel_at(QPoint(canvas.width() // 2, 100)) is None  # the gap


def test_equal_layers_differ_by_mid_grey_and_others_by_gain_times_right_minus_left(view):
    left = np.full((100, 100), 0.5, np.float32)
    view.set_picture(Layer.NOISY, left)
    view.set_picture(Layer.ITERATE, left.copy())
    view.set_compare(Compare.DIFFERENCE)
    middle = view.position_of(50, 50)
    assert at(screen(view), middle) == (128, 128, 128)
    view.set_picture(Layer.ITERATE, left + np.float32(0.05))
    gain = view.findChild(QDoubleSpinBox, "differenceGainSpin")
    assert gain.isEnabled()
    for value in (1.0, 3.0):
        gain.setValue(value)
        assert at(screen(view), middle) == (round(255 * (0.5 + 0.05 * value)),) * 3
    # In colour on the right: each channel against the one grey value; darker than mid-grey where the right is darker.
    colour = np.stack([left - 0.1, left, left + 0.02]).astype(np.float32)
    view.set_picture(Layer.ITERATE, colour)
    assert at(screen(view), middle) == (round(255 * 0.2), 128, round(255 * 0.56))


def test_the_noise_estimate_is_shown_around_mid_grey(view):
    n_hat = np.zeros((100, 100), np.float16)
    n_hat[:, 50:] = 0.125
    view.set_picture(Layer.NOISY, np.zeros((100, 100), np.float32))
    view.set_picture(Layer.NOISE, n_hat)
    view.set_compare(Compare.SINGLE, right=Layer.NOISE)
    gain = view.findChild(QDoubleSpinBox, "differenceGainSpin")
    for value in (1.0, 3.0):
        gain.setValue(value)
        seen = screen(view)
        assert at(seen, view.position_of(50, 20)) == (128,) * 3
        assert at(seen, view.position_of(50, 80)) == (round(255 * (0.5 + 0.125 * value)),) * 3
    view.set_compare(Compare.SINGLE, right=Layer.NOISY)
    assert not gain.isEnabled()


@pytest.mark.parametrize("mode", [Compare.WIPE, Compare.SINGLE])
def test_f_shows_the_left_layer_while_it_is_held(view, mode):
    view.set_picture(Layer.NOISY, np.full((100, 100), 40, np.uint8))
    view.set_picture(Layer.ITERATE, np.full((100, 100), 200, np.uint8))
    view.set_caption(Layer.NOISY, "left")
    view.set_compare(mode)
    canvas, position = view.viewport(), view.position_of(50, 90)
    assert at(screen(view), position) == (200,) * 3
    QTest.keyPress(canvas, Qt.Key.Key_F)
    assert at(screen(view), position) == (40,) * 3 and view.captions() == ["left"]
    QTest.keyRelease(canvas, Qt.Key.Key_F)
    assert at(screen(view), position) == (200,) * 3
    QTest.keyPress(canvas, Qt.Key.Key_F)
    QApplication.sendEvent(canvas, QFocusEvent(QFocusEvent.Type.FocusOut))  # another widget receives the release
    assert at(screen(view), position) == (200,) * 3


def test_the_selectors_offer_what_there_is_and_change_what_is_seen(view):
    values = {Layer.NOISY: 20, Layer.ITERATE: 120, Layer.CLEAN: 220}
    for layer, value in values.items():
        view.set_picture(layer, np.full((100, 100), value, np.uint8))
    left, right, mode = (
        view.findChild(QComboBox, f"{name}Combo") for name in ("leftLayer", "rightLayer", "compareMode")
    )
    assert (left.currentText(), mode.currentText(), right.currentText()) == ("noisy", "wipe", "iterate")
    assert [right.itemText(i) for i in range(right.count()) if right.model().item(i).isEnabled()] == list(values)
    right.setCurrentText("clean")
    left.setCurrentText("iterate")
    seen = screen(view)
    assert at(seen, view.position_of(10, 10)) == (120,) * 3 and at(seen, view.position_of(10, 90)) == (220,) * 3
    mode.setCurrentText("one picture")
    assert at(screen(view), view.position_of(10, 10)) == (220,) * 3
    assert view.compare() == (Compare.SINGLE, Layer.ITERATE, Layer.CLEAN)
    assert (view.shown_picture() == 220).all() and (view.current()[0] == 120).all()


def test_while_a_selected_layer_has_no_picture_the_other_is_shown_alone(view):
    view.set_caption(Layer.NOISY, "noisy")
    view.set_picture(Layer.NOISY, np.full((100, 100), 60, np.uint8))
    assert view.divider_handle() is None and view.captions() == ["noisy"] and view.shown_picture() is None
    for col in (5, 95):
        assert at(screen(view), view.position_of(50, col)) == (60,) * 3
    view.set_picture(Layer.ITERATE, np.full((100, 100), 160, np.uint8))
    assert view.divider_handle() is not None
    assert at(screen(view), view.position_of(50, 95)) == (160,) * 3


def test_captions_stand_in_their_corners(view):
    for layer in (Layer.NOISY, Layer.ITERATE):
        view.set_picture(layer, np.full((200, 200), 128, np.uint8))
    plain = screen(view)
    view.set_caption(Layer.NOISY, "noisy")
    view.set_caption(Layer.ITERATE, "iterate 5 · 29.1 dB")
    assert view.captions() == ["noisy", "iterate 5 · 29.1 dB"]
    y, x = np.nonzero((screen(view) != plain).any(axis=2))
    left, right, middle = view.position_of(0, 0).x(), view.position_of(0, 199).x(), view.divider_handle().x()
    assert y.max() < view.position_of(0, 0).y() + 50
    for side, border in ((x[x < middle], left), (x[x > middle], right)):
        assert len(side) > 200 and 0 < np.abs(side - border).min() < 20
    view.set_compare(Compare.DIFFERENCE)
    assert view.captions() == ["iterate 5 · 29.1 dB − noisy"]
