"""Switching between runs: each shows its own numbers and picture, at once, and memory does not grow."""

import gc
import os
import time

import numpy as np
import psutil
import pytest
from PySide6.QtCore import QCoreApplication, QEvent, QEventLoop, Qt
from PySide6.QtWidgets import QApplication, QLabel, QSpinBox
from runs_person import click, place_of, rows

from nerd_gui.imaging import sample_names, to_8_bit
from nerd_gui.window.modes import Mode
from nerd_gui.window.picture.layers import Compare, Layer
from nerd_gui.window.wording import scientific

STEPS = 17
LONGEST = 0.05  # the longest time in seconds for which the window may block


@pytest.fixture
def window(qtbot, make_window, photo_path, open_built_in):
    """A window with four runs of 17 steps: three solvers and another noise level, all overlaid."""
    made = make_window(photo_path)
    open_built_in(made, sample_names()[0])
    made.modes.take(Mode.EXPLORE)
    made.controls.settings_button.max_iter.setValue(STEPS)
    made.controls.settings_button.tolerance.setCurrentText("none (all steps)")
    for solver, sigma in (("broyden", 25), ("anderson", 25), ("plain", 25), ("broyden", 10)):
        made.controls.solver.setCurrentIndex(made.controls.solver.findData(solver))
        made.noise.sigma.setValue(sigma)
        with qtbot.waitSignal(made.session.controller.ended, timeout=60_000):
            made.actions_.run.trigger()
    for run in made.session.runs:
        made.session.runs.set_overlaid(run, True)
    made.picture_view.set_compare(Compare.SIDE_BY_SIDE, Layer.NOISY, Layer.ITERATE)
    qtbot.waitUntil(made.picture_view.ready)
    turns()
    return made


def own_numbers(window, run, index):
    """Compare the contents of the widgets with the run's results."""
    iterate, session = run.trajectory[index], window.session
    assert session.run is run and session.index == index
    assert window.findChild(QSpinBox, "iterationSpin").value() == index
    assert window.curves.readout("residual") == f"residual {scientific(iterate.residual)}"
    assert window.curves.readout("psnr") == f"PSNR {iterate.psnr:.2f} dB"
    assert window.curves.residual_plot.points("residual")[1] == pytest.approx(run.trajectory.curve("residual"))
    assert window.findChild(QLabel, "runSummary").text().startswith(f"Iterate {index}:")
    caption = window.picture_view.captions()[1]
    assert caption.startswith(f"{run.name} · iterate {index}") and caption.endswith(f"{iterate.psnr:.2f} dB")
    assert [row.shown for row in rows(window.runs_panel.view)] == [run is each for each in session.runs]
    assert window.runs_panel.view.currentIndex().row() == list(session.runs).index(run)


def own_picture(window, run, index):
    noisy, shown = window.picture_view.current()
    assert np.array_equal(noisy.squeeze(), to_8_bit(run.subject.noisy).squeeze())
    assert np.array_equal(shown.squeeze(), to_8_bit(run.trajectory.picture(index)).squeeze())


def switch(qtbot, window, count, waits):
    """Click on the runs one after another, and go to another iterate of each; record the time of each event loop turn.

    Thread time is used, because a busy machine hardly changes it.
    """
    view, session, left_at = window.runs_panel.view, window.session, {}
    for turn in range(count):
        row = (turn * 3 + turn // 4) % len(session.runs)
        run = session.runs[row]
        place = place_of(view, row)
        began = time.thread_time()
        click(qtbot, view, place)
        waits.append(time.thread_time() - began)
        waits += turns()
        if run in left_at:
            assert session.index == left_at[run]  # the iterate at which it was left
        index = left_at[run] = (turn * 7) % (STEPS + 1)
        began = time.thread_time()
        session.go(index)
        waits.append(time.thread_time() - began)
        waits += turns()
        yield run, index


def turns():
    """Return the time of each turn of the event loop until little is left to do."""
    spans = [1.0]
    while spans[-1] > 2e-3 and len(spans) < 20:
        began = time.thread_time()
        QApplication.processEvents(QEventLoop.ProcessEventsFlag.AllEvents, 1)
        spans.append(time.thread_time() - began)
    return spans[1:]


@pytest.mark.usefixtures("_no_collection")
def test_each_run_shows_its_own(qtbot, window):
    waits = []
    for run, index in switch(qtbot, window, 12, waits):
        own_numbers(window, run, index)
        own_picture(window, run, index)
    assert np.quantile(waits, 0.95) < LONGEST, sorted(waits)[-10:]  # on a busy machine some turns wait for its caches
    for run in list(window.session.runs):
        window.session.show_run(run)
        qtbot.keyClick(window.runs_panel.view, Qt.Key.Key_Delete)
    assert len(window.session.runs) == 0


@pytest.mark.usefixtures("_no_collection")
@pytest.mark.soak
@pytest.mark.timeout(1800)
def test_three_hundred_switches_leave_memory_as_it_was(qtbot, window):
    process, used, waits = psutil.Process(os.getpid()), [], []
    for turn, (run, index) in enumerate(switch(qtbot, window, 300, waits)):
        own_numbers(window, run, index)
        if turn % 10 == 9:
            own_picture(window, run, index)
            QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
            gc.collect()
            used.append(process.memory_info().rss / 2**20)
    after = np.array(used[5:])  # past the first 50
    slope = np.polyfit(np.arange(len(after)) * 10, after, 1)[0]  # megabytes a switch
    print(
        f"{slope * 1000:.1f} kB a switch; {after.min():.0f} to {after.max():.0f} MB; longest {max(waits) * 1e3:.0f} ms"
    )
    assert slope * 250 < 5 and after[-5:].mean() - after[:5].mean() < 5, used
    assert np.quantile(waits, 0.95) < LONGEST, sorted(waits)[-10:]  # on a busy machine some turns wait for its caches
