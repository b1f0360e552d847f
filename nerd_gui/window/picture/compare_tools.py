"""The row of tools above the picture: which layers are shown, how they are compared, and at what zoom."""

from __future__ import annotations

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QComboBox, QDoubleSpinBox, QHBoxLayout, QLabel, QToolButton, QVBoxLayout, QWidget

from nerd_gui.window.picture.comparison import Comparison
from nerd_gui.window.picture.layer_list import LayerCombo
from nerd_gui.window.picture.layers import Compare, Layer
from nerd_gui.window.picture.map_tools import MapTools
from nerd_gui.window.style.tokens import TIGHT

DEFAULT_GAIN = 2.0
_LISTS = 3  # at the beginning of the first line


class CompareTools(QWidget):
    """Selectors for the two layers, the mode and the gain, and the zoom buttons.

    Signals
    -------
    selected : Compare, Layer, Layer
        The mode, the left layer and the right layer that a person chose.
    gainChanged : float
    mapsChanged
        A person chose another feature or head, or another colour range of the maps.
    fitWanted, actualWanted
        A person asked for the whole picture (fit), or for 100 % (actual).
    """

    selected = Signal(object, object, object)
    gainChanged = Signal(float)
    mapsChanged = Signal()
    fitWanted = Signal()
    actualWanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("compareTools")
        self._plain = False
        self._left = LayerCombo(
            "leftLayerCombo",
            "Left layer",
            "The picture on the left of the wipe, and the one that F shows while it is held",
        )
        self._mode = _mode_combo()
        self._right = LayerCombo(
            "rightLayerCombo",
            "Right layer",
            "The picture on the right of the wipe: an iterate x̂ = y + f_decode(z) of the solver, the result, "
            "the clean picture x, the noise estimate n̂, or a map of what the network computes",
        )
        self.maps = MapTools()
        self._gain = _gain_spin()
        self._fit = _button("zoomFitButton", "Fit", "Fit the whole picture into the view (0)")
        self._actual = _button("zoomActualButton", "100 %", "Show each picture pixel on one pixel of the screen (1)")
        self._zoom = QLabel()
        self._zoom.setObjectName("zoomLabel")
        self._zoom.setAccessibleName("Zoom")
        self._zoom.setToolTip("Screen pixels per picture pixel. The wheel zooms at the pointer, + and - at the middle")
        self._zoom.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self._zoom.setMinimumWidth(self._zoom.fontMetrics().horizontalAdvance("6400 %"))
        self._first, self._second = QHBoxLayout(), QHBoxLayout()
        for selector in (self._left, self._mode, self._right):
            self._first.addWidget(selector)
        self._first.addStretch(1)
        for zoom_tool in (self._zoom, self._fit, self._actual):
            self._first.addWidget(zoom_tool)
        self._second.addStretch(1)
        self._below: bool | None = None
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(TIGHT)
        column.addLayout(self._first)
        column.addLayout(self._second)
        self._arrange()
        for combo in (self._left, self._mode, self._right):
            combo.currentIndexChanged.connect(self._select)
        self._gain.valueChanged.connect(self.gainChanged)
        self.maps.changed.connect(self.mapsChanged)
        self._fit.clicked.connect(lambda: self.fitWanted.emit())
        self._actual.clicked.connect(lambda: self.actualWanted.emit())

    def show_comparison(self, comparison: Comparison) -> None:
        """Show a comparison's choices in the selectors; a layer without a picture is greyed out."""
        for combo, layer in zip((self._left, self._right), comparison.selected, strict=True):
            combo.choose(layer)
            combo.show_comparison(comparison)
        with QSignalBlocker(self._mode):
            self._mode.setCurrentIndex(self._mode.findData(comparison.mode))
        self.maps.show_comparison(comparison)
        there = comparison.layers.shape is not None
        for tool in (self._left, self._mode, self._right, self._fit, self._actual):
            tool.setEnabled(there)
        differs = comparison.mode is Compare.DIFFERENCE and not comparison.with_maps
        gained = differs or Layer.NOISE in (comparison.left, comparison.right)
        self._gain.setEnabled(there and gained)
        self._gain.setVisible(there and gained and not self._plain)
        self._arrange()

    def show_plainly(self, plain: bool) -> None:
        """Hide the choice of layers when `plain`, since before and after are compared then; or show it again."""
        self._plain = plain
        for tool in (self._left, self._right):
            tool.setVisible(not plain)
        self._arrange()

    def set_gain(self, gain: float) -> None:
        """Set the gain, as if it had been typed."""
        self._gain.setValue(gain)

    def show_zoom(self, zoom: float | None) -> None:
        """Show the zoom; None while there is no picture."""
        percent = 100 * (zoom or 0)
        self._zoom.setText("" if zoom is None else f"{percent:.0f} %" if percent >= 10 else f"{percent:.1f} %")

    def _arrange(self) -> None:
        """Put the tools for maps and differences after the lists, or in a line of their own if there is no room."""
        extras = (self._gain, self.maps)
        tools = (self._left, self._mode, self._right, self._zoom, self._fit, self._actual, *extras)
        needed = [tool.sizeHint().width() for tool in tools if not tool.isHidden()]
        below = sum(needed) + self._first.spacing() * len(needed) > self.width()
        if below == self._below:
            return
        self._below = below
        for place, tool in enumerate(extras):
            (self._first if below else self._second).removeWidget(tool)
            if below:
                self._second.insertWidget(place, tool)
            else:
                self._first.insertWidget(_LISTS + place, tool)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Arrange the tools for the new width."""
        super().resizeEvent(event)
        self._arrange()

    def _select(self) -> None:
        self.selected.emit(Compare(self._mode.currentData()), self._left.layer, self._right.layer)


def _mode_combo() -> QComboBox:
    combo = QComboBox()
    combo.setObjectName("compareModeCombo")
    combo.setAccessibleName("Way of comparing")
    combo.setToolTip(
        "How the two pictures are compared: the right one alone, a divider to drag, two linked views, "
        "or right minus left around mid-grey"
    )
    for value in Compare:
        combo.addItem(str(value), value)
    combo.setMinimumWidth(combo.sizeHint().width())
    return combo


def _gain_spin() -> QDoubleSpinBox:
    spin = QDoubleSpinBox()
    spin.setObjectName("differenceGainSpin")
    spin.setAccessibleName("Gain of differences and of the noise estimate")
    spin.setToolTip("Factor on the difference (right minus left) and on the noise estimate n̂, around mid-grey")
    spin.setPrefix("gain × ")
    spin.setRange(0.1, 200)
    spin.setDecimals(1)
    spin.setStepType(QDoubleSpinBox.StepType.AdaptiveDecimalStepType)
    spin.setValue(DEFAULT_GAIN)
    spin.lineEdit().setAcceptDrops(False)  # a photo that is dropped here goes to the window
    return spin


def _button(name: str, text: str, purpose: str) -> QToolButton:
    button = QToolButton()
    button.setObjectName(name)
    button.setText(text)
    button.setAccessibleName(purpose)
    button.setToolTip(purpose)
    return button
