"""A panel beside a session with a real, small run of a network that contracts."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from PySide6.QtWidgets import QMainWindow

from nerd_gui.denoising import RunSettings, Subject, denoise
from nerd_gui.imaging import Photo
from nerd_gui.nerd import NERD, NerdConfig, save_model
from nerd_gui.window.analyses.panel import AnalysesPanel
from nerd_gui.window.messages import Messages
from nerd_gui.window.session.analyst import Analyst
from nerd_gui.window.session.run import Run
from nerd_gui.window.session.session import Session
from nerd_gui.window.style.scheme import dress


@pytest.fixture(scope="session")
def net():
    torch.manual_seed(0)
    made = NERD(NerdConfig(features=8, heads=2, groups=2, expansion=2, window=5)).fold().eval().requires_grad_(False)
    made.transformation.norm_post.weight.data.fill_(0.2)
    made.f_inject.conv_out.weight.data.mul_(3)
    return made


@pytest.fixture
def model(tmp_path, net):
    save_model(tmp_path / "contracts.safetensors", net, {"samples": 0, "validation_psnr": 20.0})
    return tmp_path / "contracts.safetensors"


@pytest.fixture(scope="session")
def solved(net):
    """The record of a run; every test gets a copy."""
    subject = Subject.of(Photo(np.random.default_rng(0).random((1, 40, 36), np.float32), name="noise"), sigma=25)
    return denoise(subject, RunSettings(device="cpu", tol=1e-4, model="tiny"), net)


@pytest.fixture
def make_run(net, solved):
    def make(*, features=True):
        trajectory = solved.as_it_is()
        if not features:
            trajectory.replace([replace(iterate, features=None) for iterate in trajectory.iterates])
        return Run(trajectory.subject, trajectory.settings, net=net, trajectory=trajectory, over=True)

    return make


@pytest.fixture
def panel(qtbot):
    """A panel without a run; `session`, `analyst` and `messages` are its attributes."""
    dress()
    session = Session()
    analyst = Analyst(session.controller, session)
    host = QMainWindow()
    messages = Messages(host)
    made = AnalysesPanel(session, analyst, messages)
    made.session, made.analyst, made.messages = session, analyst, messages
    host.setCentralWidget(made)
    qtbot.addWidget(host)
    host.resize(500, 900)
    host.show()
    qtbot.waitExposed(host)
    yield made
    analyst.wait()


@pytest.fixture
def asked(qtbot, panel, make_run):
    """A panel with a run."""
    run = make_run()
    panel.session.runs.add(run)
    panel.session.show_run(run)
    qtbot.waitUntil(lambda: panel.cards["risk"].button.isEnabled())
    return panel
