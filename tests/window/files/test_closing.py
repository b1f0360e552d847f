"""A window asks before closing if a denoised photo or a session has unsaved changes."""

import json
import zipfile
from dataclasses import replace

import numpy as np
import pytest
from dialog_person import Person, saves
from PIL import Image
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMenu, QMessageBox
from scripted_session import make_trajectory, show
from window_person import run_to_the_end

from nerd_gui.denoising.session_file import read_session
from nerd_gui.denoising.settings import PICTURE

SAVE_PHOTO, SAVE_SESSION, CLOSE, CANCEL = "Save photo…", "Save session…", "Close without saving", "Cancel"


def question(window):
    """Return the text of the question, or None."""
    return window.findChild(QMessageBox, "closeDialog")


def answer(qtbot, window, text):
    box = question(window)
    qtbot.mouseClick(next(button for button in box.buttons() if button.text() == text), Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: question(window) is not box)


def choose_quit(window):
    window.actions_.quit.trigger()


def denoise(qtbot, window):
    """Denoise the small photo and return its run."""
    with qtbot.waitSignal(window.session.controller.ended, timeout=30_000):
        window.actions_.denoise.trigger()
    return window.session.run


@pytest.fixture
def denoised(qtbot, window):
    denoise(qtbot, window)
    return window


def test_a_window_in_which_little_was_tried_closes_at_once(qtbot, window):
    run_to_the_end(qtbot, window)
    choose_quit(window)
    assert not window.isVisible()


def test_a_photo_that_is_being_denoised_is_asked_about(qtbot, window, held):
    window.actions_.denoise.trigger()
    choose_quit(window)
    assert question(window).text() == "The photo “photo” is being denoised." and window.session.controller.running
    assert {button.text() for button in question(window).buttons()} == {CLOSE, CANCEL}, "there is nothing to save yet"
    answer(qtbot, window, CLOSE)
    assert not window.isVisible() and not window.session.controller.running


def test_a_run_that_took_long_is_asked_about(qtbot, window):
    trajectory = make_trajectory([1.0, 0.1, 0.01])
    trajectory.iterates[-1] = replace(trajectory[-1], seconds=61)
    show(window.session, trajectory)
    choose_quit(window)
    assert question(window).text() == "A run of “photo” took long, and the results are not saved."
    assert {button.text() for button in question(window).buttons()} == {SAVE_SESSION, CLOSE, CANCEL}
    answer(qtbot, window, CANCEL)


def test_a_denoised_photo_is_asked_about_once_and_cancel_keeps_all(qtbot, denoised):
    choose_quit(denoised)
    denoised.close()
    assert len(denoised.findChildren(QMessageBox, "closeDialog")) == 1
    assert question(denoised).text() == "The denoised photo “photo” is not saved."
    answer(qtbot, denoised, CANCEL)
    assert denoised.isVisible() and len(denoised.session.runs) == 1
    denoised.close()
    qtbot.keyClick(question(denoised), Qt.Key.Key_Escape)
    assert denoised.isVisible(), "Esc is Cancel"


def test_a_yes_to_lose_it_holds_for_that_time_alone(qtbot, denoised):
    choose_quit(denoised)
    answer(qtbot, denoised, CLOSE)
    assert not denoised.isVisible()
    denoised.show()
    choose_quit(denoised)
    assert denoised.isVisible() and question(denoised) is not None


def test_the_photo_is_saved_and_the_window_closed(qtbot, denoised, tmp_path):
    trajectory = denoised.session.trajectory
    choose_quit(denoised)
    with Person(saves(str(tmp_path / "result.png"))):
        answer(qtbot, denoised, SAVE_PHOTO)
    qtbot.waitUntil(lambda: not denoised.isVisible())
    saved = np.asarray(Image.open(tmp_path / "result.png"))
    expected = np.clip(np.rint(255 * trajectory.picture(trajectory.result)[0]), 0, 255)
    assert np.abs(saved - expected).max() <= 1


def test_the_window_stays_where_no_name_is_given(qtbot, denoised):
    choose_quit(denoised)
    with Person(saves(leave=True)):
        answer(qtbot, denoised, SAVE_PHOTO)
    assert denoised.isVisible() and not denoised.saver.busy


def test_the_session_is_saved_and_the_window_closed(qtbot, denoised, tmp_path):
    choose_quit(denoised)
    with Person(saves(str(tmp_path / "all.nerd"))):
        answer(qtbot, denoised, SAVE_SESSION)
    qtbot.waitUntil(lambda: not denoised.isVisible())
    assert len(read_session(tmp_path / "all.nerd").runs) == 1


def test_a_photo_that_was_saved_is_not_asked_about_until_it_is_denoised_anew(qtbot, denoised, tmp_path):
    with Person(saves(str(tmp_path / "result.png"))):
        denoised.actions_.export.trigger()
    assert denoised.session.missed == {}
    denoise(qtbot, denoised)
    choose_quit(denoised)
    assert question(denoised) is not None


@pytest.mark.parametrize("reply", ["Save session", CLOSE, CANCEL])
def test_changes_of_a_session_are_asked_about(qtbot, window, tmp_path, reply):
    with Person(saves(str(tmp_path / "a.nerd"))):
        window.actions_.save_session_as.trigger()
    qtbot.waitUntil(lambda: window.sessions.path == tmp_path / "a.nerd")
    window.session.pins.put(3, 4)
    choose_quit(window)
    assert question(window).text() == "The session “a.nerd” has changed since it was saved."
    answer(qtbot, window, reply)
    if reply == "Save session":
        qtbot.waitUntil(lambda: not window.isVisible())
    assert window.isVisible() is (reply == CANCEL)
    with zipfile.ZipFile(tmp_path / "a.nerd") as archive:
        assert json.loads(archive.read("session.json"))["pins"] == ([[1, 3, 4]] if reply == "Save session" else [])


def test_a_session_as_it_was_saved_closes_at_once_though_a_denoised_photo_is_in_it(qtbot, denoised, tmp_path):
    with Person(saves(str(tmp_path / "a.nerd"))):
        denoised.actions_.save_session_as.trigger()
    qtbot.waitUntil(lambda: denoised.sessions.path == tmp_path / "a.nerd")
    assert denoised.session.run.settings.stop_on == PICTURE
    choose_quit(denoised)
    assert not denoised.isVisible()


def test_photos_that_were_left_can_be_gone_back_to_and_are_asked_about(qtbot, denoised, open_built_in):
    session = denoised.session
    first = session.run
    open_built_in(denoised, "camera 256")
    denoised.controls.settings_button.max_iter.setValue(1)
    run_to_the_end(qtbot, denoised)
    open_built_in(denoised, "coins")
    menu = denoised.findChild(QMenu, "leftPhotosMenu")
    assert [action.text() for action in menu.actions()] == ["camera 256", "photo"]
    choose_quit(denoised)
    assert question(denoised).text().startswith("The results for “photo” are not saved either")
    answer(qtbot, denoised, CANCEL)
    menu.actions()[1].trigger()
    assert session.workspace.photo.name == "photo" and session.run is first
    assert [photo.name for photo in session.left_photos] == ["camera 256"], "nothing ran on the last one"
    assert menu.isEnabled() and len(menu.actions()) == 1


def test_every_answer_can_be_read_whole(qtbot, denoised):
    choose_quit(denoised)
    for button in question(denoised).buttons():
        assert button.width() >= button.sizeHint().width(), button.text()
    answer(qtbot, denoised, CANCEL)
