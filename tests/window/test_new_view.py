"""A new view: a widget that follows the session, as described in `docs/architecture.md`."""

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QObject, Qt
from PySide6.QtWidgets import QComboBox, QLabel, QSlider
from window_person import run_to_the_end

from nerd_gui.denoising import Recorder, Trajectory
from nerd_gui.window.session.run import Run


class NoiseLevelLabel(QLabel):
    """Shows the noise level of the current iterate in the chosen channel; keeps a log of what it has shown."""

    def __init__(self, session):
        super().__init__()
        self.session, self.log = session, []
        session.trajectoryChanged.connect(self.show_state)
        session.indexChanged.connect(self.show_state)
        session.channelChanged.connect(self.show_state)

    def show_state(self):
        trajectory, index = self.session.trajectory, self.session.index
        level = trajectory.curve("noise_level", self.session.channel)[index] if index >= 0 else None
        self.setText("–" if level is None else f"{level:.6f}")
        self.log.append((trajectory, index, self.session.channel))


@pytest.fixture
def window(qtbot, make_window, tmp_path):
    path = tmp_path / "colour.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (40, 36, 3), dtype=np.uint8)).save(path)
    made = make_window(path)
    qtbot.waitUntil(lambda: made.session.workspace.photo is not None)
    made.controls.settings_button.max_iter.setValue(5)
    made.controls.settings_button.tolerance.setCurrentText("none (all steps)")
    return made


def test_a_new_view_follows_a_run_after_one_line(qtbot, window):
    window.centralWidget().addWidget(view := NoiseLevelLabel(window.session))  # the line
    trajectory = run_to_the_end(qtbot, window).trajectory
    assert [index for _, index, _ in view.log] == [-1, -1, 0, 1, 2, 3, 4, 5]  # started, prepared, then the iterates
    assert view.log[0][0] is None and all(shown is trajectory for shown, _, _ in view.log[1:])
    window.findChild(QSlider, "iterationSlider").setValue(2)
    assert view.text() == f"{trajectory[2].noise_level:.6f}"
    qtbot.keyClick(window.picture_view.viewport(), Qt.Key.Key_Home)
    window.findChild(QComboBox, "channelCombo").setCurrentText("Blue")
    assert view.log[-1] == (trajectory, 0, 2)
    assert view.text() == f"{trajectory[0].noise_levels[2]:.6f}"
    again = run_to_the_end(qtbot, window).trajectory
    assert again is not trajectory and view.log[-1] == (again, 5, 2)
    window.session.show_run(None)
    assert view.log[-1] == (None, -1, 2) and view.text() == "–"


def test_no_view_keeps_a_run_of_its_own(qtbot, window):
    run_to_the_end(qtbot, window)
    window.session.pins.put(3, 4)
    owners = (window.session, window.session.controller)
    keepers = [
        (thing, name)
        for thing in [window, *window.findChildren(QObject)]
        if thing not in owners
        for name, value in vars(thing).items()
        if isinstance(value, Trajectory | Run | Recorder)
    ]
    assert keepers == []
