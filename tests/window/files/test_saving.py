"""Saving in the window: on a thread, with a message; nothing is lost if it fails or the window is closed."""

import threading

import numpy as np
import pytest
from dialog_person import Person, saves
from PIL import Image
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QFileDialog, QLineEdit, QMessageBox, QProgressBar, QPushButton, QWidget

from nerd_gui.imaging import PhotoError, save_picture, to_8_bit
from nerd_gui.window.files import export


@pytest.fixture
def window(qtbot, make_window, tmp_path, tiny_photo):
    window = make_window(save_picture(tmp_path / "photo.png", tiny_photo))
    window.controls.settings_button.max_iter.setValue(3)
    with qtbot.waitSignal(window.session.controller.ended, timeout=30_000):
        window.run()
    return window


@pytest.fixture
def held_save(monkeypatch):
    """Hold the saving of pictures until this event is set."""
    released = threading.Event()

    def held(*arguments, **how):
        assert released.wait(30)
        return save_picture(*arguments, **how)

    monkeypatch.setattr(export, "save_picture", held)
    yield released
    released.set()


def part(window, name, kind=QWidget):
    return window.findChild(kind, name)


def begin(window, name):
    with Person(saves(name), waits=False):
        window.actions_.export.trigger()


def boxes(window):
    return [box for box in window.findChildren(QMessageBox) if box.isVisible()]


def test_the_window_is_alive_while_a_picture_is_saved(qtbot, window, tmp_path, held_save):
    begin(window, "slow")
    line = part(window, "savingLine")
    assert window.saver.busy and not line.isVisible(), "what is saved in a moment needs no word"
    qtbot.waitUntil(line.isVisible)
    bar = part(window, "savingProgress", QProgressBar)
    assert "slow.png" in part(window, "savingName").text() and (bar.minimum(), bar.maximum()) == (0, 0)
    assert not part(window, "cancelSavingButton").isVisible()
    expected = to_8_bit(window.session.trajectory.picture(window.session.index))[0]
    qtbot.keyClick(window, Qt.Key.Key_Home)
    assert window.session.index == 0, "keys and views go on meanwhile"
    with qtbot.waitSignal(window.session.controller.ended, timeout=30_000):
        window.actions_.run.trigger()
    assert not (tmp_path / "slow.png").exists()
    held_save.set()
    qtbot.waitUntil(lambda: not window.saver.busy)
    assert not line.isVisible() and "slow.png" in window.statusBar().currentMessage()
    assert np.array_equal(np.asarray(Image.open(tmp_path / "slow.png")), expected)


def test_one_after_another(qtbot, window, tmp_path, held_save):
    begin(window, "one")
    begin(window, "two")
    held_save.set()
    qtbot.waitUntil(lambda: not window.saver.busy)
    assert {path.name for path in tmp_path.glob("*.png")} == {"photo.png", "one.png", "two.png"}


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (PhotoError("“bad.png” was not saved: the disk is full."), "the disk is full"),
        (MemoryError(), "“bad.png” was not saved: it needs more memory"),
        (ZeroDivisionError("planted"), "planted"),
    ],
)
def test_a_failure_is_a_dialog_and_leaves_nothing(qtbot, window, tmp_path, monkeypatch, error, words):
    def broken(*_, **__):
        raise error

    monkeypatch.setattr(export, "save_picture", broken)
    before = set(tmp_path.iterdir())
    begin(window, "bad")
    qtbot.waitUntil(lambda: bool(boxes(window)))
    (box,) = boxes(window)
    assert words in box.text() and ("Traceback" in box.detailedText()) is isinstance(error, ZeroDivisionError)
    qtbot.waitUntil(lambda: not window.saver.busy)
    assert set(tmp_path.iterdir()) == before and not part(window, "savingLine").isVisible()
    box.close()


def test_closing_waits_for_what_is_being_saved(qtbot, window, tmp_path, held_save):
    begin(window, "late")
    window.close()
    assert window.isVisible() and "closes when" in window.statusBar().currentMessage()
    held_save.set()
    qtbot.waitUntil(lambda: not window.isVisible())
    assert Image.open(tmp_path / "late.png").size == (20, 24)
    assert not list(tmp_path.glob(".*")), "nothing half-written"


def test_a_failure_keeps_the_window_open(qtbot, window, monkeypatch):
    released = threading.Event()

    def broken(*_, **__):
        assert released.wait(30)
        raise PhotoError("“late.png” was not saved: the disk is full.")

    monkeypatch.setattr(export, "save_picture", broken)
    begin(window, "late")
    window.close()
    released.set()
    qtbot.waitUntil(lambda: bool(boxes(window)) and not window.saver.busy)
    assert window.isVisible()
    boxes(window)[0].close()
    window.close()
    assert not window.isVisible()


def test_of_many_files_the_rest_can_be_left_out(qtbot, window, tmp_path, monkeypatch):
    steps, going = threading.Semaphore(0), []

    def step(*arguments, **how):
        going.append(None)
        assert steps.acquire(timeout=30)
        return save_picture(*arguments, **how)

    monkeypatch.setattr(export, "save_picture", step)
    folder = tmp_path / "all"
    folder.mkdir()
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(folder))
    window.actions_.export_all.trigger()
    steps.release()
    qtbot.waitUntil(lambda: len(going) == 2)
    bar = part(window, "savingProgress", QProgressBar)
    qtbot.waitUntil(lambda: bar.value() == bar.maximum() // 4)
    cancel = part(window, "cancelSavingButton", QPushButton)
    qtbot.waitUntil(cancel.isVisible)
    qtbot.mouseClick(cancel, Qt.MouseButton.LeftButton)
    for _ in range(4):
        steps.release()
    qtbot.waitUntil(lambda: not window.saver.busy)
    names = sorted(path.name for path in folder.iterdir())
    assert names == ["photo_iterate_00.png", "photo_iterate_01.png"]
    assert "The rest of all iterates was not saved" in window.statusBar().currentMessage() and not boxes(window)


def test_the_action_says_what_is_saved(qtbot, window):
    assert window.actions_.export.text().replace("&", "") == "Save shown iterate…"
    window.session.workspace.set_region((2, 3, 16, 12))
    with qtbot.waitSignal(window.session.controller.ended, timeout=30_000):
        window.run()
    assert window.actions_.export.text().replace("&", "") == "Save region 12 × 16…"


@pytest.mark.parametrize(
    ("typed", "kind", "saved"),
    [
        ("x.tiff", "TIFF", "x.tiff"),
        ("x.JPEG", "JPEG", "x.JPEG"),
        ("x.webp", "WebP", "x.webp"),
        ("x.tif.bmp", "BMP", "x.tif.bmp"),
        ("x", "PNG", "x.png"),
    ],
)
def test_the_format_follows_the_name_that_is_typed(window, tmp_path, typed, kind, saved):
    seen = []

    def look_and_save(dialog):
        saves(typed, click=False)[1](dialog)
        seen.append(dialog.selectedNameFilter())

    with Person((QFileDialog, look_and_save)):
        window.actions_.export.trigger()
    assert seen[0].startswith(kind)
    assert (tmp_path / saved).is_file()


def test_the_name_follows_the_format_that_is_chosen(window, tmp_path):
    seen = []

    def choose(dialog):
        combo = dialog.findChild(QComboBox, "fileTypeCombo")
        combo.setCurrentIndex(next(i for i in range(combo.count()) if combo.itemText(i).startswith("JPEG")))
        combo.activated.emit(combo.currentIndex())
        seen.append(dialog.findChild(QLineEdit, "fileNameEdit").text())
        saves(None)[1](dialog)

    with Person((QFileDialog, choose)):
        window.actions_.export.trigger()
    assert seen == ["photo_denoised.jpg"] and Image.open(tmp_path / "photo_denoised.jpg").format == "JPEG"
