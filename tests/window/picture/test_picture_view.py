"""The picture view: positions, clicks, zoom, and its response to good and bad pictures."""

import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from picture_screen import (
    LEFT,
    MIDDLE,
    Read,
    address_picture,
    at,
    drag,
    random_picture,
    screen,
    show_single,
    wheel,
)
from PySide6.QtCore import QMimeData, QPoint, Qt, QUrl
from PySide6.QtGui import QColor, QDragEnterEvent, QPalette
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QComboBox, QDoubleSpinBox, QLabel, QToolButton, QWidget

from nerd_gui.window.picture.layers import Compare, Layer
from nerd_gui.window.picture.viewport import Viewport


@pytest.mark.parametrize("zoom", [None, 1, 3])
@pytest.mark.parametrize("mode", [Compare.SINGLE, Compare.WIPE, Compare.SIDE_BY_SIDE])
def test_a_click_reports_the_pixel_that_is_seen_there(session, qtbot, view, zoom, mode):
    pixels = address_picture(170, 250)
    view.set_picture(Layer.NOISY, pixels)
    view.set_picture(Layer.ITERATE, pixels)
    view.set_compare(mode)
    if zoom is not None:
        view.set_zoom(zoom)
    canvas = view.viewport()
    rng = np.random.default_rng(3)
    for panned in (False, True):
        if panned:
            drag(canvas, QPoint(200, 200), QPoint(137, 251), MIDDLE)
        seen = screen(view)
        inside = np.argwhere(seen[..., 2] == 77)
        assert len(inside) > 20_000
        for y, x in inside[rng.integers(0, len(inside), 12)].tolist():
            expected = [seen[y, x, 0], seen[y, x, 1]]
            assert view.pixel_at(QPoint(x, y)) == tuple(expected)
            with qtbot.waitSignal(session.pins.changed):
                QTest.mouseClick(canvas, LEFT, pos=QPoint(x, y))
            assert session.pins.active == tuple(expected)


def test_position_and_pixel_are_inverse(view):
    show_single(view, random_picture(200, 300))
    for zoom in (1, 2, 5):
        view.set_zoom(zoom)
        for row, col in [(0, 0), (199, 299), (100, 7)]:
            position = view.position_of(row, col)
            if view.viewport().rect().contains(position):
                assert view.pixel_at(position) == (row, col)
        assert view.pixel_at(view.position_of(100, 150)) == (100, 150)
    view.fit()
    assert view.pixel_at(view.position_of(-5, 10)) is None and view.pixel_at(view.position_of(10, 300)) is None


def test_a_drag_is_no_click_and_pans_only_a_picture_that_is_zoomed_in(session, qtbot, view):
    show_single(view, random_picture(300, 400))
    canvas = view.viewport()
    middle = canvas.rect().center()
    with qtbot.assertNotEmitted(session.pins.changed):
        place = view.position_of(10, 10)
        drag(canvas, middle, middle + QPoint(60, 20))
        assert view.position_of(10, 10) == place
        view.set_zoom(4)
        place = view.position_of(150, 200)
        drag(canvas, middle, middle + QPoint(60, 20))
        assert view.position_of(150, 200) - place == QPoint(60, 20)
    QTest.mouseClick(canvas, Qt.MouseButton.RightButton, pos=middle)
    with qtbot.assertNotEmitted(session.pins.changed):
        view.fit()
        QTest.mouseClick(canvas, LEFT, pos=QPoint(3, 3))  # beside the picture


def test_the_wheel_zooms_at_the_pointer_and_stops_at_100_percent(view):
    show_single(view, random_picture(800, 1200))
    assert view.zoom() < 1
    position = view.position_of(300, 900)
    zooms = []
    for _ in range(8):
        wheel(view, position, 1)
        zooms.append(view.zoom())
        row, col = view.pixel_at(position)
        assert abs(row - 300) <= 2 and abs(col - 900) <= 2
    assert zooms == sorted(zooms) and zooms[-1] > 2 and 1.0 in zooms
    for _ in range(20):
        wheel(view, position, -1)
    view.resize(700, 500)  # the whole picture is fitted again and follows the window
    canvas = view.viewport()
    assert view.zoom() == pytest.approx(min(canvas.width() / 1200, canvas.height() / 800))


def test_keys_set_the_zoom(view):
    show_single(view, random_picture(100, 100))
    canvas = view.viewport()
    fit = view.zoom()
    label = view.findChild(QLabel, "zoomLabel")
    QTest.keyClick(canvas, Qt.Key.Key_1)
    assert view.zoom() == 1 and label.text() == "100 %"
    QTest.keyClick(canvas, Qt.Key.Key_Plus)
    QTest.keyClick(canvas, Qt.Key.Key_Equal)
    assert view.zoom() == 2
    QTest.keyClick(canvas, Qt.Key.Key_Minus)
    assert view.zoom() == 1.5
    QTest.keyClick(canvas, Qt.Key.Key_0)
    assert view.zoom() == fit > 4
    view.findChild(QToolButton, "zoomActualButton").click()
    assert view.zoom() == 1
    view.findChild(QToolButton, "zoomFitButton").click()
    assert view.zoom() == fit


@given(
    pane=st.tuples(st.integers(50, 3000), st.integers(50, 3000)),
    shape=st.tuples(st.integers(1, 9000), st.integers(1, 9000)),
    moves=st.lists(
        st.tuples(st.sampled_from(["zoom", "pan", "resize", "step"]), st.floats(-1, 1), st.floats(-1, 1)), max_size=8
    ),
)
def test_whatever_the_moves_the_picture_stays_in_sight(pane, shape, moves):
    viewport = Viewport()
    viewport.resize(*pane)
    viewport.show(*shape)
    for move, a, b in moves:
        x, y = (a + 1) / 2 * viewport.width, (b + 1) / 2 * viewport.height
        if move == "zoom":
            viewport.zoom_by(2**a, (x, y))
            assert viewport.zoom <= 64
        elif move == "pan":
            viewport.pan(1e5 * a, 1e5 * b)
        elif move == "resize":
            viewport.resize(int(1500 * (a + 1)), int(1500 * (b + 1)))
        else:
            viewport.zoom_step(1 if a > 0 else -1)
        left, top = viewport.origin
        right, bottom = viewport.position_of(*shape)
        assert left <= viewport.width / 2 + 1 and right >= viewport.width / 2 - 1
        assert top <= viewport.height / 2 + 1 and bottom >= viewport.height / 2 - 1


def test_hovering_reports_pixels_and_reads_out_both_values(session, qtbot, view):
    noisy = np.zeros((100, 100), np.float32)
    noisy[30, 40] = 1.2  # noise is not clipped
    colour = np.zeros((3, 100, 100), np.uint8)
    colour[:, 30, 40] = 10, 20, 30
    view.set_picture(Layer.NOISY, noisy)
    view.set_picture(Layer.ITERATE, colour)
    canvas, label = view.viewport(), view.findChild(QLabel, "pixelLabel")
    hint = label.text()
    with qtbot.waitSignal(session.pins.hoveredChanged):
        QTest.mouseMove(canvas, view.position_of(30, 40))
    assert session.pins.hovered == (30, 40)
    assert label.text() == "row 30, col 40:  noisy 306.0  /  iterate 10.0 20.0 30.0"
    colour = colour + 1
    view.set_picture(Layer.ITERATE, colour)  # scrubbing while the pointer does not move
    assert label.text().endswith("iterate 11.0 21.0 31.0")
    with qtbot.waitSignal(session.pins.hoveredChanged):
        QTest.mouseMove(canvas, QPoint(2, 2))
    assert session.pins.hovered is None
    assert label.text() == hint


def test_a_picture_of_another_size_starts_over(view):
    show_single(view, random_picture(200, 300))
    view.set_picture(Layer.CLEAN, random_picture(200, 300))
    view.set_zoom(4)
    QTest.mouseMove(view.viewport(), view.position_of(100, 150))
    view.set_picture(Layer.ITERATE, random_picture(200, 300, seed=5))
    assert view.zoom() == 4, "another picture of that size keeps the view"
    view.set_picture(Layer.ITERATE, random_picture(40, 50))
    canvas = view.viewport()
    assert view.zoom() == min(canvas.width() / 50, canvas.height() / 40)
    view.set_compare(Compare.SINGLE, right=Layer.CLEAN)
    assert view.shown_picture() is None


def test_without_a_picture_there_is_a_hint(session, qtbot, view):
    empty = screen(view)
    centre = empty[empty.shape[0] // 2 - 20 : empty.shape[0] // 2 + 20]
    assert (centre != empty[0, 0]).any() and (empty[:60] == empty[0, 0]).all()
    show_single(view, random_picture(100, 100), 3)
    session.pins.put(5, 5)
    QTest.mouseMove(view.viewport(), view.position_of(50, 50))
    view.set_picture(Layer.ITERATE, None)
    np.testing.assert_array_equal(screen(view), empty)
    assert view.shown_picture() is None and view.captions() == [] and view.divider_handle() is None
    assert view.pixel_at(view.viewport().rect().center()) is None
    assert not view.findChild(QComboBox, "rightLayerCombo").isEnabled()
    with qtbot.assertNotEmitted(session.pins.changed):
        QTest.mouseClick(view.viewport(), LEFT, pos=view.viewport().rect().center())
    QTest.keyClick(view.viewport(), Qt.Key.Key_1)
    wheel(view, QPoint(50, 50), 1)
    with pytest.raises(ValueError, match="open a photo"):
        view.choose_region(10, 10)


@pytest.mark.parametrize(
    ("pixels", "message"),
    [
        (np.zeros((2, 30, 30), np.float32), "shape"),
        (np.zeros(30, np.float32), "shape"),
        (np.zeros((0, 30), np.float32), "shape"),
        (np.zeros((30, 30), np.int32), "type"),
    ],
)
def test_what_is_no_picture_is_refused(view, pixels, message):
    with pytest.raises(ValueError, match=message):
        view.set_picture(Layer.ITERATE, pixels)
    assert view.captions() == []


def test_only_layers_on_show_are_read_and_only_once(view):
    shown, other = Read(np.zeros((60, 60), np.float32)), Read(np.zeros((60, 60), np.float32))
    show_single(view, shown)
    view.set_picture(Layer.CLEAN, other)
    for zoom in (1, 3, 5):
        view.set_zoom(zoom)
        screen(view)
    assert shown.values == 60 * 60 and other.values == 0
    view.set_compare(Compare.SINGLE, right=Layer.CLEAN)
    screen(view)
    assert shown.values == other.values == 60 * 60


def test_scrubbing_a_megapixel_reaches_60_frames_a_second(view):
    rng = np.random.default_rng(0)
    noisy = rng.random((1000, 1000), np.float32)
    iterates = [np.roll(noisy, index, axis=0) for index in range(17)]
    view.set_picture(Layer.NOISY, noisy)
    view.set_picture(Layer.ITERATE, noisy)
    canvas, seconds = view.viewport(), []
    for iterate in iterates:
        start = time.thread_time()  # the machine may be busy
        view.set_picture(Layer.ITERATE, iterate)
        canvas.repaint()
        seconds.append(time.thread_time() - start)
        assert view.ready(), "a megapixel is painted at once"
    assert np.percentile(seconds, 50) < 1 / 60


def test_a_dropped_photo_is_left_to_the_window(view):
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile("/photo.png")])
    for widget in [view, *view.findChildren(QWidget)]:
        assert not widget.acceptDrops(), widget.objectName()
    event = QDragEnterEvent(QPoint(50, 50), Qt.DropAction.CopyAction, data, LEFT, Qt.KeyboardModifier.NoModifier)
    event.ignore()
    QApplication.sendEvent(view.viewport(), event)
    assert not event.isAccepted()


def test_everything_that_answers_has_a_name_and_an_explanation(view):
    tools = view.findChildren(QComboBox) + view.findChildren(QToolButton) + view.findChildren(QDoubleSpinBox)
    names = {tool.objectName() for tool in tools}
    assert names == {
        *("leftLayerCombo", "rightLayerCombo", "compareModeCombo"),
        *("differenceGainSpin", "mapRangeCombo", "zoomFitButton", "zoomActualButton"),
    }
    for tool in [*tools, view.findChild(QLabel, "zoomLabel"), view.findChild(QLabel, "pixelLabel")]:
        assert tool.accessibleName() and len(tool.toolTip()) > 15
    assert view.objectName() == "pictureView" and view.viewport().accessibleName()


@pytest.mark.parametrize(("window", "surround"), [("#202020", "#303030"), ("#f4f4f4", "#d0d0d0")])
def test_the_surround_is_neutral_grey_in_both_themes(view, window, surround):
    palette = QPalette(QColor(window))
    view.viewport().setPalette(palette)
    show_single(view, random_picture(100, 100))
    assert at(screen(view), QPoint(2, 2)) == QColor(surround).getRgb()[:3]
