"""The keys: none has two meanings, all are listed under Help, and tooltips name the keys of their actions."""

import re

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QMessageBox, QToolButton

from nerd_gui.imaging import save_picture
from nerd_gui.window.shortcuts import Shortcut, by_key

NATIVE = QKeySequence.SequenceFormat.NativeText


@pytest.fixture
def window(qtbot, make_window, tiny_photo, tmp_path):
    made = make_window(save_picture(tmp_path / "photo.png", tiny_photo))
    qtbot.waitUntil(lambda: made.session.workspace.photo is not None)
    return made


@pytest.fixture
def listed(window, qtbot):
    """The rows of the list under Help."""
    window.actions_.shortcuts.trigger()
    box = window.findChild(QMessageBox, "shortcutsDialog")
    rows = re.findall(r"<tr><td><b>(.*?)</b>&nbsp;&nbsp;</td><td>(.*?)</td></tr>", box.text())
    box.close()
    return dict(rows)


def test_help_lists_the_shortcut_of_every_action(window, listed):
    actions = [action for action in window.findChildren(QAction) if not action.shortcut().isEmpty()]
    assert {action.objectName() for action in actions} > {"openAction", "runAction", "exportAction", "clearPinsAction"}
    for action in actions:
        keys = action.shortcut().toString(NATIVE)
        assert keys in listed, action.objectName()
        assert f"({keys})" in action.toolTip()


def test_help_lists_the_keys_of_the_views_and_the_mouse(listed):
    for keys in ("Left", "Right", "Home", "End", "Space", "1", "0", "+", "-", "F", "H"):
        assert QKeySequence(keys).toString(NATIVE) in listed
    assert {"click", "Ctrl+click", "mouse wheel"} < listed.keys()
    assert all(listed.values())


def test_no_key_has_two_meanings():
    sequences = [QKeySequence(key).toString() for shortcut in Shortcut for key in shortcut.value[0]]
    assert len(sequences) == len(set(sequences)) > 15


def test_the_keys_of_a_view_are_those_that_an_event_holds():
    keys = by_key({Shortcut.ZOOM_IN: lambda: "in", Shortcut.PLAY: lambda: "play"})
    assert keys.keys() == {Qt.Key.Key_Plus, Qt.Key.Key_Equal, Qt.Key.Key_Space}
    assert keys[Qt.Key.Key_Equal]() == "in" and keys[Qt.Key.Key_Space]() == "play"


def test_tool_tips_of_the_scrubber_name_its_keys(window):
    for name, shortcut in (("firstIterateButton", "Home"), ("nextIterateButton", "Right"), ("playButton", "Space")):
        assert f"({QKeySequence(shortcut).toString(NATIVE)})" in window.findChild(QToolButton, name).toolTip()
