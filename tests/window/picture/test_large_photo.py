"""A photo that is too large to be watched whole: its region, and the whole."""

import numpy as np
import pytest
from picture_screen import LEFT, drag
from PIL import Image
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QMessageBox, QToolButton
from window_person import run_to_the_end

from nerd_gui.denoising import RunError, estimate_bytes
from nerd_gui.imaging import open_photo, to_8_bit
from nerd_gui.nerd import load_config
from nerd_gui.window.picture.layers import Compare, Layer
from nerd_gui.window.session import regions


@pytest.fixture(scope="module")
def large_path(tmp_path_factory):
    path = tmp_path_factory.mktemp("photos") / "large.png"
    pixels = np.random.default_rng(0).integers(0, 255, (1100, 1200), dtype=np.uint8)
    Image.fromarray(pixels).save(path, compress_level=1)
    return path


@pytest.fixture
def window(make_window, open_file, large_path, photo_path):
    """A window with a photo of 1.3 megapixels, no run, and a small default region."""
    made = make_window(photo_path)
    made.session.workspace.region_side = 32
    open_file(made, large_path)
    made.controls.settings_button.max_iter.setValue(3)
    return made


def pixels(window):
    return open_photo(window.session.workspace.photo.path).pixels


def test_the_whole_photo_is_shown_with_its_region_marked(window):
    view = window.picture_view
    assert np.array_equal(view.current()[0], to_8_bit(pixels(window))[0])
    row, col, rows, cols = window.session.workspace.region
    assert (row, col, rows, cols) == (534, 584, 32, 32), "the middle"
    assert view.viewport().region == (row, col, rows, cols)
    assert window.banner.isVisible() and "1.3 megapixels" in window.banner.text() and "32 × 32" in window.banner.text()


def test_a_large_photo_is_run_by_region(qtbot, window):
    view = window.picture_view
    window.actions_.region.trigger()
    with qtbot.waitSignal(view.regionChosen):
        qtbot.mouseMove(view.viewport(), view.position_of(500, 400))
        qtbot.mouseClick(view.viewport(), LEFT, pos=view.position_of(500, 400))
    row, col, rows, cols = window.session.workspace.region
    assert (rows, cols) == (32, 32) and abs(row + 16 - 500) <= 3 and abs(col + 16 - 400) <= 3
    run_to_the_end(qtbot, window)
    assert f"column {col}" in window.banner.text()
    expected = pixels(window)[:, row : row + 32, col : col + 32]
    assert np.array_equal(window.session.trajectory.subject.noisy, expected)
    assert np.array_equal(view.current()[0], to_8_bit(expected)[0])
    window.actions_.region.trigger()
    assert np.array_equal(view.current()[0], to_8_bit(pixels(window))[0]), "the whole, to choose in"
    qtbot.keyClick(view.viewport(), Qt.Key.Key_Escape)  # the region and its results stay
    for layer, index in ((Layer.ITERATE, window.session.index), (Layer.RESULT, window.session.trajectory.result)):
        view.set_compare(Compare.SINGLE, right=layer)
        assert np.array_equal(view.shown_picture(), to_8_bit(window.session.trajectory.picture(index))[0])


def test_a_region_is_dragged_to_any_size_and_place(qtbot, window):
    view = window.picture_view
    window.actions_.region.trigger()
    drag(view.viewport(), view.position_of(900, 1000), view.position_of(650, 300))  # upwards and to the left
    row, col, rows, cols = window.session.workspace.region
    pixel = 1 / view.zoom()  # the smallest step of the mouse
    assert np.allclose((row, col, row + rows, col + cols), (650, 300, 900, 1000), atol=2 * pixel + 1)
    assert view.viewport().region == (row, col, rows, cols)
    assert f"{cols} × {rows}" in window.banner.text()


def test_the_rectangle_grows_with_the_pointer_and_the_line_below_says_its_size(window):
    view, line = window.picture_view, window.findChild(QLabel, "pixelLabel")
    window.actions_.region.trigger()
    assert "32 × 32" in line.text()
    canvas, start = view.viewport(), view.position_of(200, 200)
    QTest.mousePress(canvas, LEFT, pos=start)
    sizes = []
    for step in (40, 80, 120):
        QTest.mouseMove(canvas, start + QPoint(2 * step, step))
        _, _, rows, cols = canvas.candidate()
        assert line.text().startswith(f"{cols} × {rows} pixels")
        sizes.append((rows, cols))
    assert sizes == sorted(sizes) and sizes[-1][1] > 1.8 * sizes[-1][0] > sizes[0][0]
    QTest.keyClick(canvas, Qt.Key.Key_Escape)
    assert canvas.candidate() is None and window.session.workspace.region == (534, 584, 32, 32)
    QTest.mouseRelease(canvas, LEFT, pos=start + QPoint(240, 120))
    assert window.session.workspace.region == (534, 584, 32, 32) and window.session.pins.all == ()


def test_shift_and_drag_choose_a_region_without_further_ado(window):
    view = window.picture_view
    start, end = view.position_of(300, 300), view.position_of(600, 700)
    QTest.mousePress(view.viewport(), LEFT, Qt.KeyboardModifier.ShiftModifier, start)
    for position in ((start + end) / 2, end):
        QTest.mouseMove(view.viewport(), position)
    QTest.mouseRelease(view.viewport(), LEFT, Qt.KeyboardModifier.ShiftModifier, end)
    row, col, rows, cols = window.session.workspace.region
    assert np.allclose((row, col, rows, cols), (300, 300, 300, 400), atol=2 / view.zoom() + 1)
    QTest.mouseClick(view.viewport(), LEFT, Qt.KeyboardModifier.ShiftModifier, start)
    assert window.session.workspace.region == (row, col, rows, cols) and len(window.session.pins.all) == 1


def test_a_part_of_the_region_that_is_shown_is_chosen_in_the_photo(qtbot, window):
    view = window.picture_view
    window.session.workspace.set_region((100, 200, 64, 64))
    run_to_the_end(qtbot, window)
    start, end = view.position_of(8, 16), view.position_of(40, 56)
    QTest.mousePress(view.viewport(), LEFT, Qt.KeyboardModifier.ShiftModifier, start)
    QTest.mouseMove(view.viewport(), end)
    QTest.mouseRelease(view.viewport(), LEFT, Qt.KeyboardModifier.ShiftModifier, end)
    assert window.session.workspace.region == (108, 216, 33, 41)
    assert view.current()[0].shape == (1100, 1200)


def test_a_rectangle_that_is_too_large_is_shrunk_and_the_sentence_says_so(window, monkeypatch):
    monkeypatch.setattr(regions, "LIVE_PIXELS", 90_000)
    window.intentions.take_region(100, 200, 600, 800)
    row, col, rows, cols = window.session.workspace.region
    assert 85_000 < rows * cols <= 90_000 and cols / rows == pytest.approx(800 / 600, rel=0.01)
    assert abs(row + rows / 2 - 400) <= 1 and abs(col + cols / 2 - 600) <= 1
    said = window.notice_bar.sentence("region")
    assert "800 × 600" in said and f"{cols} × {rows}" in said


def test_memory_limits_the_region_too(window, monkeypatch):
    settings = window.controls.settings()
    config, most = load_config(settings.model), 200_000
    budget = estimate_bytes(config, settings, 1, 400, 500)
    monkeypatch.setattr(regions, "budget_bytes", lambda settings: budget)
    assert regions.live_pixels(config, settings, 1) == pytest.approx(most, rel=0.01)
    window.actions_.largest_region.trigger()
    _, _, rows, cols = window.session.workspace.region
    assert rows * cols == pytest.approx(most, rel=0.02) and abs(rows - cols) <= 1


def test_a_region_is_chosen_also_while_no_network_can_be_used(window, monkeypatch):
    def none():
        raise RunError("The photo has hardly any noise.")

    monkeypatch.setattr(window.controls, "settings", none)
    window.intentions.take_region(100, 200, 300, 400)
    assert window.session.workspace.region == (100, 200, 300, 400) and not window.findChildren(QMessageBox)


def test_the_sizes_in_the_menu(window):
    window.actions_.largest_region.trigger()
    row, col, rows, cols = window.session.workspace.region
    assert (row, col) == (50, 100) and (rows, cols) == (1000, 1000)
    window.actions_.usual_region.trigger()
    assert window.session.workspace.region == (534, 584, 32, 32)
    assert not window.actions_.no_region.isEnabled(), "all of a large photo is Denoise photo's"


def test_a_small_photo_has_a_region_if_one_is_chosen(qtbot, window, open_file, photo_path):
    open_file(window, photo_path)
    assert window.session.workspace.region is None and not window.banner.isVisible()
    run_to_the_end(qtbot, window)
    whole = window.session.run
    window.intentions.take_region(4, 6, 20, 24)
    assert window.session.run is whole and window.picture_view.viewport().region == (4, 6, 20, 24)
    run_to_the_end(qtbot, window)
    assert window.session.trajectory.subject.noisy.shape == (1, 20, 24)
    window.actions_.no_region.trigger()
    assert window.session.workspace.region is None and window.session.run is whole
    assert not window.banner.isVisible()


def test_from_the_region_to_the_whole_photo_and_back(qtbot, window):
    view, other = window.picture_view, window.findChild(QToolButton, "otherPartButton")
    assert not other.isEnabled()
    run_to_the_end(qtbot, window)
    explored = window.session.run
    window.session.pins.put(540, 590)
    QTest.mouseClick(other, LEFT)
    assert window.session.run is None and view.current()[0].shape == (1100, 1200)
    assert [pin.pixel for pin in window.session.pins.all] == [(540, 590)] and view.viewport().region == (
        534,
        584,
        32,
        32,
    )
    QTest.mouseClick(other, LEFT)
    assert window.session.run is explored and view.current()[0].shape == (32, 32)
    assert view.viewport().region is None
    window.intentions.take_region(0, 0, 40, 40)
    assert window.session.run is None and not other.isEnabled(), "nothing is known of the new region"


def test_the_noise_of_a_large_photo_is_not_drawn_while_the_window_waits(window):
    window.noise.mode.setCurrentText("Add noise")
    view = window.picture_view
    view.set_compare(Compare.SINGLE, None, Layer.CLEAN)
    assert np.array_equal(view.shown_picture(), to_8_bit(pixels(window))[0])
    assert view.current()[0] is None, "there is no noisy picture yet"
