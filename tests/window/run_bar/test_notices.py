"""Notices stay until they are answered, and none is wrong."""

from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QFileDialog, QLabel, QMainWindow, QPushButton, QToolButton, QWidget
from scripted_session import make_trajectory, show
from window_person import dialog_text, run_to_the_end

from nerd_gui.window.messages import Messages
from nerd_gui.window.notice_bar import NoticeBar
from nerd_gui.window.run_bar import model_choice
from nerd_gui.window.run_bar.model_choice import ModelChoice
from nerd_gui.window.run_bar.notices import Notices
from nerd_gui.window.session.session import Session

NOTICE, STEP = "The run starts from zero.", "The picture is solved in tiles."
LEFT = Qt.MouseButton.LeftButton


@pytest.mark.parametrize(
    ("notice", "steps", "said"),
    [
        (None, (), ""),
        (NOTICE, (), NOTICE),
        (None, (STEP,), STEP),
        (NOTICE, (STEP,), f"{NOTICE} {STEP}"),
    ],
)
def test_another_start_and_what_was_given_up_for_memory_are_both_said(qtbot, notice, steps, said):
    window, session = QMainWindow(), Session()
    qtbot.addWidget(window)
    messages = Messages(window)
    bar = NoticeBar(messages)
    window.setCentralWidget(bar)
    models = ModelChoice(session, "cpu", parent=window)
    window.notices = Notices(session, models, messages, lambda: None, window)
    messages.keep("run", "of the run before")
    trajectory = make_trajectory([])
    trajectory.notice, trajectory.plan = notice, replace(trajectory.plan, steps=steps)
    show(session, trajectory)
    assert bar.sentence("run") == said and bar.isHidden() is (said == "")
    window.notices.show_plainly(True)
    assert ("Memory was short" in bar.sentence("run")) is bool(steps) and NOTICE not in bar.sentence("run")
    assert STEP not in bar.sentence("run")
    window.notices.show_plainly(False)
    assert bar.sentence("run") == said


def shown(window, key):
    row = window.notice_bar.findChild(QWidget, f"{key}Notice")
    return None if row is None or not row.isVisible() else row.findChild(QLabel, f"{key}NoticeText").text()


def press(qtbot, window, key, kind=QPushButton, name="Button"):
    qtbot.mouseClick(window.notice_bar.findChild(kind, f"{key}Notice{name}"), LEFT)
    QApplication.processEvents()


def test_the_runs_of_the_photo_before_are_a_click_away(qtbot, window, open_built_in):
    run_to_the_end(qtbot, window)
    first, runs = window.session.workspace.photo, list(window.session.runs)
    open_built_in(window, "coins")
    assert shown(window, "left") == f"The runs of {first.name} are kept."
    window.statusBar().showMessage("anything else")  # does not take it away
    assert shown(window, "left")
    press(qtbot, window, "left")
    assert window.session.workspace.photo is first and list(window.session.runs) == runs
    assert shown(window, "left") is None


def test_a_notice_can_be_put_away(qtbot, window):
    window.messages.keep("run", "Something is so.")
    press(qtbot, window, "run", QToolButton, "Close")
    assert shown(window, "run") is None and not window.notice_bar.isVisible()
    window.messages.keep("run", "Something is so.")
    assert shown(window, "run") is None  # it is still true, but was dismissed
    window.messages.keep("run", "Something else is so.")
    assert shown(window, "run") == "Something else is so."


def test_a_failed_run_is_said_until_another_one_starts(qtbot, window, monkeypatch):
    def broken(*_, **__):
        raise ValueError("planted")

    with monkeypatch.context() as patch:
        patch.setattr("nerd_gui.window.session.run_controller.load_model", broken)
        with qtbot.waitSignal(window.session.controller.failed):
            window.actions_.run.trigger()
        assert "planted" in dialog_text(window)
    assert "planted" in shown(window, "failed")
    with qtbot.waitSignal(window.session.controller.ended, timeout=30_000):
        press(qtbot, window, "failed")  # “Try again”
    assert shown(window, "failed") is None and window.session.newest > 0


def test_that_there_is_no_network_is_said_only_where_there_is_none(qtbot, window, make_window, monkeypatch, photo_path):
    asked = []
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_, **__: (asked.append(True) or "", ""))
    models = window.controls.model
    models.activated.emit(models.findText("Open checkpoint…"))  # and then Cancel
    assert asked and shown(window, "noNetwork") is None and "trained" not in window.statusBar().currentMessage()
    monkeypatch.setattr(model_choice, "model_names", list)
    monkeypatch.setattr(model_choice, "ablation_names", list)
    bare = make_window(photo_path, model=None)
    assert shown(bare, "noNetwork") == "There is no trained network."
    press(qtbot, bare, "noNetwork")
    assert len(asked) == 2


def test_what_was_changed_since_the_run_is_said_and_run_again(qtbot, window):
    window.noise.mode.setCurrentIndex(0)
    run_to_the_end(qtbot, window)
    assert shown(window, "changed") is None
    sigma = window.noise.sigma.value()
    window.noise.sigma.setValue(40)
    assert "σ 40" in shown(window, "changed") and f"σ {sigma:g}" in shown(window, "changed")
    window.noise.sigma.setValue(sigma)  # as it was
    assert shown(window, "changed") is None
    window.noise.sigma.setValue(40)
    window.notice_bar.findChild(QPushButton, "changedNoticeButton").setFocus()
    with qtbot.waitSignal(window.session.controller.ended, timeout=30_000):
        press(qtbot, window, "changed")  # “Run again”
    assert QApplication.focusWidget() is window.picture_view.focusWidget(), "the button is gone, and keys go on"
    assert window.session.run.subject.sigma == 40 and shown(window, "changed") is None
    assert len(window.session.runs) == 2
