"""The rate at which iterates are played, chosen in its menu."""

import time

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu, QToolButton
from scripted_session import arrive, make_iterate, make_trajectory, show

from nerd_gui.window.scrubber.scrubber import Scrubber
from nerd_gui.window.session.session import Session

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def scrubber(qtbot):
    made = Scrubber(Session())
    qtbot.addWidget(made)
    made.show()
    qtbot.waitExposed(made)
    show(made._session, make_trajectory([1 / (1 + index) for index in range(4)]))
    made._session.go(0)
    return made


def button(scrubber, name):
    return scrubber.findChild(QToolButton, name)


def choose(qtbot, scrubber, text):
    """Choose in the menu by click."""
    menu = scrubber.findChild(QMenu, "playRateMenu")
    action = next(action for action in menu.actions() if action.text() == text)
    menu.popup(scrubber.mapToGlobal(scrubber.rect().bottomLeft()))
    qtbot.mouseClick(menu, LEFT, pos=menu.actionGeometry(action).center())


def times_of_play(qtbot, scrubber):
    """Return when each iterate was shown, in seconds after the click on play."""
    times = {}
    scrubber._session.indexChanged.connect(lambda index: times.setdefault(index, time.perf_counter() - start))
    start = time.perf_counter()
    qtbot.mouseClick(button(scrubber, "playButton"), LEFT)
    qtbot.waitUntil(lambda: not scrubber.playing)
    return times


@pytest.mark.parametrize(("text", "rate"), [("15 iterates a second", 15), ("8 iterates a second", 8)])
def test_iterates_are_played_at_the_rate_chosen(qtbot, scrubber, text, rate):
    choose(qtbot, scrubber, text)
    assert button(scrubber, "playRate").text() == f"{rate}/s"
    assert button(scrubber, "playRate").accessibleName() == f"Playback rate: {rate} a second"
    assert f"{rate} iterates a second" in button(scrubber, "playButton").toolTip()
    times = times_of_play(qtbot, scrubber)
    assert list(times) == [1, 2, 3]
    assert times[3] >= 0.95 * 3 / rate and times[3] < 3 / rate + 1, "a busy machine may be late"


def test_four_a_second_is_usual_and_another_rate_takes_effect_at_once(qtbot, scrubber):
    assert button(scrubber, "playRate").text() == "4/s"
    qtbot.mouseClick(button(scrubber, "playButton"), LEFT)
    assert scrubber._timer.interval() == 250
    choose(qtbot, scrubber, "1 iterate a second")
    assert scrubber.playing and scrubber._timer.interval() == 1000
    qtbot.mouseClick(button(scrubber, "playButton"), LEFT)


def test_over_and_over_again_until_it_is_paused(qtbot, scrubber):
    choose(qtbot, scrubber, "15 iterates a second")
    choose(qtbot, scrubber, "Repeat forever")
    assert "repeating forever" in button(scrubber, "playRate").accessibleName()
    seen = []
    scrubber._session.indexChanged.connect(seen.append)
    qtbot.mouseClick(button(scrubber, "playButton"), LEFT)
    qtbot.waitUntil(lambda: len(seen) >= 8)
    assert seen[:8] == [1, 2, 3, 0, 1, 2, 3, 0] and scrubber.playing
    trajectory = scrubber._session.trajectory
    trajectory.stop_reason = None
    arrive(scrubber._session, make_iterate(4, 0.1))
    qtbot.waitUntil(lambda: 4 in seen)
    qtbot.mouseClick(button(scrubber, "playButton"), LEFT)
    assert not scrubber.playing


def test_rate_and_loop_are_remembered(make_window, photo_path):
    window = make_window(photo_path)
    for name in ("playRate8Action", "playLoopAction"):
        window.findChild(QAction, name).trigger()
    window.close()
    again = make_window(photo_path)
    assert button(again, "playRate").text() == "8/s ↻"
