"""A window as a program of its own: opens a photo, runs, saves picture and session under names that others write too.

    python window_process.py PHOTO NETWORK PLACE ROUNDS

PLACE is the folder of the results and holds what the program keeps for itself, too. Prints what went wrong, as JSON.
"""

import json
import sys
from pathlib import Path

from PySide6.QtCore import QEventLoop, QSettings, Qt, QTimer
from PySide6.QtWidgets import QApplication

from nerd_gui.window.files import export_dialogs, session_files
from nerd_gui.window.files.save_dialog import Target
from nerd_gui.window.main_window import MainWindow
from nerd_gui.window.recovery.guard import Guard

_LONGEST = 60_000  # the longest time in milliseconds for each step


def wait_until(done):
    """Process events until the condition is true."""
    loop, ticks, late = QEventLoop(), QTimer(), QTimer()
    ticks.timeout.connect(lambda: loop.quit() if done() else None)
    late.setSingleShot(True)
    late.timeout.connect(loop.quit)
    ticks.start(5)
    late.start(_LONGEST)
    loop.exec()
    if not done():
        raise TimeoutError("The window did not come to an end.")


def main(photo, network, place, rounds):
    application = QApplication(sys.argv[:1])
    settings = QSettings(str(place / "settings.ini"), QSettings.Format.IniFormat)
    window = MainWindow(photo, model=str(network), settings=settings)
    guard = Guard(window, place / "state", place / "log")
    window.setAttribute(Qt.WidgetAttribute.WA_DontShowOnScreen)
    window.show()
    said = []
    window.saver.failed.disconnect(window.messages.show_error)
    window.saver.failed.connect(said.append)
    targets = iter(())
    for module in (export_dialogs, session_files):
        # The person agrees to replace each of these files.
        module.ask_target = lambda *_: Target(next(targets), overwrite=True)
    session = window.session
    for number in range(rounds):
        window.open_dialogs.open_file(photo)
        wait_until(lambda: not window.opener.busy and session.workspace.photo is not None)
        window.controls.settings_button.max_iter.setValue(2 + number % 3)
        window.run()
        wait_until(lambda: not session.controller.running and session.newest >= 0)
        targets = iter([place / "same.png", place / "same.nerd"])
        window.export_dialogs.ask_iterate()
        wait_until(lambda: not window.saver.busy)
        window.sessions.save_as()
        wait_until(lambda: not window.saver.busy)
    guard.end()
    window.hide()
    window.opener.wait()
    window.saver.wait()
    session.controller.wait()
    session.maps.wait()
    print(json.dumps({"said": said, "rounds": rounds}))
    application.processEvents()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]), int(sys.argv[4]))
