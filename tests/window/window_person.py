"""A simulated user of the main window."""

from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMessageBox, QSlider


def run_to_the_end(qtbot, window):
    """Run with the present settings, and return the run."""
    with qtbot.waitSignal(window.session.controller.ended, timeout=30_000):
        window.actions_.run.trigger()
    return window.session.run


def choose_scheme(qtbot, window, name):
    """Choose “light”, “dark” or “system” in the menu, and wait until the window shows it."""
    window.findChild(QAction, f"{name}AppearanceAction").trigger()
    qtbot.waitUntil(window.updatesEnabled)


def slider(window):
    return window.findChild(QSlider, "iterationSlider")


def dialog_text(window):
    (box,) = window.findChildren(QMessageBox)
    text = box.text()
    box.close()
    return text
