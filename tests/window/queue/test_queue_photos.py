"""Photos in the queue: dropped, chosen, denoised, skipped, replaced, opened."""

import numpy as np
from dialog_person import NO, YES, Person, answers
from PIL import Image
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMessageBox
from queue_user import files

from nerd_gui.denoising import AUTO, PICTURE, RunSettings, Subject, denoise
from nerd_gui.imaging import open_photo
from nerd_gui.window.queue.table import PHOTO, RESULT, STATE


def expected(path, net):
    run = denoise(Subject.of(open_photo(path)), RunSettings(stop_on=PICTURE), net)
    return np.rint(np.clip(run.picture(run.result)[0], 0, 1) * np.float32(255))


def test_a_dropped_folder_is_denoised_and_bad_photos_are_named(window, user, photos, tiny_net):
    folder = photos("a.png", "bad.jpg", "c.tif", "d.png", "notes.txt")
    user.drop(folder)
    assert user.dialog.isVisible() and window.session.workspace.photo.name == "first"
    assert user.cells(PHOTO) == ["a.png", "bad.jpg", "c.tif", "d.png"] and set(user.cells(STATE)) == {"Waiting"}
    assert "“notes.txt”" in user.dialog.note.text() and user.dialog.status.text() == "4 photos wait."
    user.start()
    assert not user.dialog.start.isEnabled() and not user.dialog.choices.isEnabled()
    user.wait_for_the_end()
    assert sorted(files(folder / "denoised")) == ["a_denoised.png", "c_denoised.tif", "d_denoised.png"]
    for name in ("a.png", "c.tif", "d.png"):
        saved = np.asarray(Image.open(folder / "denoised" / name.replace(".", "_denoised.")))
        assert np.array_equal(saved, expected(folder / name, tiny_net)), name
    assert user.states() == {"a.png": "saved", "bad.jpg": "failed", "c.tif": "saved", "d.png": "saved"}
    assert user.cells(STATE)[0].startswith("Saved, noise level ")
    assert user.cells(STATE)[1].startswith("Failed: “bad.jpg” is not a picture")
    assert user.dialog.status.text() == "3 saved, 1 failed, of 4 photos."
    assert user.dialog.reasons.isVisible() and user.dialog.reasons.toPlainText().startswith("bad.jpg: “bad.jpg” is not")
    assert user.dialog.bar.value() == user.dialog.bar.maximum()
    assert "3 saved, 1 failed" in window.statusBar().currentMessage()


def test_several_dropped_files_are_a_queue_and_one_opens(qtbot, window, user, photos):
    folder = photos("a.png", "b.png", "c.png")
    user.drop(folder / "a.png")
    qtbot.waitUntil(lambda: window.session.workspace.photo.name == "a")
    assert not user.dialog.isVisible() and not user.queue.items
    user.drop(folder / "c.png", folder / "b.png")
    assert user.dialog.isVisible() and user.cells(PHOTO) == ["c.png", "b.png"]
    user.drop(folder, on=user.dialog)
    assert user.cells(PHOTO) == ["c.png", "b.png", "a.png"], "each once"
    assert user.queue.folder == folder / "denoised" and user.dialog.choices.network.currentData() == AUTO
    assert user.dialog.focusWidget() is user.dialog.start, "Return starts the queue, and opens none of its photos"


def test_photos_and_folders_are_chosen_in_dialogs(qtbot, window, user, photos, monkeypatch):
    folder, other = photos("a.png", "b.png"), photos("x.png", folder="other")
    dialogs = "nerd_gui.window.files.open_dialogs.QFileDialog"
    chosen = [str(folder / "a.png"), str(folder / "b.png")]
    monkeypatch.setattr(f"{dialogs}.getOpenFileNames", lambda *_: (chosen, ""))
    monkeypatch.setattr(f"{dialogs}.getExistingDirectory", lambda *_: str(other))
    window.actions_.open.trigger()
    assert user.cells(PHOTO) == ["a.png", "b.png"]
    window.actions_.open_folder.trigger()
    assert user.cells(PHOTO) == ["a.png", "b.png", "x.png"]
    user.click(user.dialog.choices.change)
    assert user.queue.folder == other and user.dialog.choices.folder.toolTip() == str(other)
    assert {item.job.target.parent for item in user.queue.items} == {other}
    user.dialog.table.selectRow(1)
    user.click(user.dialog.remove)
    assert user.cells(PHOTO) == ["a.png", "x.png"]
    user.dialog.table.selectRow(0)
    qtbot.keyClick(user.dialog.table, Qt.Key.Key_Delete)
    assert user.cells(PHOTO) == ["x.png"]
    user.click(user.dialog.add_photos)
    assert user.cells(PHOTO) == ["a.png", "b.png", "x.png"], "what was taken out can be put back"


def test_the_windows_settings_hold_for_the_queue(window, user, photos):
    settings = window.controls.settings_button
    settings.max_iter.setValue(2)
    settings.start.setCurrentIndex(settings.start.findData("last"))
    user.drop(photos("a.png", "b.png"))
    user.start()
    user.wait_for_the_end()
    for item in user.queue.items:
        assert len(item.report["iterations"]) == 3 and item.report["settings"]["start"] == "zero"


def test_an_empty_folder_is_said_and_changes_nothing(window, user, photos, tmp_path):
    (tmp_path / "empty").mkdir()
    user.drop(photos("a.png"))
    user.drop(tmp_path / "empty", on=user.dialog)
    box = window.findChild(QMessageBox, "errorDialog")
    assert "holds no photos" in box.text() and user.cells(PHOTO) == ["a.png"]
    box.close()


def test_what_is_done_is_skipped_and_replaced_after_a_yes_only(user, photos):
    folder = photos("a.png", "b.png")
    (folder / "denoised").mkdir()
    (folder / "denoised" / "a_denoised.png").write_bytes(b"precious")
    user.drop(folder)
    assert not user.dialog.note.isVisible(), "the folder of the results is nothing to speak of"
    user.start()
    user.wait_for_the_end()
    assert user.states() == {"a.png": "skipped", "b.png": "saved"} and not user.dialog.start.isEnabled()
    assert user.dialog.status.text() == "1 saved, 1 done already, 0 failed, of 2 photos."
    assert files(folder / "denoised")["a_denoised.png"] == b"precious"
    user.click(user.dialog.choices.skip)
    before = files(folder / "denoised")
    with Person(answers(NO)) as person:
        user.click(user.dialog.start)
    assert "2 of the results are in" in person.saw[0] and files(folder / "denoised") == before
    with Person(answers(YES)):
        user.click(user.dialog.start)
    user.wait_for_the_end()
    assert user.states() == {"a.png": "saved", "b.png": "saved"}
    with Image.open(folder / "denoised" / "a_denoised.png") as picture:
        assert picture.size == (12, 16)


def test_a_double_click_opens_the_photo_or_its_result(qtbot, window, user, photos):
    user.drop(photos("a.png", "bad.png"))
    user.start()
    user.wait_for_the_end()
    user.double_click(0, STATE)
    qtbot.waitUntil(lambda: window.session.workspace.photo.name == "a_denoised")
    user.double_click(0, PHOTO)
    qtbot.waitUntil(lambda: window.session.workspace.photo.name == "a")
    user.double_click(1, STATE)
    qtbot.waitUntil(lambda: window.findChild(QMessageBox, "errorDialog") is not None)
    assert "bad.png” is not a picture" in window.findChild(QMessageBox, "errorDialog").text()
    window.findChild(QMessageBox, "errorDialog").close()
    assert user.cells(RESULT) == ["a_denoised.png", "bad_denoised.png"]


def test_a_finished_list_is_replaced_and_failed_photos_are_tried_again(user, photos):
    folder = photos("a.png", "bad.png")
    user.drop(folder)
    user.start()
    user.wait_for_the_end()
    assert user.dialog.start.text() == "Try again" and user.dialog.start.isEnabled()
    Image.new("L", (12, 16), 90).save(folder / "bad.png")
    kept = (folder / "denoised" / "a_denoised.png").stat().st_mtime_ns
    user.click(user.dialog.start)
    user.wait_for_the_end()
    assert user.states() == {"a.png": "saved", "bad.png": "saved"} and not user.dialog.reasons.isVisible()
    assert (folder / "denoised" / "a_denoised.png").stat().st_mtime_ns == kept
    other = photos("x.png", "y.png", folder="other")
    user.drop(other)
    assert user.cells(PHOTO) == ["x.png", "y.png"] and user.queue.folder == other / "denoised"


def test_where_nothing_can_be_written_nothing_is_started(window, user, photos):
    folder = photos("a.png", "b.png")
    user.drop(folder)
    (folder / "file").touch()
    user.queue.folder = folder / "file" / "deeper"
    user.start()
    box = window.findChild(QMessageBox, "errorDialog")
    assert "choose another folder" in box.text() and set(user.states().values()) == {"waiting"}
    box.close()
