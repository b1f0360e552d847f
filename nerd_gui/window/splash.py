"""The window that is shown while the program is loaded, with its name and the progress."""

from __future__ import annotations

import importlib
from collections.abc import Callable

from PySide6.QtCore import Qt, QThread, Signal
from PySide6.QtGui import QPaintEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QProgressBar, QVBoxLayout, QWidget

from nerd_gui.window.icons import program_icon
from nerd_gui.window.style.tokens import HEADING_PIXELS, LARGE, SMALL, sized

#: The modules to load, each with a text for people. Qt's own parts are loaded afterwards on the window's thread.
_PARTS = (
    ("torch", "Loading PyTorch, which does the arithmetic …"),
    ("nerd_gui.denoising", "Loading the denoiser …"),
)
_LAST = "Opening the window …"
_ICON = 48


class Splash(QFrame):
    """A small window that appears at once, and closes when `opened` has returned.

    Parameters
    ----------
    opened : callable
        Opens the main window; called once everything is loaded.
    failed : callable
        Reports why the window could not be opened.
    """

    def __init__(self, opened: Callable[[], None], failed: Callable[[Exception], None]) -> None:
        super().__init__(None, Qt.WindowType.SplashScreen)
        self.setObjectName("splash")
        self.setWindowTitle("NERD GUI")
        self._opened, self._failed = opened, failed
        self._loader: _Loader | None = None
        picture, name = QLabel(), QLabel("NERD GUI")
        picture.setPixmap(program_icon().pixmap(_ICON, _ICON))
        name.setFont(sized(name.font(), HEADING_PIXELS, strong=True))
        self._words = QLabel(_PARTS[0][1])
        self._words.setObjectName("splashWords")
        self._words.setProperty("quiet", True)
        self._bar = QProgressBar()
        self._bar.setObjectName("splashProgress")
        self._bar.setRange(0, len(_PARTS) + 1)
        self._bar.setTextVisible(False)
        self._bar.setFixedHeight(4)
        head = QHBoxLayout()
        head.setSpacing(LARGE)
        head.addWidget(picture)
        head.addWidget(name, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(2 * LARGE, 2 * LARGE, 2 * LARGE, 2 * LARGE)
        column.setSpacing(SMALL)
        column.addLayout(head)
        column.addSpacing(LARGE)
        column.addWidget(self._words)
        column.addWidget(self._bar)
        self.setFixedSize(420, self.sizeHint().height())
        self.move(self.screen().availableGeometry().center() - self.rect().center())

    def paintEvent(self, event: QPaintEvent) -> None:
        """Start loading when the splash is painted for the first time."""
        super().paintEvent(event)
        if self._loader is None:
            self._loader = _Loader(self)
            self._loader.reached.connect(self._show_part)
            self._loader.finished.connect(self._open)
            self._loader.start()

    def _show_part(self, number: int) -> None:
        self._bar.setValue(number)
        self._words.setText(_PARTS[number][1] if number < len(_PARTS) else _LAST)

    def _open(self) -> None:
        assert self._loader is not None
        self._loader.wait()
        self.repaint()  # otherwise the previous text would stay on the screen
        try:
            if self._loader.error is not None:
                raise self._loader.error
            self._opened()
        except Exception as error:  # noqa: BLE001 - an error of any kind would otherwise go unseen
            self.hide()
            self._failed(error)
        finally:
            self.close()


class _Loader(QThread):
    """Imports one module after another."""

    reached = Signal(int)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.error: ImportError | None = None

    def run(self) -> None:
        """Import all modules, or keep the error of the first that fails."""
        try:
            for number, (module, _) in enumerate(_PARTS):
                self.reached.emit(number)
                importlib.import_module(module)
        except ImportError as error:
            self.error = error
        self.reached.emit(len(_PARTS))
