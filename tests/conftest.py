"""Fixtures for the tests of all rooms, and a check of what tests of the window leave behind."""

import copy
import importlib
import os
import shutil
import sys
import threading
from pathlib import Path
from weakref import WeakSet

# Where it is set, each of the processes that tests start would compile the whole package anew, and so would each run
# the tests themselves.
if os.environ.pop("PYTHONDONTWRITEBYTECODE", None):
    sys.dont_write_bytecode = False

if os.environ.setdefault("QT_QPA_PLATFORM", "offscreen") == "offscreen":
    # Qt's own offscreen screen has 800 x 800 pixels, and the window fits its screen. Qt splits at colons.
    screen = Path(__file__).with_name("screen.json")
    os.environ["QT_QPA_PLATFORM"] += f":configfile={os.path.relpath(screen) if os.name == 'nt' else screen}"

import numpy as np
import pytest
import torch  # before any import of Qt; pytest-qt imports it after this file has been read

from nerd_gui.compiled import attention_kernel, availability, decoding_kernel, history_kernel, status
from nerd_gui.imaging import Photo
from nerd_gui.nerd import NERD, NerdConfig, save_model
from nerd_gui.nerd import own as own_models

_THREADS = 1 if "PYTEST_XDIST_WORKER" in os.environ else torch.get_num_threads()  # the other cores: other processes
torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def float32_everywhere(monkeypatch):
    """Keep whole photos in float32 even if the processor supports bfloat16, so that results are the same everywhere."""
    monkeypatch.setattr(importlib.import_module("nerd_gui.denoising.devices"), "available", lambda: False)


@pytest.fixture(autouse=True)
def no_models_of_other_tests(monkeypatch):
    """Begin without models of the user: those that a test registers are forgotten after it."""
    monkeypatch.setattr(own_models, "_own", {})


@pytest.fixture(scope="session")
def _made_once(tmp_path_factory):
    """Make `tiny_net` and its file once; each test gets a copy."""
    torch.manual_seed(0)
    net = NERD(NerdConfig(features=8, heads=4, groups=4, window=5)).fold().eval().requires_grad_(False)
    path = tmp_path_factory.mktemp("networks") / "tiny.safetensors"
    save_model(path, net, {"samples": 0, "validation_psnr": 20.0})
    return net, path


@pytest.fixture
def tiny_net(_made_once):
    """An untrained network that runs in a moment, as returned by `load_model`."""
    torch.manual_seed(0)
    return copy.deepcopy(_made_once[0])


@pytest.fixture
def tiny_model_path(tmp_path, _made_once):
    """The path of `tiny_net` as a file."""
    torch.manual_seed(0)
    return Path(shutil.copy(_made_once[1], tmp_path))


@pytest.fixture
def tiny_photo():
    """A clean grey picture of 24 x 20 pixels: a smooth surface with an edge."""
    rows, cols = np.mgrid[:24, :20] / 24
    pixels = 0.3 + 0.3 * np.sin(5 * rows) * np.cos(4 * cols) + 0.3 * (cols > 0.4)
    return Photo(np.rint(pixels[None] * 255).astype(np.float32) / np.float32(255), name="tiny", sha256="0" * 64)


@pytest.fixture
def unasked(monkeypatch):
    """Pretend that compiled code has not been requested yet, and forget afterwards what the test found out."""
    monkeypatch.setattr(availability, "_failure", None)
    cached = (
        availability._beforehand,
        availability._tell_once,
        attention_kernel._forward,
        attention_kernel._gradient_kernels,
        decoding_kernel._decoder,
        history_kernel._passes,
    )
    for function in cached:
        function.cache_clear()
    yield monkeypatch
    monkeypatch.undo()
    for function in cached:
        function.cache_clear()


@pytest.fixture
def compiled_code():
    """Skip tests of compiled code if it is not available."""
    if not status().compiled:
        pytest.skip(str(status()))


@pytest.fixture(autouse=True)
def _threads_for_windows(request):
    """Let only tests with a window compute on several threads: for the small tensors of others it would be slower."""
    if "qtbot" in request.fixturenames:
        torch.set_num_threads(_THREADS)
        yield
        torch.set_num_threads(1)
    else:
        yield


@pytest.fixture(autouse=True)
def _settings_of_their_own(request, tmp_path_factory):
    """Isolate tests from the settings of the person who runs them, and from each other's."""
    if "qtbot" in request.fixturenames:
        from PySide6.QtCore import QSettings

        folder = str(tmp_path_factory.mktemp("settings"))
        for form in (QSettings.Format.NativeFormat, QSettings.Format.IniFormat):
            QSettings.setPath(form, QSettings.Scope.UserScope, folder)


@pytest.fixture(autouse=True)
def _nothing_left_behind(request, monkeypatch):
    """Fail a test of the window that leaves a thread, a running timer or a window.

    It is set up before the other fixtures of the test, and so torn down after them.
    """
    if "qtbot" not in request.fixturenames:
        yield
        return
    from PySide6.QtCore import QCoreApplication, QEvent, QThread, QThreadPool, QTimer
    from PySide6.QtWidgets import QApplication
    from shiboken6 import isValid

    started = {kind: _watch_starts(monkeypatch, kind) for kind in (QThread, QTimer)}
    threads_before, windows_before = set(threading.enumerate()), set(QApplication.topLevelWidgets())
    yield
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    left = [thread for thread in started[QThread] if isValid(thread) and thread.isRunning()]
    left += [timer for timer in started[QTimer] if isValid(timer) and timer.isActive()]
    left += [thread for thread in threading.enumerate() if thread not in threads_before and not _of_qt(thread)]
    left += [window for window in QApplication.topLevelWidgets() if window not in windows_before and window.isVisible()]
    assert not left, f"The test left behind: {left}"
    assert QThreadPool.globalInstance().activeThreadCount() == 0, "The test left a task in the thread pool."


def _watch_starts(monkeypatch, kind):
    """Record the objects of this class that are started from now on."""
    started, start = WeakSet(), kind.start

    def watched(self, *args):
        started.add(self)
        return start(self, *args)

    monkeypatch.setattr(kind, "start", watched)
    return started


def _of_qt(thread):
    """Whether this is Python's stand-in for a thread of Qt, which stays on its list after the thread has ended."""
    return type(thread).__name__ == "_DummyThread"
