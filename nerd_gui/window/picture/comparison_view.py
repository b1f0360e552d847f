"""Compares any two layers of one photo, with a row of tools above them and the pixel values below."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget
from superqt import QElidingLabel

from nerd_gui.denoising.session_file.fields import Fields
from nerd_gui.window.picture.canvas import PictureCanvas
from nerd_gui.window.picture.compare_tools import DEFAULT_GAIN, CompareTools
from nerd_gui.window.picture.comparison import Comparison
from nerd_gui.window.picture.layers import Compare, Layer
from nerd_gui.window.picture.overlay import overlay_image
from nerd_gui.window.picture.pixel_cursor import PixelCursor
from nerd_gui.window.picture.sources import Changeable, Part, Source
from nerd_gui.window.session.session import Session
from nerd_gui.window.shortcuts import Shortcut, by_key

_IDLE = "Click a pixel to see where each attention head looks  ·  hold F to flip  ·  1 = 100 %  ·  0 = fit"
_CHOOSING = "Drag a rectangle to explore, or click for {cols} × {rows} pixels  ·  wheel zooms  ·  Esc cancels"
_DRAGGING = "{cols} × {rows} pixels to explore  ·  Esc cancels"


class ComparisonView(QWidget):
    """Shows pictures of one photo with the session's pins; it knows nothing of runs.

    Positions (`QPoint`) are those of `viewport()`, the surface on which the picture is painted. Keys: 1 = 100 % (one
    picture pixel on one device pixel), 0 = fit, + and - zoom, F held shows the left layer, Esc cancels the choice of a
    region.

    Signals
    -------
    regionChosen : int row, int col, int rows, int cols
    regionCancelled
    selectionChanged
        Other layers were selected, or another feature or head of their maps.
    """

    selectionChanged = Signal()
    regionChosen = Signal(int, int, int, int)
    regionCancelled = Signal()

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._comparison = Comparison()
        self._comparison.layers.gain = DEFAULT_GAIN
        # Tab enters this view through its focus proxy, the canvas. The tools come next because they are created next.
        self._canvas = PictureCanvas(self._comparison, session.pins, self)
        self._tools = CompareTools(self)
        self._cursor = PixelCursor(self._canvas, session.pins)
        self.setFocusProxy(self._canvas)
        self._readout = QElidingLabel()
        self._readout.setObjectName("pixelLabel")
        self._readout.setAccessibleName("Values of the pixel under the pointer")
        self._readout.setContentsMargins(4, 0, 4, 0)
        self._readout.setToolTip("Row, column, and the unclipped values of both layers at that pixel, in 0–255 units")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(self._tools)
        column.addWidget(self._canvas, 1)
        column.addWidget(self._readout)
        self._connect()
        self._refresh()

    # -- pictures ------------------------------------------------------------------------------------------------

    def set_picture(self, layer: Layer, pixels: NDArray[Any] | Source | None) -> None:
        """Show a picture as `layer`, or remove it with None.

        Parameters
        ----------
        layer : Layer
        pixels : array (rows, cols) or (C, rows, cols) with C 1 or 3, float or uint8, Source, or None
            Floating point is in [0, 1] units; `Layer.NOISE` is n_hat, shown as ``0.5 + gain * n_hat``. Only what comes
            into view is read, at that moment, so changes must be reported to `update_pictures`. A picture of another
            size than the current ones replaces them all, and the view is fitted to it.
            Values that are not a number are shown in magenta, and the caption says so.

        Raises
        ------
        ValueError
            If the array does not have the shape or type of a picture.
        """
        had, shape = layer in self._comparison.layers, self._comparison.layers.shape
        if pixels is None and not had:
            return
        on_show = layer in self._comparison.shown_layers()
        self._comparison.layers.set(layer, pixels)
        if had and pixels is not None and shape == self._comparison.layers.shape:
            # The common case, while scrubbing: a picture replaces another of the same size.
            if on_show:
                self._canvas.update()
            self._show_readout()
        else:
            self._refresh()

    def update_pictures(self, changed: Changeable, part: Part) -> None:
        """Show a part (row, col, rows, cols) again whose values have changed in the pictures' common origin.

        Parameters
        ----------
        changed : Changeable
            What the pictures are made from, for example an `ArraySource`.
        """
        self._comparison.layers.tiles.forget(changed.families, changed.update(part))
        self._canvas.update()
        self._show_readout()

    def set_caption(self, layer: Layer, text: str) -> None:
        """Set the caption in the corner of a layer, such as "iterate 5 · 29.1 dB"; the default is the layer's name."""
        self._comparison.captions[layer] = text
        self._canvas.update()

    def set_name(self, layer: Layer, name: str) -> None:
        """Set a layer's name in the lists of layers and in the pixel values below the picture."""
        if self._comparison.name(layer) != name:
            self._comparison.names[layer] = name
            self._tools.show_comparison(self._comparison)

    def offer_maps(self, features: int, heads: int) -> None:
        """Let a person select maps of a run with this many features and heads; 0 features: no maps."""
        self._tools.maps.set_counts(features, heads)
        if self._comparison.maps != (features > 0):
            self._comparison.maps = features > 0
            self._tools.show_comparison(self._comparison)

    def set_missing(self, layer: Layer, why: str) -> None:
        """Set the reason why a layer has no picture, shown while the layer is selected; "" shows none."""
        self._comparison.missing[layer] = why
        self._show_readout()

    def captions(self) -> list[str]:
        """Return the captions that are shown, left to right."""
        return [part.caption for part in self._comparison.parts()] if self._comparison.layers.shape is not None else []

    def current(self) -> tuple[NDArray[np.uint8] | None, NDArray[np.uint8] | None]:
        """Return the left and the right layer as displayed at 100 %, (rows, cols) or (rows, cols, 3).

        A selected layer without a picture gives None. The whole pictures are computed for this, however large they are.
        """
        layers = self._comparison.layers
        left, right = (
            layers.whole(layer) if layer in layers else None
            for layer in (self._comparison.left, self._comparison.right)
        )
        return left, right

    def shown_picture(self) -> NDArray[np.uint8] | None:
        """Return the right layer as displayed, (rows, cols) or (rows, cols, 3); None if it has no picture."""
        return self.current()[1]

    def right_in_view(self) -> tuple[Source, tuple[int, int, int, int]] | None:
        """Return the source of the right picture and the part of it that is in view; None without a picture."""
        shown, part = self._comparison.shown_layers(), self._comparison.part_in_view()
        return (self._comparison.layers.displayed(shown[-1]), part) if shown and part is not None else None

    # -- comparing -----------------------------------------------------------------------------------------------

    def compare(self) -> tuple[Compare, Layer, Layer]:
        """Return the mode, the left and the right layer, which are before and after while shown plainly."""
        return self._comparison.mode, self._comparison.left, self._comparison.right

    def set_compare(self, mode: Compare, left: Layer | None = None, right: Layer | None = None) -> None:
        """Select the mode and the two layers; None keeps a layer. A layer may be selected before it has a picture."""
        comparison = self._comparison
        was_left, was_right = comparison.selected
        comparison.mode, comparison.selected = mode, (left or was_left, right or was_right)
        self.selectionChanged.emit()
        self._refresh()

    def show_plainly(self, plain: bool) -> None:
        """Compare before and after, and hide what explains the method; or show again what was selected."""
        self._comparison.plain = plain
        self._tools.show_plainly(plain)
        self.selectionChanged.emit()
        self._refresh()

    # -- position ------------------------------------------------------------------------------------------------

    def viewport(self) -> QWidget:
        """Return the surface on which the picture is painted."""
        return self._canvas

    def pixel_at(self, position: QPoint) -> tuple[int, int] | None:
        """Return the (row, col) of the pixel at a position; None outside the picture."""
        return self._canvas.pixel_at(position)

    def position_of(self, row: int, col: int, pane: int = 0) -> QPoint:
        """Return the position of a pixel's middle, even if it is out of view; `pane` 1 is the right one of two."""
        return self._canvas.position_of(row, col, pane)

    def divider_handle(self) -> QPoint | None:
        """Return the position of the wipe divider's handle; None while there is no divider."""
        return self._canvas.divider_handle()

    def zoom(self) -> float:
        """Return the number of device pixels per picture pixel."""
        return self._comparison.viewport.zoom

    def part_in_view(self) -> tuple[int, int, int, int] | None:
        """Return (row, col, rows, cols) of the part of the picture that is in view; None without a picture."""
        return self._comparison.part_in_view()

    def ready(self) -> bool:
        """Whether everything in view is painted in final quality; if not, painting continues in small steps."""
        layers = self._comparison.layers
        return layers.shape is None or layers.tiles.ready(part.wanted for part in self._comparison.parts())

    def set_zoom(self, zoom: float) -> None:
        """Zoom about the middle of the view."""
        self._comparison.viewport.zoom_to(zoom)
        self._canvas.refresh()

    def fit(self) -> None:
        """Show the whole picture, as large as possible."""
        self._comparison.viewport.fit()
        self._canvas.refresh()

    # -- saved state ---------------------------------------------------------------------------------------------

    def state(self) -> dict[str, Any]:
        """Return mode, layers, divider, gain, zoom, position and map choices as JSON-ready values, for `restore`."""
        comparison, view = self._comparison, self._comparison.viewport
        return {
            "mode": comparison.mode.name,
            "left": comparison.selected[0].name,
            "right": comparison.selected[1].name,
            "divider": comparison.divider,
            "gain": comparison.layers.gain,
            "zoom": None if view.fitted else view.zoom,
            "middle": [view.row, view.col],
            "maps": dict(zip(("feature", "head", "shared"), self._tools.maps.state(), strict=True)),
        }

    def restore(self, state: Fields) -> None:
        """Apply what `state` returned to the current pictures.

        Raises
        ------
        ValueError, KeyError
            If the values do not describe a valid view.
        """
        comparison, middle = self._comparison, state.reals("middle")
        divider, gain = state.real("divider"), state.real("gain")
        zoom = state.real("zoom") if state.has("zoom") else None
        if len(middle) != 2 or not (0 <= divider <= 1 and gain > 0 and (zoom is None or zoom > 0)):
            raise ValueError("The saved view has a position, divider, gain or zoom that is out of range.")
        selected = Compare[state.text("mode")], Layer[state.text("left")], Layer[state.text("right")]
        if state.has("maps"):
            maps = Fields(state.values["maps"], "maps")
            self._tools.maps.set(maps.whole("feature"), maps.whole("head"), shared=maps.flag("shared"))
        comparison.divider = divider
        self._tools.set_gain(gain)
        self.set_compare(*selected)
        if zoom is None:
            self.fit()
        else:
            comparison.viewport.look_at(zoom, *middle)
            self._canvas.refresh()

    # -- marks ---------------------------------------------------------------------------------------------------

    def set_overlay(self, weights: NDArray[Any] | None, top: int = 0, left: int = 0, opacity: float = 0.6) -> None:
        """Lay an attention map over the picture with its corner at pixel (top, left); None removes it.

        Parameters
        ----------
        weights : array (rows, cols), finite and not negative, or None
            Shown in the inferno colours; alpha is `opacity` times the weight divided by the largest weight.

        Raises
        ------
        ValueError
            If `weights` is not such a map, or `opacity` is outside [0, 1].
        """
        self._canvas.overlay = None if weights is None else (overlay_image(weights, opacity), top, left)
        self._canvas.update()

    def set_region(self, row: int | None, col: int = 0, rows: int = 0, cols: int = 0) -> None:
        """Mark the region of interest with a dashed rectangle; None removes it."""
        self._canvas.region = None if row is None else (row, col, rows, cols)
        self._canvas.update()

    def choose_region(self, rows: int, cols: int) -> None:
        """Let a person drag a rectangle, or click for one of the given size; Esc cancels.

        Either `regionChosen` or `regionCancelled` is emitted in the end.

        Raises
        ------
        ValueError
            If there is no picture.
        """
        self._canvas.choose_region(rows, cols)
        self._show_readout()

    # -- reacting ------------------------------------------------------------------------------------------------

    def _connect(self) -> None:
        tools, canvas = self._tools, self._canvas
        tools.selected.connect(self.set_compare)
        tools.gainChanged.connect(self._set_gain)
        tools.mapsChanged.connect(self._on_map_tools)
        tools.fitWanted.connect(self.fit)
        tools.actualWanted.connect(lambda: self.set_zoom(1))
        canvas.zoomChanged.connect(self._show_zoom)
        self._session.pins.hoveredChanged.connect(self._show_readout)
        canvas.candidateChanged.connect(self._show_readout)
        canvas.regionChosen.connect(self._show_readout)
        canvas.regionCancelled.connect(self._show_readout)
        canvas.regionChosen.connect(self.regionChosen)
        canvas.regionCancelled.connect(self.regionCancelled)

    def _refresh(self) -> None:
        """Update the tools, the canvas and the pixel values from the comparison."""
        self._tools.show_comparison(self._comparison)
        self._canvas.refresh()
        self._show_readout()

    def _set_gain(self, gain: float) -> None:
        self._comparison.layers.gain = gain
        self._canvas.update()

    def _on_map_tools(self) -> None:
        self._comparison.layers.shared = self._tools.maps.shared
        self.selectionChanged.emit()
        self._canvas.update()

    def _show_zoom(self, zoom: float) -> None:
        self._tools.show_zoom(zoom if self._comparison.layers.shape is not None else None)

    def _show_readout(self) -> None:
        layers = self._comparison.layers
        candidate, hovered = self._canvas.candidate(), self._session.pins.hovered
        if candidate is not None:
            words = _DRAGGING if self._canvas.dragging_region else _CHOOSING
            self._readout.setText(words.format(rows=candidate[2], cols=candidate[3]))
        elif hovered is not None and layers.shape is not None and not self._comparison.plain:
            row, col = hovered
            values = [
                f"{self._comparison.name(layer)} {layers.value(layer, *self._canvas.shown(row, col))}"
                for layer in (self._comparison.left, self._comparison.right)
                if layer in layers
            ]
            self._readout.setText(f"row {row}, col {col}:  " + "  /  ".join(values))
        else:
            plain, complaint = self._comparison.plain, self._comparison.complaint()
            idle = self._comparison.plain_hint() if plain else complaint or _IDLE
            self._readout.setText("" if layers.shape is None else idle)

    # -- keys ----------------------------------------------------------------------------------------------------

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Zoom, flip, move the pixel cursor or cancel choosing a region."""
        deeds: dict[Shortcut, Callable[[], object]] = {
            Shortcut.FULL_SIZE: lambda: self.set_zoom(1),
            Shortcut.FIT: self.fit,
            Shortcut.ZOOM_IN: lambda: self._zoom_step(1),
            Shortcut.ZOOM_OUT: lambda: self._zoom_step(-1),
            Shortcut.FLIP: lambda: self._flip(True),
        }
        keys = by_key(deeds)
        commands = (
            Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier | Qt.KeyboardModifier.MetaModifier
        )
        if event.key() in Shortcut.STOP.keys and self._canvas.cancel_region():
            return
        if not self._comparison.plain and self._cursor.handle_key(event):
            return
        if self._comparison.layers.shape is None or event.modifiers() & commands or event.key() not in keys:
            super().keyPressEvent(event)
        elif not (event.key() in Shortcut.FLIP.keys and event.isAutoRepeat()):
            keys[event.key()]()

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        """Show the right picture again when the flip key is released."""
        if event.key() in Shortcut.FLIP.keys and not event.isAutoRepeat():
            self._flip(False)
        else:
            super().keyReleaseEvent(event)

    def _zoom_step(self, direction: int) -> None:
        self._comparison.viewport.zoom_step(direction)
        self._canvas.refresh()

    def _flip(self, flipped: bool) -> None:
        self._comparison.flipped = flipped
        self._canvas.update()
