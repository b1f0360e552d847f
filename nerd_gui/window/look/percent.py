"""A slider with a number in percent beside it."""

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSlider, QSpinBox, QWidget

from nerd_gui.window.described import described

_SHORTEST = 48  # pixels, the least width at which a slider can still be dragged


class Percent(QWidget):
    """A percentage that a person can drag, type or change by keys.

    Parameters
    ----------
    name : str
        The object names are this with "Slider" and "Spin" appended.
    label, tooltip : str
    most, least : int
        The largest and the smallest percentage.

    Signals
    -------
    changed
        A person has changed the percentage.
    """

    changed = Signal()

    def __init__(
        self, name: str, label: str, tooltip: str, most: int, least: int = 0, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setObjectName(name)
        words = QLabel(label)
        words.setToolTip(tooltip)
        self._slider = described(QSlider(Qt.Orientation.Horizontal), f"{name}Slider", label, tooltip)
        self._slider.setRange(least, most)
        self._slider.setPageStep(10)
        self._slider.setMinimumWidth(_SHORTEST)
        self._spin = described(QSpinBox(), f"{name}Spin", f"{label} in percent", tooltip)
        self._spin.setRange(least, most)
        self._spin.setSuffix(" %")
        self._spin.setButtonSymbols(QSpinBox.ButtonSymbols.NoButtons)
        self._spin.setAlignment(Qt.AlignmentFlag.AlignRight)
        self._spin.setFixedWidth(self._spin.fontMetrics().horizontalAdvance("150 %") + 18)
        self._spin.setKeyboardTracking(False)
        self._spin.lineEdit().setAcceptDrops(False)  # a photo that is dropped here goes to the window
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
        """The percentage as a fraction; 1 is 100 %."""
        return self._slider.value() / 100

    @property
    def held(self) -> bool:
        """Whether a person is dragging the slider."""
        return self._slider.isSliderDown()

    def show_share(self, share: float) -> None:
        """Show a fraction without emitting a signal."""
        for widget in (self._slider, self._spin):
            with QSignalBlocker(widget):
                widget.setValue(round(100 * share))

    def _on_changed(self, percent: int) -> None:
        for widget in (self._slider, self._spin):
            with QSignalBlocker(widget):
                widget.setValue(percent)
        self.changed.emit()
