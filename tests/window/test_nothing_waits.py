"""The whole window with three runs: how long its thread is busy at a time, in every use."""

import time

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QAction
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from scripted_session import make_iterate, make_trajectory, picture_of

from nerd_gui.denoising import Look, Subject
from nerd_gui.denoising.animation import AnimationSettings
from nerd_gui.equilibrium import StopReason
from nerd_gui.imaging import Photo, photo_noise
from nerd_gui.window.files.animation_dialog import AnimationDialog
from nerd_gui.window.modes import Mode
from nerd_gui.window.picture.layers import Compare, Layer
from nerd_gui.window.session.run import Run
from nerd_gui.window.session.workspace import Table

LONGEST = 0.050  # seconds, on an idle machine
ANYWHERE = 0.300  # and on a slow and busy one


def run_of(subject, count, solver):
    rows, cols = subject.rows, subject.cols
    trajectory = make_trajectory([], solver=solver)
    trajectory.subject = subject
    for index in range(count):
        n_hat = picture_of(rows, cols, np.float16, 1 + index)
        trajectory.add(make_iterate(index, 1 / (1 + index), n_hat=n_hat, known=False, noise_levels=(20.0,) * 3))
    trajectory.stop_reason = StopReason.CONVERGED
    return Run(subject, trajectory.settings, trajectory=trajectory, over=True)


def what_is_opened(rows, cols, count):
    """A photo with three runs, as in a session."""
    noisy = picture_of(rows, cols, np.float32, 0)
    photo = Photo(noisy, name="large", sha256="0")
    subject = Subject(photo, noisy)
    runs = [run_of(subject, count, solver) for solver in ("broyden", "anderson", "plain")]
    for number, run in enumerate(runs, 1):
        run.number, run.name, run.overlaid = number, f"Run {number}", number < 3
    return Table(photo, None, photo_noise(noisy[:, :64, :64]), False, 25.0, 0, None), runs, runs[-1], ()


class Watch:
    """Records the thread time of each turn of the event loop, by the user's action.

    A busy machine hardly changes thread time.
    """

    def __init__(self, window):
        self.window, self.longest = window, {}

    def __call__(self, name, deed):
        start = time.thread_time()
        deed()
        spans = [time.thread_time() - start]
        quiet = 0
        while quiet < 5:
            start = time.thread_time()
            QApplication.processEvents()
            spans.append(time.thread_time() - start)
            quiet = quiet + 1 if spans[-1] < 1e-3 and self.window.picture_view.ready() else 0
            time.sleep(1e-3)
        self.longest[name] = max(max(spans), self.longest.get(name, 0))


def as_a_person_may(watch, window):
    session, view, do = window.session, window.picture_view, window.actions_
    runs, canvas = list(session.runs), view.viewport()
    middle = canvas.rect().center()

    def key(which, *modifiers):
        QTest.keyClick(window, which, *modifiers)

    for run in (runs[0], runs[1], runs[2], runs[1]):
        watch("another run", lambda run=run: session.show_run(run))
    for which in (Qt.Key.Key_Home, Qt.Key.Key_Right, Qt.Key.Key_End, Qt.Key.Key_Left):
        watch("another iterate", lambda which=which: key(which))
    watch("overlaid", lambda: session.runs.set_overlaid(runs[2], True))
    watch("not overlaid", lambda: session.runs.set_overlaid(runs[0], False))
    watch("renamed", lambda: session.runs.rename(runs[0], "the first"))
    watch("taken back", session.history.undo)
    watch("look", lambda: session.set_look(Look(0.5, 0.7)))
    watch("look", lambda: session.set_look(Look(0.5, 0.6)))
    watch("kept", view.hold_iterate)
    for compare in (Compare.SIDE_BY_SIDE, Compare.SINGLE, Compare.WIPE):
        watch("compared", lambda compare=compare: view.set_compare(compare, Layer.NOISY, Layer.ITERATE))
    watch("layer", lambda: view.set_compare(Compare.SINGLE, None, Layer.NOISE))
    watch("layer", lambda: view.set_compare(Compare.SINGLE, None, Layer.ITERATE))
    watch("zoom", lambda: view.set_zoom(1))
    watch("zoom", lambda: view.set_zoom(8))
    watch("fit", lambda: key(Qt.Key.Key_0))
    watch("pin", lambda: QTest.mouseClick(canvas, Qt.MouseButton.LeftButton, pos=middle))
    control = Qt.KeyboardModifier.ControlModifier
    aside = middle + QPoint(20, 20)
    watch("another pin", lambda: QTest.mouseClick(canvas, Qt.MouseButton.LeftButton, control, aside))
    watch("pin removed", lambda: key(Qt.Key.Key_Delete))
    watch("hover", lambda: QTest.mouseMove(canvas, aside + QPoint(5, 5)))
    watch("noise", lambda: session.workspace.set_noise(add_noise=True, sigma=30.0, seed=1))
    watch("region", lambda: session.workspace.set_region((8, 8, 64, 64)))
    watch("no region", lambda: session.workspace.set_region(None))
    watch("removed", lambda: session.remove_run(runs[0]))
    watch("back again", session.history.undo)
    dialog = AnimationDialog(session.trajectory, AnimationSettings(), window.export_dialogs.drawer, window)
    watch("animation", dialog.show)
    watch("animation away", dialog.reject)
    watch("film strip", do.film_strip.trigger)
    watch("film strip", do.film_strip.trigger)
    watch("Photo", lambda: window.modes.choose(Mode.PHOTO))
    watch("Explore", lambda: window.modes.choose(Mode.EXPLORE))
    for scheme in ("light", "dark"):
        watch(scheme, window.findChild(QAction, f"{scheme}AppearanceAction").trigger)
    watch("resized", lambda: window.resize(1100, 700))


@pytest.mark.usefixtures("_no_collection")
@pytest.mark.parametrize(
    ("rows", "cols", "count", "bound"),
    [
        pytest.param(256, 256, 17, LONGEST, marks=pytest.mark.soak),
        pytest.param(4000, 6000, 9, LONGEST, marks=pytest.mark.soak),
        (4000, 6000, 3, ANYWHERE),
    ],
)
def test_nothing_keeps_the_window_waiting(qtbot, make_window, rows, cols, count, bound):
    window = make_window()
    window.session.controller.stop()
    window.resize(1366, 768)
    watch = Watch(window)
    watch("at the start", lambda: None)
    watch.longest.clear()
    session = what_is_opened(rows, cols, count)
    watch("opened", lambda: window.session.bring(*session))
    as_a_person_may(watch, window)
    print(*(f"{name:16} {1e3 * seconds:4.0f} ms" for name, seconds in watch.longest.items()), sep="\n")
    assert {name: seconds for name, seconds in watch.longest.items() if seconds > bound} == {}
