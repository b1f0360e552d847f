"""A main window for the tests of this room."""

import pytest
from PySide6.QtCore import QSettings

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
        window.controller.wait()
