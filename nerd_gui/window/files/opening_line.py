"""How far the photo is that is on its way, and a way to give it up."""

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QPushButton, QWidget

from nerd_gui.window.files.opener import PhotoOpener

_PATIENCE = 250  # milliseconds; what is there by then needs no word
_MOST = 1000  # of the bar


class OpeningLine(QWidget):
    """Name, progress and Cancel in the status line, while a photo takes longer than a moment to open."""

    def __init__(self, opener: PhotoOpener, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("openingLine")
        self.setAccessibleName("The photo that is being opened")
        self._name = QLabel()
        self._name.setObjectName("openingName")
        self._bar = QProgressBar()
        self._bar.setObjectName("openingProgress")
        self._bar.setAccessibleName("Progress of opening")
        self._bar.setToolTip("How much of the photo has been read and decoded")
        self._bar.setRange(0, _MOST)
        self._bar.setTextVisible(False)
        self._bar.setFixedSize(140, 8)
        self._cancel = QPushButton("Cancel")
        self._cancel.setObjectName("cancelOpeningButton")
        self._cancel.setToolTip("Do not open this photo; the one that is open stays")
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 4, 0)
        for widget in (self._name, self._bar, self._cancel):
            row.addWidget(widget)
        self.hide()
        self._patience = QTimer(self, singleShot=True, interval=_PATIENCE)
        self._patience.timeout.connect(self.show)
        self._cancel.clicked.connect(opener.cancel)
        opener.begun.connect(self._begin)
        opener.progressed.connect(lambda fraction: self._bar.setValue(round(_MOST * fraction)))
        opener.opened.connect(self._end)
        opener.failed.connect(self._end)
        opener.cancelled.connect(self._end)

    def _begin(self, name: str) -> None:
        self._name.setText(f"Opening {name}")
        self._bar.setValue(0)
        self._patience.start()

    def _end(self) -> None:
        self._patience.stop()
        self.hide()
