"""Denoise photo: tile by tile, the view first; pause, stop, continue; finished parts are shown and stay."""

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QComboBox, QLabel, QMessageBox, QProgressBar, QToolButton, QWidget
from scripted_photo_run import ScriptedPhotoRun
from window_person import dialog_text, run_to_the_end, slider

from nerd_gui.denoising import memory_plan
from nerd_gui.equilibrium import StopReason
from nerd_gui.imaging import add_noise, to_8_bit
from nerd_gui.window.picture.layers import Compare, Layer
from nerd_gui.window.session import run_controller

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture(scope="module")
def large_path(tmp_path_factory):
    path = tmp_path_factory.mktemp("photos") / "large.png"
    pixels = np.random.default_rng(0).integers(60, 250, (1000, 1200, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path, compress_level=1)
    return path


@pytest.fixture
def window(make_window, large_path, monkeypatch):
    """A window with a photo of 1.2 megapixels and scripted runs."""
    ScriptedPhotoRun.made = []
    monkeypatch.setattr(run_controller, "PhotoRun", ScriptedPhotoRun)
    made = make_window(large_path)
    made.session.workspace.set_region((400, 400, 32, 32))
    made.picture_view.set_compare(Compare.SINGLE, None, Layer.ITERATE)
    return made


def begin(qtbot, window):
    """Denoise the photo, and wait until its run is prepared."""
    count = len(ScriptedPhotoRun.made)
    window.actions_.denoise.trigger()
    prepared = lambda: window.session.trajectory is not None and len(ScriptedPhotoRun.made) == count + 1  # noqa: E731
    qtbot.waitUntil(prepared, timeout=30_000)  # the first one of a process loads what all use
    return ScriptedPhotoRun.made[-1]


def finish_tiles(qtbot, window, run, count):
    """Finish this many tiles, and wait for the last of them."""
    progress = window.session.progress
    wanted = count + (progress.done if progress is not None else 0)
    run.permits.release(count)
    qtbot.waitUntil(lambda: window.session.progress is not None and window.session.progress.done == wanted)


def words(window):
    return window.findChild(QLabel, "photoProgressText").text()


def row(window):
    return window.findChild(QWidget, "photoProgressRow")


def pause_button(window):
    return window.findChild(QToolButton, "pauseButton")


def test_a_finished_tile_is_in_the_picture_at_once(qtbot, window):
    run = begin(qtbot, window)
    finish_tiles(qtbot, window, run, 1)
    noisy = window.session.workspace.photo.pixels
    expected = noisy.copy()
    expected[:, :500, :600] += np.float32(np.float16(-0.06))
    assert window.session.controller.running and window.session.index == 2
    assert np.array_equal(np.moveaxis(window.picture_view.shown_picture(), -1, 0), to_8_bit(expected))
    assert window.session.trajectory.subject.region is None
    slider(window).setValue(0)
    expected[:, :500, :600] = noisy[:, :500, :600] + np.float32(np.float16(-0.02))
    finish_tiles(qtbot, window, run, 1)
    expected[:, :500, 600:] += np.float32(np.float16(-0.02))
    assert window.session.index == 0, "where the person went"
    assert np.array_equal(np.moveaxis(window.picture_view.shown_picture(), -1, 0), to_8_bit(expected))


def test_progress_is_told_in_words(qtbot, window):
    assert not row(window).isVisible()
    run = begin(qtbot, window)
    assert row(window).isVisible() and "0.0 of" not in words(window)
    finish_tiles(qtbot, window, run, 1)
    assert words(window) == "0.3 of 1.2 megapixels · about 2 min left"
    assert window.findChild(QProgressBar, "photoProgress").value() == 250
    finish_tiles(qtbot, window, run, 2)
    assert words(window) == "0.9 of 1.2 megapixels · about 50 s left"
    with qtbot.waitSignal(window.session.controller.ended) as ended:
        run.permits.release()
    assert str(ended.args[0]) == "settled" and not row(window).isVisible()
    assert "settled" in window.summary.text() and len(window.session.trajectory) == 3


def test_pause_and_continue(qtbot, window):
    run = begin(qtbot, window)
    finish_tiles(qtbot, window, run, 1)
    assert pause_button(window).text() == "Pause"
    QTest.mouseClick(pause_button(window), LEFT)
    assert window.session.controller.paused and words(window) == "Paused · 0.3 of 1.2 megapixels"
    assert "paused" in window.summary.text() and "running" not in window.summary.text()
    qtbot.waitUntil(lambda: run.waits)
    assert pause_button(window).text() == "Continue" and not window.actions_.run.isEnabled()
    QTest.mouseClick(pause_button(window), LEFT)
    assert not window.session.controller.paused and pause_button(window).text() == "Pause"
    finish_tiles(qtbot, window, run, 1)
    assert "0.6 of 1.2" in words(window)


def test_stop_keeps_what_is_finished_and_continue_goes_on_from_there(qtbot, window):
    run = begin(qtbot, window)
    finish_tiles(qtbot, window, run, 1)
    window.actions_.stop.trigger()
    assert not window.session.controller.running and window.session.trajectory is run.trajectory
    assert words(window) == "Stopped · 0.3 of 1.2 megapixels" and pause_button(window).text() == "Continue"
    assert str(run.trajectory.stop_reason) == "cancelled" and window.actions_.export.isEnabled()
    QTest.mouseClick(pause_button(window), LEFT)
    assert window.session.controller.running and run.trajectory.stop_reason is None
    with qtbot.waitSignal(window.session.controller.ended):
        run.permits.release(3)
    assert ScriptedPhotoRun.made == [run] and run.finished and len(run.threads) == 2
    assert str(run.trajectory.stop_reason) == "settled" and not pause_button(window).isEnabled()


def test_denoise_photo_goes_on_with_a_stopped_run_if_nothing_else_is_asked_for(qtbot, window):
    run = begin(qtbot, window)
    finish_tiles(qtbot, window, run, 1)
    window.actions_.stop.trigger()
    window.actions_.denoise.trigger()
    finish_tiles(qtbot, window, run, 1)
    assert ScriptedPhotoRun.made == [run]
    window.actions_.stop.trigger()
    run_to_the_end(qtbot, window)  # of the region, in the meantime
    window.actions_.denoise.trigger()
    assert window.session.trajectory is run.trajectory and window.picture_view.current()[0].shape == (1000, 1200, 3)
    finish_tiles(qtbot, window, run, 1)
    window.actions_.stop.trigger()
    window.controls.settings_button.max_iter.setValue(4)
    other = begin(qtbot, window)
    assert other is not run and window.session.trajectory is other.trajectory


def test_a_tile_that_is_finished_after_stop_counts(qtbot, window, monkeypatch):
    run = begin(qtbot, window)
    finish_tiles(qtbot, window, run, 1)
    with monkeypatch.context() as patch:
        patch.setattr(run_controller.PhotoWorker, "request_stop", lambda worker: None)  # it has not reacted yet
        window.actions_.stop.trigger()
    finish_tiles(qtbot, window, run, 1)
    assert words(window) == "Stopped · 0.6 of 1.2 megapixels"
    assert str(run.trajectory.stop_reason) == "cancelled" and "cancelled" in window.summary.text()
    for worker in window.session.controller._workers:
        worker.request_stop()


def test_what_is_in_view_is_told_to_the_run(qtbot, window):
    view = window.picture_view
    run = begin(qtbot, window)
    finish_tiles(qtbot, window, run, 1)
    assert run.views == [(0, 0, 1000, 1200)], "all of it"
    view.set_zoom(2)
    QTest.mouseMove(view.viewport(), view.viewport().rect().center())
    finish_tiles(qtbot, window, run, 1)
    top, left, rows, cols = run.views[-1]
    canvas = view.viewport()
    corners = view.pixel_at(canvas.rect().topLeft()), view.pixel_at(canvas.rect().bottomRight())
    assert np.allclose(corners, ((top, left), (top + rows - 1, left + cols - 1)), atol=1) and rows < 500


@pytest.mark.parametrize("paused", [False, True])
def test_closing_the_window_ends_the_thread(qtbot, window, paused):
    run = begin(qtbot, window)
    finish_tiles(qtbot, window, run, 1)
    if paused:
        window.actions_.pause.trigger()
        qtbot.waitUntil(lambda: run.waits)
    (worker,) = window.session.controller._workers
    window.close()
    box = window.findChild(QMessageBox, "closeDialog")
    assert window.isVisible() and worker.isRunning(), "what is finished is not lost by a touch"
    qtbot.mouseClick(next(b for b in box.buttons() if b.text() == "Close without saving"), LEFT)
    assert not window.isVisible() and worker.isFinished()


def test_a_failure_is_said_and_what_is_finished_stays(qtbot, window):
    run = begin(qtbot, window)
    finish_tiles(qtbot, window, run, 1)
    run.fails = True
    with qtbot.waitSignal(window.session.controller.failed):
        run.permits.release()
    assert "temporary folder is full" in dialog_text(window)
    assert len(window.session.trajectory) == 3 and window.actions_.export.isEnabled()
    run.fails = False
    window.actions_.pause.trigger()  # Continue, now that there is room
    finish_tiles(qtbot, window, run, 1)
    assert window.session.controller.running


@pytest.mark.parametrize("reason", [StopReason.SETTLED, StopReason.STEP_LIMIT])
def test_the_result_is_shown_at_the_end(qtbot, window, reason):
    run = begin(qtbot, window)
    run.reason, run.residuals = reason, (0.1, 0.02, 0.05)
    with qtbot.waitSignal(window.session.controller.ended):
        run.permits.release(4)
    assert window.session.index == run.trajectory.result == (2 if reason is StopReason.SETTLED else 1)
    assert window.actions_.export.text() == "&Save denoised photo…"


def test_another_photo_ends_the_run(qtbot, window, open_file, photo_path):
    run = begin(qtbot, window)
    finish_tiles(qtbot, window, run, 1)
    open_file(window, photo_path)
    qtbot.waitUntil(lambda: not window.session.controller._workers)
    assert window.session.run is None and not row(window).isVisible() and not run.finished


def test_the_region_can_be_explored_afterwards_and_the_photo_stays(qtbot, window):
    run = begin(qtbot, window)
    with qtbot.waitSignal(window.session.controller.ended):
        run.permits.release(4)
    whole = window.session.run
    assert window.picture_view.viewport().region == (400, 400, 32, 32)
    for _ in range(3):
        run_to_the_end(qtbot, window)
    assert window.session.trajectory.subject.region == (400, 400, 32, 32)
    assert window.actions_.export.text() == "&Save region 32 × 32…"
    QTest.mouseClick(window.findChild(QToolButton, "otherPartButton"), LEFT)
    assert window.session.run is whole and window.session.index == 2
    window.intentions.take_region(0, 0, 64, 64)
    assert window.session.run is whole, "its result is of the whole photo, wherever the region is"


def test_attention_maps_need_explore(qtbot, window):
    run = begin(qtbot, window)
    finish_tiles(qtbot, window, run, 1)
    QTest.mouseClick(window.picture_view.viewport(), LEFT, pos=window.picture_view.position_of(100, 100))
    assert "Explore" in window.findChild(QLabel, "attentionCaption").text()


def test_the_noise_of_a_sample_is_drawn_on_the_run_s_thread(qtbot, window):
    window.noise.mode.setCurrentText("Add noise")
    photo = window.session.workspace.photo
    run = begin(qtbot, window)
    noisy = add_noise(photo.pixels, 25, 0)
    assert np.array_equal(run.subject.noisy, noisy)
    window.picture_view.set_compare(Compare.SINGLE, None, Layer.NOISY)
    assert np.array_equal(np.moveaxis(window.picture_view.shown_picture(), -1, 0), to_8_bit(noisy))


def test_a_small_photo_is_denoised_whole_in_one_piece_also_where_a_region_is_chosen(
    qtbot, window, open_file, photo_path
):
    open_file(window, photo_path)
    window.intentions.take_region(4, 6, 20, 24)
    with qtbot.waitSignal(window.session.controller.ended, timeout=30_000):
        window.actions_.denoise.trigger()
    trajectory = window.session.trajectory
    assert trajectory.subject.region is None and trajectory.settings.stop_on == "picture"
    assert trajectory[0].features is not None, "it can be watched: its maps are there"
    assert not ScriptedPhotoRun.made and not row(window).isVisible()


def test_a_small_photo_that_does_not_fit_in_one_piece_is_solved_in_tiles(
    qtbot, window, open_file, photo_path, monkeypatch
):
    open_file(window, photo_path)
    monkeypatch.setattr(memory_plan, "budget_bytes", lambda settings: 1 << 20)
    run = begin(qtbot, window)
    finish_tiles(qtbot, window, run, 1)
    assert row(window).isVisible() and run.trajectory.subject.region is None


def test_coarse_noise_of_a_small_photo_is_solved_in_tiles_too(qtbot, window, open_file, photo_path):
    open_file(window, photo_path)
    window.findChild(QComboBox, "grainCombo").setCurrentText("2 (coarse)")
    assert begin(qtbot, window).grain == 2
