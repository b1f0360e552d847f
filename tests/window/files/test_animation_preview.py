"""The preview in the dialog of an animation: its frames are those of the file, made in the background."""

import threading

import numpy as np
import pytest
from animation_person import ROWS, chooses, frames_of, pick, run_of
from dialog_person import Person, saves
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QCheckBox, QComboBox, QMessageBox
from scripted_session import show

from nerd_gui.denoising.animation import Frames
from nerd_gui.window.files.animation_dialog import AnimationDialog
from nerd_gui.window.files.animation_preview import AnimationPreview


@pytest.fixture
def animated(window):
    show(window.session, run_of(4))
    return window


def preview_of(dialog):
    return dialog.findChild(AnimationPreview)


def painted(preview):
    """What the preview shows, (rows, cols, 3)."""
    image = preview.grab().toImage().convertToFormat(QImage.Format.Format_RGB888)
    flat = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    return flat[:, : 3 * image.width()].reshape(image.height(), image.width(), 3).copy()


def shows(picture, frame):
    """Whether a frame stands in the middle of a picture, pixel by pixel."""
    height, width, _ = frame.shape
    top, left = (picture.shape[0] - height) // 2, (picture.shape[1] - width) // 2
    return np.array_equal(picture[top : top + height, left : left + width], frame)


def test_every_frame_is_played_as_it_will_be_saved(qtbot, animated, tmp_path):
    seen = {}

    def watch(dialog):
        preview = preview_of(dialog)

        def note():
            if preview.image is not None:
                seen[preview.index] = painted(preview)
            return len(seen) == 4

        qtbot.waitUntil(note)

    path = tmp_path / "run.png"
    with Person(chooses(longest=90, rate="15", meanwhile=watch), saves(str(path))):
        animated.actions_.export_animation.trigger()
    frames = frames_of(path)  # with caption and curve
    assert frames[0].shape[1] > 300 and len(frames) == 4
    for index, frame in enumerate(frames):
        found = [shown for shown, picture in seen.items() if shows(picture, frame)]
        assert found == [index]


def test_what_is_chosen_is_played_at_once(qtbot, animated):
    def watch(dialog):
        preview = preview_of(dialog)
        qtbot.waitUntil(lambda: len(preview._images) == 4)
        QTest.keyClick(dialog.findChild(QCheckBox, "animationLoopBox"), Qt.Key.Key_Space)
        pick(dialog.findChild(QComboBox, "animationRateCombo"), "15")
        qtbot.waitUntil(lambda: preview.index == 3)
        assert not preview._turn.isActive(), "it ends, because it does not repeat"
        with_curve = preview.image.width()
        QTest.keyClick(dialog.findChild(QCheckBox, "animationCurveBox"), Qt.Key.Key_Space)
        qtbot.waitUntil(lambda: preview.image.width() < with_curve and preview.index == 3)
        assert preview.image.height() > ROWS  # the caption is below the picture

    with Person(chooses(longest=90, meanwhile=watch, leave=True)):
        animated.actions_.export_animation.trigger()
    assert not animated.saver.busy


def test_a_large_animation_is_drawn_small_and_not_on_the_thread_of_the_window(qtbot, animated, monkeypatch):
    threads, true = [], Frames.draw

    def draw(frames, index):
        threads.append(threading.get_ident())
        return true(frames, index)

    monkeypatch.setattr(Frames, "draw", draw)

    def watch(dialog):
        preview = preview_of(dialog)
        qtbot.waitUntil(lambda: preview.image is not None)
        size = preview.image.size()
        assert size.width() == preview.width() and size.height() <= preview.height()

    with Person(chooses(longest=2048, meanwhile=watch, leave=True)):
        animated.actions_.export_animation.trigger()
    assert threads and threading.get_ident() not in threads


def test_an_error_is_told(qtbot, animated, monkeypatch):
    def fail(*_):
        raise MemoryError("no room")

    monkeypatch.setattr(Frames, "draw", fail)
    said = []

    def read(box):
        said.append(box.text())
        box.close()
        animated.findChild(AnimationDialog).activateWindow()

    with Person((QMessageBox, read), chooses(leave=True)):
        animated.actions_.export_animation.trigger()
    assert "The preview was not drawn" in said[0] and "no room" in said[0]
