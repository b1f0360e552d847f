"""The session: which runs stay in memory, the pins, and what happens to both when the subject changes."""

import gc
import weakref

import pytest
from scripted_session import make_trajectory, show

from nerd_gui.imaging import sample_names, save_picture
from nerd_gui.window.session.pins import COLOURS
from nerd_gui.window.session.session import Session


@pytest.fixture
def window(qtbot, make_window, tmp_path, tiny_photo):
    save_picture(tmp_path / "photo.png", tiny_photo)
    made = make_window(tmp_path / "photo.png")
    qtbot.waitUntil(lambda: made.session.workspace.photo is not None)
    made.noise.mode.setCurrentText("Add noise")
    made.controls.settings_button.max_iter.setValue(3)
    return made


def run_to_the_end(qtbot, window):
    """A weak reference to the trajectory of a run, which has the features of all its iterates."""
    with qtbot.waitSignal(window.session.controller.ended, timeout=30_000):
        window.run()
    assert all(iterate.features is not None for iterate in window.session.trajectory.iterates)
    return weakref.ref(window.session.trajectory)


def alive(*references):
    gc.collect()
    return [reference() is not None for reference in references]


def test_of_many_runs_two_stay_in_memory(qtbot, window, open_built_in):
    window.session.compare_runs(True)
    window.session.pin(5, 5)
    first = run_to_the_end(qtbot, window)
    window.picture_view.hold_iterate()
    second = run_to_the_end(qtbot, window)
    assert window.session.reference is first()
    third = run_to_the_end(qtbot, window)
    assert alive(first, second, third) == [False, True, True]
    assert [run.trajectory for run in window.session.runs] == [second(), third()]
    window.noise.sigma.setValue(30)  # another subject: the curves of the run before may still be looked at
    assert window.session.run is None and alive(second, third) == [True, False]
    fourth = run_to_the_end(qtbot, window)
    assert alive(second) == [False] and window.session.reference is None
    open_built_in(window, sample_names()[1])
    assert alive(fourth) == [False] and window.session.runs == []


def test_another_subject_takes_run_pins_and_index_away(qtbot, window):
    session = window.session
    run_to_the_end(qtbot, window)
    session.pin(5, 5)
    session.go(1)
    window.noise.seed.setValue(7)
    assert session.run is None and session.trajectory is None and session.index == -1 and session.pins == ()
    assert session.follow and session.workspace.subject().seed == 7


def test_another_photo_finds_no_run_of_the_one_before(qtbot, window, open_built_in):
    session, seen = window.session, []
    run_to_the_end(qtbot, window)
    session.pin(5, 5)
    for signal in (session.photoChanged, session.subjectChanged):
        signal.connect(lambda: seen.append((session.run, session.runs, session.index, session.pins)))
    open_built_in(window, sample_names()[1])
    assert seen == [(None, [], -1, ())] * 2


def test_a_pin_takes_the_place_of_the_others_or_stands_beside_them():
    session = Session()
    session.pin(1, 2)
    session.pin(3, 4)
    assert [(pin.row, pin.col) for pin in session.pins] == [(3, 4)] and session.active_pixel == (3, 4)
    for row in range(5, 5 + len(COLOURS)):
        session.pin(row, 0, beside=True)
    assert [pin.row for pin in session.pins] == list(range(5, 11)), "the oldest has gone"
    assert len({pin.colour for pin in session.pins}) == len(COLOURS)
    session.pin(7, 0, beside=True)
    assert [pin.row for pin in session.pins] == [5, 6, 8, 9, 10, 7], "one pin for a pixel, which is the active one now"
    session.hover((20, 30))
    assert session.active_pixel == (7, 0)
    session.clear_pins()
    assert session.pins == () and session.active_pixel == (20, 30)


def test_a_run_without_iterates_is_no_reference():
    session = Session()
    session.compare_runs(True)
    first, second = make_trajectory([]), make_trajectory([0.5, 0.1])
    show(session, first)
    show(session, second)
    assert session.reference is None
    show(session, make_trajectory([0.4]))
    assert session.reference is second
    session.compare_runs(False)
    assert session.reference is None


def test_another_run_has_another_reference():
    session, seen = Session(), []
    session.compare_runs(True)
    session.referenceChanged.connect(lambda: seen.append(session.reference))
    first, second = make_trajectory([0.5]), make_trajectory([0.4])
    show(session, first)
    show(session, second)
    session.show_run(session.runs[0])
    assert seen == [None, first, second]


def test_what_is_shown_can_be_saved(qtbot, window):
    run_to_the_end(qtbot, window)
    run = window.session.run
    window.session.show_run(None)
    assert not window.actions_.export.isEnabled()
    window.session.show_run(run)
    assert window.actions_.export.isEnabled()


def test_a_run_that_is_shown_again_is_at_its_newest_iterate():
    session = Session()
    seen = []
    session.indexChanged.connect(seen.append)
    show(session, make_trajectory([0.5, 0.1, 0.2]))
    session.go(1)
    show(session, make_trajectory([0.5, 0.1]))
    session.show_run(session.runs[0])
    assert session.index == 2 and seen == [2, 1, -1, 1, -1, 2]
