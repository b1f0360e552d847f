"""What a person does with the main window, for the tests of it."""

from PySide6.QtWidgets import QMessageBox, QSlider


def run_to_the_end(qtbot, window):
    with qtbot.waitSignal(window.session.controller.ended, timeout=30_000):
        window.actions_.run.trigger()


def slider(window):
    return window.findChild(QSlider, "iterationSlider")


def dialog_text(window):
    (box,) = window.findChildren(QMessageBox)
    text = box.text()
    box.close()
    return text
