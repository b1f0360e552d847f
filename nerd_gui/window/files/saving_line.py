"""What is being saved, how far it is, and a way to leave out the rest of many files."""

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QPushButton, QWidget

from nerd_gui.window.files.saver import Saver

_PATIENCE = 250  # milliseconds; what is saved by then needs no word
_MOST = 1000  # of the bar


class SavingLine(QWidget):
    """Name and progress in the status line, while saving takes longer than a moment; Cancel where it goes by steps."""

    def __init__(self, saver: Saver, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("savingLine")
        self.setAccessibleName("What is being saved")
        self._name = QLabel()
        self._name.setObjectName("savingName")
        self._name.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self._bar = QProgressBar()
        self._bar.setObjectName("savingProgress")
        self._bar.setAccessibleName("Progress of saving")
        self._bar.setToolTip("How much is saved; it moves to and fro while that cannot be told")
        self._bar.setTextVisible(False)
        self._bar.setFixedSize(140, 8)
        self._cancel = QPushButton("Cancel")
        self._cancel.setObjectName("cancelSavingButton")
        self._cancel.setToolTip("Leave out the files that are still to come; those that are written stay")
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 4, 0)
        for widget in (self._name, self._bar, self._cancel):
            row.addWidget(widget)
        self.hide()
        self._patience = QTimer(self, singleShot=True, interval=_PATIENCE)
        self._patience.timeout.connect(self.show)
        self._cancel.clicked.connect(saver.cancel)
        saver.begun.connect(self._begin)
        saver.progressed.connect(lambda fraction: self._bar.setValue(round(_MOST * fraction)))
        saver.idle.connect(self._end)

    def _begin(self, name: str, steps: bool) -> None:
        self._name.setText(f"Saving {name}")
        self._bar.setRange(0, _MOST if steps else 0)
        self._bar.setValue(0)
        self._cancel.setVisible(steps)
        if not self.isVisible():
            self._patience.start()

    def _end(self) -> None:
        self._patience.stop()
        self.hide()
