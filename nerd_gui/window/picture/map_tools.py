"""The tools for maps in the row above the picture: the feature, the head, and the range of the colours."""

from __future__ import annotations

from PySide6.QtCore import QSignalBlocker, Signal
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QSpinBox, QWidget

from nerd_gui.window.described import described
from nerd_gui.window.picture.comparison import Comparison
from nerd_gui.window.picture.layers import Layer

_NARROWEST = 56  # pixels, the least width of a tool in a small window
OF_FEATURES = (Layer.INJECTION, Layer.FEATURE)
OF_HEADS = (Layer.RADIUS, Layer.ENTROPY)
WITH_RANGE = (*OF_HEADS, Layer.RESIDUAL, Layer.UPDATE, Layer.ROLLOUT)


class MapTools(QWidget):
    """The tools for maps, shown while a map is selected; tools that do not apply to that map are hidden.

    Signals
    -------
    changed
        A person chose another feature, head or colour range.
    """

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._feature = _number("mapFeatureSpin", "Number of the feature", "Which of the d features is shown, from 1")
        self._head = _number("mapHeadSpin", "Number of the head", "Which attention head is shown, from 1")
        self._range = described(
            QComboBox(),
            "mapRangeCombo",
            "Range of the map’s colours",
            "Own range: the colours span this map’s values, apart from a few extreme ones, so that you can compare "
            "places. Shared range: the same colours at every iterate, so that you can compare iterates",
        )
        self._range.addItems(["own range", "shared range"])
        self._range.setMinimumWidth(_NARROWEST)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        for tool in (self._feature, self._head, self._range):
            row.addWidget(tool)
        self._feature.valueChanged.connect(lambda _: self.changed.emit())
        self._head.valueChanged.connect(lambda _: self.changed.emit())
        self._range.currentIndexChanged.connect(lambda _: self.changed.emit())

    @property
    def shared(self) -> bool:
        """Whether the map uses the same colour range for all iterates."""
        return self._range.currentIndex() == 1

    def number(self, layer: Layer) -> int:
        """Return the chosen feature or head for a map, counted from 0; 0 for a map without either."""
        spin = self._feature if layer in OF_FEATURES else self._head if layer in OF_HEADS else None
        return 0 if spin is None else spin.value() - 1

    def set(self, feature: int, head: int, *, shared: bool) -> None:
        """Choose a feature and a head, counted from 0, and the colour range."""
        for spin, number in ((self._feature, feature), (self._head, head)):
            spin.setMaximum(max(spin.maximum(), number + 1))
            spin.setValue(number + 1)
        self._range.setCurrentIndex(int(shared))

    def state(self) -> tuple[int, int, bool]:
        """Return feature and head, counted from 0, and whether the colour range is shared."""
        return self._feature.value() - 1, self._head.value() - 1, self.shared

    def set_counts(self, features: int, heads: int) -> None:
        """Set how many features and heads there are; 0 means that the number is not known and stays as it was."""
        for spin, count, what in ((self._feature, features, "feature"), (self._head, heads, "head")):
            if count:
                with QSignalBlocker(spin):
                    spin.setMaximum(count)
                spin.setPrefix(f"{what} ")
                spin.setSuffix(f"/{count}")

    def show_comparison(self, comparison: Comparison) -> None:
        """Show the tools that apply to the selected maps."""
        selected = {comparison.left, comparison.right}
        self._feature.setVisible(not selected.isdisjoint(OF_FEATURES))
        self._head.setVisible(not selected.isdisjoint(OF_HEADS))
        self._range.setVisible(not selected.isdisjoint(WITH_RANGE))
        self.setVisible(comparison.with_maps and not comparison.plain)


def _number(name: str, accessible_name: str, tip: str) -> QSpinBox:
    spin = described(QSpinBox(), name, accessible_name, tip)
    spin.setRange(1, 1)
    spin.setMinimumWidth(_NARROWEST)
    spin.setKeyboardTracking(False)
    spin.setAccelerated(True)
    spin.lineEdit().setAcceptDrops(False)  # a photo that is dropped here goes to the window
    return spin
