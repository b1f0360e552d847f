"""The sentence in a panel that has nothing to show."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QSizePolicy

from nerd_gui.window.style.tokens import LARGE


class Placeholder(QLabel):
    """A sentence in the middle of a panel that says what the panel will show and how to get it."""

    def __init__(self, name: str, sentence: str) -> None:
        super().__init__(sentence)
        self.setObjectName(name)
        self.setAccessibleName("Why the panel is empty")
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setWordWrap(True)
        self.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.setMargin(LARGE)
        self.setProperty("quiet", True)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Expanding)
