"""A session is saved from the menu, and reopens with the same view: from the menu, by a drop, or by command line."""

import json
import zipfile

import numpy as np
import pytest
from dialog_person import NO, YES, Person, answers, saves
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent
from PySide6.QtWidgets import QDoubleSpinBox, QFileDialog, QLabel, QMessageBox, QPushButton
from window_person import dialog_text, run_to_the_end

from nerd_gui.denoising import Look, PhotoProgress
from nerd_gui.denoising.session_file import SavedSession, write_session
from nerd_gui.denoising.session_file.fields import Fields
from nerd_gui.imaging import open_photo
from nerd_gui.window.files import session_files
from nerd_gui.window.picture.layers import Compare, Layer


def trigger(window, name):
    """Choose an action from the menu."""
    window.findChild(type(window.actions_.open), name).trigger()


def save_as(window, name):
    with Person(saves(name)):
        trigger(window, "saveSessionAsAction")


def wait_for_session(qtbot, window, path):
    qtbot.waitUntil(lambda: window.sessions.path == path)


@pytest.fixture
def worked_on(qtbot, window):
    """Make two runs, the first shown at iterate 2, with pins and a changed view."""
    run_to_the_end(qtbot, window)
    window.session.runs.rename(window.session.run, "with σ as it was")
    window.session.go(4)
    window.picture_view.hold_iterate()
    window.controls.solver.setCurrentIndex(window.controls.solver.findData("plain"))
    run_to_the_end(qtbot, window)
    session, view = window.session, window.picture_view
    session.runs.set_overlaid(session.runs[1], True)
    session.show_run(session.runs[0])
    session.go(2)
    session.set_look(Look(0.5, 0.5, 0.25))
    canvas = view.viewport()
    view.set_compare(Compare.SIDE_BY_SIDE, Layer.COMPARED, Layer.ITERATE)
    view.set_zoom(30)
    view._comparison.viewport.pan(-100, 60)
    canvas.refresh()
    for row, col, keys in ((20, 18, Qt.KeyboardModifier.NoModifier), (24, 22, Qt.KeyboardModifier.ControlModifier)):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("nerd_gui.window.picture.canvas.QGuiApplication.keyboardModifiers", lambda keys=keys: keys)
            qtbot.mouseClick(canvas, Qt.MouseButton.LeftButton, keys, view.position_of(row, col))
    session.pins.select(session.pins.all[0])
    window.modes.restore(Fields({"mode": "photo"}))
    return window


def description(window):
    """Return everything that a person sees of a session."""
    session, view = window.session, window.picture_view
    viewport = view._comparison.viewport
    return {
        "runs": [
            (run.number, run.name, run.overlaid, run.index, run.started, run.settings, run.trajectory.report())
            for run in session.runs
        ],
        "estimates": [[each.n_hat.tobytes() for each in run.trajectory.iterates] for run in session.runs],
        "shown": (session.run and session.run.number, session.index, session.follow),
        "pins": (session.pins.all, session.pins.selected),
        "compared": (kept := session.compared) and (kept.run.number, kept.index, kept.look),
        "look": session.look,
        "noise": (session.workspace.add_noise, session.workspace.sigma, session.workspace.seed),
        "region": session.workspace.region,
        "way": (view.compare(), viewport.zoom, viewport.row, viewport.col, viewport.fitted),
        "captions": view.captions(),
        "mode": window.modes.mode,
        "summary": window.summary.text(),
    }


def assert_same_view(window, other_description, picture):
    assert description(window) == other_description
    assert np.array_equal(window.picture_view.shown_picture(), picture)


def test_it_opens_to_the_same_view(qtbot, worked_on, make_window, tmp_path):
    before, picture = description(worked_on), worked_on.picture_view.shown_picture()
    assert before["way"][1] == 30 and len(before["pins"][0]) == 2 and before["shown"] == (1, 2, False)
    save_as(worked_on, str(tmp_path / "my work"))
    path = tmp_path / "my work.nerd"
    wait_for_session(qtbot, worked_on, path)
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None and json.loads(archive.read("session.json"))["view"]["picture"]["zoom"] == 30
    window = make_window(path)  # as `nerd-gui "my work.nerd"` does
    wait_for_session(qtbot, window, path)
    assert_same_view(window, before, picture)
    assert window.windowTitle() == "my work.nerd[*] — NERD GUI" and not window.isWindowModified()
    assert window.recent_files.paths[0] == path
    assert window.summary.text().startswith("Denoised: 40 × 48 pixels in ")  # the words of Photo mode
    assert "does not hold features" in window.findChild(QLabel, "attentionEmpty").text()
    window.modes.restore(Fields({"mode": "explore"}))
    assert window.picture_view.compare() == (Compare.SIDE_BY_SIDE, Layer.COMPARED, Layer.ITERATE)
    run_to_the_end(qtbot, window)  # and goes on
    assert [run.number for run in window.session.runs] == [1, 2, 3] and window.isWindowModified()


def test_by_a_drop_by_the_menu_and_from_the_recent_files(qtbot, worked_on, open_built_in, monkeypatch, tmp_path):
    window, path = worked_on, tmp_path / "a.nerd"
    before, picture = description(window), window.picture_view.shown_picture()
    save_as(window, str(path))
    wait_for_session(qtbot, window, path)

    def drop():
        data = QMimeData()
        data.setUrls([QUrl.fromLocalFile(str(path))])
        buttons, keys = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
        window.dropEvent(QDropEvent(QPointF(5, 5), Qt.DropAction.CopyAction, data, buttons, keys))

    def recent():
        window.actions_.recent.aboutToShow.emit()
        next(action for action in window.actions_.recent.actions() if "a.nerd" in action.text()).trigger()

    def menu():
        monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(path), ""))
        trigger(window, "openSessionAction")

    for way in (drop, menu, recent):
        open_built_in(window, "camera 256")
        assert window.sessions.path is None and "camera 256" in window.windowTitle()
        way()
        wait_for_session(qtbot, window, path)
        assert_same_view(window, before, picture)


def test_maps_of_a_run_from_a_file_are_there_when_it_is_run_again(qtbot, window, make_window, tmp_path):
    run_to_the_end(qtbot, window)
    save_as(window, str(tmp_path / "a.nerd"))
    wait_for_session(qtbot, window, tmp_path / "a.nerd")
    other = make_window(tmp_path / "a.nerd")
    wait_for_session(qtbot, other, tmp_path / "a.nerd")
    assert not other.notice_bar.sentence("features")
    view, empty = other.picture_view, other.findChild(QLabel, "attentionEmpty")
    qtbot.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=view.position_of(20, 18))
    assert "holds no features" in other.notice_bar.sentence("features") and "does not hold features" in empty.text()
    with qtbot.waitSignal(other.session.controller.ended, timeout=30_000):
        button = other.findChild(QPushButton, "featuresNoticeButton")
        qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert not other.notice_bar.sentence("features") and not empty.isVisible()
    first, second = other.session.runs
    for one, same in zip(first.trajectory.iterates, second.trajectory.iterates, strict=True):
        assert one.n_hat.tobytes() == same.n_hat.tobytes() and same.features is not None


def test_of_a_photo_that_is_not_finished_the_missing_part_is_said(qtbot, window, make_window, tmp_path):
    run_to_the_end(qtbot, window)
    window.session.run.in_tiles, window.session.run.progress = True, PhotoProgress("tiles", 3, 4, 0.75)
    save_as(window, str(tmp_path / "a.nerd"))
    wait_for_session(qtbot, window, tmp_path / "a.nerd")
    other = make_window(tmp_path / "a.nerd")
    wait_for_session(qtbot, other, tmp_path / "a.nerd")
    with Person(saves(str(tmp_path / "picture.png"))):
        other.actions_.export.trigger()
    assert "3 of 4 tiles" in dialog_text(other) and not other.actions_.pause.isEnabled()


def test_the_title_marks_what_has_changed_since(qtbot, window, tmp_path, photo_path):
    assert window.windowTitle() == "photo[*] — NERD GUI" and not window.isWindowModified(), "it has no file yet"
    save_as(window, str(tmp_path / "a"))
    wait_for_session(qtbot, window, tmp_path / "a.nerd")
    assert window.windowTitle() == "a.nerd[*] — NERD GUI" and not window.isWindowModified()
    window.session.pins.put(3, 4)
    assert window.isWindowModified()
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    qtbot.keyClick(window, Qt.Key.Key_S, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier)
    qtbot.waitUntil(lambda: not window.isWindowModified())
    with zipfile.ZipFile(tmp_path / "a.nerd") as archive:
        assert json.loads(archive.read("session.json"))["pins"] == [[1, 3, 4]]
    window.open_dialogs.open_file(photo_path)
    qtbot.waitUntil(lambda: window.sessions.path is None)
    assert window.windowTitle() == "photo[*] — NERD GUI" and not window.isWindowModified()


def test_no_file_is_replaced_without_a_yes(qtbot, window, tmp_path):
    (tmp_path / "taken.nerd").write_text("precious")
    with Person(saves(str(tmp_path / "taken")), answers(NO), saves(leave=True)):
        trigger(window, "saveSessionAction")
    assert (tmp_path / "taken.nerd").read_text() == "precious" and window.sessions.path is None
    with Person(saves(str(tmp_path / "taken")), answers(YES)):
        trigger(window, "saveSessionAction")
    wait_for_session(qtbot, window, tmp_path / "taken.nerd")
    assert zipfile.is_zipfile(tmp_path / "taken.nerd")


def test_saving_can_be_cancelled_and_leaves_the_old_file(qtbot, window, tmp_path, monkeypatch):
    save_as(window, str(tmp_path / "a.nerd"))
    wait_for_session(qtbot, window, tmp_path / "a.nerd")
    before, true = (tmp_path / "a.nerd").read_bytes(), session_files.write_session

    def slow(path, session, *, overwrite, tell):
        window.saver._current.cancel()
        true(path, session, overwrite=overwrite, tell=tell)

    run_to_the_end(qtbot, window)
    monkeypatch.setattr(session_files, "write_session", slow)
    trigger(window, "saveSessionAction")
    qtbot.waitUntil(lambda: not window.saver.busy)
    assert "was not saved" in window.statusBar().currentMessage() and window.isWindowModified()
    assert (tmp_path / "a.nerd").read_bytes() == before and not list(tmp_path.glob(".*"))


def test_a_bad_session_is_a_dialog_and_changes_nothing(qtbot, window, tmp_path):
    window.session.pins.put(3, 4)
    before = description(window)
    (tmp_path / "bad.nerd").write_bytes(b"PK\x03\x04 nothing")
    window.sessions.open(tmp_path / "bad.nerd")
    qtbot.waitUntil(lambda: bool(window.findChildren(QMessageBox)))
    assert "bad.nerd" in dialog_text(window)
    assert description(window) == before and window.sessions.path is None


@pytest.mark.parametrize("picture", [{"zoom": "wide"}, 5, {"mode": "WIPE"}])
def test_a_way_of_looking_that_is_none_is_said_and_the_rest_opens(qtbot, window, tmp_path, photo_path, picture):
    kept = SavedSession(open_photo(photo_path), pins=((2, 3, 4),), selected=7, view={"picture": picture})
    write_session(tmp_path / "a.nerd", kept, overwrite=False)
    window.sessions.open(tmp_path / "a.nerd")
    wait_for_session(qtbot, window, tmp_path / "a.nerd")
    assert "could not be restored" in window.notice_bar.sentence("session")
    assert window.session.pins.selected.pixel == (3, 4)


def test_a_photo_that_was_moved_is_found_by_the_person(qtbot, window, open_built_in, tmp_path, photo_path):
    run_to_the_end(qtbot, window)
    save_as(window, str(tmp_path / "a.nerd"))
    wait_for_session(qtbot, window, tmp_path / "a.nerd")
    before = description(window)
    open_built_in(window, "camera 256")
    moved = photo_path.rename(tmp_path / "moved.png")
    window.sessions.open(tmp_path / "a.nerd")
    qtbot.waitUntil(lambda: bool(window.findChildren(QMessageBox)))
    (box,) = window.findChildren(QMessageBox)
    assert "photo.png" in box.text() and window.session.workspace.photo.name == "camera 256"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(QFileDialog, "getOpenFileNames", lambda *_: ([str(moved)], ""))
        qtbot.mouseClick(box.buttons()[0], Qt.MouseButton.LeftButton)
    wait_for_session(qtbot, window, tmp_path / "a.nerd")
    qtbot.waitUntil(lambda: description(window)["way"] == before["way"])  # after the window's layout is final
    after = description(window)
    for run in (*before["runs"], *after["runs"]):
        assert run[-1]["photo"].pop("sha256") == open_photo(moved).sha256
        del run[-1]["photo"]  # which has been renamed
    assert after == before and window.session.workspace.photo.path == moved


def test_the_noise_of_a_run_and_that_of_the_next_one_are_kept_apart(qtbot, window, open_built_in, tmp_path):
    window.session.workspace.set_noise(add_noise=True, sigma=25, seed=3)
    run_to_the_end(qtbot, window)
    window.findChild(QDoubleSpinBox, "sigmaSpin").setValue(10)
    noisy, differs = window.session.run.subject.noisy, window.session.differs
    save_as(window, str(tmp_path / "a.nerd"))
    wait_for_session(qtbot, window, tmp_path / "a.nerd")
    open_built_in(window, "camera 256")
    window.sessions.open(tmp_path / "a.nerd")
    wait_for_session(qtbot, window, tmp_path / "a.nerd")
    session = window.session
    assert window.findChild(QDoubleSpinBox, "sigmaSpin").value() == 10 and session.run.subject.sigma == 25
    assert session.run.subject.noisy is not noisy and session.run.subject.noisy.tobytes() == noisy.tobytes()
    assert session.differs == differs != ""
