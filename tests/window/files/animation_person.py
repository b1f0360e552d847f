"""A simulated user of the dialog of an animation, and a run for it."""

import numpy as np
from PIL import Image
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QCheckBox, QComboBox, QPushButton, QSpinBox
from scripted_session import make_iterate, make_trajectory

from nerd_gui.denoising import Subject
from nerd_gui.imaging import Photo
from nerd_gui.window.files.animation_dialog import AnimationDialog

LEFT = Qt.MouseButton.LeftButton
ROWS, COLS = 60, 90


def run_of(count):
    random = np.random.default_rng(0)
    noisy = random.uniform(0, 1, (1, ROWS, COLS)).astype(np.float32)
    trajectory = make_trajectory([])
    trajectory.subject = Subject(Photo(noisy, name="grain"), noisy)
    for index in range(count):
        n_hat = random.normal(0, 0.1, noisy.shape).astype(np.float16)
        trajectory.add(make_iterate(index, 1 / (1 + index), n_hat=n_hat, known=False))
    return trajectory


def chooses(*, curve=None, longest=None, part=None, rate=None, meanwhile=lambda dialog: None, leave=False):
    """Return a step that sets the dialog with mouse and keys, and continues to the name."""

    def act(dialog):
        if part is not None:
            pick(dialog.findChild(QComboBox, "animationPartCombo"), part)
        if rate is not None:
            pick(dialog.findChild(QComboBox, "animationRateCombo"), rate)
        if longest is not None:
            spin = dialog.findChild(QSpinBox, "animationSideSpin")
            spin.setFocus()
            spin.selectAll()
            QTest.keyClicks(spin, f"{longest}\t")
        if curve is not None:
            box = dialog.findChild(QCheckBox, "animationCurveBox")
            if box.isChecked() != curve:
                QTest.keyClick(box, Qt.Key.Key_Space)
        meanwhile(dialog)
        if leave:
            QTest.keyClick(dialog, Qt.Key.Key_Escape)
        else:
            QTest.mouseClick(dialog.findChild(QPushButton, "animationNameButton"), LEFT)

    return AnimationDialog, act


def pick(combo, text):
    combo.setFocus()
    QTest.keyClick(combo, Qt.Key.Key_Home)
    while not combo.currentText().startswith(text):
        QTest.keyClick(combo, Qt.Key.Key_Down)


def frames_of(path):
    with Image.open(path) as image:
        frames = []
        for index in range(image.n_frames):
            image.seek(index)
            frames.append(np.asarray(image.convert("RGB")))
        return frames
