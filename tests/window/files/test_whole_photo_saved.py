"""A large photo, opened, denoised whole and saved only by clicks."""

import numpy as np
import tifffile
from dialog_person import Person, proposed, saves
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QToolButton

from nerd_gui.denoising.whole_photo import photo_plan
from nerd_gui.window.session import workspace

LEFT = Qt.MouseButton.LeftButton


def test_a_16_bit_photo_is_denoised_whole_and_saved_whole(qtbot, make_window, tmp_path, monkeypatch):
    monkeypatch.setattr(workspace, "REGION_THRESHOLD", 50_000)  # so that a small photo counts as a large one
    monkeypatch.setattr(photo_plan, "CORES", (128,))
    path, target = tmp_path / "photo.tif", tmp_path / "out.tif"
    values = np.random.default_rng(0).integers(9_000, 60_000, (230, 310, 3), dtype=np.uint16)
    tifffile.imwrite(path, values, photometric="rgb")
    window = make_window(path)
    window.controls.settings_button.max_iter.setValue(2)
    session = window.session
    with qtbot.waitSignal(session.controller.ended, timeout=60_000):
        QTest.mouseClick(window.findChild(QToolButton, "denoiseButton"), LEFT)
    assert session.progress.done == session.progress.count > 1, "solved in tiles, all of them"
    suggested = []
    export = window.findChild(QToolButton, "exportButton")
    with Person(proposed(suggested)):
        QTest.mouseClick(export, LEFT)
    assert suggested == [("photo_denoised.tif", "TIFF (*.tif *.tiff)")]
    with Person(saves(str(target))):
        QTest.mouseClick(export, LEFT)
    saved = tifffile.imread(target)
    n_hat = session.trajectory[session.index].n_hat.astype(np.float32)
    assert n_hat.any(axis=0).mean() > 0.9, "there is a noise estimate everywhere"
    expected = values.transpose(2, 0, 1) / np.float32(65535) + n_hat
    assert saved.dtype == np.uint16
    assert np.array_equal(saved.transpose(2, 0, 1), np.rint(expected.clip(0, 1) * 65535).astype(np.uint16))


def test_a_photo_that_was_stopped_goes_on_when_its_session_is_opened_again(qtbot, make_window, tmp_path, monkeypatch):
    monkeypatch.setattr(workspace, "REGION_THRESHOLD", 10_000)
    monkeypatch.setattr(photo_plan, "CORES", (64,))
    path = tmp_path / "photo.tif"
    tifffile.imwrite(path, np.random.default_rng(0).integers(9_000, 60_000, (130, 150), dtype=np.uint16))
    window = make_window(path)
    window.controls.settings_button.max_iter.setValue(2)
    session = window.session
    with qtbot.waitSignal(session.controller.ended, timeout=60_000):
        window.actions_.denoise.trigger()
    expected = [iterate.n_hat.copy() for iterate in session.trajectory.iterates]
    session.remove_run(session.run)
    session.history.clear()
    connection = session.progressed.connect(
        lambda: window.actions_.stop.trigger() if session.progress.done == 2 and session.controller.running else None
    )
    with qtbot.waitSignal(session.controller.ended, timeout=60_000):
        window.actions_.denoise.trigger()
    session.disconnect(connection)
    with Person(saves(str(tmp_path / "a.nerd"))):
        window.actions_.save_session_as.trigger()
    qtbot.waitUntil(lambda: window.sessions.path is not None)
    stopped = session.run
    window.sessions.open(tmp_path / "a.nerd")
    qtbot.waitUntil(lambda: session.run is not stopped and session.run is not None and not window.opener.busy)
    done, count = session.progress.done, session.progress.count
    assert 2 <= done < count and window.actions_.pause.isEnabled() and "Continue" in window.actions_.pause.text()
    with qtbot.waitSignal(session.controller.ended, timeout=60_000):
        window.actions_.pause.trigger()
    assert session.progress.done == count and not session.run.unfinished
    for iterate, n_hat in zip(session.trajectory.iterates, expected, strict=True):
        assert np.array_equal(iterate.n_hat, n_hat)
