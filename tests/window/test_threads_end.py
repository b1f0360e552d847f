"""However a thread ends, the window notices it; a thread that does not end cannot prevent closing."""

import subprocess
import sys
import threading

import pytest
from shiboken6 import isValid

from nerd_gui.denoising import RunSettings, Subject
from nerd_gui.equilibrium import StopReason
from nerd_gui.imaging import Photo
from nerd_gui.nerd import NERD
from nerd_gui.window import threads
from nerd_gui.window.files import opener as opening
from nerd_gui.window.files.opener import PhotoOpener
from nerd_gui.window.files.saver import Saver
from nerd_gui.window.session.run import Run
from nerd_gui.window.session.run_controller import RunController
from nerd_gui.window.session.worker import RunWorker

ENDS = [SystemExit(3), KeyboardInterrupt(), GeneratorExit(), MemoryError(), RecursionError("deep")]


def raising(error):
    def fail(*_, **__):
        raise error

    return fail


@pytest.fixture
def run(tiny_photo, tiny_model_path):
    return Run(Subject.of(tiny_photo), RunSettings(model=str(tiny_model_path), device="cpu", max_iter=3))


@pytest.fixture
def controller(qtbot):
    made = RunController()
    yield made
    made.wait()


@pytest.mark.parametrize("error", ENDS, ids=repr)
def test_a_run_is_over_whatever_ends_it(qtbot, monkeypatch, controller, run, error):
    """Such a run once stayed "running", and closing waited for ever."""
    with monkeypatch.context() as patch:
        patch.setattr(NERD, "implicit", raising(error))
        with qtbot.waitSignal(controller.failed) as failed:
            controller.start(run, None)
    words = "There is not enough memory" if isinstance(error, MemoryError) else type(error).__name__
    assert words in failed.args[0]
    assert not controller.running and run.over and run.trajectory.stop_reason is StopReason.FAILED
    again = Run(run.subject, run.settings)
    with qtbot.waitSignal(controller.ended):
        controller.start(again, None)
    assert len(again.trajectory) == 4


def test_a_thread_that_ends_without_a_word_ends_its_run(qtbot, monkeypatch, controller, run):
    monkeypatch.setattr(RunWorker, "run", lambda worker: None)
    with qtbot.waitSignal(controller.failed) as failed:
        controller.start(run, None)
    assert failed.args[0] == "The run ended for an unknown reason; run it again." and not controller.running


@pytest.mark.parametrize("error", ENDS, ids=repr)
def test_opening_is_over_whatever_ends_it(qtbot, tmp_path, monkeypatch, error):
    opener = PhotoOpener()
    monkeypatch.setattr(opening, "open_photo", raising(error))
    with qtbot.waitSignal(opener.failed) as failed:
        opener.open(tmp_path / "a.png")
    assert ("more memory than is free" if isinstance(error, MemoryError) else type(error).__name__) in failed.args[0]
    assert failed.args[0].startswith("“a.png” ") and not opener.busy
    opener.wait()


def test_an_opening_that_ends_without_a_word_is_over(qtbot, tmp_path, monkeypatch):
    opener = PhotoOpener()
    monkeypatch.setattr(opening._Opening, "run", lambda thread: None)
    with qtbot.waitSignal(opener.failed):
        opener.open(tmp_path / "a.png")
    assert not opener.busy
    opener.wait()


@pytest.mark.parametrize("error", ENDS, ids=repr)
def test_saving_is_over_whatever_ends_it(qtbot, error):
    saver = Saver()
    with qtbot.waitSignals([saver.failed, saver.idle]):
        saver.save("“a.png”", "Saved.", raising(error))
    assert not saver.busy


def test_a_thread_that_does_not_end_keeps_no_window_from_closing(qtbot, monkeypatch, controller, run):
    """An evaluation may hang in code that cannot be stopped, such as a driver or a lost network folder."""
    monkeypatch.setattr(threads, "PATIENCE", 50)
    hangs, may_end = threading.Event(), threading.Event()

    def implicit(*_, **__):
        hangs.set()
        may_end.wait()
        raise SystemExit

    monkeypatch.setattr(NERD, "implicit", implicit)
    controller.start(run, None)
    qtbot.waitUntil(hangs.is_set)
    controller.wait()  # comes back
    assert not controller.running and [thread.isRunning() for thread in threads._left] == [True]
    left = threads._left[0]
    may_end.set()
    qtbot.waitUntil(lambda: not isValid(left))
    assert threads.end_with(7) == 7
    threads._left.clear()


def test_the_program_ends_though_a_thread_of_it_does_not():
    program = (
        "import threading\nfrom PySide6.QtCore import QCoreApplication, QThread\nfrom nerd_gui.window import threads\n"
        "class Hangs(QThread):\n    def run(self):\n        threading.Event().wait()\n"
        "application = QCoreApplication([])\nthread = Hangs()\nthread.start()\n"
        "threads.PATIENCE = 50\nthreads.wait_for(thread)\nthreads.end_with(5)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (5, "")


def test_a_photo_can_be_opened_after_one_that_was_never_told_of(qtbot, tmp_path, monkeypatch, tiny_photo):
    opener = PhotoOpener()
    with monkeypatch.context() as patch:
        patch.setattr(opening, "open_photo", raising(SystemExit()))
        with qtbot.waitSignal(opener.failed):
            opener.open(tmp_path / "a.png")
    monkeypatch.setattr(opening, "open_photo", lambda *_, **__: tiny_photo)
    with qtbot.waitSignal(opener.opened) as opened:
        opener.open(tmp_path / "b.png")
    assert isinstance(opened.args[0], Photo)
    opener.wait()
