"""What the window says: a sentence in the status line; in dialogs an error with details, the shortcuts, about."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMainWindow, QMessageBox

import nerd_gui
from nerd_gui.window.shortcuts import as_table


class Messages:
    """The status line, and dialogs that never block the event loop: a run goes on behind them."""

    def __init__(self, parent: QMainWindow) -> None:
        self._parent = parent

    def say(self, sentence: str, milliseconds: int = 0) -> None:
        """Write a sentence into the status line, until the next one or for a while."""
        self._parent.statusBar().showMessage(sentence, milliseconds)

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
            f"<b>NERD GUI {nerd_gui.__version__}</b><p>Watch an equilibrium denoiser find its fixed point.</p>"
            "<p>After Q. Chen, Y. Wang, Z. Geng, Y. Wang, J. Yang and Z. Lin, “Equilibrium Image Denoising with "
            "Implicit Differentiation”, IEEE Transactions on Image Processing, 2023.</p>"
        )
        self._show(box)
