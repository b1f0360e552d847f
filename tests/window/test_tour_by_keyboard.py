"""The whole tour by keyboard: every key goes to the widget with the focus; nothing is called or clicked."""

import numpy as np
from dialog_person import Person
from PIL import Image
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog, QLabel, QMenu, QWidget

from nerd_gui.window.picture.layers import Compare, Layer

Key = Qt.Key
Modifier = Qt.KeyboardModifier
ALT, CTRL, SHIFT, NONE = Modifier.AltModifier, Modifier.ControlModifier, Modifier.ShiftModifier, Modifier.NoModifier


def focus():
    """Return the widget that receives keys."""
    return QApplication.activePopupWidget() or QApplication.focusWidget()


def press(key, modifiers=NONE, times=1):
    for _ in range(times):
        QTest.keyClick(focus(), key, modifiers)


def tab_to(name):
    """Press Tab until the widget has the focus."""
    for _ in range(100):
        if focus().objectName() == name:
            return focus()
        press(Key.Key_Tab)
    raise AssertionError(f"Tab does not come to {name}")


def choose(*texts):
    """Go through an open menu and its submenus, and press Return."""
    for place, text in enumerate(texts):
        menu = focus()
        assert isinstance(menu, QMenu)
        for _ in range(40):
            if menu.activeAction() is not None and menu.activeAction().text().replace("&", "") == text:
                break
            press(Key.Key_Down)
        else:
            raise AssertionError(f"“{text}” is not in the menu")
        press(Key.Key_Return if place == len(texts) - 1 else Key.Key_Right)


def test_the_whole_tour(qtbot, make_window, monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    window = make_window()
    session = window.session
    qtbot.waitUntil(lambda: session.workspace.photo is not None)
    press(Key.Key_Escape)  # the run that started automatically
    qtbot.waitUntil(lambda: not session.controller.running)

    press(Key.Key_F, ALT)
    choose("Sample", "coins")
    qtbot.waitUntil(lambda: session.workspace.photo.name == "coins")
    window.activateWindow()  # as a window system does when a menu closes, and Qt's offscreen one does not
    qtbot.waitUntil(window.isActiveWindow)

    tab_to("sigmaSpin")
    press(Key.Key_3)
    press(Key.Key_0)
    press(Key.Key_Return)
    assert session.workspace.sigma == 30

    with qtbot.waitSignal(session.controller.ended, timeout=60_000):
        press(Key.Key_Return, CTRL)
    newest = session.newest
    assert newest > 3 and session.run.subject.sigma == 30

    press(Key.Key_Home)
    press(Key.Key_Right, times=2)
    assert session.index == 2

    tab_to("pictureCanvas")
    press(Key.Key_Right, SHIFT, times=4)
    press(Key.Key_Return)
    (pin,) = session.pins.all
    read = [tab_to(f"attentionHead{head}").accessibleDescription() for head in range(4)]
    assert all("entropy" in words and "radius" in words for words in read)
    assert f"row {pin.row}, column {pin.col} · iterate 2" in window.findChild(QLabel, "attentionCaption").text()

    tab_to("pictureCanvas")
    press(Key.Key_Down, CTRL | SHIFT, times=3)
    press(Key.Key_Return, SHIFT)
    assert len(session.pins.all) == 2
    qtbot.waitUntil(lambda: "bit" in window.findChild(QLabel, "pin1Readout0").text())
    assert window.findChild(QWidget, "pinRow2").isVisible()
    press(Key.Key_Z, CTRL)
    assert session.pins.all == (pin,)

    press(Key.Key_H)
    press(Key.Key_End)
    assert session.compared.index == 2 and session.index == newest
    mode = tab_to("compareModeCombo")
    while mode.currentText() != str(Compare.SIDE_BY_SIDE):
        press(Key.Key_Down)
    assert window.picture_view.compare() == (Compare.SIDE_BY_SIDE, Layer.COMPARED, Layer.ITERATE)

    def type_name(dialog):
        QTest.keyClicks(dialog.focusWidget(), "tour.png")
        QTest.keyClick(dialog.focusWidget(), Key.Key_Return)

    with Person((QFileDialog, type_name)):
        press(Key.Key_S, CTRL)
    assert np.array_equal(np.asarray(Image.open(tmp_path / "tour.png")), window.picture_view.shown_picture())
