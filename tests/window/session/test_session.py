"""The session: changing settings keeps its runs, pins belong to the photo, and both can be undone."""

import numpy as np
import pytest
from scripted_session import make_trajectory, show
from window_person import run_to_the_end

from nerd_gui.imaging import sample_names, save_picture
from nerd_gui.window.session.pins import MOST
from nerd_gui.window.session.session import Session


@pytest.fixture
def window(qtbot, make_window, tmp_path, tiny_photo):
    save_picture(tmp_path / "photo.png", tiny_photo)
    made = make_window(tmp_path / "photo.png")
    qtbot.waitUntil(lambda: made.session.workspace.photo is not None)
    made.noise.mode.setCurrentText("Add noise")
    made.controls.settings_button.max_iter.setValue(3)
    return made


def pixels(session):
    return [pin.pixel for pin in session.pins.all]


def test_nothing_that_is_turned_takes_a_run_away(qtbot, window):
    session = window.session
    first = run_to_the_end(qtbot, window)
    session.pins.put(5, 5)
    session.go(1)
    assert session.differs == ""
    window.noise.sigma.setValue(30)
    window.controls.solver.setCurrentText("Plain iteration")
    assert session.run is first and session.index == 1 and pixels(session) == [(5, 5)]
    assert session.differs == "The noise is now σ 30, seed 0; this run had σ 25, seed 0."
    second = run_to_the_end(qtbot, window)
    assert list(session.runs) == [first, second] and session.run is second and session.differs == ""
    assert (first.number, second.number, second.name) == (1, 2, "Run 2") and second.subject.sigma == 30
    session.show_run(first)
    assert session.index == 1 and not session.follow, "at the iterate that was shown last"
    assert np.array_equal(first.trajectory[3].n_hat, session.trajectory[3].n_hat) and pixels(session) == [(5, 5)]


def test_another_photo_finds_no_run_of_the_one_before_which_can_be_gone_back_to(qtbot, window, open_built_in):
    session, seen = window.session, []
    run = run_to_the_end(qtbot, window)
    session.pins.put(5, 5)
    session.go(2)
    name = session.workspace.photo.name
    for signal in (session.photoChanged, session.subjectChanged):
        signal.connect(lambda: seen.append((session.run, list(session.runs), session.index, session.pins.all)))
    open_built_in(window, sample_names()[1])
    assert seen[:2] == [(None, [], -1, ())] * 2
    assert [photo.name for photo in session.left_photos] == [name] and not session.history.canUndo()
    session.go_back()
    assert session.workspace.photo.name == name and list(session.runs) == [run] and session.run is run
    assert session.index == 2 and pixels(session) == [(5, 5)] and session.left_photos == [], "nothing ran in between"
    assert session.workspace.add_noise and session.differs == ""
    assert run_to_the_end(qtbot, window).number == 2


def test_a_run_is_looked_at_while_another_is_under_way(qtbot, window, held):
    session = window.session
    window.controls.settings_button.max_iter.setValue(6)
    window.run()
    qtbot.waitUntil(lambda: session.run.newest >= 1)
    with qtbot.waitSignal(session.controller.ended):
        session.controller.stop()
    first = session.run
    count = len(first.trajectory)
    window.run()
    second = session.run
    session.show_run(first)
    held.set()
    with qtbot.waitSignal(session.controller.ended, timeout=30_000) as ended:
        pass
    assert ended.args[1] is second and second.newest == 6
    assert session.run is first and session.newest == count - 1 and session.index == count - 1


def test_a_removed_run_comes_back_where_it_was(qtbot):
    session = Session()
    for last in (0.3, 0.2, 0.1):
        show(session, make_trajectory([0.5, last]))
    first, second, third = session.runs
    session.show_run(second)
    session.go(0)
    session.compare(second, 1)
    session.remove_run(second)
    assert list(session.runs) == [first, third] and session.run is third and session.compared is None
    session.history.undo()
    assert list(session.runs) == [first, second, third] and session.run is second and session.index == 0
    session.history.redo()
    assert list(session.runs) == [first, third]
    session.remove_run(third)
    session.remove_run(first)
    assert len(session.runs) == 0 and session.run is None and session.index == -1
    show(session, make_trajectory([0.5]))
    assert session.run.number == 4, "no number comes twice"


def test_a_name_can_be_given_and_taken_back():
    session = Session()
    show(session, make_trajectory([0.5]))
    run = session.run
    session.runs.rename(run, " Anderson ")
    assert run.name == "Anderson"
    session.runs.rename(run, "")
    assert run.name == "Run 1"
    session.history.undo()
    assert run.name == "Anderson" and session.history.redoText() == "renaming a run"


def test_noise_and_region_can_be_taken_back(window):
    session, workspace = window.session, window.session.workspace
    before = workspace.sigma
    for sigma in (1, 15, 17):  # while it is typed
        window.noise.sigma.setValue(sigma)
    window.intentions.take_region(0, 0, 16, 16)
    assert workspace.sigma == 17 and workspace.region is not None
    session.history.undo()
    assert workspace.region is None and workspace.sigma == 17
    session.history.undo()
    assert workspace.sigma == before and window.noise.sigma.value() == before, "all digits at once"
    session.history.redo()
    assert window.noise.sigma.value() == 17


def test_a_pin_takes_the_place_of_the_others_or_stands_beside_them():
    session = Session()
    pins = session.pins
    pins.put(1, 2)
    pins.put(3, 4)
    assert pixels(session) == [(3, 4)] and pins.active == (3, 4)
    for row in range(5, 5 + MOST):
        pins.put(row, 0, beside=True)
    assert [pin.row for pin in pins.all] == list(range(5, 11)), "the oldest has gone"
    assert sorted(pin.number for pin in pins.all) == list(range(1, MOST + 1))
    pins.put(7, 0, beside=True)
    assert [pin.row for pin in pins.all] == list(range(5, 11)) and pins.selected.pixel == (7, 0)
    pins.hover((20, 30))
    assert pins.active == (7, 0)
    pins.move(pins.selected, 50, 60)
    assert pins.active == (50, 60) and len(pins.all) == MOST
    pins.move(pins.selected, 5, 0)
    assert pins.active == (50, 60), "a pin is there"
    number = pins.selected.number
    pins.remove(pins.selected)
    assert len(pins.all) == MOST - 1 and number not in {pin.number for pin in pins.all} and pins.selected is not None
    pins.clear()
    assert pins.all == () and pins.active == (20, 30)
    session.history.undo()
    assert len(pins.all) == MOST - 1
    session.history.undo()
    assert pins.active == (50, 60)


def test_what_is_shown_can_be_saved(qtbot, window):
    run = run_to_the_end(qtbot, window)
    window.session.show_run(None)
    assert not window.actions_.export.isEnabled()
    window.session.show_run(run)
    assert window.actions_.export.isEnabled()


def test_a_run_that_is_shown_again_is_where_it_was_left():
    session = Session()
    seen = []
    session.indexChanged.connect(seen.append)
    show(session, make_trajectory([0.5, 0.1, 0.2]))
    session.go(1)
    show(session, make_trajectory([0.5, 0.1]))
    session.show_run(session.runs[0])
    assert session.index == 1 and seen == [2, 1, -1, 1, -1, 1]
