"""Starts the window as a program, or only to take a screenshot.

Modules that take long to load are imported once something is on the screen, see `Splash`.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from PySide6.QtCore import (
    QBuffer,
    QIODevice,
    QMessageLogContext,
    QSettings,
    Qt,
    QTimer,
    QtMsgType,
    qInstallMessageHandler,
)
from PySide6.QtWidgets import QApplication, QMessageBox

from nerd_gui.files import why_not, write_file
from nerd_gui.window.splash import Splash
from nerd_gui.window.style.scheme import dress
from nerd_gui.window.system_libraries import REMEDY
from nerd_gui.window.threads import end_with

if TYPE_CHECKING:
    from nerd_gui.window.main_window import MainWindow
    from nerd_gui.window.recovery.guard import Guard


def run_window(photo: Path | None, screenshot: Path | None = None, model: str | None = None) -> int:
    """Open the window and return the program's exit code when it closes.

    Parameters
    ----------
    photo : Path or None
        The photo to open; None opens a sample, which runs at once.
    screenshot : Path, optional
        Where to save a picture of the finished window; the program then ends. This works without a display, too.
    model : str, optional
        The network to choose.
    """
    headless = sys.platform.startswith("linux") and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
    if screenshot is not None and headless:
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    before = qInstallMessageHandler(_end_without_display)
    application = QApplication.instance() or QApplication(sys.argv[:1])
    qInstallMessageHandler(before)
    application.setApplicationName("NERD GUI")
    dress()
    if screenshot is None:
        opened: list[tuple[MainWindow, Guard]] = []
        splash = Splash(lambda: opened.append(_open(photo, model)), _say_why_not)
        splash.show()
        code = application.exec()
        for _, guard in opened:
            guard.end()
        return end_with(code if opened else 1)
    from nerd_gui.window.main_window import FIRST_SIZE, MainWindow

    # The screenshot shows the window with default settings, whatever the person has changed.
    with TemporaryDirectory() as folder:
        settings = QSettings(str(Path(folder) / "settings.ini"), QSettings.Format.IniFormat)
        window = MainWindow(photo, model=model, settings=settings)
        window.resize(FIRST_SIZE)  # a fixed size, independent of the screen
        window.show()
        return _take_screenshot(window, screenshot)


def _end_without_display(kind: QtMsgType, _: QMessageLogContext, __: str) -> None:
    """Handle Qt's messages while it looks for a display; without one, Qt would abort the program after its message."""
    if kind is QtMsgType.QtFatalMsg:
        code = _complain(
            "The window cannot be shown: there is no display, or Qt lacks a system library for it. "
            f"{REMEDY} Two commands work without a display: “nerd-gui --screenshot FILE” saves a picture of the "
            "window, and “nerd-gui denoise” denoises photos."
        )
        sys.stderr.flush()
        os._exit(code)


def _open(photo: Path | None, model: str | None) -> tuple[MainWindow, Guard]:
    """Open the window, once its modules are loaded."""
    from nerd_gui.window.main_window import MainWindow
    from nerd_gui.window.recovery.guard import Guard

    window = MainWindow(photo, model=model)
    guard = Guard(window)
    window.show()
    guard.offer()
    return window, guard


def _say_why_not(error: Exception) -> None:
    """Log why the window could not be opened, and show a dialog."""
    from nerd_gui.window.recovery.log import log_failed_start

    details, where = log_failed_start(error)
    words = details.strip().splitlines()[-1]
    box = QMessageBox(QMessageBox.Icon.Critical, "NERD GUI", f"NERD GUI could not be started ({words}). {where}")
    box.setObjectName("startDialog")
    box.setTextFormat(Qt.TextFormat.PlainText)
    box.setDetailedText(details)
    box.exec()


def _complain(sentence: str) -> int:
    print(f"nerd-gui: {sentence}", file=sys.stderr)
    return 2


def _take_screenshot(window: MainWindow, path: Path) -> int:
    """Run the open photo, pin the middle pixel, save the window's picture and end."""
    from nerd_gui.denoising import RunError

    outcome: list[int] = []
    session = window.session

    def finish(code: int) -> None:
        outcome.append(code)
        window.close()
        QApplication.exit(code)

    def start() -> None:
        if not session.controller.running:
            try:
                session.start(window.controls.settings())
            except RunError as error:
                finish(_complain(str(error)))

    def picture() -> None:
        if session.trajectory:
            subject = session.trajectory.subject
            row, col = subject.corner
            session.pins.put(row + subject.rows // 2, col + subject.cols // 2)
            session.go(session.trajectory.result)
        QTimer.singleShot(200, window, save)  # until then the views have painted themselves

    def save() -> None:
        if not window.picture_view.ready():
            QTimer.singleShot(50, window, save)
            return
        buffer = QBuffer()
        buffer.open(QIODevice.OpenModeFlag.WriteOnly)
        if not window.grab().save(buffer, path.suffix[1:]):
            finish(_complain(f"A screenshot cannot be saved as “{path.name}”; choose a name that ends in .png."))
            return
        try:
            write_file(path, bytes(buffer.data().data()))
        except OSError as error:
            finish(_complain(f"The picture “{path}” was not saved: {why_not(error, path)}."))
        else:
            finish(0)

    session.controller.ended.connect(lambda *_: picture())
    session.controller.failed.connect(lambda sentence, *_: finish(_complain(sentence)))
    window.opener.opened.connect(start)
    window.opener.failed.connect(lambda sentence, _: finish(_complain(sentence)))
    QApplication.exec()
    return outcome[0] if outcome else 2
