"""The sliders below the picture: their effect by mouse and keys, and when they are enabled."""

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QSlider, QSpinBox, QStyle, QStyleOptionSlider, QToolButton
from scripted_session import make_trajectory, show

from nerd_gui.denoising import Look
from nerd_gui.imaging import Photo
from nerd_gui.window.look.panel import LookPanel
from nerd_gui.window.session.session import Session

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def session(qtbot):
    made = Session()
    yield made
    made.controller.wait()


@pytest.fixture
def panel(qtbot, session):
    made = LookPanel(session)
    qtbot.addWidget(made)
    made.resize(760, 30)
    with qtbot.waitExposed(made):
        made.show()
    return made


def photo(channels):
    return Photo(np.full((channels, 8, 8), 0.5, np.float32), name="photo", sha256="0" * 64)


def slider(panel, name):
    return panel.findChild(QSlider, f"look{name}Slider")


def spin(panel, name):
    return panel.findChild(QSpinBox, f"look{name}Spin")


def button(panel, name):
    return panel.findChild(QToolButton, f"look{name}Button")


def handle(of):
    option = QStyleOptionSlider()
    of.initStyleOption(option)
    return (
        of.style()
        .subControlRect(QStyle.ComplexControl.CC_Slider, option, QStyle.SubControl.SC_SliderHandle, of)
        .center()
    )


def test_there_is_no_look_to_set_before_there_is_a_result(session, panel):
    assert not panel.isEnabled()
    show(session, make_trajectory([0.5, 0.1]))
    assert panel.isEnabled()
    session.show_run(None)
    assert not panel.isEnabled()


def test_dragging_the_amount_moves_luma_and_chroma_together_and_live(session, panel):
    show(session, make_trajectory([0.5, 0.1]))
    looks = []
    session.lookChanged.connect(lambda: looks.append(session.look))
    amount = slider(panel, "Amount")
    start = handle(amount)
    QTest.mousePress(amount, LEFT, pos=start)
    for step in (10, 20, 30):
        QTest.mouseMove(amount, start - QPoint(step, 0))
    assert len(looks) == 3  # while the button is held
    QTest.mouseRelease(amount, LEFT, pos=start - QPoint(30, 0))
    assert [look.luma for look in looks] == sorted((look.luma for look in looks), reverse=True)
    assert all(look.luma == look.chroma < 1 and look.detail == 0 for look in looks)
    assert spin(panel, "Amount").value() == round(100 * session.look.luma)


def test_the_whole_range_is_reached_by_keys(session, panel):
    show(session, make_trajectory([0.5, 0.1]))
    amount, detail = slider(panel, "Amount"), slider(panel, "Detail")
    QTest.keyClick(amount, Qt.Key.Key_End)
    assert session.look == Look(1.5, 1.5)
    QTest.keyClick(amount, Qt.Key.Key_Home)
    assert session.look == Look(0, 0)
    QTest.keyClick(amount, Qt.Key.Key_Right)
    assert session.look == Look(0.01, 0.01)
    QTest.keyClick(detail, Qt.Key.Key_PageUp)
    assert session.look == Look(0.01, 0.01, 0.1)
    QTest.keyClick(detail, Qt.Key.Key_End)
    assert session.look == Look(0.01, 0.01, 1)


def test_a_number_is_typed(session, panel):
    show(session, make_trajectory([0.5, 0.1]))
    typed = spin(panel, "Amount")
    typed.selectAll()
    QTest.keyClicks(typed, "85")
    assert session.look.plain  # until Return is pressed: 8 % is only the first digit of 85 %
    QTest.keyClick(typed, Qt.Key.Key_Return)
    assert session.look == Look(0.85, 0.85) and slider(panel, "Amount").value() == 85


def test_apart_and_together_again(session, panel):
    session.workspace.set_photo(photo(3), 10.0)
    show(session, make_trajectory([0.5, 0.1]))
    QTest.mouseClick(button(panel, "Apart"), LEFT)
    assert not slider(panel, "Amount").isVisible()
    assert slider(panel, "Luma").isVisible() and slider(panel, "Chroma").isVisible()
    slider(panel, "Luma").setValue(60)
    slider(panel, "Chroma").setValue(120)
    assert session.look == Look(0.6, 1.2)
    QTest.mouseClick(button(panel, "Apart"), LEFT)
    assert session.look == Look(0.6, 0.6)
    assert slider(panel, "Amount").isVisible() and slider(panel, "Amount").value() == 60


def test_a_look_set_elsewhere_is_shown(session, panel):
    show(session, make_trajectory([0.5, 0.1]))
    session.set_look(Look(0.5, 1.0, 0.25))
    assert button(panel, "Apart").isChecked()
    assert [slider(panel, name).value() for name in ("Luma", "Chroma", "Detail")] == [50, 100, 25]


def test_reset(session, panel):
    show(session, make_trajectory([0.5, 0.1]))
    assert not button(panel, "Reset").isEnabled()
    session.set_look(Look(0.5, 1.0, 0.25))
    QTest.mouseClick(button(panel, "Reset"), LEFT)
    assert session.look.plain and slider(panel, "Amount").value() == 100 and slider(panel, "Detail").value() == 0


def test_a_grey_photo_has_one_amount(session, panel):
    session.workspace.set_photo(photo(3), 10.0)
    show(session, make_trajectory([0.5, 0.1]))
    QTest.mouseClick(button(panel, "Apart"), LEFT)
    session.workspace.set_photo(photo(1), 10.0)
    assert not button(panel, "Apart").isVisible() and slider(panel, "Amount").isVisible()


def test_another_photo_is_shown_plain(session, panel):
    session.workspace.set_photo(photo(3), 10.0)
    show(session, make_trajectory([0.5, 0.1]))
    slider(panel, "Amount").setValue(40)
    session.workspace.set_photo(photo(3), 10.0)
    assert session.look.plain and slider(panel, "Amount").value() == 100
