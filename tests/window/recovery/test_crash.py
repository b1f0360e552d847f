"""An unhandled error: one dialog, a log without personal folders, and the session is kept."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from PySide6.QtCore import Qt, QThread, QTimer
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication, QFileDialog, QLabel, QPlainTextEdit, QPushButton, QWidget
from window_person import run_to_the_end

from nerd_gui.denoising.session_file import read_session
from nerd_gui.window import application
from nerd_gui.window.recovery import log
from nerd_gui.window.recovery.crash import CrashDialog
from nerd_gui.window.recovery.guard import Guard
from nerd_gui.window.recovery.log import Log, described, without_folders
from nerd_gui.window.recovery.places import own_folder

ROOT = Path(__file__).parents[3]
FOLDER = "private matters"


@pytest.fixture
def guard(qtbot, window, tmp_path, monkeypatch):
    for module in (sys, threading):  # the test's own hooks would report the deliberate errors as failures
        monkeypatch.setattr(module, "excepthook", lambda *_: None)
    guard = Guard(window, tmp_path / "state", tmp_path / "log")
    yield guard
    guard.end()


def fail(kind=ZeroDivisionError, words="planted"):
    raise kind(words)


def fail_elsewhere():
    raise ValueError("another one")


def dialogs(window):
    return [dialog for dialog in window.findChildren(CrashDialog) if dialog.isVisible()]


def button(dialog, name):
    return dialog.findChild(QPushButton, f"crash{name}Button")


def text(dialog):
    return dialog.findChild(QLabel, "crashText").text()


def test_an_error_in_a_slot_is_a_dialog_and_the_window_goes_on(qtbot, window, guard, tmp_path):
    run_to_the_end(qtbot, window)
    QTimer.singleShot(0, fail)
    qtbot.waitUntil(lambda: bool(dialogs(window)))
    (dialog,) = dialogs(window)
    logged = (tmp_path / "log" / "nerd-gui.log").read_text()
    assert "ZeroDivisionError: planted" in text(dialog) and str(tmp_path / "log" / "nerd-gui.log") in text(dialog)
    assert "“photo” with 1 run" in text(dialog)
    assert "ZeroDivisionError: planted" in logged and "NERD GUI" in logged and "in fail" in logged
    qtbot.waitUntil(lambda: bool(list(own_folder(tmp_path / "state").glob("*/session.json"))))
    qtbot.waitUntil(lambda: not guard.keeper.busy)
    (kept,) = own_folder(tmp_path / "state").glob("*/session.json")
    assert len(read_session(kept.parent).runs) == 1, "it is kept at once"
    qtbot.mouseClick(button(dialog, "Copy"), Qt.MouseButton.LeftButton)
    assert "Traceback" in QGuiApplication.clipboard().text() and dialog.isVisible()
    qtbot.mouseClick(button(dialog, "Details"), Qt.MouseButton.LeftButton)
    details = dialog.findChild(QPlainTextEdit, "crashDetails")
    assert details.isVisible() and "in fail" in details.toPlainText()
    qtbot.keyClick(dialog, Qt.Key.Key_Escape)
    assert not dialogs(window)
    run_to_the_end(qtbot, window)


def test_there_is_never_more_than_one_dialog(qtbot, window, guard, tmp_path):
    for _ in range(3):
        QTimer.singleShot(0, fail)
    QTimer.singleShot(0, fail_elsewhere)
    qtbot.waitUntil(lambda: bool(dialogs(window)) and "another error occurred" in text(dialogs(window)[0]))
    (dialog,) = dialogs(window)
    label = dialog.findChild(QLabel, "crashText")
    qtbot.waitUntil(lambda: label.height() >= label.heightForWidth(label.width()))
    assert (tmp_path / "log" / "nerd-gui.log").read_text().count("planted") >= 3
    dialog.close()
    path = tmp_path / "log" / "nerd-gui.log"
    QTimer.singleShot(0, fail)
    qtbot.waitUntil(lambda: path.read_text().count("ZeroDivisionError: planted") == 4)
    QTimer.singleShot(0, fail_elsewhere)
    qtbot.waitUntil(lambda: bool(dialogs(window)))
    assert "another one" in text(dialogs(window)[0]), "of what was shown once no dialog comes again"


def test_errors_of_events_and_threads_are_taken(qtbot, window, guard):
    class Broken(QWidget):
        def paintEvent(self, event):
            fail(words="while painting")

    class Thread(QThread):
        def run(self):
            fail(RuntimeError, "in a thread of Qt")

    def seen(words):
        qtbot.waitUntil(lambda: bool(dialogs(window)))
        assert words in text(dialogs(window)[0])
        dialogs(window)[0].close()
        guard.reporter._shown.clear()

    broken = Broken(window)
    broken.resize(20, 20)
    broken.show()
    seen("while painting")
    broken.hide()
    broken.deleteLater()
    thread = threading.Thread(target=fail, args=(OSError, "in a thread"))
    thread.start()
    thread.join()
    seen("in a thread")
    thread = Thread()
    thread.start()
    assert thread.wait(5000)
    seen("in a thread of Qt")


def test_the_session_can_be_saved_from_the_dialog(qtbot, window, guard, tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(QFileDialog, "exec", lambda dialog: asked.append(dialog.windowTitle()) or 0)
    QTimer.singleShot(0, fail)
    qtbot.waitUntil(lambda: bool(dialogs(window)))
    qtbot.mouseClick(button(dialogs(window)[0], "Save"), Qt.MouseButton.LeftButton)
    assert asked == ["Save session"]


def test_to_be_asked_to_end_is_no_error(qtbot, window, guard, monkeypatch):
    sys.excepthook(KeyboardInterrupt, KeyboardInterrupt(), None)
    qtbot.wait(20)
    assert not dialogs(window)


def test_the_hooks_are_given_back(window, tmp_path):
    before = sys.excepthook, threading.excepthook
    guard = Guard(window, tmp_path / "state", tmp_path / "log")
    assert sys.excepthook != before[0]
    guard.end()
    assert (sys.excepthook, threading.excepthook) == before


def test_of_folders_the_log_tells_nothing(tmp_path):
    home = Path.home()
    try:
        raise FileNotFoundError(2, "No such file", str(home / FOLDER / "bird.jpg"))
    except FileNotFoundError as error:
        words = described(type(error), error, error.__traceback__)
    assert "'bird.jpg'" in words and FOLDER not in words and str(home) not in words
    assert 'File "tests/window/recovery/test_crash.py"' in words, "where it was in the program stays"
    assert without_folders(r"“C:\Users\alice\bird.jpg” is gone") == "“bird.jpg” is gone"
    assert without_folders("“/media/alice/trip/bird.jpg” is gone") == "“bird.jpg” is gone"
    assert without_folders("1/2 of 'a' and 'b/c'") == "1/2 of 'a' and 'b/c'"


def test_old_logs_go(tmp_path):
    rotating = Log(tmp_path)
    for number in range(50):
        rotating.write(f"{number} {'x' * 100_000}")
    rotating.close()
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["nerd-gui.log", *(f"nerd-gui.log.{number}" for number in (1, 2, 3))]
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) < 2.2e6
    assert "49 x" in rotating.path.read_text()


@pytest.mark.skipif(os.name == "nt", reason="a signal of Unix")
def test_where_machine_code_failed_is_written_down(tmp_path):
    program = (
        "import sys, faulthandler; from pathlib import Path; from nerd_gui.window.recovery.log import Log;"
        "Log(Path(sys.argv[1])).watch_native(); faulthandler._sigsegv()"
    )
    done = subprocess.run([sys.executable, "-c", program, str(tmp_path)], cwd=ROOT, capture_output=True, check=False)
    assert done.returncode == -signal.SIGSEGV
    assert "Segmentation fault" in (tmp_path / "nerd-gui-native.log").read_text()


def test_without_a_place_for_the_log_the_window_opens(window, tmp_path, capsys):
    (tmp_path / "file").write_text("")
    guard = Guard(window, tmp_path / "state", tmp_path / "file" / "log")
    assert guard.reporter is None and "no log" in capsys.readouterr().err
    guard.end()


def test_a_program_that_cannot_start_says_why(qtbot, tmp_path, monkeypatch, capsys):
    def broken(*_):
        raise ImportError("libtorch.so is missing")

    def look():
        if (box := QApplication.activeModalWidget()) is not None:
            seen.append(box.text())
            box.close()

    seen, clock = [], QTimer(interval=20)
    clock.timeout.connect(look)
    monkeypatch.setattr(application, "_open", broken)
    monkeypatch.setattr(log, "log_folder", lambda: tmp_path / "log")
    monkeypatch.setattr(QApplication, "exec", lambda *_: qtbot.waitUntil(lambda: bool(seen), timeout=20_000))
    clock.start()
    assert application.run_window(None) == 1
    clock.stop()
    (words,) = seen
    assert "libtorch.so is missing" in words and str(tmp_path / "log" / "nerd-gui.log") in words
    assert "libtorch.so is missing" in (tmp_path / "log" / "nerd-gui.log").read_text()
    assert "Traceback" in capsys.readouterr().err
