"""What is being saved, how far it is, and a way to leave out the rest."""

from PySide6.QtWidgets import QWidget

from nerd_gui.window.files.file_line import FileLine
from nerd_gui.window.files.saver import Saver


class SavingLine(FileLine):
    """Name and progress in the status line, while saving takes longer than a moment; Cancel where it goes by steps."""

    def __init__(self, saver: Saver, parent: QWidget | None = None) -> None:
        bar_tip = "How much is saved; it moves to and fro while that cannot be told"
        cancel_tip = "Leave out what is still to come; files that are written stay"
        super().__init__("saving", bar_tip, cancel_tip, parent)
        self.setAccessibleName("What is being saved")
        self.cancel.clicked.connect(saver.cancel)
        saver.begun.connect(self._begin)
        saver.progressed.connect(self.show_progress)
        saver.idle.connect(self.end)

    def _begin(self, name: str, steps: bool) -> None:
        self.cancel.setVisible(steps)
        self.begin(f"Saving {name}", told=steps)
