"""A session of 24 megapixels: kept, saved and opened while the window keeps responding."""

import time

import numpy as np
import pytest
import torch
from dialog_person import Person, saves
from PySide6.QtCore import QTimer
from scripted_session import make_iterate

from nerd_gui.denoising import MemoryPlan, PhotoProgress, RunSettings, Subject, Trajectory
from nerd_gui.denoising.on_disk import array_on_disk
from nerd_gui.denoising.session_file import arrays
from nerd_gui.equilibrium import StopReason
from nerd_gui.imaging import Photo, save_picture
from nerd_gui.window.recovery.guard import Guard
from nerd_gui.window.session.run import Run

ROWS, COLS, STEPS = 4000, 6000, 6


class Watchdog:
    """Records the longest time for which the window's thread is busy between two turns of the event loop."""

    def __init__(self):
        self.restart()
        self.timer = QTimer(interval=2)
        self.timer.timeout.connect(self.turn)
        self.timer.start()

    def restart(self):
        self.busy, self.before = 0.0, time.thread_time()

    def turn(self):
        now = time.thread_time()
        self.busy, self.before = max(self.busy, now - self.before), now


@pytest.mark.soak
@pytest.mark.timeout(600)
def test_a_large_session_keeps_nobody_waiting(qtbot, make_window, tmp_path, monkeypatch):
    monkeypatch.setattr(arrays, "IN_MEMORY", 200 << 20)
    random = np.random.default_rng(0).random((1, ROWS, COLS), np.float32)
    save_picture(tmp_path / "large.png", Photo(np.repeat(random, 3, 0), name="large"))
    del random
    window = make_window()
    window.session.controller.stop()
    window.open_dialogs.open_file(tmp_path / "large.png")
    qtbot.waitUntil(lambda: not window.opener.busy, timeout=120_000)
    photo = window.session.workspace.photo
    trajectory = Trajectory(Subject.of(photo), RunSettings(), 9, MemoryPlan(0, 0, torch.float16, None, tiles=96))
    for index in range(STEPS):
        n_hat = array_on_disk(photo.pixels.shape)
        for row in range(0, ROWS, 500):
            n_hat[:, row : row + 500] = (0.1 * index) * photo.pixels[:, row : row + 500]
        levels = (20.0,) * 3
        trajectory.add(make_iterate(index, 0.1 / (1 + index), known=False, n_hat=n_hat, noise_levels=levels))
    trajectory.stop_reason = StopReason.CANCELLED
    run = Run(trajectory.subject, trajectory.settings, trajectory=trajectory, over=True, in_tiles=True)
    run.progress = PhotoProgress("tiles", 90, 96, 0.9)
    guard = Guard(window, tmp_path / "state", tmp_path / "log")
    window.session.runs.add(run)
    window.session.show_run(run)
    qtbot.waitUntil(window.picture_view.ready, timeout=60_000)
    dog = Watchdog()
    busy = {}

    def note(name):
        busy[name] = dog.busy
        dog.restart()

    with qtbot.waitSignal(guard.keeper.written, timeout=300_000):
        guard.keeper.keep()
    note("kept")
    with Person(saves(str(tmp_path / "a.nerd")), waits=False):
        window.actions_.save_session.trigger()
    dog.restart()
    qtbot.waitUntil(lambda: window.sessions.path is not None, timeout=300_000)
    note("saved")
    window.sessions.open(tmp_path / "a.nerd")
    qtbot.waitUntil(lambda: window.session.run is not run, timeout=300_000)
    qtbot.waitUntil(window.picture_view.ready, timeout=60_000)
    note("opened")
    dog.timer.stop()
    guard.end()
    opened = window.session.trajectory
    last = opened[STEPS - 1].n_hat
    assert isinstance(last, np.memmap) and last[0, -1, -1] == trajectory[STEPS - 1].n_hat[0, -1, -1]
    assert busy["kept"] < 0.05 and busy["saved"] < 0.05 and busy["opened"] < 0.08, busy  # every view differs
