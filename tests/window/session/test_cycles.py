"""A thousand stopped runs and a thousand openings leave no thread, no memory and no late result."""

import gc
import random
import threading

import numpy as np
import psutil
import pytest
from figures import figure
from PySide6.QtWidgets import QApplication

from nerd_gui.imaging import Photo, save_picture

_SETTLED = 100  # number of cycles after which all first-time work is done


class Memory:
    """Resident memory, measured at intervals."""

    def __init__(self):
        self.seen = []

    def look(self, cycle):
        if cycle % 20 == 0:
            gc.collect()
            self.seen.append((cycle, psutil.Process().memory_info().rss / 1e6))

    @property
    def slope(self):
        """Return the growth in MB per cycle; None if there are too few cycles."""
        late = [one for one in self.seen if one[0] >= _SETTLED]
        return None if len(late) < 10 else float(np.polyfit(*np.transpose(late), 1)[0])


def assert_nothing_leaks(name, count, memory, threads):
    slope = memory.slope
    print(f"\n{count} {name}: {threading.active_count() - threads} threads more", end="")
    print("" if slope is None else f", {slope:.4f} MB a cycle of {memory.seen[-1][1]:.0f}")
    assert slope is None or slope < 0.01


def photo_files(folder):
    """Three photos with different sizes and grey levels."""
    files = []
    for number, (rows, cols) in enumerate(((24, 20), (30, 40), (18, 36))):
        values = np.random.default_rng(number).normal(0.3 + 0.2 * number, 0.05, (1, rows, cols)).clip(0, 1)
        files.append(save_picture(folder / f"{number}.png", Photo(values.astype(np.float32))))
    return files


@figure(1_000, sample=0.006)
def test_runs_that_are_stopped_leave_nothing(qtbot, make_window, tmp_path, count):
    window = make_window(photo_files(tmp_path)[0])
    window.controls.settings_button.max_iter.setValue(12)
    window.controls.settings_button.tolerance.setCurrentText("none (all steps)")
    session, chance, memory = window.session, random.Random(0), Memory()
    controller, late = session.controller, []
    for cycle in range(count):
        window.run()
        enough = 13 if cycle % 20 == 19 else chance.choice((0, 0, 1, 2))
        qtbot.waitUntil(lambda n=enough: not controller.running or len(session.trajectory or ()) >= n, timeout=60_000)
        controller.stop()
        run = session.run
        there = 0 if run is None or run.trajectory is None else len(run.trajectory)
        if cycle % 3 == 0:
            QApplication.processEvents()  # otherwise results of the stopped run arrive during the next one
            late.append(run is not None and run.trajectory is not None and len(run.trajectory) != there)
        for one in list(session.runs):
            session.remove_run(one)
        session.history.clear()  # otherwise a hundred of them are kept for undo
        memory.look(cycle)
        if cycle == min(50, count - 1):
            threads = threading.active_count()
    qtbot.waitUntil(lambda: not controller._workers, timeout=60_000)
    assert not any(late) and not controller.running
    assert_nothing_leaks("runs that were stopped", count, memory, threads)


@figure(1_000, sample=0.006)
def test_openings_leave_nothing_and_show_the_photo_that_was_asked_for_last(qtbot, make_window, tmp_path, count):
    files = photo_files(tmp_path)
    window = make_window(files[0])
    session, chance, memory, last = window.session, random.Random(0), Memory(), files[0]
    for cycle in range(count):
        if cycle % 4 == 0:
            window.run()  # for the previous photo, after another one has been opened
        for _ in range(chance.choice((1, 1, 2, 3))):  # another one is requested before it is open
            last = chance.choice(files)
            window.open_dialogs.open_file(last)
        qtbot.waitUntil(lambda: not window.opener.busy, timeout=60_000)
        assert session.workspace.photo.path == last
        run = session.run
        assert run is None or run.subject.photo.path == last
        memory.look(cycle)
        if cycle == min(50, count - 1):
            threads = threading.active_count()
    session.controller.stop()
    qtbot.waitUntil(lambda: not window.opener._threads, timeout=60_000)
    assert session.trajectory is None or session.trajectory.subject.photo.path == last
    assert_nothing_leaks("openings", count, memory, threads)


@pytest.fixture(autouse=True)
def no_dialogs(monkeypatch):
    """Suppress the questions that would be asked when a run is left."""
    monkeypatch.setattr("PySide6.QtWidgets.QMessageBox.exec", lambda *_: 0)
