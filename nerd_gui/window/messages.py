"""What the window says: in passing, until it is answered, and in dialogs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import QMainWindow, QMessageBox, QWidget

import nerd_gui
from nerd_gui.window.shortcuts import as_table


def question_box(name: str, question: str, parent: QWidget) -> QMessageBox:
    """A question in plain text, to which its asker adds the answers; it is gone when it is answered."""
    box = QMessageBox(parent)
    box.setObjectName(name)
    box.setIcon(QMessageBox.Icon.Question)
    box.setWindowTitle("NERD GUI")
    box.setTextFormat(Qt.TextFormat.PlainText)
    box.setText(question)
    box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    return box


@dataclass(frozen=True)
class Notice:
    """A sentence that stays until it is answered.

    Attributes
    ----------
    key : str
        What it is about; another one of the same key takes its place.
    button : str
        What can be done about it; empty where nothing is to be done.
    do : callable or None
        Does it.
    warns : bool
        Something is not as it should be.
    """

    key: str
    sentence: str
    button: str = ""
    do: Callable[[], object] | None = None
    warns: bool = False


class Messages(QObject):
    """The status line, notices that stay, and dialogs that never block the event loop: a run goes on behind them.

    Signals
    -------
    kept : Notice
        To be shown until it is answered or dropped.
    dropped : str
        The notice of this key does not hold any more.
    """

    kept = Signal(object)
    dropped = Signal(str)

    def __init__(self, parent: QMainWindow) -> None:
        super().__init__(parent)
        self._parent = parent

    def say(self, sentence: str, milliseconds: int = 8000) -> None:
        """Remark something in passing, in the status line, until the next remark or for a while."""
        self._parent.statusBar().showMessage(sentence, milliseconds)

    def keep(
        self, key: str, sentence: str, *, button: str = "", do: Callable[[], object] | None = None, warns: bool = False
    ) -> None:
        """Show a sentence until it is answered; see `Notice`."""
        self.kept.emit(Notice(key, sentence, button, do, warns))

    def drop(self, key: str) -> None:
        """Take a notice away that does not hold any more."""
        self.dropped.emit(key)

    def _show(self, box: QMessageBox) -> None:
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        box.open()

    def show_error(self, sentence: str, details: str = "") -> None:
        """Say what went wrong and what to do."""
        box = QMessageBox(QMessageBox.Icon.Warning, "NERD GUI", sentence, QMessageBox.StandardButton.Ok, self._parent)
        box.setObjectName("errorDialog")
        box.setTextFormat(Qt.TextFormat.PlainText)
        if details:
            box.setDetailedText(details)
        self._show(box)

    def show_shortcuts(self) -> None:
        """List the keyboard's and the mouse's shortcuts."""
        box = QMessageBox(self._parent)
        box.setObjectName("shortcutsDialog")
        box.setWindowTitle("Keyboard and mouse")
        box.setText(as_table())
        self._show(box)

    def show_about(self) -> None:
        """Say what this is and which paper it follows."""
        box = QMessageBox(self._parent)
        box.setObjectName("aboutDialog")
        box.setWindowTitle("About NERD GUI")
        box.setText(
            f"<b>NERD GUI {nerd_gui.__version__}</b>"
            "<p>Denoise photos, and watch how an equilibrium denoiser does it.</p>"
            "<p>After Q. Chen, Y. Wang, Z. Geng, Y. Wang, J. Yang and Z. Lin, “Equilibrium Image Denoising with "
            "Implicit Differentiation”, IEEE Transactions on Image Processing, 2023.</p>"
        )
        self._show(box)
