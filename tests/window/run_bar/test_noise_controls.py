"""The noise in the tool bar equals that of the workspace, whichever of the two changes."""

import pytest
from PySide6.QtCore import Qt

from nerd_gui.imaging import sample_names
from nerd_gui.window.run_bar.controls import NoiseControls
from nerd_gui.window.session.session import Session


@pytest.fixture
def session():
    return Session()


@pytest.fixture
def noise(qtbot, session):
    made = NoiseControls(session)
    qtbot.addWidget(made)
    made.show()
    return made


def test_another_photo_and_another_noise_are_shown(session, noise, take_sample):
    take_sample(session, sample_names()[0])
    assert noise.adds_noise and (noise.sigma.value(), noise.seed.value()) == (25, 0)
    assert noise.sigma.isVisible() and not noise.estimate.isVisible()
    session.workspace.set_noise(add_noise=True, sigma=40, seed=3)
    assert (noise.sigma.value(), noise.seed.value()) == (40, 3)
    noise.seed.setValue(4)
    assert session.workspace.subject().sigma == 40 and session.workspace.subject().seed == 4
    session.workspace.set_noise(add_noise=False, sigma=40, seed=4)
    assert not noise.adds_noise and not noise.sigma.isVisible() and noise.estimate.isVisible()
    assert noise.estimate.text().startswith("estimated σ ")


def test_a_number_is_typed_to_its_end(qtbot, session, noise, take_sample):
    take_sample(session, sample_names()[0])
    noise.sigma.setFocus()
    noise.sigma.selectAll()
    for key in (Qt.Key.Key_3, Qt.Key.Key_0, Qt.Key.Key_Period, Qt.Key.Key_5):
        qtbot.keyClick(noise.sigma, key)
    assert session.workspace.sigma == 30.5
