"""Save animation…, from the menu to the file, which Pillow reads back."""

import threading

import numpy as np
import pytest
from animation_person import COLS, LEFT, ROWS, chooses, frames_of, run_of
from dialog_person import NO, YES, Person, answers, saves
from PySide6.QtWidgets import QComboBox, QLabel, QSpinBox
from scripted_session import arrive, make_iterate, show
from window_person import dialog_text

from nerd_gui.denoising import Look
from nerd_gui.imaging import to_8_bit
from nerd_gui.window.files import export_dialogs


@pytest.fixture
def animated(window):
    show(window.session, run_of(4))
    return window


def test_from_the_menu_to_a_file_with_every_iterate(animated, tmp_path):
    action = animated.actions_.export_animation
    assert action.isEnabled() and action.text().replace("&", "") == "Save animation…"
    said = []

    def note(dialog):
        said.append(dialog.findChild(QLabel, "animationOutcome").text())

    path = tmp_path / "run.webp"
    with Person(chooses(curve=False, longest=90, rate="8", meanwhile=note), saves(str(path))):
        action.trigger()
    trajectory = animated.session.trajectory
    frames = frames_of(path)
    assert len(frames) == 4
    height, width, _ = frames[0].shape
    assert said == [f"4 frames of {width} × {height} pixels, 2.4 s"]
    left = (width - COLS) // 2
    for index, frame in enumerate(frames):
        expected = to_8_bit(trajectory.picture(index))[0]
        np.testing.assert_array_equal(frame[:ROWS, left : left + COLS, 0], expected)
    assert "run.webp" in animated.statusBar().currentMessage()


def test_what_is_in_view_in_the_look_that_is_shown(animated, tmp_path):
    view, look = animated.picture_view, Look(0.4, 0.4)
    animated.session.set_look(look)
    view.set_zoom(32)
    part = view.part_in_view()
    path = tmp_path / "part.png"
    assert part[2] < ROWS
    with Person(chooses(part="Part in view", longest=64), saves(str(path))):
        animated.actions_.export_animation.trigger()
    expected = to_8_bit(animated.session.trajectory.picture(2, look, part))[0]
    factor = max(1, 64 // (2 * max(part[2:])))
    rows, cols = factor * part[2], factor * part[3]
    frame = frames_of(path)[2][..., 0]
    found = np.lib.stride_tricks.sliding_window_view(frame[:, : 64 + cols], (rows, cols))
    wanted = expected.repeat(factor, axis=0).repeat(factor, axis=1)
    assert (found == wanted).all(axis=(2, 3)).any(), "the part stands in the frame, pixel by pixel"


def test_the_choices_are_kept_for_the_next_time_and_what_comes_later_is_not_meant(animated, tmp_path):
    with Person(chooses(longest=128, rate="15"), saves(leave=True)):
        animated.actions_.export_animation.trigger()
    seen = []

    def note(dialog):
        seen.append(dialog.findChild(QSpinBox, "animationSideSpin").value())
        seen.append(dialog.findChild(QComboBox, "animationRateCombo").currentText())
        arrive(animated.session, make_iterate(4, 0.1, n_hat=np.zeros((1, ROWS, COLS), np.float16)))

    with Person(chooses(meanwhile=note), saves(str(tmp_path / "run.gif"))):
        animated.actions_.export_animation.trigger()
    assert seen == [128, "15 iterates a second"]
    assert len(frames_of(tmp_path / "run.gif")) == 4 and len(animated.session.trajectory) == 5


def test_leaving_saves_nothing(animated, tmp_path):
    with Person(chooses(leave=True)):
        animated.actions_.export_animation.trigger()
    assert not animated.saver.busy


def test_a_file_is_replaced_after_a_yes_only(animated, tmp_path):
    path = tmp_path / "run.webp"
    path.write_bytes(b"old")
    small = chooses(longest=64, curve=False)
    with Person(small, saves(str(path)), answers(NO), saves(leave=True)):
        animated.actions_.export_animation.trigger()
    assert path.read_bytes() == b"old"
    with Person(small, saves(str(path)), answers(YES)):
        animated.actions_.export_animation.trigger()
    assert len(frames_of(path)) == 4


def test_it_is_saved_in_the_background_and_can_be_cancelled(qtbot, animated, tmp_path, monkeypatch):
    path, go_on = tmp_path / "run.webp", threading.Event()
    true = export_dialogs.save_animation

    def slow(*arguments, tell, **how):
        def told(fraction):
            go_on.wait(10)
            tell(fraction)

        true(*arguments, tell=told, **how)

    monkeypatch.setattr(export_dialogs, "save_animation", slow)
    with Person(chooses(longest=64), saves(str(path)), waits=False):
        animated.actions_.export_animation.trigger()
    cancel = animated.saving_line.cancel
    qtbot.waitUntil(cancel.isVisible)
    animated.session.go(1)
    assert animated.session.index == 1, "the window goes on"
    qtbot.mouseClick(cancel, LEFT)
    go_on.set()
    qtbot.waitUntil(lambda: not animated.saver.busy)
    assert not path.exists() and "was not saved, because you cancelled it" in animated.statusBar().currentMessage()


def test_an_ending_that_is_no_animation_is_said_in_a_sentence(animated, tmp_path):
    with Person(chooses(longest=64), saves(str(tmp_path / "run.mp4"))):
        animated.actions_.export_animation.trigger()
    assert "cannot be an animation; choose a name that ends in .webp, .png or .gif" in dialog_text(animated)
    assert not list(tmp_path.glob("run*"))
