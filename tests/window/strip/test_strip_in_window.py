"""The film strip in the main window: its place, its keys, and folding it away."""

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from scripted_session import make_trajectory, show

from nerd_gui.window.strip.film_strip import FilmStrip


def parts(window):
    return window.findChild(FilmStrip, "filmStrip"), window.findChild(QAction, "filmStripAction")


def test_it_stands_between_picture_and_scrubber_and_has_the_scrubber_s_keys(qtbot, window):
    strip, _ = parts(window)
    session = window.session
    show(session, make_trajectory([1.0, 0.1, 0.01, 0.001, 0.0001]))
    tops = [
        widget.mapTo(window, widget.rect().topLeft()).y() for widget in (window.picture_view, strip, window.scrubber)
    ]
    assert tops == sorted(tops) and strip.isVisible()
    strip.setFocus()
    for key, index in ((Qt.Key.Key_Left, 3), (Qt.Key.Key_Home, 0), (Qt.Key.Key_Right, 1), (Qt.Key.Key_End, 4)):
        qtbot.keyClick(strip, key)
        assert session.index == index
    assert session.follow
    qtbot.keyClick(strip, Qt.Key.Key_Space)
    assert window.scrubber.playing
    qtbot.keyClick(strip, Qt.Key.Key_Space)


def test_it_is_folded_away_and_that_is_remembered(window, make_window, photo_path):
    strip, action = parts(window)
    height = window.picture_view.height()
    assert action.isCheckable() and action.isChecked() and strip.isVisible()
    action.trigger()
    assert not strip.isVisible()
    window.close()
    strip, action = parts(again := make_window(photo_path))
    assert not strip.isVisible() and not action.isChecked()
    assert again.picture_view.height() > height
    action.trigger()
    assert strip.isVisible()
