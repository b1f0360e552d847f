"""The list of runs, used with mouse and keys; its contents are read from its rows, its pixels and the session."""

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QContextMenuEvent, QKeyEvent
from PySide6.QtWidgets import QApplication, QLineEdit, QMenu, QToolButton
from runs_person import LEFT, add, box_of, click, make_run, place_of, rows

from nerd_gui.denoising.whole_photo import PhotoProgress
from nerd_gui.window.runs.model import THUMBNAIL_SIDE
from nerd_gui.window.runs.panel import RunsPanel
from nerd_gui.window.runs.thumbnail import thumbnail
from nerd_gui.window.session.session import Session
from nerd_gui.window.style.tokens import series_colour


@pytest.fixture
def session():
    return Session()


@pytest.fixture
def panel(qtbot, session):
    made = RunsPanel(session)
    qtbot.addWidget(made)
    made.resize(420, 400)
    made.show()
    qtbot.waitExposed(made)
    return made


@pytest.fixture
def three(session, panel):
    """Three solvers; the third run is shown."""
    plain = make_run(2, solver="plain", sigma=None, known=False)
    made = [make_run(4), make_run(3, solver="anderson", sigma=10.0), plain]
    add(session, *made)
    return made


def test_a_row_says_what_was_asked_and_what_was_found(panel, three):
    first, second, third = rows(panel.view)
    assert first.name == "Run 1" and first.asked == "nerd-lite · Broyden · σ 25"
    assert first.found == "4 steps · residual 4.0e-3 · 24.00 dB · 2.0 s"
    assert second.asked == "nerd-lite · Anderson · σ 10" and second.state == "converged"
    assert third.asked == "nerd-lite · Plain iteration · no noise added"
    assert third.found == "2 steps · residual 4.5e-2 · 1.0 s"  # its PSNR is not known
    assert [row.shown for row in (first, second, third)] == [False, False, True]


def test_the_window_is_named_where_it_is_not_the_networks_own(session, panel, tiny_net):
    own, other = make_run(), make_run(window=9)
    own.net = other.net = tiny_net  # q 5
    own.trajectory.window = 5
    add(session, own, other)
    assert [row.asked for row in rows(panel.view)] == ["nerd-lite · Broyden · σ 25", "nerd-lite · Broyden · σ 25 · q 9"]


def test_a_region_is_named(session, panel):
    add(session, make_run(region=(3, 4, 24, 24)))
    assert rows(panel.view)[0].asked.endswith("region 24 × 24")


def test_a_click_shows_a_run_at_the_iterate_where_it_was_left(qtbot, session, panel, three):
    session.show_run(three[0])
    session.go(2)
    session.show_run(three[1])
    click(qtbot, panel.view, place_of(panel.view, 0))
    assert session.run is three[0] and session.index == 2
    assert [row.shown for row in rows(panel.view)] == [True, False, False]


def test_up_and_down_show_the_other_runs(qtbot, session, panel, three):
    panel.view.setFocus()
    qtbot.keyClick(panel.view, Qt.Key.Key_Up)
    assert session.run is three[1]
    qtbot.keyClick(panel.view, Qt.Key.Key_Up)
    qtbot.keyClick(panel.view, Qt.Key.Key_Up)  # there is no row above
    assert session.run is three[0]
    qtbot.keyClick(panel.view, Qt.Key.Key_Down)
    assert session.run is three[1]


def test_the_list_follows_the_session(session, panel, three):
    session.show_run(three[0])
    assert panel.view.currentIndex().row() == 0


def test_the_box_overlays_curves_and_shows_no_other_run(qtbot, session, panel, three):
    click(qtbot, panel.view, box_of(panel.view, 0))
    assert session.runs.overlaid == [three[0]] and session.run is three[2]
    assert rows(panel.view)[0].overlaid
    click(qtbot, panel.view, box_of(panel.view, 0))
    assert session.runs.overlaid == []
    qtbot.mouseDClick(panel.view.viewport(), LEFT, pos=box_of(panel.view, 0))
    assert panel.findChild(QLineEdit, "runNameEdit") is None  # it does not rename


def test_the_key_o_overlays_the_shown_run(qtbot, session, panel, three):
    qtbot.keyClick(panel.view, Qt.Key.Key_O)
    assert session.runs.overlaid == [three[2]]


@pytest.mark.parametrize("dark", [False, True])
def test_a_checked_box_has_the_runs_colour(session, panel, three, dark):
    palette = panel.palette()
    for role in (palette.ColorRole.Base, palette.ColorRole.Window):
        palette.setColor(role, QColor("#26292d" if dark else "white"))
    panel.view.setPalette(palette)
    for row in range(3):
        session.runs.set_overlaid(three[row], True)
        centre = box_of(panel.view, row)
        image = panel.view.viewport().grab().toImage()
        seen = image.pixelColor(centre.x() - 5, centre.y() - 4)  # beside the tick
        assert seen == series_colour(row, dark=dark)


@pytest.mark.parametrize("start", ["F2", "double click"])
def test_a_run_is_renamed_in_place_and_back(qtbot, session, panel, three, start):
    if start == "F2":
        panel.view.setFocus()
        qtbot.keyClick(panel.view, Qt.Key.Key_F2)
    else:
        click(qtbot, panel.view, place_of(panel.view, 2))
        qtbot.mouseDClick(panel.view.viewport(), LEFT, pos=place_of(panel.view, 2))
    editor = panel.findChild(QLineEdit, "runNameEdit")
    assert editor.text() == "Run 3" and editor.selectedText() == "Run 3"
    qtbot.keyClicks(editor, "the plain one")
    session.runs.changed.emit()  # another run continues meanwhile
    assert editor.text() == "the plain one"
    qtbot.keyClick(editor, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: three[2].name == "the plain one")
    assert rows(panel.view)[2].name == "the plain one"
    session.history.undo()
    assert rows(panel.view)[2].name == "Run 3"


def test_escape_keeps_the_name(qtbot, session, panel, three):
    qtbot.keyClick(panel.view, Qt.Key.Key_F2)
    editor = panel.findChild(QLineEdit, "runNameEdit")
    qtbot.keyClicks(editor, "never")
    qtbot.keyClick(editor, Qt.Key.Key_Escape)
    assert three[2].name == "Run 3" and not session.history.canUndo()


def test_delete_removes_a_run_and_undo_brings_it_back(qtbot, session, panel, three):
    session.show_run(three[1])
    session.go(1)
    qtbot.keyClick(panel.view, Qt.Key.Key_Delete)
    assert list(session.runs) == [three[0], three[2]] and session.run in (three[0], three[2])
    assert [row.name for row in rows(panel.view)] == ["Run 1", "Run 3"]
    session.history.undo()
    assert [row.name for row in rows(panel.view)] == ["Run 1", "Run 2", "Run 3"]
    assert session.run is three[1] and session.index == 1
    assert panel.view.currentIndex().row() == 1


@pytest.mark.parametrize("key", [Qt.Key.Key_Left, Qt.Key.Key_Home, Qt.Key.Key_End, Qt.Key.Key_Space, Qt.Key.Key_H])
def test_keys_of_the_scrubber_and_the_picture_are_left_to_them(session, panel, three, key):
    event = QKeyEvent(QKeyEvent.Type.KeyPress, key, Qt.KeyboardModifier.NoModifier)
    panel.view.keyPressEvent(event)
    assert not event.isAccepted() and session.run is three[2] and session.runs.overlaid == []


def entry(menu, name):
    (action,) = [action for action in menu.actions() if action.objectName() == name]
    return action


def test_the_menu_does_what_it_says(qtbot, session, panel, three):
    three[0].index = 3
    menu = panel.menu(three[0])
    entry(menu, "showRunAction").trigger()
    assert session.run is three[0]
    entry(menu, "overlayRunAction").trigger()
    assert session.runs.overlaid == [three[0]] and entry(panel.menu(three[0]), "overlayRunAction").isChecked()
    with qtbot.waitSignal(panel.keepWanted) as kept:
        assert "iterate 3" in entry(menu, "keepRunIterateAction").text()
        entry(menu, "keepRunIterateAction").trigger()
    assert kept.args == [three[0], 3]
    with qtbot.waitSignal(panel.saveWanted) as saved:
        entry(menu, "saveRunAction").trigger()
    assert saved.args == [three[0]]
    entry(menu, "renameRunAction").trigger()
    assert panel.findChild(QLineEdit, "runNameEdit").text() == "Run 1"
    entry(menu, "removeRunAction").trigger()
    assert list(session.runs) == three[1:]


def test_the_menu_opens_by_mouse_for_the_run_under_it(qtbot, panel, three):
    place = place_of(panel.view, 0)
    with qtbot.waitSignal(panel.view.menuWanted) as wanted:
        reason = QContextMenuEvent.Reason.Mouse
        event = QContextMenuEvent(reason, place, panel.view.viewport().mapToGlobal(place))
        QApplication.sendEvent(panel.view.viewport(), event)
    assert wanted.args[0] is three[0]
    menu = panel.findChild(QMenu, "runMenu")
    assert menu.isVisible()
    menu.close()


def test_the_shown_run_says_that_the_settings_are_others_now(session, panel, three):
    panel.say_changed("Chosen now: solver Broyden (was Plain iteration).")
    assert [row.changed for row in rows(panel.view)] == [False, False, True]
    tip = panel.view.currentIndex().data(Qt.ItemDataRole.ToolTipRole)
    assert "Chosen now: solver Broyden" in tip
    panel.say_changed("")
    assert not any(row.changed for row in rows(panel.view))


def test_a_run_under_way_says_how_far_it_is(session, panel, monkeypatch):
    run = make_run(5, finished=False, max_iter=20)
    add(session, run)
    monkeypatch.setattr(type(session.controller), "run", property(lambda _: run))
    row = rows(panel.view)[0]
    assert row.state == "running · 5 of 20" and row.progress == 0.25
    run.in_tiles, run.progress = True, PhotoProgress("tiles", 1, 4, 0.25)
    assert rows(panel.view)[0].state == "running · 25%"
    monkeypatch.setattr(type(session.controller), "paused", property(lambda _: True))
    assert rows(panel.view)[0].state == "paused · 25%"


def test_the_thumbnail_is_the_result_reduced(session, panel):
    ramp = np.linspace(0, 1, 400, dtype=np.float32)
    run = make_run(2, shape=(3, 200, 400))
    run.subject.noisy[:] = np.stack([ramp[None].repeat(200, 0), np.zeros((200, 400)), np.ones((200, 400))])
    for iterate in run.trajectory.iterates:
        iterate.n_hat[:] = 0
    image = thumbnail(run.trajectory, 2, THUMBNAIL_SIDE)
    assert (image.width(), image.height()) == (THUMBNAIL_SIDE, THUMBNAIL_SIDE)
    for x in (0, 40, 79):
        red, green, blue, _ = image.pixelColor(x, 30).getRgb()
        middle = (100 + (x + 0.5) * 200 / 80) / 399 * 255  # the central square of the photo
        assert abs(red - middle) < 3 and green == 0 and blue == 255


def test_the_thumbnail_of_a_small_photo_is_no_larger(session, panel):
    image = thumbnail(make_run(2, shape=(1, 20, 30)).trajectory, 2, THUMBNAIL_SIDE)
    assert (image.width(), image.height()) == (20, 20) and image.pixelColor(3, 3).red() in (127, 128)


def test_the_heading_folds_the_list_and_an_empty_one_says_what_it_is_for(qtbot, session, panel):
    label = panel.findChild(object, "noRunsLabel")
    assert label.isVisible() and not panel.view.isVisible()
    add(session, make_run(), make_run())
    heading = panel.findChild(QToolButton, "runsHeading")
    assert heading.text() == "Runs (2)" and panel.view.isVisible() and not label.isVisible()
    qtbot.mouseClick(heading, LEFT)
    assert panel.folded and not panel.view.isVisible()
    qtbot.mouseClick(heading, LEFT)
    assert not panel.folded and panel.view.isVisible()
