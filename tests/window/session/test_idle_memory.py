"""The memory of a run is kept for the next one, and returned to the system if none comes."""

import pytest

from nerd_gui.window.session import run_controller


@pytest.fixture
def trims(monkeypatch):
    """Count how often freed memory is returned, 20 ms after a run instead of half a minute."""
    made = []
    monkeypatch.setattr(run_controller.allocator, "trim", lambda: made.append(None))
    monkeypatch.setattr(run_controller, "_IDLE", 20)
    return made


@pytest.mark.parametrize("stopped", [False, True])
def test_memory_is_returned_some_time_after_the_last_run(qtbot, make_window, trims, held, stopped):
    window = make_window()
    window.run()
    qtbot.waitUntil(lambda: window.session.trajectory is not None and len(window.session.trajectory) >= 3)
    before = len(trims)  # a plan without room to spare returns memory, too
    assert window.session.controller.running and not window.session.controller._idle.isActive()
    if stopped:
        window.session.controller.stop()
    else:
        held.set()
        qtbot.waitUntil(lambda: not window.session.controller.running, timeout=30_000)
    qtbot.waitUntil(lambda: len(trims) == before + 1)


def test_a_run_that_begins_finds_the_memory_of_the_last_one(qtbot, make_window, trims, held, monkeypatch):
    monkeypatch.setattr(run_controller, "_IDLE", 60_000)
    window = make_window()
    window.run()
    window.session.controller.stop()
    assert window.session.controller._idle.isActive()
    window.run()
    assert not window.session.controller._idle.isActive()
