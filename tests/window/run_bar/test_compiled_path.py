"""The line below the picture says when a run has no compiled code, how much slower it is, and why."""

import numpy as np
import pytest
from PIL import Image
from PySide6.QtWidgets import QLabel

from nerd_gui.compiled import SLOWER, availability


@pytest.fixture
def window(qtbot, make_window, tmp_path):
    path = tmp_path / "photo.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (32, 32), dtype=np.uint8)).save(path)
    window = make_window(path)
    qtbot.waitUntil(lambda: window.session.workspace.photo is not None)
    window.controls.settings_button.max_iter.setValue(2)
    return window


def line_of_a_run(qtbot, window):
    with qtbot.waitSignal(window.session.controller.ended, timeout=30_000):
        window.run()
    line = window.findChild(QLabel, "runSummary")
    return line.text(), line.toolTip()


@pytest.mark.usefixtures("compiled_code")
def test_compiled_code_is_named_in_the_tool_tip_alone(qtbot, window):
    text, tip = line_of_a_run(qtbot, window)
    assert "compiled" not in text and "Compiled code for this processor is used." in tip


@pytest.mark.usefixtures("compiled_code")
def test_a_compiler_that_fails_is_told_of_and_the_run_goes_on(qtbot, window, unasked):
    from nerd_gui.compiled import compiler

    def fail(*_, **__):
        raise AttributeError("planted")

    unasked.setattr(compiler, "compile_function", fail)
    text, tip = line_of_a_run(qtbot, window)
    trajectory = window.session.trajectory
    assert len(trajectory) == 3 and trajectory.report()["compiled"] is False
    assert f"no compiled code: takes {SLOWER} times as long" in text
    assert "AttributeError: planted" in tip and "AttributeError" in trajectory.report()["compiled_reason"]


def test_code_that_is_turned_off_is_told_of(qtbot, window, unasked):
    unasked.setenv(availability.SWITCH, "0")
    text, tip = line_of_a_run(qtbot, window)
    assert "no compiled code" in text and f"{availability.SWITCH}=0" in tip
