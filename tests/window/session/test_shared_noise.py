"""Runs of the same noise share it: twenty of them keep one noisy picture."""

import pytest
from scripted_session import make_trajectory

from nerd_gui.denoising import RunSettings
from nerd_gui.window.session.session import Session


@pytest.fixture
def session(monkeypatch, take_sample):
    made = Session()
    take_sample(made, "camera")

    def start(run, _):
        run.trajectory = make_trajectory([0.1, 0.01])
        run.over = True

    monkeypatch.setattr(made.controller, "start", start)
    return made


def start(session):
    session.start(RunSettings(model="tiny"))
    return session.runs[-1].subject


def test_a_second_run_has_the_first_ones_picture(session):
    first = start(session)
    assert start(session).noisy is first.noisy


def test_other_noise_is_drawn_anew_and_there_again_later(session):
    first = start(session)
    session.workspace.set_noise(add_noise=True, sigma=10, seed=0)
    second = start(session)
    assert second.sigma == 10 and second.noisy is not first.noisy
    session.workspace.set_region((10, 10, 64, 64))
    assert start(session).noisy.shape[1:] == (64, 64)
    session.history.undo()
    session.workspace.set_noise(add_noise=True, sigma=25, seed=0)
    assert start(session).noisy is first.noisy
    session.workspace.set_noise(add_noise=True, sigma=25, seed=1)
    assert start(session).seed == 1
