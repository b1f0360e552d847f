"""The status line says how a run differs from what was asked for."""

from dataclasses import replace
from types import SimpleNamespace
from typing import cast

import pytest
from PySide6.QtWidgets import QMainWindow
from scripted_session import make_trajectory, show

from nerd_gui.window.messages import Messages
from nerd_gui.window.run_bar.controls import ModelChoice
from nerd_gui.window.run_bar.notices import Notices
from nerd_gui.window.session.session import Session

NOTICE, STEP = "The run starts from zero.", "The picture is solved in tiles."


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
    Notices(session, cast(ModelChoice, SimpleNamespace()), Messages(window), window)
    window.statusBar().showMessage("of the run before")
    trajectory = make_trajectory([])
    trajectory.notice, trajectory.plan = notice, replace(trajectory.plan, steps=steps)
    show(session, trajectory)
    assert window.statusBar().currentMessage() == said
