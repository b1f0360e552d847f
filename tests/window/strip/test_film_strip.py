"""The film strip, used by mouse; its contents are read from its pixels."""

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QAccessible, QColor, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QToolTip
from scripted_session import arrive, make_iterate, make_trajectory, show

from nerd_gui.denoising import Look, Subject
from nerd_gui.imaging import Photo, to_8_bit
from nerd_gui.window.picture.view import PictureView
from nerd_gui.window.session.session import Session
from nerd_gui.window.strip.cells import bar_length, grey_levels, picture_place
from nerd_gui.window.strip.film_strip import FilmStrip

LEFT = Qt.MouseButton.LeftButton
ROWS, COLS = 40, 60


def run_of(count, *, restarted=(), finished=True):
    """Make iterates of a colour picture of 40 x 60 pixels, red above and blue below; iterate i is darker by 8 i."""
    noisy = np.zeros((3, ROWS, COLS), np.float32)
    noisy[0, : ROWS // 2] = noisy[2, ROWS // 2 :] = 0.9
    trajectory = make_trajectory([])
    trajectory.subject = Subject(Photo(noisy), noisy)
    for index in range(count):
        n_hat = np.full(noisy.shape, -8 * index / 255, np.float16)
        last = finished and index == count - 1
        fields = {"n_hat": n_hat, "known": False, "restarted": index in restarted}
        trajectory.add(make_iterate(index, 1 / (1 + index), last=last, **fields))
    return trajectory


class Probe:
    """A shown strip under a picture view."""

    def __init__(self, qtbot):
        self.session = Session()
        self.view = PictureView(self.session)
        self.strip = FilmStrip(self.session, self.view)
        for widget, size in ((self.view, (300, 260)), (self.strip, (700, 110))):
            qtbot.addWidget(widget)
            widget.resize(*size)
            widget.show()
            qtbot.waitExposed(widget)
        self.qtbot = qtbot

    @property
    def shown(self):
        """Return the iterates that are completely visible."""
        seen = self.strip.viewport().rect()
        return [i for i in range(self.session.newest + 1) if seen.contains(self.strip.place_of(i))]

    def ready(self):
        cells = [self.strip.cell(index) for index in self.shown]
        return all(cell.tile is not None and (cell.change is not None or not cell.index) for cell in cells)

    def show(self, trajectory):
        show(self.session, trajectory)
        self.qtbot.waitUntil(self.ready)

    def picture(self, index):
        """Return the pixels of an iterate's thumbnail, (rows, cols, 3)."""
        return self.pixels(picture_place(self.strip.place_of(index), self.strip.font()))

    def pixels(self, place):
        image = self.strip.viewport().grab(place).toImage()
        colours = [
            [QColor(image.pixel(x, y)).getRgb()[:3] for x in range(image.width())] for y in range(image.height())
        ]
        return np.array(colours)

    def at(self, index):
        return self.strip.place_of(index).center()

    def click(self, index):
        QTest.mouseClick(self.strip.viewport(), LEFT, pos=self.at(index))


@pytest.fixture
def probe(qtbot):
    return Probe(qtbot)


def test_every_iterate_has_its_own_picture_as_the_view_has_it(probe):
    probe.show(run_of(4))
    for index in range(4):
        seen = probe.picture(index)
        middle = seen.shape[1] // 2
        above, below = seen[len(seen) // 4, middle], seen[3 * len(seen) // 4, middle]
        expected = to_8_bit(probe.session.trajectory.picture(index))
        assert np.abs(above - expected[:, 5, 30]).max() <= 1 and np.abs(below - expected[:, 35, 30]).max() <= 1


def test_the_change_is_the_root_mean_square_in_grey_levels(probe):
    random, trajectory = np.random.default_rng(0), run_of(1)
    for index in range(1, 4):
        n_hat = random.normal(0, 0.1 / index**3, trajectory.subject.noisy.shape).astype(np.float16)
        trajectory.add(make_iterate(index, 0.1, n_hat=n_hat, known=False))
    probe.show(trajectory)
    for index in range(1, 4):
        before, after = (trajectory.picture(i).astype(np.float64) for i in (index - 1, index))
        expected = np.sqrt(np.mean((255 * (after - before)) ** 2))
        assert probe.strip.cell(index).change == pytest.approx(expected, rel=1e-3)
    assert probe.strip.cell(0).change is None


@pytest.mark.parametrize(
    ("change", "text"),
    [(0, "<0.01"), (0.0099, "<0.01"), (0.123, "0.12"), (0.996, "1.0"), (1.25, "1.2"), (23.4, "23"), (np.inf, "∞")],
)
def test_a_change_has_two_digits(change, text):
    assert grey_levels(change) == text


def test_the_bar_is_as_long_as_the_logarithm_of_the_change(probe):
    assert [bar_length(change) for change in (0, 0.01, 0.1, 1, 10, 100, 1e4)] == pytest.approx(
        [0, 0, 0.25, 0.5, 0.75, 1, 1]
    )
    probe.show(run_of(3))
    place = probe.strip.place_of(2)
    seen = probe.pixels(place)
    accent = np.array(probe.strip.palette().highlight().color().getRgb()[:3])
    filled = (np.abs(seen[-7:-3] - accent).sum(axis=2) < 6).any(axis=0)
    width = picture_place(place, probe.strip.font()).width()
    assert filled.sum() == pytest.approx(bar_length(8.0) * width, abs=1.5)


def test_the_current_iterate_is_framed_and_no_other(probe):
    probe.show(run_of(4))
    accent = np.array(probe.strip.palette().highlight().color().getRgb()[:3])
    for current in (3, 1):
        probe.session.go(current)
        for index in range(4):
            left = probe.pixels(probe.strip.place_of(index))[30, :5]
            assert (np.abs(left - accent).sum(axis=1) < 12).any() == (index == current)


def test_a_click_goes_there_and_a_drag_scrubs(probe):
    probe.show(run_of(8))
    probe.click(2)
    assert probe.session.index == 2 and not probe.session.follow
    viewport, seen = probe.strip.viewport(), []
    probe.session.indexChanged.connect(seen.append)
    QTest.mousePress(viewport, LEFT, pos=probe.at(3))
    for index in (4, 5, 6):
        QTest.mouseMove(viewport, probe.at(index))
    QTest.mouseRelease(viewport, LEFT, pos=probe.at(6))
    assert seen == [3, 4, 5, 6]
    QTest.mouseMove(viewport, probe.at(0))
    assert probe.session.index == 6, "the button is up"


def test_while_a_frame_is_held_the_newest_iterate_does_not_take_over(probe):
    probe.show(run_of(3, finished=False))
    QTest.mousePress(probe.strip.viewport(), LEFT, pos=probe.at(2))
    arrive(probe.session, run_of(4)[3])
    assert probe.session.index == 2
    QTest.mouseRelease(probe.strip.viewport(), LEFT, pos=probe.at(2))
    assert probe.session.index == 3, "it follows, as before"


def test_iterates_appear_as_they_arrive(probe):
    show(probe.session, run_of(0))
    assert probe.strip.model().rowCount() == 0
    for index in range(3):
        arrive(probe.session, run_of(3)[index])
        assert probe.strip.model().rowCount() == index + 1
    probe.qtbot.waitUntil(probe.ready)
    assert probe.shown == [0, 1, 2]


def test_the_current_iterate_stays_in_sight_with_its_neighbours(probe):
    probe.show(run_of(30))
    assert 29 in probe.shown and 0 not in probe.shown
    probe.session.go(10)
    assert {9, 10, 11} <= set(probe.shown)
    probe.session.go(0)
    assert probe.shown[0] == 0
    for index in range(30):
        probe.session.go(index)
        assert index in probe.shown


def test_the_wheel_scrolls_it(probe):
    probe.show(run_of(30))
    probe.session.go(0)
    viewport = probe.strip.viewport()
    position = QPointF(100, 30)
    event = QWheelEvent(
        position,
        QPointF(viewport.mapToGlobal(position.toPoint())),
        QPoint(),
        QPoint(0, -240),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(viewport, event)
    assert probe.shown[0] > 0 and probe.session.index == 0


def test_what_is_in_view_is_what_the_pictures_show(probe):
    probe.show(run_of(3))
    corner = probe.view.viewport().rect().center()
    probe.view.set_zoom(16)
    for _ in range(3):  # to the blue lower part
        QTest.mousePress(probe.view.viewport(), Qt.MouseButton.MiddleButton, pos=corner)
        QTest.mouseMove(probe.view.viewport(), corner - QPoint(0, 30))
        QTest.mouseMove(probe.view.viewport(), corner - QPoint(0, 60))
        QTest.mouseRelease(probe.view.viewport(), Qt.MouseButton.MiddleButton, pos=corner - QPoint(0, 60))
    assert probe.view.part_in_view()[0] >= ROWS // 2

    def blue():
        seen = probe.picture(0)
        middle = seen[len(seen) // 2 - 8 : len(seen) // 2 + 8, 2:-2]
        return (middle[..., 2] > 200).all() and (middle[..., 0] < 20).all()

    probe.qtbot.waitUntil(blue)


def test_of_a_wide_part_the_middle_is_shown_and_the_current_iterate_stays_in_sight(probe):
    probe.show(run_of(12))
    before = probe.strip.cell_size()
    probe.view.resize(900, 250)
    probe.view.set_zoom(15)
    *_, rows, cols = probe.view.part_in_view()
    assert cols > 2 * rows
    probe.qtbot.waitUntil(lambda: probe.strip.cell_size().width() > before.width() + 10)
    probe.qtbot.waitUntil(probe.ready)
    assert 11 in probe.shown
    picture = picture_place(probe.strip.place_of(11), probe.strip.font())
    assert picture.width() / picture.height() == pytest.approx(16 / 9, rel=0.05)
    top, bottom = probe.picture(11)[[1, -2], 40]
    for colour in (top, bottom):
        assert max(colour[0], colour[2]) > 100 and colour[1] < 20, "red or blue: it is filled from border to border"


def test_without_a_run_it_takes_room_for_a_sentence_only(probe):
    low = probe.strip.sizeHint().height()
    probe.show(run_of(1))
    assert low < 45 < 80 < probe.strip.sizeHint().height()


def test_another_look_shows_in_the_pictures(probe):
    probe.show(run_of(3))
    probe.session.set_look(Look(0, 0))
    expected = to_8_bit(probe.session.trajectory.subject.noisy)[:, 5, 30]

    def as_noisy():
        seen = probe.picture(2)
        return np.abs(seen[len(seen) // 4, seen.shape[1] // 2] - expected).max() <= 1

    probe.qtbot.waitUntil(as_noisy)


def test_another_run_takes_the_place_of_the_one_before(probe):
    first, second = run_of(3), run_of(5)
    probe.show(first)
    probe.show(second)
    assert probe.strip.model().rowCount() == 5
    probe.session.show_run(probe.session.runs[0])
    assert probe.strip.model().rowCount() == 3
    probe.session.show_run(None)
    assert probe.strip.model().rowCount() == 0


def test_words_and_marks_are_read_aloud_and_in_the_tool_tip(probe):
    probe.show(run_of(4, restarted=[2]))
    assert probe.strip.accessibleName() == "Film strip of the iterates"
    read = [probe.strip.model().index(row).data(Qt.ItemDataRole.AccessibleTextRole) for row in range(4)]
    assert read[0] == "Start of the solver (iterate 0)"
    assert read[1] == "Iterate 1: changed by 8.0 of 255 grey levels from the previous one"
    assert read[2].startswith("Iterate 2, a restarted step: ") and read[3].startswith(
        "Iterate 3, the result of the run: "
    )
    probe.session.go(1)
    assert probe.strip.currentIndex().row() == 1
    interface = QAccessible.queryAccessibleInterface(probe.strip)
    assert interface.child(1).text(QAccessible.Text.Name) == read[1]
    assert probe.strip.model().index(2).data(Qt.ItemDataRole.ToolTipRole) == read[2]
    assert not QToolTip.isVisible()


def test_a_run_that_has_left_the_numbers_is_said_to(probe):
    trajectory = run_of(2)
    trajectory.add(
        make_iterate(2, np.inf, n_hat=np.full(trajectory.subject.noisy.shape, np.inf, np.float16), known=False)
    )
    probe.show(trajectory)
    assert (
        probe.strip.model().index(2).data(Qt.ItemDataRole.ToolTipRole) == "Iterate 2: its picture is no longer finite"
    )


def test_the_focus_is_seen_where_the_keyboard_brought_it(probe):
    probe.show(run_of(2))
    accent = np.array(probe.strip.palette().highlight().color().getRgb()[:3])
    framed = []
    for reason in (Qt.FocusReason.MouseFocusReason, Qt.FocusReason.TabFocusReason):
        probe.strip.clearFocus()
        probe.strip.activateWindow()
        probe.strip.setFocus(reason)
        probe.qtbot.waitUntil(probe.strip.hasFocus)
        line = probe.pixels(probe.strip.viewport().rect())[0]
        framed.append((np.abs(line - accent).sum(axis=1) < 12).mean() > 0.9)
    assert framed == [False, True]


def test_the_result_and_a_restarted_step_are_marked_beside_their_numbers(probe):
    probe.show(run_of(4, restarted=[2]))
    probe.session.go(0)
    inked = [ink(probe, index) for index in range(1, 4)]
    assert inked[1] > inked[0] + 3, "a ring beside the 2"
    assert inked[2] > inked[1] + 5, "a filled triangle beside the 3"


def ink(probe, index):
    """Count pixels in the colour of text, right of the number of an iterate."""
    place = picture_place(probe.strip.place_of(index), probe.strip.font())
    words = probe.pixels(place.adjusted(8, place.height() + 3, -30, 18))
    text = np.array(probe.strip.palette().windowText().color().getRgb()[:3])
    return int((np.abs(words - text).max(axis=2) < 70).sum())


def test_without_a_run_a_sentence_says_what_comes_here(probe):
    empty = probe.pixels(probe.strip.viewport().rect())
    assert len(np.unique(empty.reshape(-1, 3), axis=0)) > 3, "letters"
    probe.show(run_of(1))
    right = probe.strip.viewport().rect().adjusted(200, 0, 0, 0)
    assert len(np.unique(probe.pixels(right).reshape(-1, 3), axis=0)) == 1


def test_hidden_it_reads_nothing_and_catches_up_when_shown(probe, monkeypatch):
    counted = []
    monkeypatch.setattr("nerd_gui.window.strip.thumbnails.reduced", lambda *_: counted.append(1) or iter(()))
    monkeypatch.setattr("nerd_gui.window.strip.thumbnails.picture_change", lambda *_: counted.append(1) or 1.0)
    probe.strip.hide()
    show(probe.session, run_of(3))
    arrive(probe.session, run_of(4)[3])
    probe.session.go(1)
    probe.view.set_zoom(4)
    probe.session.set_look(Look(0.5, 0.5))
    QTest.qWait(0)
    QApplication.processEvents()
    assert counted == []
    monkeypatch.undo()
    probe.strip.show()
    probe.qtbot.waitUntil(probe.ready)
    assert probe.strip.cell(3).change == pytest.approx(8, abs=0.05)


def test_a_low_strip_has_small_pictures(probe):
    probe.show(run_of(3))
    usual = picture_place(probe.strip.place_of(0), probe.strip.font()).height()
    probe.strip.resize(700, probe.strip.minimumSizeHint().height())
    probe.qtbot.waitUntil(lambda: picture_place(probe.strip.place_of(0), probe.strip.font()).height() < usual)
    place = probe.strip.place_of(0)
    assert place.bottom() < probe.strip.viewport().height()
    assert picture_place(place, probe.strip.font()).height() >= 20
