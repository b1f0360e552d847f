"""A main window for the tests of this room."""

import threading

import pytest
from PySide6.QtCore import QSettings

from nerd_gui.nerd import NERD
from nerd_gui.window import MainWindow


@pytest.fixture
def settings(tmp_path):
    return QSettings(str(tmp_path / "settings.ini"), QSettings.Format.IniFormat)


@pytest.fixture
def make_window(qtbot, settings, tiny_model_path):
    made = []

    def make(photo=None, model=tiny_model_path):
        window = MainWindow(photo, model=str(model), settings=settings)
        made.append(window)
        qtbot.addWidget(window)
        window.show()
        qtbot.waitExposed(window)
        return window

    yield make
    for window in made:
        window.session.controller.wait()


@pytest.fixture
def held(monkeypatch):
    """Runs stay under way: from its fifth evaluation on, f ends only when it is stopped, or once this event is set."""
    released, evaluations, true = threading.Event(), [], NERD.implicit

    def implicit(net, z, s, *, interrupt=None, **how):
        evaluations.append(None)
        while len(evaluations) > 4 and not released.wait(1e-3):
            if interrupt is not None:
                interrupt()
        return true(net, z, s, interrupt=interrupt, **how)

    monkeypatch.setattr(NERD, "implicit", implicit)
    yield released
    released.set()
