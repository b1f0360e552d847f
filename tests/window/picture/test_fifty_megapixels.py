"""A photo of 50 megapixels and its run: how long the window's thread is busy at a time in every use."""

import time

import numpy as np
import pytest
from picture_screen import drag, open_view, screen, wheel
from PySide6.QtCore import QPoint
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDoubleSpinBox
from scripted_session import make_iterate, make_trajectory, show

from nerd_gui.denoising import PLAIN, Look, Subject
from nerd_gui.imaging import Photo, to_8_bit
from nerd_gui.window.picture.layers import Compare, Layer

ROWS, COLS = 5792, 8688
LONGEST = 0.050  # seconds


def large(kind, seed):
    """A colour picture of 50 megapixels whose rows share memory, so that it is small and made quickly."""
    random = np.random.default_rng(seed).normal(0.5 if kind is np.float32 else 0, 0.1, 1 << 20).astype(kind)
    step = 860  # from row to row
    values = np.resize(random, 3 * ROWS * step + COLS)
    values += (0.1 * np.sin(np.arange(len(values), dtype=np.float32) / 3e5)).astype(kind)  # bands of 1000 rows
    strides = tuple(values.itemsize * stride for stride in (ROWS * step, step, 1))
    return np.lib.stride_tricks.as_strided(values, (3, ROWS, COLS), strides)


@pytest.fixture
def trajectory():
    trajectory = make_trajectory([])
    trajectory.subject = Subject(Photo(large(np.float32, 0)), large(np.float32, 0))
    for index in range(3):
        n_hat = large(np.float16, 1 + index)
        trajectory.add(make_iterate(index, 1 / (index + 1), n_hat=n_hat, known=False, last=index == 2))
    return trajectory


class Watch:
    """Processes events until the view is painted, and records the thread time of each.

    A busy machine hardly changes thread time.
    """

    def __init__(self, view):
        self.view, self.longest, self.whole = view, {}, {}

    def __call__(self, name, deed, paints=None):
        start = time.thread_time()
        deed()
        spans = [time.thread_time() - start]
        self.view.viewport().update()  # it is painted once at least
        while len(spans) == 1 or not (self.view.ready() or len(spans) == paints):
            start = time.thread_time()
            QApplication.processEvents()
            spans.append(time.thread_time() - start)
        self.longest[name], self.whole[name] = max(spans), sum(spans)


def whole_photo(session, view, trajectory):
    """Use the view of the whole photo and its run in several ways."""
    watch, canvas = Watch(view), view.viewport()
    gain = view.findChild(QDoubleSpinBox, "differenceGainSpin")
    watch("open", lambda: view.set_picture(Layer.NOISY, trajectory.subject.noisy))
    watch("run", lambda: (show(session, trajectory), session.controller.iterateAdded.emit(0, session.run)))
    watch("wipe", lambda: drag(canvas, view.divider_handle(), QPoint(canvas.width() // 4, canvas.height() // 2)))
    watch("scrub", lambda: session.go(0))
    watch("scrub back", lambda: session.go(2))
    watch("look", lambda: session.set_look(Look(0.6, 1.2)))
    watch("difference", lambda: view.set_compare(Compare.DIFFERENCE))
    watch("gain", lambda: gain.setValue(5))
    watch("side by side", lambda: view.set_compare(Compare.SIDE_BY_SIDE))
    watch("noise", lambda: view.set_compare(Compare.SINGLE, right=Layer.NOISE))
    watch("a part", lambda: view.update_iterates(2000, 3000, 512, 512))
    watch("detail", lambda: session.set_look(Look(0.6, 1.2, 0.5)), paints=40)
    return watch


def part_of_it(session, view):
    """Use the view of a part of it."""
    watch, canvas = Watch(view), view.viewport()
    middle = canvas.rect().center()
    session.set_look(PLAIN)
    view.set_compare(Compare.WIPE, right=Layer.ITERATE)
    for notch in range(4):
        watch(f"wheel, notch {notch}", lambda: wheel(view, middle, 1), paints=20)
    watch("100 %", lambda: view.set_zoom(1))
    watch("pan", lambda: drag(canvas, middle + QPoint(100, 0), middle - QPoint(500, 300)))
    watch("point", lambda: QTest.mouseMove(canvas, middle))
    watch("scrub at 100 %", lambda: session.go(0))
    watch("look at 100 %", lambda: session.set_look(Look(0.6, 1.2)))
    watch("detail at 100 %", lambda: session.set_look(Look(0.6, 1.2, 0.5)))
    watch("a part at 100 %", lambda: view.update_iterates(2000, 3000, 2048, 2048))
    watch("difference at 100 %", lambda: view.set_compare(Compare.DIFFERENCE))
    watch("400 %", lambda: view.set_zoom(4))
    watch("fit", view.fit, paints=20)
    return watch


@pytest.mark.usefixtures("_no_collection")
def test_nothing_keeps_the_window_waiting(qtbot, session, trajectory):
    for last in (False, False, True):  # slow code is slow every time; a single slow turn may have another cause
        session.show_run(None)
        session.set_look(PLAIN)
        view = open_view(qtbot, session)
        view.resize(1300, 900)
        QApplication.processEvents()
        longest, whole = {}, {}
        for watch in (whole_photo(session, view, trajectory), part_of_it(session, view)):
            longest |= watch.longest
            whole |= watch.whole
        view.close()
        print(*(f"{name:20} {1e3 * longest[name]:4.0f} ms of {1e3 * whole[name]:5.0f}" for name in longest), sep="\n")
        slow = {name: seconds for name, seconds in longest.items() if seconds > LONGEST}
        if last or not slow:
            break
    assert not slow


def test_what_is_seen_of_it_is_what_it_holds(session, view, trajectory):
    look = Look(0.6, 1.2, 0.5)
    session.set_look(look)
    show(session, trajectory)
    session.controller.iterateAdded.emit(0, session.run)
    for layer in Layer:
        view.set_caption(layer, "")
    view.set_compare(Compare.SINGLE)
    view.set_zoom(1)
    row, col, rows, cols = view.part_in_view()
    expected = to_8_bit(trajectory.picture(2, look, (row, col, rows, cols)))
    np.testing.assert_array_equal(screen(view), np.moveaxis(expected, 0, -1))
    session.set_look(PLAIN)
    view.fit()
    seen, block = screen(view), 1 / view.zoom()
    for y, x in ((150, 200), (300, 333), (401, 600)):
        corner = view.position_of(0, 0)
        top, left = round((y - corner.y()) * block), round((x - corner.x()) * block)
        around = trajectory.picture(2, PLAIN, (top - 40, left - 40, 80, 80)).mean(axis=(1, 2))
        near = seen[y - 4 : y + 4, x - 4 : x + 4].mean(axis=(0, 1))
        np.testing.assert_allclose(near, 255 * around, atol=2)
