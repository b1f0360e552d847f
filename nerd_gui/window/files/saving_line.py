"""The progress of the file that is being saved, and a button to cancel the rest."""

from PySide6.QtWidgets import QWidget

from nerd_gui.window.files.file_line import FileLine
from nerd_gui.window.files.saver import Saver


class SavingLine(FileLine):
    """Name and progress in the status line while saving takes longer than a moment; with Cancel for work in steps."""

    def __init__(self, saver: Saver, parent: QWidget | None = None) -> None:
        bar_tip = "How much has been saved; the bar moves to and fro if that is not known"
        cancel_tip = "Do not save the rest; files that are already written stay"
        super().__init__("saving", bar_tip, cancel_tip, parent)
        self.setAccessibleName("What is being saved")
        self.cancel.clicked.connect(saver.cancel)
        saver.begun.connect(self._begin)
        saver.progressed.connect(self.show_progress)
        saver.idle.connect(self.end)

    def _begin(self, name: str, steps: bool) -> None:
        self.cancel.setVisible(steps)
        self.begin(f"Saving {name}", told=steps)
