"""Shows in the status line that a file is being opened or saved, with its progress and a button to cancel."""

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QPushButton, QWidget

_PATIENCE = 250  # milliseconds; work that ends earlier is not shown
_MOST = 1000  # maximum value of the progress bar


class FileLine(QWidget):
    """Shows a name, the progress and Cancel; it appears a moment after `begin`, and `end` hides it.

    Parameters
    ----------
    doing : str
        The first part of the child widgets' object names, such as "opening".
    bar_tip, cancel_tip : str
        The tooltips of the progress bar and of Cancel.

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
        """Show what is being done; unless the progress will be `told`, the bar moves to and fro."""
        self._name.setText(words)
        self._bar.setRange(0, _MOST if told else 0)
        self._bar.setValue(0)
        if not self.isVisible():
            self._patience.start()

    def show_progress(self, fraction: float) -> None:
        """Show the fraction that is done, from 0 to 1."""
        self._bar.setValue(round(_MOST * fraction))

    def end(self) -> None:
        """Hide the line, whether the work has succeeded or not."""
        self._patience.stop()
        self.hide()
