"""A slider with the number beside it, in percent."""

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSlider, QSpinBox, QWidget

from nerd_gui.window.described import described

_SHORTEST = 48  # pixels of a slider that can still be dragged


class Percent(QWidget):
    """A share that is dragged, typed or stepped by keys.

    Parameters
    ----------
    name : str
        The slider's object name is this with "Slider", the number's with "Spin".
    label, tooltip : str
    most : int
        In percent; the least is 0.

    Signals
    -------
    changed
        A person has moved it.
    """

    changed = Signal()

    def __init__(self, name: str, label: str, tooltip: str, most: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName(name)
        words = QLabel(label)
        words.setToolTip(tooltip)
        self._slider = described(QSlider(Qt.Orientation.Horizontal), f"{name}Slider", label, tooltip)
        self._slider.setRange(0, most)
        self._slider.setPageStep(10)
        self._slider.setMinimumWidth(_SHORTEST)
        self._spin = described(QSpinBox(), f"{name}Spin", f"{label} in percent", tooltip)
        self._spin.setRange(0, most)
        self._spin.setSuffix(" %")
        self._spin.setButtonSymbols(QSpinBox.ButtonSymbols.NoButtons)
        self._spin.setAlignment(Qt.AlignmentFlag.AlignRight)
        self._spin.setFixedWidth(self._spin.fontMetrics().horizontalAdvance("150 %") + 18)
        self._spin.setKeyboardTracking(False)
        self._spin.lineEdit().setAcceptDrops(False)  # a photo dropped here is the window's
        words.setBuddy(self._slider)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(4)
        row.addWidget(words)
        row.addWidget(self._slider, 1)
        row.addWidget(self._spin)
        self._slider.valueChanged.connect(self._on_changed)
        self._spin.valueChanged.connect(self._on_changed)

    @property
    def share(self) -> float:
        """The share; 1 is 100 %."""
        return self._slider.value() / 100

    def show_share(self, share: float) -> None:
        """Show a share without saying that it has changed."""
        for widget in (self._slider, self._spin):
            with QSignalBlocker(widget):
                widget.setValue(round(100 * share))

    def _on_changed(self, percent: int) -> None:
        for widget in (self._slider, self._spin):
            with QSignalBlocker(widget):
                widget.setValue(percent)
        self.changed.emit()
