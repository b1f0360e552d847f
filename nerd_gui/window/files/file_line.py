"""A word in the status line for work on a file that takes longer than a moment: what, how far, and a way to end it."""

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QPushButton, QWidget

_PATIENCE = 250  # milliseconds; what is done by then needs no word
_MOST = 1000  # of the bar


class FileLine(QWidget):
    """Name, progress and Cancel; it appears a moment after `begin`, and hides at `end`.

    Parameters
    ----------
    doing : str
        The word that the names of its parts begin with, such as "opening".
    bar_tip, cancel_tip : str
        What the bar shows, and what Cancel does.

    Attributes
    ----------
    cancel : QPushButton
    """

    def __init__(self, doing: str, bar_tip: str, cancel_tip: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName(f"{doing}Line")
        self._name = QLabel()
        self._name.setObjectName(f"{doing}Name")
        self._name.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self._bar = QProgressBar()
        self._bar.setObjectName(f"{doing}Progress")
        self._bar.setAccessibleName(f"Progress of {doing}")
        self._bar.setToolTip(bar_tip)
        self._bar.setTextVisible(False)
        self._bar.setFixedSize(140, 8)
        self.cancel = QPushButton("Cancel")
        self.cancel.setObjectName(f"cancel{doing.capitalize()}Button")
        self.cancel.setToolTip(cancel_tip)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 4, 0)
        for widget in (self._name, self._bar, self.cancel):
            row.addWidget(widget)
        self.hide()
        self._patience = QTimer(self, singleShot=True, interval=_PATIENCE)
        self._patience.timeout.connect(self.show)

    def begin(self, words: str, *, told: bool = True) -> None:
        """Say what is being done; the bar moves to and fro where it is not `told` how far it is."""
        self._name.setText(words)
        self._bar.setRange(0, _MOST if told else 0)
        self._bar.setValue(0)
        if not self.isVisible():
            self._patience.start()

    def show_progress(self, fraction: float) -> None:
        """Show how far it is, 0 ... 1."""
        self._bar.setValue(round(_MOST * fraction))

    def end(self) -> None:
        """Hide: it is over, however it ended."""
        self._patience.stop()
        self.hide()
