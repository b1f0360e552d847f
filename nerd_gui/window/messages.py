"""The window's messages: short ones, notices that stay until they are answered, and dialogs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import QMainWindow, QMessageBox, QWidget

import nerd_gui
from nerd_gui.window.shortcuts import as_table


def question_box(name: str, question: str, parent: QWidget) -> QMessageBox:
    """Return a dialog with a question in plain text; the caller adds the answers. It is deleted once it is closed."""
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
    """A sentence that stays until a person answers it.

    Attributes
    ----------
    key : str
        What the notice is about; a new notice with the same key replaces it.
    button : str
        The label of the button that does something about it; empty for no button.
    do : callable or None
        Called when the button is pressed.
    warns : bool
        Whether something is wrong.
    """

    key: str
    sentence: str
    button: str = ""
    do: Callable[[], object] | None = None
    warns: bool = False


class Messages(QObject):
    """Shows messages in the status line, notices that stay, and dialogs, none of which blocks the event loop or a run.

    Signals
    -------
    kept : Notice
        The notice is to be shown until it is answered or dropped.
    dropped : str
        The notice with this key no longer applies.
    """

    kept = Signal(object)
    dropped = Signal(str)

    def __init__(self, parent: QMainWindow) -> None:
        super().__init__(parent)
        self._parent = parent

    def say(self, sentence: str, milliseconds: int = 8000) -> None:
        """Show a message in the status line, until the next one or for a while."""
        self._parent.statusBar().showMessage(sentence, milliseconds)

    def keep(
        self, key: str, sentence: str, *, button: str = "", do: Callable[[], object] | None = None, warns: bool = False
    ) -> None:
        """Show a sentence until it is answered; see `Notice`."""
        self.kept.emit(Notice(key, sentence, button, do, warns))

    def drop(self, key: str) -> None:
        """Remove a notice that no longer applies."""
        self.dropped.emit(key)

    def _show(self, box: QMessageBox) -> None:
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        box.open()

    def show_error(self, sentence: str, details: str = "") -> None:
        """Show a dialog that says what went wrong and what to do."""
        box = QMessageBox(QMessageBox.Icon.Warning, "NERD GUI", sentence, QMessageBox.StandardButton.Ok, self._parent)
        box.setObjectName("errorDialog")
        box.setTextFormat(Qt.TextFormat.PlainText)
        if details:
            box.setDetailedText(details)
        self._show(box)

    def show_shortcuts(self) -> None:
        """List the shortcuts of keyboard and mouse."""
        box = QMessageBox(self._parent)
        box.setObjectName("shortcutsDialog")
        box.setWindowTitle("Keyboard and mouse")
        box.setText(as_table())
        self._show(box)

    def show_about(self) -> None:
        """Show what this program is and which paper it implements."""
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
