"""A queue at work: pause, stop, a run in the window, more photos, a bug, and the end of the program."""

import time

import pytest
from dialog_person import NO, YES
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMessageBox, QToolButton
from queue_user import files

from nerd_gui.denoising import batch as batch_module
from nerd_gui.window.queue.queue import Phase
from nerd_gui.window.queue.worker import Gate


@pytest.fixture
def at_work(user, photos, held):
    """Three photos; the first is held until the event is set."""
    folder = photos("a.png", "b.png", "c.png")
    user.drop(folder)
    user.start()
    user.wait_for("a.png")
    return folder


def test_stop_gives_up_the_photo_under_way_and_start_goes_on(qtbot, window, user, at_work, held):
    assert user.queue.phase is Phase.WORKING and 0 < user.dialog.bar.value() < user.dialog.bar.maximum() / 3
    button = window.findChild(QToolButton, "queueButton")
    assert button.isVisible() and "0 of 3 photos done" in button.text()
    user.click(user.dialog.stop)
    user.wait_for_the_end()
    assert set(user.states().values()) == {"waiting"} and not (at_work / "denoised").exists()
    assert not button.isVisible() and user.dialog.choices.isEnabled()
    held.set()
    user.click(user.dialog.start)
    user.wait_for_the_end()
    assert set(user.states().values()) == {"saved"} and len(files(at_work / "denoised")) == 3


def test_pause_holds_the_photo_and_goes_on_from_there(qtbot, user, at_work, held):
    user.click(user.dialog.pause)
    assert user.queue.phase is Phase.PAUSED and user.dialog.status.text() == "0 of 3 photos done, paused"
    held.set()
    qtbot.wait(150)  # nothing may happen: there is no condition to wait for
    assert user.states()["a.png"] == "under way" and not (at_work / "denoised").exists()
    assert user.dialog.pause.text() == "Continue"
    user.click(user.dialog.pause)
    user.wait_for_the_end()
    assert set(user.states().values()) == {"saved"}


def test_a_paused_queue_can_be_stopped(user, at_work):
    user.click(user.dialog.pause)
    user.click(user.dialog.stop)
    user.wait_for_the_end()
    assert set(user.states().values()) == {"waiting"}


def test_the_queue_waits_while_a_run_in_the_window_is_under_way(qtbot, window, user, photos, held):
    window.actions_.run.trigger()
    qtbot.waitUntil(lambda: window.session.newest >= 1)
    user.drop(photos("a.png", "b.png"))
    user.start()
    assert user.queue.phase is Phase.HELD and "until the run in the window has ended" in user.dialog.status.text()
    qtbot.wait(150)  # nothing may happen
    assert set(user.states().values()) == {"waiting"}
    with qtbot.waitSignal(window.session.controller.ended):
        held.set()
    user.wait_for_the_end()
    assert set(user.states().values()) == {"saved"}


def test_a_run_that_is_started_while_the_queue_works_goes_first(qtbot, window, user, at_work, held):
    window.actions_.run.trigger()
    assert user.queue.phase is Phase.HELD and window.session.controller.running
    window.actions_.stop.trigger()
    assert user.queue.phase is Phase.WORKING
    held.set()
    user.wait_for_the_end()
    assert set(user.states().values()) == {"saved"}


def test_photos_that_are_added_while_it_works_are_done_too(user, at_work, held, photos):
    user.drop(photos("x.png", folder="other"))
    assert list(user.states()) == ["a.png", "b.png", "c.png", "x.png"] and user.states()["a.png"] == "under way"
    user.dialog.table.selectAll()
    user.click(user.dialog.remove)
    assert list(user.states()) == ["a.png"], "the photo under way stays"
    user.drop(at_work)
    held.set()
    user.wait_for_the_end()
    assert set(user.states().values()) == {"saved"}
    assert sorted(files(at_work / "denoised")) == ["a_denoised.png", "b_denoised.png", "c_denoised.png"]


def test_a_defect_that_one_photo_meets_does_not_stop_the_others(user, photos, monkeypatch):
    folder, true = photos("a.png", "b.png", "c.png"), batch_module.denoise_file

    def with_a_defect(source, *arguments, **options):
        if source.name == "b.png":
            raise ValueError("shapes differ")
        return true(source, *arguments, **options)

    monkeypatch.setattr(batch_module, "denoise_file", with_a_defect)
    user.drop(folder)
    user.start()
    user.wait_for_the_end()
    assert user.states() == {"a.png": "saved", "b.png": "failed", "c.png": "saved"}
    text = user.dialog.reasons.toPlainText()
    assert "b.png: An unexpected error (ValueError: shapes differ)." in text and "Traceback" in text


def test_closing_asks_once_and_stops_the_queue_after_a_yes(qtbot, window, user, at_work):
    window.close()
    window.close()
    assert window.isVisible() and len(window.findChildren(QMessageBox, "queueCloseDialog")) == 1
    box = window.findChild(QMessageBox, "queueCloseDialog")
    assert box.text().startswith("0 of the 3 photos in the queue are done.")
    qtbot.mouseClick(box.button(NO), Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: window.findChild(QMessageBox, "queueCloseDialog") is None)
    assert window.isVisible() and user.queue.phase is Phase.WORKING
    window.close()
    worker = user.queue._worker
    qtbot.mouseClick(window.findChild(QMessageBox, "queueCloseDialog").button(YES), Qt.MouseButton.LeftButton)
    assert not window.isVisible() and not user.dialog.isVisible() and worker.isFinished()
    assert not (at_work / "denoised").exists()


def test_closing_the_list_leaves_the_queue_at_work(qtbot, window, user, at_work, held):
    qtbot.keyClick(user.dialog, Qt.Key.Key_Escape)
    assert not user.dialog.isVisible() and user.queue.phase is Phase.WORKING
    user.click(window.findChild(QToolButton, "queueButton"))
    assert user.dialog.isVisible()
    user.dialog.close()
    held.set()
    user.wait_for_the_end()
    window.actions_.queue.trigger()
    assert user.dialog.isVisible() and set(user.states().values()) == {"saved"}


def test_the_list_follows_the_photo_under_way_unless_a_person_scrolls(user, photos):
    user.drop(photos(*(f"{number:02}.png" for number in range(60))))
    table, items = user.dialog.table, user.queue.items

    def comes_under_way(row):
        items[row].state = "under way"
        user.queue.itemChanged.emit(row)

    def is_in_view(row):
        return table.viewport().rect().contains(table.visualRect(table.model().index(row, 0)))

    for row in range(45):
        comes_under_way(row)
        assert is_in_view(row)
    assert not is_in_view(0)
    table.scrollToTop()
    comes_under_way(45)
    assert is_in_view(0) and not is_in_view(45)


def test_the_clock_of_a_gate_stands_still_while_it_is_held(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    gate = Gate()
    now[0] += 5
    gate.hold()
    now[0] += 7
    gate.hold()
    now[0] += 7
    assert gate.clock() == 105
    gate.release()
    now[0] += 3
    gate.release()
    assert gate.clock() == 108 and not gate.should_stop()
    gate.hold()
    gate.stop()
    assert gate.should_stop() and gate.clock() == 108
    gate.hold()
    assert gate.should_stop(), "what is stopped is not held any more"
