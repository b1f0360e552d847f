"""The list of the layers of a photo and its run, in groups; each tooltip describes a layer with its equation."""

from __future__ import annotations

from PySide6.QtCore import QSignalBlocker, Qt
from PySide6.QtGui import QStandardItem, QStandardItemModel
from PySide6.QtWidgets import QComboBox

from nerd_gui.window.described import in_lines
from nerd_gui.window.picture.comparison import Comparison
from nerd_gui.window.picture.layers import Layer
from nerd_gui.window.style.tokens import CAPTION_PIXELS, sized

_GROUPS: dict[str, dict[Layer, str]] = {
    "Pictures": {
        Layer.NOISY: "The photo as the network sees it, y",
        Layer.ITERATE: "The picture of the shown iterate, x̂ = y + f_decode(z) (Eq. 5)",
        Layer.COMPARED: "An iterate that was kept for comparison, perhaps from another run",
        Layer.CLEAN: "The clean photo x, where it is known",
        Layer.NOISE: "The noise that was found, n̂ = f_decode(z) (Eq. 4), around mid-grey",
        Layer.RESULT: "The picture of the iterate with the smallest residual",
    },
    "Where it has not settled": {
        Layer.RESIDUAL: "How far each pixel’s features are from the fixed point: ‖f(z) − z‖ over the features of the "
        "pixel, in percent of the mean size of f(z). Its root mean square is the residual of the curves",
        Layer.UPDATE: "How far each pixel’s features have moved since the previous iterate: ‖zᵢ − zᵢ₋₁‖ over the "
        "features of the pixel, in percent of the mean size of f(z)",
    },
    "What the features hold": {
        Layer.DECODED_INJECTION: "What the decoder makes of the photo’s own features, before the solver starts: "
        "f_decode(s) with s = f_inject(y) (Fig. 6); compare it with the noise estimate f_decode(z)",
        Layer.INJECTION: "One of the d features that the network computes from the photo, s = f_inject(y) (Eq. 2)",
        Layer.FEATURE: "One of the d features of the shown iterate, z",
        Layer.COMPONENTS: "The three directions in which the features of the result z* differ most from pixel to "
        "pixel, as red, green and blue (principal components); the same colours at every iterate",
    },
    "Where the heads look": {
        Layer.RADIUS: "How far a head looks from each pixel: √(Σ p |k − q|²) of its softmax weights p (Eq. 7)",
        Layer.ENTROPY: "Over how many pixels a head spreads its attention: −Σ p log₂ p of its softmax weights p, in "
        "bits; n equal weights give log₂ n",
        Layer.ROLLOUT: "Which pixels the pinned pixel depends on through all steps from the shown iterate to the "
        "result: its row in A_N A_N₋₁ … A_i with A = (I + mean of the heads) / 2 (attention rollout)",
    },
}
_ROW = Qt.ItemDataRole.UserRole
_NARROWEST = 72  # pixels, the least width of the list in a small window
_LETTERS = 11  # letters of a long name that are shown while the list is closed


class LayerCombo(QComboBox):
    """Chooses one of the layers; layers without a picture are greyed out."""

    def __init__(self, name: str, accessible_name: str, tool_tip: str) -> None:
        super().__init__()
        self.setObjectName(name)
        self.setAccessibleName(accessible_name)
        self.setToolTip(tool_tip)
        self._items: dict[Layer, QStandardItem] = {}
        model = QStandardItemModel(self)
        for group, layers in _GROUPS.items():
            heading = QStandardItem(group)
            heading.setFlags(Qt.ItemFlag.NoItemFlags)
            heading.setFont(sized(self.font(), CAPTION_PIXELS, strong=True))
            model.appendRow(heading)
            for layer, tip in layers.items():
                item = self._items[layer] = QStandardItem(str(layer))
                item.setData(layer, _ROW)
                item.setToolTip(in_lines(tip))
                model.appendRow(item)
        self.setModel(model)
        self.setMaxVisibleItems(model.rowCount())
        self.setMinimumContentsLength(_LETTERS)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumWidth(_NARROWEST)
        self.choose(Layer.NOISY)

    @property
    def layer(self) -> Layer:
        """The chosen layer."""
        return Layer(self.currentData())

    def choose(self, layer: Layer) -> None:
        """Choose a layer without emitting a signal."""
        with QSignalBlocker(self):
            self.setCurrentIndex(self._items[layer].row())

    def show_comparison(self, comparison: Comparison) -> None:
        """Grey out the layers that are not available, and update all names."""
        for layer, item in self._items.items():
            item.setEnabled(comparison.offers(layer))
            item.setText(comparison.name(layer))

    def showPopup(self) -> None:
        """Open the list, wide enough for its longest name."""
        view = self.view()
        bar = view.verticalScrollBar().sizeHint().width()
        view.setMinimumWidth(max(self.width(), view.sizeHintForColumn(0) + bar))
        super().showPopup()
