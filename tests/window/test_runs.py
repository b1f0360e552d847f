"""Runs in the window: iterates arrive one by one, all views show the same one, and Stop acts at once."""

import time

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDoubleSpinBox, QSpinBox, QWidget
from window_person import run_to_the_end, slider

from nerd_gui.denoising import DenoisingRun, estimate_bytes, memory_plan
from nerd_gui.imaging import to_8_bit
from nerd_gui.nerd import load_model
from nerd_gui.window.picture.layers import Compare, Layer


def shown_everywhere(window):
    """Return the index that each view shows, read from the view itself."""
    trajectory, view = window.session.trajectory, window.picture_view
    pictures = [to_8_bit(trajectory.picture(i)) for i in range(len(trajectory))]
    view.set_compare(Compare.SINGLE, None, Layer.ITERATE)
    shown = view.shown_picture()
    matching = [i for i, picture in enumerate(pictures) if np.array_equal(picture.squeeze(), shown.squeeze())]
    return {
        "slider": slider(window).value(),
        "spin": window.findChild(QSpinBox, "iterationSpin").value(),
        "residual cursor": window.findChild(QWidget, "residualPlot").cursor_index,
        "noise cursor": window.findChild(QWidget, "noiseLevelPlot").cursor_index,
        "picture": matching,
    }


def test_iterates_arrive_one_by_one(qtbot, window):
    arrived = []
    window.session.controller.iterateAdded.connect(lambda i: arrived.append((i, slider(window).maximum())))
    run_to_the_end(qtbot, window)
    assert [index for index, _ in arrived] == list(range(7))
    assert slider(window).maximum() == 6


def test_all_views_show_one_iterate(qtbot, window):
    run_to_the_end(qtbot, window)
    for index in (6, 3, 0, 5):
        slider(window).setValue(index)
        shown = shown_everywhere(window)
        assert index in shown.pop("picture")
        assert set(shown.values()) == {index}, shown


def test_keys_move_the_iterate(qtbot, window):
    run_to_the_end(qtbot, window)
    window.picture_view.setFocus()
    canvas = window.picture_view.viewport()
    qtbot.keyClick(canvas, Qt.Key.Key_Home)
    assert window.session.index == 0
    qtbot.keyClick(canvas, Qt.Key.Key_Right)
    assert window.session.index == 1
    qtbot.keyClick(canvas, Qt.Key.Key_End)
    assert window.session.index == 6


def test_a_click_shows_the_heads_maps_at_the_shown_iterate(qtbot, window, tiny_model_path):
    run_to_the_end(qtbot, window)
    slider(window).setValue(3)
    view = window.picture_view
    qtbot.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=view.position_of(10, 12))
    net, trajectory = load_model(tiny_model_path), window.session.trajectory
    for index in (3, 5):
        slider(window).setValue(index)
        features = trajectory[index].features
        expected = net.attention_maps(features.z.float(), features.s.float(), 10, 12).weights[0]
        for head in range(4):
            assert np.allclose(window.attention_panel.map_weights(head), expected[head], atol=1e-4)


def test_stop_frees_the_window_and_ends_the_worker(qtbot, window, held):
    run = window.actions_.run
    run.trigger()
    qtbot.waitUntil(lambda: window.session.trajectory is not None and len(window.session.trajectory) > 2)
    (worker,) = window.session.controller._workers
    began = time.perf_counter()
    window.actions_.stop.trigger()
    assert run.isEnabled() and not window.session.controller.running
    assert time.perf_counter() - began < 0.1
    count = len(window.session.trajectory)
    qtbot.waitUntil(lambda: not window.session.controller._workers, timeout=1000)
    assert worker is not None and len(window.session.trajectory) == count
    assert str(window.session.trajectory.stop_reason) == "cancelled"


def test_a_run_that_is_stopped_before_it_is_prepared_leaves_nothing(qtbot, window):
    run_to_the_end(qtbot, window)
    first = window.session.run
    assert "σ" in window.curves.readout("sigma") and window.curves.export_action.isEnabled()
    window.actions_.run.trigger()
    assert window.summary.text().startswith("Loading")
    window.actions_.stop.trigger()  # before anything of the run has arrived
    assert not window.session.controller.running and list(window.session.runs) == [first]
    assert window.session.run is first and window.curves.export_action.isEnabled()
    assert window.summary.text().startswith("Iterate 6:")
    run_to_the_end(qtbot, window)
    assert len(window.session.trajectory) > 1 and window.curves.export_action.isEnabled()


def test_a_new_run_drops_late_results_of_the_old_one(qtbot, window, held):
    finer = window.controls.settings_button
    window.run()
    qtbot.waitUntil(lambda: window.session.trajectory is not None and len(window.session.trajectory) > 2)
    old = window.session.trajectory
    finer.max_iter.setValue(4)
    with qtbot.waitSignal(window.session.controller.ended):
        window.session.controller.stop()
    held.set()
    with qtbot.waitSignal(window.session.controller.ended, timeout=30_000):
        window.run()
    new = window.session.trajectory
    assert new is not old and [iterate.index for iterate in new.iterates] == list(range(5))
    reference = list(DenoisingRun(new.subject, new.settings).iterates())
    assert np.array_equal(new[4].n_hat, reference[4].n_hat)


def test_closing_during_a_run_ends_its_thread(qtbot, window, held):
    window.actions_.run.trigger()
    qtbot.waitUntil(lambda: window.session.trajectory is not None and len(window.session.trajectory) > 0)
    (worker,) = window.session.controller._workers
    window.close()
    assert worker.isFinished()


def test_a_run_that_gives_something_up_for_memory_says_so(qtbot, window, monkeypatch):
    window.findChild(QDoubleSpinBox, "memoryLimitSpin").setValue(3)
    assert window.controls.settings().memory_limit == 3
    subject, net = window.session.workspace.subject(), load_model(window.controls.settings().model)
    needed = estimate_bytes(net.config, window.controls.settings(), subject.channels, subject.rows, subject.cols)
    monkeypatch.setattr(memory_plan, "budget_bytes", lambda settings: needed - 1)
    run_to_the_end(qtbot, window)
    sentence = "Broyden's pairs are kept in 8 bits instead of 16."
    assert window.notice_bar.sentence("run") == sentence
    assert window.session.trajectory.report()["plan"] == [sentence]
