"""What a killed program has left is offered at the next start, and opens with the same view."""

import os
import signal
import subprocess
import sys
import threading
import time
from datetime import datetime
from pathlib import Path

import numpy as np
import psutil
import pytest
from dialog_person import Person, saves
from PIL import Image
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMessageBox
from scripted_photo_run import ScriptedPhotoRun
from window_person import run_to_the_end

from nerd_gui.denoising.session_file import archive, read_session
from nerd_gui.window.recovery import keeper as keeper_module
from nerd_gui.window.recovery.guard import Guard
from nerd_gui.window.recovery.places import left_sessions, own_folder
from nerd_gui.window.session import run_controller

ROOT = Path(__file__).parents[3]


@pytest.fixture
def guarded(qtbot, tmp_path):
    """Guard windows as the program does, with their own folders."""
    guards = []

    def guard(window):
        guards.append(Guard(window, tmp_path / "state", tmp_path / "log"))
        guards[-1].offer()
        return guards[-1]

    yield guard
    for guard in guards:
        guard.end()


def wait_until_kept(qtbot, guard, act):
    with qtbot.waitSignal(guard.keeper.written, timeout=10_000):
        act()


def kept(tmp_path):
    """Return the files of this process's session on disk."""
    (session,) = own_folder(tmp_path / "state").glob("*/session.json")
    return read_session(session.parent)


def boxes(window, name="recoverDialog"):
    return [box for box in window.findChildren(QMessageBox, name) if box.isVisible()]


def press(qtbot, box, text):
    (button,) = [button for button in box.buttons() if button.text() == text]
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def test_it_is_kept_after_each_run_and_soon_after_any_change(qtbot, window, guarded, tmp_path, monkeypatch):
    guard = guarded(window)
    wait_until_kept(qtbot, guard, lambda: run_to_the_end(qtbot, window))
    (run,) = kept(tmp_path).runs
    assert [each.n_hat.tobytes() for each in run.trajectory.iterates] == [
        each.n_hat.tobytes() for each in window.session.trajectory.iterates
    ]
    monkeypatch.setattr(keeper_module, "PATIENCE", 50)
    times = {path: path.stat().st_mtime_ns for path in own_folder(tmp_path / "state").rglob("*.npy")}
    wait_until_kept(qtbot, guard, lambda: window.session.pins.put(3, 4))
    assert kept(tmp_path).pins == ((1, 3, 4),)
    assert {path: path.stat().st_mtime_ns for path in times} == times, "what has not changed is not written again"
    wait_until_kept(qtbot, guard, lambda: window.session.go(2))
    assert kept(tmp_path).runs[0].index == 2


def test_nothing_is_left_by_a_window_that_is_closed(qtbot, window, guarded, tmp_path):
    guard = guarded(window)
    wait_until_kept(qtbot, guard, lambda: run_to_the_end(qtbot, window))
    assert own_folder(tmp_path / "state").exists()
    window.close()
    guard.end()
    assert not list((tmp_path / "state").iterdir()) and not left_sessions(tmp_path / "state")


def test_a_window_that_is_closed_does_not_wait_for_what_is_being_written(qtbot, window, guarded, tmp_path, monkeypatch):
    counted = threading.Event()
    true = archive.write_array

    def endless(file, array, count):
        true(file, array, count)
        while True:  # nearly as large as a whole photo
            counted.set()
            count(1)

    monkeypatch.setattr(archive, "write_array", endless)
    guard = guarded(window)
    run_to_the_end(qtbot, window)
    qtbot.waitUntil(counted.is_set)
    guard.end()
    assert not guard.keeper.busy and not list((tmp_path / "state").iterdir())


def test_a_whole_photo_is_kept_now_and_then_and_when_it_is_paused_or_stopped(
    qtbot, window, guarded, tmp_path, monkeypatch
):
    """Not after each tile, because every tile changes all iterates."""
    monkeypatch.setattr(run_controller, "PhotoRun", ScriptedPhotoRun)
    Image.fromarray(np.full((1000, 1100), 90, np.uint8)).save(tmp_path / "large.png")
    window.open_dialogs.open_file(tmp_path / "large.png")
    qtbot.waitUntil(lambda: window.session.workspace.needs_region and not window.opener.busy)
    guard, session = guarded(window), window.session
    window.actions_.denoise.trigger()
    qtbot.waitUntil(lambda: session.trajectory is not None)
    run = ScriptedPhotoRun.made[-1]
    run.permits.release()
    qtbot.waitUntil(lambda: session.progress is not None and session.progress.done == 1)
    guard.keeper.keep()
    assert not guard.keeper.busy and not own_folder(tmp_path / "state").exists()
    wait_until_kept(qtbot, guard, window.actions_.pause.trigger)
    (one,) = kept(tmp_path).runs
    assert (
        one.tiles == (1, 4)
        and one.trajectory[2].n_hat[0, 0, 0] == np.float16(-0.06)
        and not one.trajectory[2].n_hat[0, -1, -1]
    )
    window.actions_.pause.trigger()
    monkeypatch.setattr(keeper_module, "TILES_PATIENCE", 0)
    monkeypatch.setattr(keeper_module, "TILES_TIMES", 0)
    wait_until_kept(qtbot, guard, run.permits.release)
    (two,) = kept(tmp_path).runs
    assert two.tiles == (2, 4) and two.trajectory[2].n_hat[0, 0, -1] == np.float16(-0.06), "what has changed in place"
    guard.keeper.keep()
    assert not guard.keeper.busy and len(kept(tmp_path).runs) == 1, "it is not lost because something else changed"
    monkeypatch.setattr(keeper_module, "TILES_PATIENCE", 300)
    run.permits.release()
    qtbot.waitUntil(lambda: session.progress.done == 3)
    wait_until_kept(qtbot, guard, window.actions_.stop.trigger)
    assert kept(tmp_path).runs[0].tiles == (3, 4)


def test_a_photo_that_is_left_stays_kept_with_its_runs(qtbot, window, guarded, tmp_path, open_built_in):
    guard = guarded(window)
    wait_until_kept(qtbot, guard, lambda: run_to_the_end(qtbot, window))
    open_built_in(window, "camera 256")
    window.session.pins.put(3, 4)
    wait_until_kept(qtbot, guard, guard.keeper.keep)
    sessions = [read_session(path.parent) for path in own_folder(tmp_path / "state").glob("*/session.json")]
    assert {one.photo.name: len(one.runs) for one in sessions} == {"photo": 1, "camera 256": 0}
    window.session.go_back()
    wait_until_kept(qtbot, guard, guard.keeper.keep)
    assert kept(tmp_path).photo.name == "photo", "nothing but a pin was found of the other one"
    folder = own_folder(tmp_path / "state")
    left = folder.rename(folder.with_name(folder.name.replace(f"-{os.getpid()}-", "-99999999-")))
    for one in left_sessions(tmp_path / "state"):
        one.discard()
    assert not left.exists()


def test_all_that_a_process_has_left_is_offered_one_after_another(qtbot, window, guarded, tmp_path, open_built_in):
    first = Guard(window, tmp_path / "state", tmp_path / "log")
    wait_until_kept(qtbot, first, lambda: run_to_the_end(qtbot, window))
    open_built_in(window, "camera 256")
    window.controls.settings_button.max_iter.setValue(1)
    wait_until_kept(qtbot, first, lambda: run_to_the_end(qtbot, window))
    folder = own_folder(tmp_path / "state")
    left = folder.rename(folder.with_name(folder.name.replace(f"-{os.getpid()}-", "-99999999-")))
    first.end()
    open_built_in(window, "coins")
    guarded(window)
    for name in ("camera 256", "photo"):
        qtbot.waitUntil(lambda: bool(boxes(window)))
        assert f"the session of “{name}”" in boxes(window)[0].text()
        press(qtbot, boxes(window)[0], "Recover")
        qtbot.waitUntil(lambda name=name: window.session.workspace.photo.name == name)
    qtbot.waitUntil(lambda: not left.exists(), timeout=10_000)
    assert len(window.session.runs) == 1 and window.session.left_photos[0].name == "camera 256"


def test_a_photo_without_runs_takes_no_place(qtbot, window, guarded, tmp_path, open_built_in):
    guard = guarded(window)
    wait_until_kept(qtbot, guard, lambda: run_to_the_end(qtbot, window))
    open_built_in(window, "camera 256")
    guard.keeper.keep()
    assert not guard.keeper.busy and kept(tmp_path).photo.name == "photo", "a photo alone is not worth keeping"


def test_a_killed_program_leaves_what_is_offered_at_the_next_start(qtbot, make_window, guarded, tmp_path):
    """The program itself is killed after its first run, so that it cannot react."""
    left = killed(tmp_path)
    before = read_session(next(left.glob("*/session.json")).parent)
    window = make_window(None)
    guarded(window)
    (box,) = boxes(window)
    assert f"the session of “camera 256”, {datetime.now():%H:}" in box.text()
    press(qtbot, box, "Recover")
    qtbot.waitUntil(lambda: len(window.session.runs) == 1 and not window.session.controller.running)
    qtbot.waitUntil(lambda: not left.exists(), timeout=10_000)
    session = window.session
    assert [each.n_hat.tobytes() for each in session.trajectory.iterates] == [
        each.n_hat.tobytes() for each in before.runs[0].trajectory.iterates
    ]
    assert session.index == before.runs[0].index and window.sessions.path is None
    assert kept(tmp_path).runs[0].name == before.runs[0].name, "it is kept by this process now"


@pytest.fixture
def left(qtbot, window, tmp_path):
    """A session with a pin, left by a process that has ended."""
    guard = Guard(window, tmp_path / "state", tmp_path / "log")
    window.session.pins.put(3, 4)
    wait_until_kept(qtbot, guard, guard.keeper.keep)
    name = own_folder(tmp_path / "state").name.replace(f"-{os.getpid()}-", "-99999999-")
    left = own_folder(tmp_path / "state").rename(tmp_path / "state" / name)
    guard.end()
    window.session.pins.clear()
    return left


def test_it_can_be_discarded(qtbot, window, guarded, left):
    guarded(window)
    press(qtbot, boxes(window)[0], "Discard")
    assert not boxes(window) and not left.exists() and not window.session.pins.all


def test_it_can_wait_for_the_next_start(qtbot, window, guarded, left):
    guard = guarded(window)
    qtbot.keyClick(boxes(window)[0], Qt.Key.Key_Escape)
    assert not boxes(window) and left.exists() and not window.session.pins.all
    guard.end()
    guarded(window)
    press(qtbot, boxes(window)[0], "Recover")
    qtbot.waitUntil(lambda: bool(window.session.pins.all))
    qtbot.waitUntil(lambda: not left.exists(), timeout=20_000)


def test_a_session_with_a_file_keeps_it_and_is_not_saved_in_it_yet(qtbot, window, guarded, tmp_path):
    window.session.pins.put(3, 4)
    with Person(saves(str(tmp_path / "a"))):
        window.actions_.save_session.trigger()
    qtbot.waitUntil(lambda: window.sessions.path is not None)
    guard = guarded(window)
    window.session.pins.put(5, 6, beside=True)
    wait_until_kept(qtbot, guard, guard.keeper.keep)
    window.sessions.recover(next(own_folder(tmp_path / "state").glob("*/session.json")).parent, "it")
    with qtbot.waitSignal(window.sessions.recovered):
        pass
    assert window.sessions.path == tmp_path / "a.nerd" and window.isWindowModified()
    assert len(window.session.pins.all) == 2


def killed(tmp_path):
    """Start the program with its sample, wait until its run is kept, and kill it."""
    program = "import sys; from nerd_gui.window.application import run_window; run_window(None, model=sys.argv[1])"
    home = {name: str(tmp_path / name) for name in ("XDG_STATE_HOME", "XDG_CONFIG_HOME", "HOME")}
    environment = os.environ | home | {"QT_QPA_PLATFORM": "offscreen", "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path / "tiny.safetensors")], env=environment, stderr=subprocess.DEVNULL
    )
    try:
        state = tmp_path / "XDG_STATE_HOME" / "nerd-gui" / "sessions"
        deadline = time.monotonic() + 60
        while not (found := list(state.glob("*/*/session.json"))):
            assert process.poll() is None and time.monotonic() < deadline
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
    finally:
        process.kill()
        process.wait()
    folder = found[0].parents[1]
    assert f"-{process.pid}-" in folder.name
    (tmp_path / "state").mkdir()
    return folder.rename(tmp_path / "state" / folder.name)


def test_what_lives_and_what_is_of_no_use_is_not_offered(tmp_path):
    own = own_folder(tmp_path)
    (own / "1").mkdir(parents=True)
    host, pid, created = own.name.split("-")
    assert pid == str(os.getpid()) and float(created) == pytest.approx(psutil.Process().create_time(), abs=0.01)
    reused = tmp_path / f"{host}-{pid}-{float(created) - 1000:.2f}"
    broken = tmp_path / f"{host}-99999999-1.00"
    other = tmp_path / "another_computer-99999999-1.00"
    for folder, text in ((reused, '{"photo": {"name": "bird"}}'), (broken, "{"), (other, "{}")):
        (folder / "1").mkdir(parents=True)
        (folder / "1" / "session.json").write_text(text)
    (left,) = left_sessions(tmp_path)
    assert left.name == "bird" and left.folder == reused, "another process has that number now"
    assert own.exists() and other.exists() and not broken.exists()


def test_a_full_disk_is_said_once_and_stops_nothing(qtbot, window, guarded, tmp_path, monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    guard = guarded(window)
    monkeypatch.setattr(keeper_module.SessionFolder, "write", full)
    run_to_the_end(qtbot, window)
    qtbot.waitUntil(lambda: "the disk is full" in window.notice_bar.sentence("recovery"))
    qtbot.waitUntil(lambda: not guard.keeper.busy)
    window.messages.drop("recovery")
    window.session.pins.put(3, 4)
    guard.keeper.keep()
    qtbot.waitUntil(lambda: not guard.keeper.busy)
    assert not window.notice_bar.sentence("recovery")


def test_only_so_much_is_kept_the_newest_first(qtbot, window, guarded, tmp_path, monkeypatch):
    guard = guarded(window)
    wait_until_kept(qtbot, guard, lambda: run_to_the_end(qtbot, window))
    size = sum(each.n_hat.nbytes for each in window.session.trajectory.iterates)
    monkeypatch.setattr(keeper_module, "_MOST", size)
    wait_until_kept(qtbot, guard, lambda: run_to_the_end(qtbot, window))
    assert [run.number for run in kept(tmp_path).runs] == [2]
    assert np.array_equal(kept(tmp_path).runs[0].trajectory[1].n_hat, window.session.runs[1].trajectory[1].n_hat)
