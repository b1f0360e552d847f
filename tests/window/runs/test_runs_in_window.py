"""The list of runs in the window: with the curves, the pictures, the bar of notices and the files."""

import csv

import numpy as np
import pytest
from dialog_person import Person, saves
from PIL import Image
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPushButton, QToolButton
from runs_person import LEFT, box_of, click, place_of, rows
from window_person import run_to_the_end

from nerd_gui.imaging import to_8_bit
from nerd_gui.window.modes import Mode
from nerd_gui.window.picture.layers import Compare, Layer


@pytest.fixture
def two(qtbot, window):
    """A window with runs of two solvers, of which the second is shown."""
    window.modes.take(Mode.EXPLORE)
    run_to_the_end(qtbot, window)
    window.controls.solver.setCurrentIndex(window.controls.solver.findData("plain"))
    run_to_the_end(qtbot, window)
    return window


def buttons(window):
    """Return the buttons in the notices, by their texts."""
    found = [*window.findChildren(QPushButton), *window.findChildren(QToolButton)]
    return {button.text(): button for button in found if button.isVisible() and button.text()}


def test_a_setting_that_is_turned_leaves_the_runs_and_marks_the_shown_one(qtbot, two):
    view, before = two.runs_panel.view, list(two.session.runs)
    assert [row.changed for row in rows(view)] == [False, False]
    two.controls.settings_button.max_iter.setValue(4)
    assert list(two.session.runs) == before and [row.changed for row in rows(view)] == [False, True]
    again = buttons(two)["Run again"]
    with qtbot.waitSignal(two.session.controller.ended, timeout=30_000):
        qtbot.mouseClick(again, LEFT)
    assert list(two.session.runs)[:2] == before and two.session.runs[2].newest == 4
    assert [row.changed for row in rows(view)] == [False] * 3 and "Run again" not in buttons(two)
    click(qtbot, view, place_of(view, 0))  # not the chosen solver
    assert rows(view)[0].changed and "solver Plain iteration (was Broyden)" in two.differences.sentence


def test_a_box_lays_the_curves_of_a_run_over_those_of_the_shown_one(qtbot, two, tmp_path):
    view, (first, second) = two.runs_panel.view, two.session.runs
    click(qtbot, view, box_of(view, 0))
    for slot, run in enumerate((first, second)):
        assert two.curves.residual_plot.points("residual", slot)[1] == pytest.approx(run.trajectory.curve("residual"))
    assert [row[0] for row in two.curves.run_legend.rows()] == [first.label, second.label]
    two.curves.export(tmp_path / "curves.csv")
    assert {row["run"] for row in csv.DictReader((tmp_path / "curves.csv").open())} == {"Run 1", "Run 2"}


def test_an_iterate_of_one_run_is_kept_and_compared_with_those_of_another(qtbot, two):
    view, (first, second) = two.runs_panel.view, two.session.runs
    click(qtbot, view, place_of(view, 0))
    two.session.go(2)
    click(qtbot, view, place_of(view, 1))
    menu = two.runs_panel.menu(first)
    next(action for action in menu.actions() if action.objectName() == "keepRunIterateAction").trigger()
    two.session.go(5)
    two.picture_view.set_compare(Compare.SIDE_BY_SIDE)
    assert two.picture_view.compare()[1:] == (Layer.COMPARED, Layer.ITERATE)
    kept, shown = two.picture_view.current()
    assert np.array_equal(kept, to_8_bit(first.trajectory.picture(2))[0])
    assert np.array_equal(shown, to_8_bit(second.trajectory.picture(5))[0])
    assert two.picture_view.captions() == ["iterate 2 of Run 1", "Run 2 · iterate 5"]
    run_to_the_end(qtbot, two)  # it stays after the next run
    assert two.picture_view.captions()[0] == "iterate 2 of Run 1"


def test_removing_is_undone_by_the_keys_of_the_window(qtbot, two):
    view, before = two.runs_panel.view, list(two.session.runs)
    view.setFocus()
    qtbot.keyClick(view, Qt.Key.Key_Delete)
    assert list(two.session.runs) == before[:1] and two.session.run is before[0]
    two.edit_actions.undo.trigger()
    assert list(two.session.runs) == before and two.session.run is before[1]


def test_scrub_keys_act_in_the_list_and_change_no_run(qtbot, two):
    view, shown = two.runs_panel.view, two.session.run
    two.activateWindow()
    view.setFocus()
    qtbot.keyClick(view, Qt.Key.Key_Home)
    assert two.session.index == 0
    qtbot.keyClick(view, Qt.Key.Key_Right)
    assert two.session.index == 1 and two.session.run is shown


def test_the_picture_of_a_run_is_saved_from_its_menu(two, tmp_path):
    first = two.session.runs[0]
    menu = two.runs_panel.menu(first)
    with Person(saves(str(tmp_path / "out.png"))):
        next(action for action in menu.actions() if action.objectName() == "saveRunAction").trigger()
    assert two.session.run is first
    two.saver.wait()
    assert np.array_equal(np.asarray(Image.open(tmp_path / "out.png")), to_8_bit(first.trajectory.picture(6))[0])


def test_the_list_is_hidden_while_a_photo_is_just_denoised(two):
    two.modes.take(Mode.PHOTO)
    assert not two.runs_panel.isVisible()
    two.modes.take(Mode.EXPLORE)
    assert two.runs_panel.isVisible()
