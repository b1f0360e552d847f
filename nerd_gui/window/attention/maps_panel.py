"""The attention maps of one pixel: where each head of the non-local block looks from it (Fig. 9)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QSizePolicy,
    QSlider,
    QStackedLayout,
    QVBoxLayout,
    QWidget,
)
from superqt import QElidingLabel

from nerd_gui.nerd import AttentionMaps
from nerd_gui.window.attention.head_map import ColourBar, Patch, WindowPicture
from nerd_gui.window.attention.measures import effective_radius, entropy_bits, place_in_window, scale_maps
from nerd_gui.window.attention.pin_table import PinTable
from nerd_gui.window.attention.pixel_maps import EMPTY_TEXT
from nerd_gui.window.colour_map import coloured
from nerd_gui.window.style.placeholder import Placeholder
from nerd_gui.window.style.tokens import CAPTION_PIXELS, SMALL, TIGHT, sized
from nerd_gui.window.wording import scientific

USUAL_HEADS = 4
_COLUMNS = 4
_NARROWEST = 64  # pixels, the least width of a list in a small window
_NONE, _MEAN = "none", "mean"


class MapsPanel(QWidget):
    """The heads' correlation maps side by side over the query's neighbourhood, with their figures.

    Signals
    -------
    overlayChanged : array or None, int top, int left, float opacity
        `overlay` has changed: other maps are shown, or a person chose another one; None shows no overlay.
    headChosen(int)
        A person clicked a head's map, which becomes the overlay. Heads count from 0.
    """

    overlayChanged = Signal(object, int, int, float)
    headChosen = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._maps: AttentionMaps | None = None
        self._weights = np.zeros((0, 0, 0))
        self._unit = self._weights
        self._window = 0
        self._pictures: list[WindowPicture] = []
        self._titles: list[QLabel] = []
        self._readouts: list[QLabel] = []
        self._build()
        self._make_heads(USUAL_HEADS)
        self.clear()

    # ---- construction -------------------------------------------------------------------------------------------

    def _build(self) -> None:
        self._neighbourhood = WindowPicture(choosable=False)
        self._neighbourhood.setObjectName("attentionNeighbourhood")
        self._neighbourhood.setAccessibleName("Neighbourhood of the pixel")
        self._neighbourhood.setToolTip("The q × q window that the pixel attends to; a cross marks the pixel")
        self._caption = QElidingLabel()
        self._caption.setObjectName("attentionCaption")
        self._caption.setAccessibleName("Pixel and iterate of the attention maps")
        self._scale = self._combo(
            "attentionScaleCombo",
            "Scale of the weights",
            "Linear shows the weights as they mix the pixels (Eq. 8); log also shows the faint ones",
            ["linear", "log"],
        )
        self._range = self._combo(
            "attentionRangeCombo",
            "Range of the colours",
            "One colour range for all heads, so that you can compare them, or a range for each head",
            ["shared range", "own range"],
        )
        self._range.setCurrentIndex(1)  # in a shared range, a wide map would be black beside a narrow one
        self._overlay = self._combo(
            "attentionOverlayCombo",
            "Overlay on the picture",
            "Lay a head's correlation map, or the mean of all heads, over the picture",
            [_NONE],
        )
        self._opacity = QSlider(Qt.Orientation.Horizontal)
        self._opacity.setObjectName("attentionOpacitySlider")
        self._opacity.setAccessibleName("Opacity of the overlay")
        self._opacity.setToolTip("Opacity of the overlay on the picture")
        self._opacity.setRange(0, 100)
        self._opacity.setValue(70)
        self._opacity.setMinimumWidth(40)
        self._bar = ColourBar()
        self._bar.setObjectName("attentionColourBar")
        self._bar.setAccessibleName("Colours of the attention weights")
        self._bar.setToolTip("Softmax weight (Eq. 7) of a pixel for the query; each head's weights sum to 1")
        self._scale.currentIndexChanged.connect(self._on_scaling)
        self._range.currentIndexChanged.connect(self._on_scaling)
        self._overlay.currentIndexChanged.connect(self._on_overlay)
        self._opacity.valueChanged.connect(self._tell_overlay)

        controls = QHBoxLayout()
        for text, *widgets in (("Scale", self._scale, self._range), ("Overlay", self._overlay, self._opacity)):
            label = QLabel(text)
            label.setBuddy(widgets[0])
            for widget in (label, *widgets):
                controls.addWidget(widget, 1 if widget is self._opacity else 0)
        self._head = QHBoxLayout()
        self._head.addWidget(self._caption, 1)
        self._heads = QWidget()
        self._grid = QGridLayout(self._heads)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(6)
        self._grid.setVerticalSpacing(0)
        small = sized(self.font(), CAPTION_PIXELS)
        names = QLabel("entropy\nradius\nmaximum")  # one line for each figure, here and below the maps
        names.setFont(small)
        title = QLabel("around")
        for label in (title, names):
            label.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        for line, widget in enumerate((title, self._neighbourhood, names)):
            self._grid.addWidget(widget, line, 0)
        self._full = QWidget()
        self._column = column = QVBoxLayout(self._full)
        column.setContentsMargins(SMALL, TIGHT, SMALL, TIGHT)
        column.setSpacing(TIGHT)
        column.addLayout(self._head)
        column.addLayout(controls)
        column.addWidget(self._heads, 1)
        self.table = PinTable()
        self.table.hide()
        column.addWidget(self.table, 1)
        column.addWidget(self._bar)
        column.addStretch()
        self._empty = Placeholder("attentionEmpty", EMPTY_TEXT)
        self._either = QStackedLayout(self)
        self._either.addWidget(self._full)
        self._either.addWidget(self._empty)

    def _combo(self, name: str, accessible: str, tip: str, items: list[str]) -> QComboBox:
        combo = QComboBox()
        combo.setObjectName(name)
        combo.setAccessibleName(accessible)
        combo.setToolTip(tip)
        combo.addItems(items)
        combo.setMinimumWidth(_NARROWEST)
        return combo

    def _make_heads(self, heads: int) -> None:
        """Make a picture, a line of figures and an overlay choice for each head."""
        for widget in (*self._pictures, *self._titles, *self._readouts):
            self._grid.removeWidget(widget)
            # Detached at once; otherwise it would be found by its object name until the event loop deletes it.
            widget.setParent(None)
            widget.deleteLater()
        self._pictures, self._titles, self._readouts = [], [], []
        small = sized(self.font(), CAPTION_PIXELS)
        for head in range(heads):
            picture = WindowPicture(choosable=True)
            picture.setObjectName(f"attentionHead{head}")
            picture.setAccessibleName(f"Correlation map of head {head + 1}")
            picture.chosen.connect(lambda head=head: self.choose_head(head))
            title, readout = QLabel(f"head {head + 1}"), QLabel()
            readout.setObjectName(f"attentionReadout{head}")
            readout.setFont(small)
            readout.setToolTip(
                "Entropy of the softmax weights (log₂ of the number of pixels that count) and their effective radius, "
                "the root of the mean squared distance from the query; maximum is the largest weight"
            )
            row, column = divmod(head, _COLUMNS)
            for label in (title, readout):
                label.setAlignment(Qt.AlignmentFlag.AlignHCenter)
            for line, widget in enumerate((title, picture, readout)):
                self._grid.addWidget(widget, 3 * row + line, column + 1)
            self._grid.setRowStretch(3 * row + 1, 100)
            self._grid.setRowStretch(3 * row + 3, 1)  # space that the square maps leave is below them
            self._pictures.append(picture)
            self._titles.append(title)
            self._readouts.append(readout)
        chosen = self._overlay.currentText()
        with QSignalBlocker(self._overlay):
            self._overlay.clear()
            self._overlay.addItems([_NONE, *(f"head {head + 1}" for head in range(heads)), _MEAN])
            self._overlay.setCurrentIndex(max(self._overlay.findText(chosen), 0))
        self._mark_overlay()

    # ---- public methods -----------------------------------------------------------------------------------------

    def set_maps(self, maps: AttentionMaps | None, window: int, *, caption: str) -> None:
        """Show the maps of one pixel; None clears the panel.

        Parameters
        ----------
        maps : AttentionMaps or None
            Weights (1, heads, rows, cols), each map summing to 1.
        window : int
            The window size q of the run that the maps belong to.
        caption : str
            Names the pixel and the iterate.

        Raises
        ------
        ValueError
            If there is more than one picture in the batch, or if the maps do not fit into the window.
        """
        if maps is None:
            self.clear()
            return
        if maps.weights.dim() != 4 or maps.weights.shape[0] != 1:
            raise ValueError(f"The attention panel shows maps of one picture, not weights {tuple(maps.weights.shape)}.")
        place_in_window(maps, window)
        if self._maps is None or _place(self._maps) != _place(maps) or window != self._window:
            self._neighbourhood.set_patch(None)
        self._maps, self._window = maps, window
        self._weights = maps.weights[0].detach().double().cpu().numpy()
        if len(self._weights) != len(self._pictures):
            self._make_heads(len(self._weights))
        self._caption.setText(caption)
        self._choose_page(self._full)
        self._show()
        self._tell_overlay()

    def _choose_page(self, page: QWidget) -> None:
        """Show the maps, or the sentence in their place, which leaves the room that it does not need to the plots."""
        height = QSizePolicy.Policy.Preferred if page is self._full else QSizePolicy.Policy.Ignored
        self._full.setSizePolicy(QSizePolicy.Policy.Preferred, height)
        self._either.setCurrentWidget(page)

    def clear(self, why: str = EMPTY_TEXT) -> None:
        """Remove the maps, and say why there are none or how to get them."""
        self._maps = None
        self._weights = self._unit = np.zeros((0, 0, 0))
        self._caption.setText(why)
        self._empty.setText(f"{why}.")
        self._choose_page(self._empty)
        self._bar.set_range("", "")
        self._neighbourhood.set_patch(None)
        for picture, readout in zip(self._pictures, self._readouts, strict=True):
            picture.set_patch(None)
            picture.setToolTip(why)
            picture.setAccessibleDescription("")
            readout.setText("\n\n")  # as high as with numbers, so that the layout does not shift
        self._tell_overlay()

    def show_large(self, shown: bool) -> None:
        """Show the maps of one pixel large, or leave their space to the table or the plots."""
        self._heads.setVisible(shown)

    def show_table(self, shown: bool) -> None:
        """Show the table of all pins, or hide it."""
        self.table.setVisible(shown)
        if shown:
            self._choose_page(self._full)
            self.scale_table()

    def scale_table(self) -> None:
        """Colour the table's maps as chosen in the lists."""
        ends = self.table.scale(log=self.is_log, shared=self.is_shared, overlay=self._overlay.currentIndex() - 1)
        if ends is not None:
            self._bar.set_range(scientific(ends[0]) if self.is_log else "0", scientific(ends[1]))

    def set_neighbourhood(self, rgb: NDArray[np.uint8] | None) -> None:
        """Show the part of the photo that the maps cover, as in Fig. 9.

        Parameters
        ----------
        rgb : uint8 array (rows, cols, 3) or None
            The same rows and columns of the photo as the maps.

        Raises
        ------
        ValueError
            If its size differs from the maps', or there are no maps.
        """
        if rgb is None:
            self._neighbourhood.set_patch(None)
            return
        if self._maps is None or rgb.shape != (*self._weights.shape[1:], 3) or rgb.dtype != np.uint8:
            raise ValueError(
                f"The neighbourhood must be uint8 of shape {(*self._weights.shape[1:], 3)}, as the maps are, "
                f"not {rgb.dtype} of {rgb.shape}."
            )
        self._neighbourhood.set_patch(Patch(rgb, *place_in_window(self._maps, self._window), self._window))

    def map_weights(self, head: int) -> NDArray[Any]:
        """Return the softmax weights (rows, cols) of the map that a head's picture shows."""
        weights: NDArray[Any] = self._weights[head]
        return weights

    def readout(self, head: int) -> str:
        """Return a head's figures as one line of text; empty without maps."""
        figures = self._readouts[head].text().split()
        return "entropy {} {} · radius {} {} · maximum {}".format(*figures) if figures else ""

    def overlay(self) -> tuple[NDArray[Any], int, int, float] | None:
        """Return the map to lay over the picture; None for no overlay.

        Returns
        -------
        values : array (rows, cols)
            The chosen map in [0, 1], scaled as it is shown here; the mean of the heads has its own range.
        top, left : int
            The pixel of the picture to which the first value belongs.
        opacity : float
            A number in [0, 1].
        """
        chosen = self._overlay.currentIndex()
        if self._maps is None or chosen == 0:
            return None
        if chosen <= len(self._weights):
            values = self._unit[chosen - 1]
        else:
            mean = self._weights.mean(axis=0, keepdims=True)
            values = scale_maps(mean, log=self.is_log, shared=False)[0][0]
        return values, self._maps.top, self._maps.left, self._opacity.value() / 100

    # ---- inside -------------------------------------------------------------------------------------------------

    @property
    def is_log(self) -> bool:
        """Whether the colours are on a logarithmic scale."""
        return self._scale.currentText() == "log"

    @property
    def is_shared(self) -> bool:
        """Whether all maps share one colour range."""
        return self._range.currentIndex() == 0

    def _show(self) -> None:
        maps = self._maps
        if maps is None:
            return
        shared = self.is_shared
        self._unit, low, high = scale_maps(self._weights, log=self.is_log, shared=shared)
        row, col = place_in_window(maps, self._window)
        for head, (weights, unit) in enumerate(zip(self._weights, self._unit, strict=True)):
            radius = effective_radius(weights, maps.row - maps.top, maps.col - maps.left)
            self._pictures[head].set_patch(Patch(coloured(unit), row, col, self._window))
            self._readouts[head].setText(
                f"{entropy_bits(weights):.1f} bit\n{radius:.1f} px\n{scientific(weights.max())}"
            )
            self._pictures[head].setAccessibleDescription(self.readout(head))
            self._pictures[head].setToolTip(
                f"Head {head + 1}: softmax weights from {scientific(weights.min())} to "
                f"{scientific(weights.max())} over {weights.shape[1]} × {weights.shape[0]} pixels. "
                "Click to lay it over the picture"
            )
        self._bar.set_range(
            scientific(low[0]) if shared and low[0] else "least" if self.is_log else "0",
            scientific(high[0]) if shared else "max of each head",
        )

    def choose_head(self, head: int) -> None:
        """Make a head's map the overlay."""
        self._overlay.setCurrentIndex(head + 1)
        self.headChosen.emit(head)

    def _mark_overlay(self) -> None:
        for head, picture in enumerate(self._pictures):
            picture.set_selected(self._overlay.currentIndex() == head + 1)
        self._opacity.setEnabled(self._overlay.currentIndex() > 0)
        if not self.table.isHidden():
            self.scale_table()

    def _on_overlay(self) -> None:
        self._mark_overlay()
        self._tell_overlay()

    def _on_scaling(self) -> None:
        self._show()
        if not self.table.isHidden():
            self.scale_table()
        self._tell_overlay()

    def _tell_overlay(self) -> None:
        self.overlayChanged.emit(*(self.overlay() or (None, 0, 0, 0.0)))


def _place(maps: AttentionMaps) -> tuple[int, ...]:
    return maps.top, maps.left, maps.row, maps.col, *maps.weights.shape[-2:]
