"""Pins are set, selected, moved and removed: by mouse, and by keyboard alone."""

import numpy as np
import pytest
from picture_screen import LEFT, at, drag, screen, show_single
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

from nerd_gui.window.picture.layers import Compare, Layer
from nerd_gui.window.style.tokens import series_colour

CTRL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier
Key = Qt.Key


@pytest.fixture
def canvas(view):
    show_single(view, np.full((200, 240), 90, np.uint8), 2)
    return view.viewport()


def click(view, row, col, *, ctrl=False, off=(0, 0)):
    if ctrl:  # sent like the window system's event, so that Qt updates its state of the keys
        QTest.keyPress(view.viewport(), Key.Key_Control)
    QTest.mouseClick(
        view.viewport(),
        LEFT,
        CTRL if ctrl else Qt.KeyboardModifier.NoModifier,
        view.position_of(row, col) + QPoint(*off),
    )
    if ctrl:
        QTest.keyRelease(view.viewport(), Key.Key_Control)


def pixels(session):
    return [pin.pixel for pin in session.pins.all]


def test_a_click_within_the_ring_selects_and_beside_it_replaces(session, view, canvas):
    click(view, 60, 80)
    click(view, 100, 120, ctrl=True)
    assert pixels(session) == [(60, 80), (100, 120)] and session.pins.selected.pixel == (100, 120)
    click(view, 60, 80, off=(5, 5))
    assert pixels(session) == [(60, 80), (100, 120)] and session.pins.selected.pixel == (60, 80)
    click(view, 100, 120, ctrl=True, off=(-6, 0))
    assert pixels(session) == [(60, 80), (100, 120)] and session.pins.selected.pixel == (100, 120)
    click(view, 100, 120, off=(20, 0))
    assert pixels(session) == [(100, 130)], "a click on a free pixel replaces them"


def test_a_pin_is_dragged_and_put_back(session, view, canvas):
    click(view, 60, 80)
    click(view, 20, 20, ctrl=True)
    shown = view.position_of(0, 0)
    drag(canvas, view.position_of(60, 80), view.position_of(90, 140))
    assert pixels(session) == [(90, 140), (20, 20)] and session.pins.selected.number == 1
    assert view.position_of(0, 0) == shown, "the picture stays"
    session.history.undo()
    assert pixels(session) == [(60, 80), (20, 20)]
    drag(canvas, view.position_of(60, 80), QPoint(-50, -50))
    row, col = session.pins.all[0].pixel
    assert 0 <= row < 60 and 0 <= col < 80, "it stays in the picture"


def test_pins_are_worked_in_either_pane(session, view):
    for layer in (Layer.NOISY, Layer.ITERATE):
        view.set_picture(layer, np.full((100, 100), 90, np.uint8))
    view.set_compare(Compare.SIDE_BY_SIDE)
    click(view, 30, 40)
    QTest.mouseClick(view.viewport(), LEFT, pos=view.position_of(70, 20, 1))
    assert pixels(session) == [(70, 20)]
    drag(view.viewport(), view.position_of(70, 20, 1), view.position_of(50, 60, 1))
    assert pixels(session) == [(50, 60)]


def test_pins_lie_where_they_are_in_the_photo(session, view, canvas):
    """This also holds if a region is shown."""
    session.pins.put(150, 170)
    canvas.set_corner(100, 100)
    assert session.pins.all[0].pixel == (150, 170)
    click(view, 50, 70, off=(3, 0))
    assert pixels(session) == [(150, 170)]
    drag(canvas, view.position_of(50, 70), view.position_of(60, 60))
    assert pixels(session) == [(160, 160)]


def test_keys_point_pin_move_and_remove(session, view, canvas):
    def press(key, modifiers=Qt.KeyboardModifier.NoModifier, times=1):
        for _ in range(times):
            QTest.keyClick(canvas, key, modifiers)

    press(Key.Key_Right, SHIFT)
    assert session.pins.hovered == (100, 120), "it begins in the middle of what is in view"
    press(Key.Key_Right, SHIFT, 3)
    press(Key.Key_Up, SHIFT, 2)
    assert session.pins.hovered == (98, 123)
    press(Key.Key_Return)
    press(Key.Key_Left, CTRL | SHIFT)
    _, col = session.pins.hovered
    assert 123 - col == 24, "a tenth of the 240 columns"
    press(Key.Key_Return, SHIFT)
    assert pixels(session) == [(98, 123), (98, col)]
    press(Key.Key_Down, SHIFT)
    press(Key.Key_M)
    assert pixels(session) == [(98, 123), (99, col)]
    press(Key.Key_Delete)
    assert pixels(session) == [(98, 123)]
    press(Key.Key_Left, SHIFT, 5)
    press(Key.Key_Enter)
    assert pixels(session) == [(99, col - 5)]


def test_the_cursor_is_framed_stays_inside_and_is_brought_into_view(session, view, canvas):
    view.set_zoom(16)
    QTest.keyClick(canvas, Key.Key_Left, SHIFT)
    row, col = session.pins.hovered
    framed = screen(view)
    corner = view.position_of(row, col) - QPoint(8, 8)
    assert at(framed, view.position_of(row, col)) == (90,) * 3 and max(at(framed, corner)) != 90
    for _ in range(100):
        QTest.keyClick(canvas, Key.Key_Up, CTRL | SHIFT)
    assert session.pins.hovered == (0, col)
    assert canvas.rect().contains(view.position_of(0, col))
    QTest.mouseMove(canvas, view.position_of(3, col))
    assert session.pins.hovered == (3, col) and canvas.pointed is None, "the mouse takes over"


def test_a_region_is_chosen_by_keys(qtbot, view, canvas):
    view.choose_region(40, 40)
    QTest.keyClick(canvas, Key.Key_Left, SHIFT)
    for _ in range(10):
        QTest.keyClick(canvas, Key.Key_Left, SHIFT)
    with qtbot.waitSignal(view.regionChosen) as chosen:
        QTest.keyClick(canvas, Key.Key_Return)
    assert chosen.args == [80, 90, 40, 40]


def test_numbers_stand_beside_the_pins_and_the_selected_one_is_ringed(session, view, canvas):
    session.pins.put(60, 80)
    session.pins.put(120, 160, beside=True)
    seen = screen(view)
    for pin in session.pins.all:
        centre, colour = view.position_of(*pin.pixel), series_colour(pin.number - 1, dark=True).getRgb()[:3]
        disc = seen[centre.y() - 21 : centre.y() - 5, centre.x() + 5 : centre.x() + 21].astype(int)
        assert (np.abs(disc - colour).max(axis=2) < 30).sum() > 80, "a disc of its colour"
        assert (disc.max(axis=2) < 60).sum() > 8, "with dark letters"
    selected, other = (
        (seen[y - 16 : y + 16, x - 16 : x + 16].min(axis=2) > 200).sum()
        for x, y in (view.position_of(*pin.pixel).toTuple() for pin in reversed(session.pins.all))
    )
    assert selected > other + 40
    session.pins.put(0, 239)
    seen, centre = screen(view), view.position_of(0, 239)
    colour = series_colour(0, dark=True).getRgb()[:3]
    disc = seen[centre.y() + 5 : centre.y() + 21, centre.x() - 21 : centre.x() - 5].astype(int)
    assert (np.abs(disc - colour).max(axis=2) < 30).sum() > 80, "in a corner the number stays inside"
