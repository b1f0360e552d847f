"""The progress of the file that is being opened, and a button to cancel it."""

from PySide6.QtWidgets import QWidget

from nerd_gui.window.files.file_line import FileLine
from nerd_gui.window.files.opener import PhotoOpener


class OpeningLine(FileLine):
    """Name, progress and Cancel in the status line, while a file takes longer than a moment to open."""

    def __init__(self, opener: PhotoOpener, parent: QWidget | None = None) -> None:
        bar_tip = "How much of the file has been read and decoded"
        super().__init__("opening", bar_tip, "Do not open this file; what is open stays", parent)
        self.setAccessibleName("The file that is being opened")
        self.cancel.clicked.connect(opener.cancel)
        opener.begun.connect(lambda name, told: self.begin(f"Opening {name}", told=told))
        opener.progressed.connect(self.show_progress)
        for ended in (opener.opened, opener.photoWanted, opener.failed, opener.cancelled):
            ended.connect(self.end)
