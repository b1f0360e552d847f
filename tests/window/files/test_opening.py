"""Opening in the window: on a thread, with a preview, progress and Cancel; the former photo stays until the end."""

import threading

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent
from PySide6.QtWidgets import QMessageBox, QProgressBar, QPushButton, QWidget
from window_person import run_to_the_end

from nerd_gui.imaging import open_photo, save_picture
from nerd_gui.window.files import opener
from nerd_gui.window.session import run_controller


@pytest.fixture
def window(make_window, tmp_path, tiny_photo):
    save_picture(tmp_path / "first.png", tiny_photo)
    return make_window(tmp_path / "first.png")


@pytest.fixture
def large(tmp_path):
    """A photo that is large enough for a preview: red above, blue below, and on its side in the file."""
    rows = np.arange(1100)[:, None] < 550
    values = np.where(rows[..., None], (200, 30, 30), (30, 30, 200)).astype(np.uint8)
    image = Image.fromarray(np.broadcast_to(values, (1100, 1900, 3)))
    exif = Image.Exif()
    exif[0x0112] = 6
    image.transpose(Image.Transpose.ROTATE_90).save(tmp_path / "large.jpg", exif=exif)
    return tmp_path / "large.jpg"


@pytest.fixture
def held_open(monkeypatch):
    """Hold the opening of photos until this event is set or they are cancelled."""
    released, true = threading.Event(), open_photo

    def held(path, *, progress, cancelled):
        progress(0.5)
        while not released.wait(1e-3):
            if cancelled():
                raise opener.OpeningCancelled
        return true(path, progress=progress, cancelled=cancelled)

    monkeypatch.setattr(opener, "open_photo", held)
    yield released
    released.set()


def part(window, name, kind=QWidget):
    return window.findChild(kind, name)


def test_the_preview_is_shown_at_once_and_then_the_photo(qtbot, window, large, held_open):
    window.open_dialogs.open_file(large)
    cover = part(window, "previewCover")
    qtbot.waitUntil(cover.isVisible)
    assert cover.size() == window.picture_view.viewport().size()
    image = cover.grab().toImage()
    middle = image.width() // 2
    above, below = (
        image.pixelColor(middle, image.height() // 2 - 20),
        image.pixelColor(middle, image.height() // 2 + 20),
    )
    assert above.red() > 150 > below.red() and below.blue() > 150 > above.blue(), "upright, in its colours"
    assert window.session.workspace.photo.name == "first", "what was open stays until the photo is there"
    held_open.set()
    qtbot.waitUntil(lambda: window.session.workspace.photo.name == "large")
    assert not cover.isVisible() and not part(window, "openingLine").isVisible()
    assert np.array_equal(window.session.workspace.photo.pixels, open_photo(large).pixels)
    assert window.recent_files.paths[0] == large


def test_progress_is_shown_and_cancel_acts_at_once(qtbot, window, large, held_open):
    window.open_dialogs.open_file(large)
    line = part(window, "openingLine")
    assert not line.isVisible(), "what is there in a moment needs no word"
    qtbot.waitUntil(line.isVisible)
    bar = part(window, "openingProgress", QProgressBar)
    qtbot.waitUntil(lambda: bar.value() == bar.maximum() // 2)
    qtbot.mouseClick(part(window, "cancelOpeningButton", QPushButton), Qt.MouseButton.LeftButton)
    assert not line.isVisible() and not part(window, "previewCover").isVisible() and not window.opener.busy
    assert window.session.workspace.photo.name == "first" and window.actions_.run.isEnabled()
    assert large not in window.recent_files.paths and not window.findChildren(QMessageBox)


def test_a_newer_photo_replaces_the_one_on_its_way(qtbot, window, large, held_open, tmp_path):
    Image.new("L", (30, 20), 90).save(tmp_path / "newer.png")
    opened = []
    window.opener.opened.connect(lambda photo, _: opened.append(photo.name))
    window.open_dialogs.open_file(large)
    qtbot.waitUntil(part(window, "previewCover").isVisible)
    window.open_dialogs.open_file(tmp_path / "newer.png")
    assert not part(window, "previewCover").isVisible(), "no preview of another photo than the one to come"
    held_open.set()
    qtbot.waitUntil(lambda: window.session.workspace.photo.name == "newer")
    qtbot.waitUntil(lambda: not window.opener._threads)
    assert opened == ["newer"] and window.session.workspace.photo.name == "newer"


def test_the_window_is_alive_while_a_photo_is_on_its_way(qtbot, window, large, held_open):
    window.open_dialogs.open_file(large)
    qtbot.waitUntil(part(window, "previewCover").isVisible)
    with qtbot.waitSignal(window.session.controller.ended, timeout=30_000):
        window.actions_.run.trigger()
    assert window.session.trajectory.subject.photo.name == "first" and part(window, "previewCover").isVisible()
    window.resize(window.width() - 60, window.height() - 40)
    qtbot.waitUntil(lambda: part(window, "previewCover").size() == window.picture_view.viewport().size())
    qtbot.mouseClick(part(window, "previewCover"), Qt.MouseButton.LeftButton)
    assert window.session.pins.all == (), "what lies under the preview is not reached"


def test_a_network_is_loaded_on_the_thread_and_can_be_cancelled(qtbot, window, tiny_model_path, tmp_path, monkeypatch):
    own, released, true, threads = tmp_path / "own.safetensors", threading.Event(), opener.load_model, []
    own.write_bytes(tiny_model_path.read_bytes())

    def held(*what):
        threads.append(threading.current_thread())
        released.wait(20)
        return true(*what)

    monkeypatch.setattr(opener, "load_model", held)
    before = window.controls.model.network
    window.open_dialogs.open_checkpoint(own)
    qtbot.waitUntil(part(window, "openingLine").isVisible)
    assert part(window, "openingProgress", QProgressBar).maximum() == 0, "nobody knows how far it is"
    qtbot.mouseClick(part(window, "cancelOpeningButton", QPushButton), Qt.MouseButton.LeftButton)
    assert not part(window, "openingLine").isVisible() and window.actions_.run.isEnabled()
    released.set()
    qtbot.waitUntil(lambda: not window.opener._threads)
    assert window.controls.model.network == before
    window.open_dialogs.open_checkpoint(own)
    qtbot.waitUntil(lambda: window.controls.model.network == str(own))
    assert len(threads) == 2 and threading.main_thread() not in threads
    monkeypatch.setattr(run_controller, "load_model", None)
    run_to_the_end(qtbot, window)  # with the network that was loaded here, and not loaded once more
    assert window.session.run.settings.model == str(own) and len(window.session.trajectory) > 1


def test_a_photo_that_fails_leaves_what_was_open(qtbot, window, large):
    large.write_bytes(large.read_bytes()[: large.stat().st_size // 2])
    window.open_dialogs.open_file(large)
    qtbot.waitUntil(lambda: bool(window.findChildren(QMessageBox)))
    assert "large.jpg" in window.findChildren(QMessageBox)[0].text()
    assert not part(window, "previewCover").isVisible() and window.session.workspace.photo.name == "first"


def test_an_unexpected_error_is_told_with_its_details(qtbot, window, large, monkeypatch):
    def broken(*_, **__):
        raise ZeroDivisionError("planted")

    monkeypatch.setattr(opener, "open_photo", broken)
    window.open_dialogs.open_file(large)
    qtbot.waitUntil(lambda: bool(window.findChildren(QMessageBox)))
    (box,) = window.findChildren(QMessageBox)
    assert "large.jpg" in box.text() and "planted" in box.text() and "Traceback" in box.detailedText()


def test_closing_gives_up_what_is_on_its_way(qtbot, window, large, held_open):
    window.open_dialogs.open_file(large)
    qtbot.waitUntil(part(window, "previewCover").isVisible)
    window.close()
    assert not window.opener.busy
    qtbot.waitUntil(lambda: not window.opener._threads)


def test_a_clean_version_that_does_not_fit_is_refused(qtbot, window, large):
    window.open_dialogs.open_clean(large)
    qtbot.waitUntil(lambda: bool(window.findChildren(QMessageBox)))
    assert "choose the clean version of this photo" in window.findChildren(QMessageBox)[0].text()
    assert window.session.workspace.clean is None


def test_every_way_in_goes_through_the_thread(qtbot, window, tmp_path, monkeypatch):
    """Dropped, chosen in the dialog, or among the recent files: the window never waits."""
    begun = []
    window.opener.begun.connect(lambda name, _: begun.append(name))
    for name in ("dropped", "chosen"):
        Image.new("L", (30, 20), 90).save(tmp_path / f"{name}.png")
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(tmp_path / "dropped.png"))])
    buttons, keys = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    window.dropEvent(QDropEvent(QPointF(5, 5), Qt.DropAction.CopyAction, data, buttons, keys))
    qtbot.waitUntil(lambda: window.session.workspace.photo.name == "dropped")
    chosen = str(tmp_path / "chosen.png")
    monkeypatch.setattr("nerd_gui.window.files.open_dialogs.QFileDialog.getOpenFileNames", lambda *_: ([chosen], ""))
    window.actions_.open.trigger()
    assert window.session.workspace.photo.name == "dropped"
    qtbot.waitUntil(lambda: window.session.workspace.photo.name == "chosen")
    window.actions_.recent.aboutToShow.emit()
    action = next(action for action in window.actions_.recent.actions() if "dropped" in action.text())
    action.trigger()
    qtbot.waitUntil(lambda: window.session.workspace.photo.name == "dropped")
    assert begun == ["dropped.png", "chosen.png", "dropped.png"]
