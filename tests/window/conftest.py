"""A main window for the tests of this room."""

import gc
import threading

import pytest
import torch
from PIL import Image
from PySide6.QtCore import QSettings, Qt

from nerd_gui.imaging import add_noise, open_sample, photo_noise, sample_names, to_8_bit
from nerd_gui.nerd import NERD, NerdConfig, save_model
from nerd_gui.window import MainWindow
from nerd_gui.window.style.scheme import set_colour_scheme


@pytest.fixture
def settings(tmp_path):
    store = QSettings(str(tmp_path / "settings.ini"), QSettings.Format.IniFormat)
    store.setValue("mode", "explore")  # also for a photo as large as a camera's
    return store


@pytest.fixture
def make_window(qtbot, settings, tiny_model_path):
    made = []

    def make(photo=None, model=tiny_model_path):
        """Return a function that makes a window and waits until its photo is open, or has been refused."""
        window = MainWindow(photo, model=None if model is None else str(model), settings=settings)
        made.append(window)
        qtbot.addWidget(window)
        window.show()
        qtbot.waitExposed(window)
        qtbot.waitUntil(lambda: not window.opener.busy)
        return window

    yield make
    for window in made:
        window.opener.wait()
        window.queue.end()
        window.saver.wait()
        window.export_dialogs.drawer.wait()
        window.session.controller.wait()
        window.session.maps.wait()


@pytest.fixture
def told_model_path(tmp_path):
    """The file of a small network with level input."""
    torch.manual_seed(0)
    path = tmp_path / "told.safetensors"
    save_model(path, NERD(NerdConfig(features=8, heads=4, groups=4, window=5, level_input=True)), {"samples": 0})
    return path


@pytest.fixture
def photo_path(tmp_path):
    pixels = open_sample(sample_names()[0]).crop(60, 60, 48, 40).pixels
    path = tmp_path / "photo.png"
    Image.fromarray(to_8_bit(add_noise(pixels, 25, 0))[0]).save(path)
    return path


@pytest.fixture
def window(qtbot, make_window, photo_path):
    made = make_window(photo_path)
    qtbot.waitUntil(lambda: made.session.workspace.photo is not None)
    made.controls.settings_button.max_iter.setValue(6)
    made.controls.settings_button.tolerance.setCurrentText("none (all steps)")
    return made


@pytest.fixture
def open_file(qtbot):
    """Open a photo file in a window, and wait until it is open or refused."""

    def open_and_wait(window, path):
        window.open_dialogs.open_file(path)
        qtbot.waitUntil(lambda: not window.opener.busy)

    return open_and_wait


@pytest.fixture
def open_built_in(qtbot):
    """Open a built-in picture in a window, and wait for it."""

    def open_and_wait(window, name):
        window.open_dialogs.open_sample(name)
        qtbot.waitUntil(lambda: not window.opener.busy)

    return open_and_wait


@pytest.fixture
def take_sample():
    """Give a session a built-in picture with added noise, without a thread."""

    def take(session, name):
        photo = open_sample(name)
        session.workspace.set_photo(photo, photo_noise(photo.pixels), add_noise=True)

    return take


@pytest.fixture
def held(monkeypatch):
    """Hold runs: from the fifth evaluation on, f waits until it is stopped or this event is set."""
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


@pytest.fixture
def _system_colours(qapp):
    """Return to the colours of the system at the end."""
    yield
    set_colour_scheme(Qt.ColorScheme.Unknown)


@pytest.fixture
def _no_collection():
    """Turn garbage collection off: it takes longer the more objects exist, including those of other tests."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()
