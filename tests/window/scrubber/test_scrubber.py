"""The scrubber, used with mouse and keys; its state is read from its widgets and pixels."""

import dataclasses

import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QAction, QColor, QHelpEvent, QKeyEvent, QPalette
from PySide6.QtWidgets import QApplication, QSlider, QSpinBox, QToolButton, QToolTip
from scripted_session import arrive, make_iterate, make_trajectory, show

from nerd_gui.window.scrub_keys import ScrubKeys
from nerd_gui.window.scrubber.scrubber import Scrubber
from nerd_gui.window.session.session import Session

LEFT = Qt.MouseButton.LeftButton


class Probe:
    """A shown scrubber with its parts, and a log of the session's signals."""

    def __init__(self, qtbot) -> None:
        self.session = Session()
        self.widget = Scrubber(self.session)
        qtbot.addWidget(self.widget)
        self.widget.resize(760, 48)
        ScrubKeys(self.widget, self.widget.handle_key)
        self.widget.show()
        qtbot.waitExposed(self.widget)
        self.qtbot = qtbot
        self.slider: QSlider = self.part(QSlider, "iterationSlider")
        self.spin: QSpinBox = self.part(QSpinBox, "iterationSpin")
        self.follow: QToolButton = self.part(QToolButton, "followButton")
        self.indices: list[int] = []
        self.follows: list[bool] = []
        self.session.indexChanged.connect(self.indices.append)
        self.session.followChanged.connect(self.follows.append)

    def part(self, kind, name):
        found = self.widget.findChild(kind, name)
        assert found is not None, name
        return found

    def click(self, name: str) -> None:
        self.qtbot.mouseClick(self.part(QToolButton, name), LEFT)

    def at(self, index: int) -> QPoint:
        return QPoint(self.slider.position_of(index), self.slider.height() // 2)

    def agrees(self) -> bool:
        return self.session.index == self.slider.value() == self.spin.value()

    def start(self) -> None:
        """Start a run without iterates."""
        show(self.session, make_trajectory([]))

    def arrive(self, newest: int, **changes) -> None:
        """Let the iterates up to this one arrive."""
        for index in range(self.session.newest + 1, newest + 1):
            arrive(self.session, make_iterate(index, 1 / (1 + index), **changes))


@pytest.fixture
def probe(qtbot) -> Probe:
    made = Probe(qtbot)
    made.start()
    return made


@pytest.fixture
def filled(probe) -> Probe:
    """Iterates 0 ... 10, the newest one shown."""
    probe.arrive(10)
    probe.indices.clear()
    return probe


def test_nothing_to_scrub_at_first(probe):
    assert probe.session.index == -1
    assert probe.spin.text() == "–"
    names = ("first", "previous", "next", "last")
    buttons = [*(f"{name}IterateButton" for name in names), "playButton", "followButton"]
    assert not any(probe.part(QToolButton, name).isEnabled() for name in buttons)
    assert not probe.slider.isEnabled() and not probe.spin.isEnabled()
    probe.qtbot.keyClick(probe.widget, Qt.Key.Key_Right)
    assert probe.indices == [] and probe.session.index == -1


def test_follow_goes_along_with_the_newest(probe):
    for newest in range(4):
        probe.arrive(newest)
        assert probe.slider.maximum() == newest and probe.agrees()
    assert probe.indices == [0, 1, 2, 3]
    assert probe.spin.text() == "3"


def test_every_way_to_move_says_so_once(filled):
    widget = filled.widget
    filled.click("previousIterateButton")
    filled.qtbot.keyClick(widget, Qt.Key.Key_Left)
    filled.slider.setFocus()
    filled.qtbot.keyClick(filled.slider, Qt.Key.Key_Left)
    filled.click("nextIterateButton")
    filled.click("firstIterateButton")
    filled.qtbot.keyClick(filled.slider, Qt.Key.Key_End)
    filled.qtbot.keyClick(widget, Qt.Key.Key_Home)
    filled.qtbot.mouseClick(filled.slider, LEFT, pos=filled.at(6))
    filled.spin.selectAll()
    filled.qtbot.keyClicks(filled.spin, "4")
    filled.qtbot.keyClick(filled.spin, Qt.Key.Key_Return)
    filled.session.go(7)
    filled.session.go(7)
    filled.click("lastIterateButton")
    assert filled.indices == [9, 8, 7, 8, 0, 10, 0, 6, 4, 7, 10]
    assert filled.agrees()


@pytest.mark.parametrize("target", [0, 3, 7, 10])
def test_a_click_on_the_groove_goes_there(filled, target):
    filled.session.go(5)
    filled.qtbot.mouseClick(filled.slider, LEFT, pos=filled.at(target))
    assert filled.session.index == target


def test_a_click_between_two_iterates_goes_to_the_nearer(filled):
    step = filled.at(4).x() - filled.at(3).x()
    assert step > 10  # or there is no nearby one
    filled.qtbot.mouseClick(filled.slider, LEFT, pos=filled.at(3) + QPoint(step // 2 - 3, 0))
    assert filled.session.index == 3
    filled.qtbot.mouseClick(filled.slider, LEFT, pos=filled.at(3) + QPoint(step // 2 + 3, 0))
    assert filled.session.index == 4


def test_taking_the_handle_off_its_middle_does_not_move_it(probe):
    probe.arrive(300)  # less than two pixels per iterate
    probe.session.go(150)
    probe.qtbot.mousePress(probe.slider, LEFT, pos=probe.at(150) + QPoint(3, 0))
    assert probe.slider.isSliderDown() and probe.session.index == 150
    probe.qtbot.mouseMove(probe.slider, probe.at(150) + QPoint(3, 0))
    assert probe.session.index == 150
    probe.qtbot.mouseRelease(probe.slider, LEFT)


@pytest.mark.parametrize("back", ["drag", "click", "type", "key", "button", "index"])
def test_going_back_ends_follow(filled, back):
    if back == "drag":
        filled.qtbot.mousePress(filled.slider, LEFT, pos=filled.at(10))
        filled.qtbot.mouseMove(filled.slider, filled.at(4))
        filled.qtbot.mouseRelease(filled.slider, LEFT, pos=filled.at(4))
    elif back == "click":
        filled.qtbot.mouseClick(filled.slider, LEFT, pos=filled.at(4))
    elif back == "type":
        filled.spin.selectAll()
        filled.qtbot.keyClicks(filled.spin, "4")
        filled.qtbot.keyClick(filled.spin, Qt.Key.Key_Return)
    elif back == "key":
        filled.qtbot.keyClick(filled.widget, Qt.Key.Key_Left)
    elif back == "button":
        filled.click("previousIterateButton")
    else:
        filled.session.go(4)
    there = filled.session.index
    assert there < 10 and not filled.follow.isChecked() and filled.follows == [False]
    filled.arrive(11)
    assert filled.session.index == there and filled.slider.maximum() == 11


@pytest.mark.parametrize("forward", ["key", "button", "followButton"])
def test_going_to_the_newest_follows_again(filled, forward):
    filled.session.go(2)
    if forward == "key":
        filled.qtbot.keyClick(filled.widget, Qt.Key.Key_End)
    else:
        filled.click("lastIterateButton" if forward == "button" else forward)
    assert filled.session.index == 10 and filled.follow.isChecked() and filled.follows == [False, True]
    filled.arrive(11)
    assert filled.session.index == 11


def test_stepping_to_the_newest_does_not_follow(filled):
    filled.session.go(9)
    filled.qtbot.keyClick(filled.widget, Qt.Key.Key_Right)
    assert filled.session.index == 10 and not filled.follow.isChecked()
    assert filled.part(QToolButton, "lastIterateButton").isEnabled()  # it would still latch


def test_the_held_slider_stays_while_iterates_arrive(filled):
    filled.qtbot.mousePress(filled.slider, LEFT, pos=filled.at(10))
    assert filled.follow.isChecked()  # taken, not moved
    for newest in (11, 12, 13):
        filled.arrive(newest)
        assert filled.session.index == 10 and filled.slider.value() == 10 and filled.slider.maximum() == newest
    assert filled.indices == []
    filled.qtbot.mouseRelease(filled.slider, LEFT)
    assert filled.indices == [13]  # still latched: it follows the newest iterate once released


def test_a_dragged_slider_stays_where_it_was_put(filled):
    filled.qtbot.mousePress(filled.slider, LEFT, pos=filled.at(10))
    filled.qtbot.mouseMove(filled.slider, filled.at(4))
    filled.arrive(20)
    assert filled.session.index == 4
    filled.qtbot.mouseRelease(filled.slider, LEFT)
    filled.arrive(21)
    assert filled.session.index == 4 and filled.indices == [4]


def test_a_number_half_typed_survives_new_iterates(filled):
    filled.spin.setFocus()
    filled.spin.selectAll()
    filled.qtbot.keyClicks(filled.spin, "1")
    filled.arrive(15)
    filled.qtbot.keyClicks(filled.spin, "2")
    filled.qtbot.keyClick(filled.spin, Qt.Key.Key_Return)
    assert filled.indices == [12]


def test_play_reaches_the_end_and_stops(filled):
    play = filled.part(QToolButton, "playButton")
    filled.part(QAction, "playRate15Action").trigger()
    filled.qtbot.keyClick(filled.widget, Qt.Key.Key_Space)  # at the newest: from the start
    assert filled.widget.playing and play.accessibleName() == "Pause the iterates" and not filled.follow.isChecked()
    filled.qtbot.waitUntil(lambda: not filled.widget.playing)
    assert filled.indices == list(range(11))
    assert play.accessibleName() == "Play the iterates"


def test_play_pauses(filled):
    filled.session.go(3)
    filled.click("playButton")
    assert filled.widget.playing
    filled.qtbot.waitUntil(lambda: filled.session.index == 4, timeout=2000)
    filled.click("playButton")
    assert not filled.widget.playing and filled.session.index == 4


def test_a_step_by_hand_ends_play(filled):
    filled.session.go(3)
    filled.slider.setFocus()
    filled.qtbot.keyClick(filled.slider, Qt.Key.Key_Space)
    assert filled.widget.playing
    filled.qtbot.mousePress(filled.slider, LEFT, pos=filled.at(3))
    assert not filled.widget.playing
    filled.qtbot.mouseRelease(filled.slider, LEFT)


def test_keys_that_are_not_the_scrubbers_are_left_to_others(filled):
    def press(key, modifiers=Qt.KeyboardModifier.NoModifier):
        return filled.widget.handle_key(QKeyEvent(QEvent.Type.KeyPress, key, modifiers))

    assert not press(Qt.Key.Key_A)
    assert not press(Qt.Key.Key_Left, Qt.KeyboardModifier.ControlModifier)
    assert filled.indices == []
    assert press(Qt.Key.Key_Left) and filled.indices == [9]


def test_another_run_begins_with_nothing_and_is_followed(filled):
    filled.session.go(4)
    filled.start()
    assert filled.session.index == -1 and filled.spin.text() == "–" and not filled.slider.isEnabled()
    assert filled.indices == [4, -1] and filled.follow.isChecked()
    assert filled.slider.mark_at(filled.slider.position_of(0)) == ""
    filled.arrive(0)
    assert filled.indices == [4, -1, 0] and filled.spin.text() == "0"
    assert filled.slider.mark_at(filled.slider.position_of(0)) == "result: the iterate with the smallest residual"


def test_a_held_slider_is_let_go_by_another_run(filled):
    filled.qtbot.mousePress(filled.slider, LEFT, pos=filled.at(10))
    show(filled.session, make_trajectory([0.5, 0.1]))
    assert filled.indices == [-1, 1] and not filled.slider.isSliderDown() and filled.agrees()
    arrive(filled.session, make_iterate(2, 0.05))
    assert filled.agrees() and filled.session.index == 2


def test_a_shorter_run_has_a_shorter_range(filled):
    filled.session.go(8)
    show(filled.session, make_trajectory([0.5] * 6))
    assert filled.slider.maximum() == 5 and filled.session.index == 5 and filled.agrees()


@pytest.mark.parametrize(("asked", "shown"), [(99, 10), (-5, 0)])
def test_beyond_the_run_is_its_end(filled, asked, shown):
    filled.session.go(3)
    filled.session.go(asked)
    assert filled.session.index == shown and filled.agrees()


def test_going_elsewhere_by_another_view_ends_play(filled):
    filled.session.go(3)
    filled.click("playButton")
    assert filled.widget.playing
    filled.session.go(6)
    assert not filled.widget.playing and filled.session.index == 6


def _strip(probe: Probe, index: int) -> list[QColor]:
    """The pixels around an iterate under the slider's handle."""
    image = probe.slider.grab().toImage()
    x = probe.slider.position_of(index)
    return [
        image.pixelColor(x + dx, y)
        for dx in range(-6, 7)
        for y in range(probe.slider.height() - 10, probe.slider.height())
    ]


def test_the_marks_stand_under_their_iterates(filled):
    filled.slider.set_marks(None, [])
    blank = {index: _strip(filled, index) for index in range(11)}
    residuals = [0.5, 0.4, 0.3, 0.2, 0.1, 0.05, 0.04, 0.001, 0.002, 0.003, 0.004]  # least at 7
    for index, (iterate, residual) in enumerate(zip(filled.session.trajectory.iterates, residuals, strict=True)):
        changed = dataclasses.replace(iterate, residual=residual, restarted=index == 2)
        filled.session.trajectory.iterates[index] = changed
    filled.session.controller.iterateAdded.emit(10, filled.session.run)
    changed = [index for index in range(11) if _strip(filled, index) != blank[index]]
    assert changed == [2, 7]
    assert filled.slider.palette().windowText().color() in _strip(filled, 7)
    assert filled.slider.mark_at(filled.slider.position_of(7) + 2) == "result: the iterate with the smallest residual"
    assert "restarted" in filled.slider.mark_at(filled.slider.position_of(2))
    assert filled.slider.mark_at(filled.slider.position_of(5)) == ""


def test_the_result_explains_itself(filled):
    spot = QPoint(filled.slider.position_of(10), filled.slider.height() - 4)
    QApplication.sendEvent(
        filled.slider, QHelpEvent(QEvent.Type.ToolTip, spot, filled.slider.mapToGlobal(QPointF(spot)).toPoint())
    )
    filled.qtbot.waitUntil(lambda: QToolTip.text() == "result: the iterate with the smallest residual")


def test_everything_a_hand_can_reach_is_named(probe):
    for kind in (QToolButton, QSpinBox, QSlider):
        for child in probe.widget.findChildren(kind):
            assert child.objectName() and child.accessibleName() and child.toolTip(), child


def test_the_icons_follow_the_palette(probe):
    def lightest() -> int:
        image = probe.part(QToolButton, "firstIterateButton").icon().pixmap(32, 32).toImage()
        colours = [image.pixelColor(x, y) for x in range(32) for y in range(32)]
        return max(colour.lightness() for colour in colours if colour.alpha() > 200)

    palette = QPalette(probe.widget.palette())
    for name, lightness in (("white", 255), ("black", 0)):
        palette.setColor(QPalette.ColorRole.ButtonText, QColor(name))
        probe.widget.setPalette(palette)
        assert lightest() == lightness
