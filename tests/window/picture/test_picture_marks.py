"""What is drawn over the picture: pins, attention overlay, region of interest."""

import numpy as np
import pytest
from painted_text import painted_texts
from picture_screen import LEFT, at, random_picture, screen, show_single
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel

from nerd_gui.window.picture.layers import Compare, Layer
from nerd_gui.window.style.tokens import series_colour

NAME = "Broyden, sigma 25, from the last equilibrium, limited memory"


def test_pins_have_a_constant_size_and_leave_their_pixel_free(session, view):
    show_single(view, np.full((200, 200), 90, np.uint8))
    session.pins.put(500, 500)
    session.pins.put(60, 80, beside=True)
    beside_the_picture, colour = (series_colour(pin.number - 1, dark=True).getRgb()[:3] for pin in session.pins.all)
    for zoom in (1, 3):
        view.set_zoom(zoom)
        seen, centre = screen(view), view.position_of(60, 80)
        drawn = np.argwhere(np.abs(seen.astype(int) - colour).max(axis=2) < 40)
        off = drawn - (centre.y(), centre.x())
        drawn = drawn[~((off[:, 0] < -4) & (off[:, 1] > 4) & (np.abs(off).max(axis=1) > 6))]  # without the number
        y, x = drawn.mean(axis=0)
        assert abs(y - centre.y()) < 1 and abs(x - centre.x()) < 1
        assert 18 <= np.ptp(drawn[:, 0]) <= 26 and 18 <= np.ptp(drawn[:, 1]) <= 26
        assert at(seen, centre) == (90,) * 3
        around = seen[centre.y() - 16 : centre.y() + 16, centre.x() - 16 : centre.x() + 16]
        assert (around.max(axis=2) < 70).sum() > 40, "a dark outline"
        assert not (seen == beside_the_picture).all(axis=2).any(), "a pin beside the picture is not drawn"
    session.pins.clear()
    assert at(screen(view), view.position_of(60, 80) + QPoint(6, 0)) == (90,) * 3


@pytest.mark.parametrize("zoom", [1, 4])
def test_the_overlay_covers_its_pixels_with_alpha_by_weight(view, zoom):
    show_single(view, np.full((150, 150), 100, np.uint8), zoom)
    weights = np.zeros((20, 30), np.float32)
    weights[0, 0], weights[10, 15], weights[19, 29] = 0.02, 0.04, 0.04
    view.set_overlay(weights, 60, 70, 0.5)
    seen = screen(view)
    top = np.array([252, 255, 164])  # the highest colour of inferno
    for row, col in ((70, 85), (79, 99)):
        np.testing.assert_allclose(at(seen, view.position_of(row, col)), (top + 100) / 2, atol=2)
    # Half the largest weight: inferno's middle colour at a quarter's alpha.
    np.testing.assert_allclose(at(seen, view.position_of(60, 70)), 0.75 * 100 + 0.25 * np.array([188, 55, 84]), atol=2)
    for row, col in ((61, 71), (59, 70), (60, 69), (80, 99), (79, 100)):
        assert at(seen, view.position_of(row, col)) == (100,) * 3
    view.set_overlay(None)
    assert at(screen(view), view.position_of(70, 85)) == (100,) * 3


def test_an_overlay_over_the_border_is_cut_off_there(view):
    show_single(view, np.full((50, 50), 100, np.uint8), 2)
    before = screen(view)
    view.set_overlay(np.ones((65, 65)), -40, -40, 1.0)
    changed = np.argwhere((screen(view) != before).any(axis=2))
    corner = view.position_of(0, 0) - QPoint(1, 1)
    assert changed.min(axis=0).tolist() == [corner.y(), corner.x()]
    assert (np.ptp(changed, axis=0) + 1).tolist() == [50, 50]


@pytest.mark.parametrize(
    ("weights", "opacity"),
    [(np.ones(3), 0.5), (-np.ones((3, 3)), 0.5), (np.full((2, 2), np.nan), 0.5), (np.ones((2, 2)), 2)],
)
def test_an_impossible_overlay_is_refused(view, weights, opacity):
    with pytest.raises(ValueError, match="overlay"):
        view.set_overlay(weights, 0, 0, opacity)


def test_the_region_is_marked_at_its_border(view):
    show_single(view, np.full((200, 200), 128, np.uint8), 2)
    plain = screen(view)
    view.set_region(50, 60, 40, 30)
    y, x = np.nonzero((screen(view) != plain).any(axis=2))
    corner = view.position_of(50, 60) - QPoint(1, 1)
    assert abs(y.min() - corner.y()) <= 2 and abs(y.max() - (corner.y() + 80)) <= 2
    assert abs(x.min() - corner.x()) <= 2 and abs(x.max() - (corner.x() + 60)) <= 2
    assert at(screen(view), view.position_of(70, 75)) == (128,) * 3
    view.set_region(None)
    np.testing.assert_array_equal(screen(view), plain)


def test_a_region_is_chosen_by_a_click_and_stays_inside_the_picture(session, qtbot, view):
    show_single(view, random_picture(200, 300))
    canvas = view.viewport()
    for pixel, expected in [
        ((100, 150), [68, 102, 64, 96]),
        ((2, 3), [0, 0, 64, 96]),
        ((199, 299), [136, 204, 64, 96]),
    ]:
        view.choose_region(64, 96)
        assert "96 × 64" in view.findChild(QLabel, "pixelLabel").text()
        position = view.position_of(*pixel)
        QTest.mouseMove(canvas, position)
        with qtbot.assertNotEmitted(session.pins.changed), qtbot.waitSignal(view.regionChosen) as chosen:
            QTest.mouseClick(canvas, LEFT, pos=position)
        assert chosen.args == expected
    with qtbot.waitSignal(session.pins.changed):  # the choice is over
        QTest.mouseClick(canvas, LEFT, pos=position)
    view.choose_region(5000, 50)
    with qtbot.waitSignal(view.regionChosen) as chosen:
        QTest.mouseClick(canvas, LEFT, pos=view.position_of(100, 150))
    assert chosen.args == [0, 125, 200, 50]


def test_the_rectangle_follows_the_pointer_and_darkens_the_rest(view):
    show_single(view, np.full((200, 200), 200, np.uint8))
    view.choose_region(50, 50)
    for row, col in ((100, 100), (40, 150)):
        QTest.mouseMove(view.viewport(), view.position_of(row, col))
        seen = screen(view)
        assert at(seen, view.position_of(row, col)) == (200,) * 3
        assert at(seen, view.position_of(row + 40, col))[0] < 150


def test_escape_or_another_picture_ends_the_choice_of_a_region(qtbot, view):
    show_single(view, random_picture(200, 300))
    canvas = view.viewport()
    view.choose_region(64, 64)
    with qtbot.waitSignal(view.regionCancelled):
        QTest.keyClick(canvas, Qt.Key.Key_Escape)
    with qtbot.assertNotEmitted(view.regionCancelled):
        QTest.keyClick(canvas, Qt.Key.Key_Escape)
    view.choose_region(64, 64)
    with qtbot.waitSignal(view.regionCancelled):
        view.set_picture(Layer.ITERATE, random_picture(50, 50))
    with qtbot.assertNotEmitted(view.regionChosen):
        QTest.mouseClick(canvas, LEFT, pos=canvas.rect().center())


@pytest.mark.parametrize(
    "lines",
    [
        [f"{NAME} · iterate 17 · 31.36 dB"],
        [f"{NAME} · iterate 17", "31.36 dB"],
        [NAME, "iterate 17 · 31.36 dB"],
    ],
)
def test_a_caption_that_is_too_long_for_a_line_is_written_in_several(view, lines):
    metrics = view.viewport().fontMetrics()
    view.resize(2 * (max(map(metrics.horizontalAdvance, lines)) + 40), 500)
    for layer in (Layer.NOISY, Layer.ITERATE):
        view.set_picture(layer, np.full((400, 2000), 90, np.uint8))
    view.set_caption(Layer.NOISY, "")
    view.set_caption(Layer.ITERATE, f"{NAME} · iterate 17 · 31.36 dB")
    view.set_compare(Compare.SIDE_BY_SIDE, Layer.NOISY, Layer.ITERATE)
    screen(view)
    written = painted_texts(view.viewport())
    assert [text.words for text in written] == lines
    assert all(view.viewport().rect().contains(text.place.toAlignedRect()) for text in written)
    heights = [text.place.center().y() for text in written]
    assert heights[-1] - heights[0] == pytest.approx(metrics.height() * (len(lines) - 1), abs=5)
