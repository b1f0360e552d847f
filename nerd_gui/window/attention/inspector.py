"""From a click to the heads' maps: pins, hover previews, and the shown iterate's maps for the active pixel."""

import numpy as np
from PySide6.QtCore import QObject, Qt, QTimer
from PySide6.QtGui import QGuiApplication

from nerd_gui.nerd import AttentionMaps
from nerd_gui.window.attention.panel import AttentionPanel
from nerd_gui.window.picture.view import PictureView
from nerd_gui.window.session.pins import Pin
from nerd_gui.window.session.run_controller import RunController

#: Okabe and Ito's colours, told apart by colour-blind eyes.
_COLOURS = ("#E69F00", "#56B4E9", "#009E73", "#F0E442", "#D55E00", "#CC79A7")
_HOVER_MS = 30
_LUMA = np.array([0.299, 0.587, 0.114], dtype=np.float32)  # a colour photo's channels, solved as a batch


class AttentionInspector(QObject):
    """Pins belong to the picture; the last one clicked, or the hovered pixel while there is none, is the active one."""

    def __init__(
        self, controller: RunController, view: PictureView, panel: AttentionPanel, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._controller = controller
        self._view = view
        self._panel = panel
        self._index = -1
        self._hovered: tuple[int, int] | None = None
        self._channel: int | None = None
        self.pins: list[Pin] = []
        self._hover_timer = QTimer(self)
        self._hover_timer.setSingleShot(True)
        self._hover_timer.setInterval(_HOVER_MS)
        self._hover_timer.timeout.connect(self._show)
        view.pixelClicked.connect(self.pin)
        view.pixelHovered.connect(self._on_hover)
        view.hoverLeft.connect(self._on_hover_left)
        panel.overlayChanged.connect(self._show_overlay)

    def set_index(self, index: int) -> None:
        """Follow the scrubber."""
        self._index = index
        self._show()

    def set_channel(self, channel: int | None) -> None:
        """Show the maps of one channel of a colour photo that is solved channel by channel, or of its luma (None)."""
        self._channel = channel
        self._show()

    def pin(self, row: int, col: int) -> None:
        """Make a pixel the active one; with Ctrl held, beside the pins there are."""
        adding = bool(QGuiApplication.keyboardModifiers() & Qt.KeyboardModifier.ControlModifier)
        kept = [pin for pin in self.pins if (pin.row, pin.col) != (row, col)] if adding else []
        used = {pin.colour for pin in kept}
        colour = next((colour for colour in _COLOURS if colour not in used), _COLOURS[0])
        self.pins = [*kept, Pin(row, col, colour)][-len(_COLOURS) :]
        self._view.set_pins(self.pins)
        self._show()

    def clear_pins(self) -> None:
        """Remove all pins."""
        self.pins, self._hovered = [], None
        self._view.set_pins([])
        self._show()

    def _on_hover(self, row: int, col: int) -> None:
        self._hovered = (row, col)
        if not self.pins and not self._hover_timer.isActive():
            self._hover_timer.start()

    def _on_hover_left(self) -> None:
        self._hovered = None

    @property
    def active(self) -> tuple[int, int] | None:
        """The pixel whose maps are shown."""
        return (self.pins[-1].row, self.pins[-1].col) if self.pins else self._hovered

    def _show(self) -> None:
        trajectory, active = self._controller.trajectory, self.active
        maps = self._controller.attention_maps(self._index, *active) if active is not None else None
        if trajectory is None or maps is None or active is None:
            self._panel.clear()
            self._show_overlay()
            return
        caption = f"pixel row {active[0]}, column {active[1]} · iterate {self._index}"
        self._panel.set_maps(_one_of_batch(maps, self._channel), trajectory.window, caption=caption)
        rows, cols = maps.weights.shape[2:]
        picture = trajectory.picture(self._index)[:, maps.top : maps.top + rows, maps.left : maps.left + cols]
        pixels = np.clip(np.rint(picture * 255), 0, 255).astype(np.uint8)
        self._panel.set_neighbourhood(np.moveaxis(np.broadcast_to(pixels, (3, *pixels.shape[1:])), 0, -1).copy())
        self._show_overlay()

    def _show_overlay(self) -> None:
        overlay = self._panel.overlay()
        self._view.set_overlay(*(overlay or (None, 0, 0, 0.0)))


def _one_of_batch(maps: AttentionMaps, channel: int | None) -> AttentionMaps:
    """The maps of one of a colour photo's channels, or all weighed as luma is; those of one picture as they are."""
    weights = maps.weights
    if weights.shape[0] == 3 and channel is not None:
        weights = weights[channel : channel + 1]
    elif weights.shape[0] == 3:
        weights = (weights * weights.new_tensor(_LUMA)[:, None, None, None]).sum(0, keepdim=True)
    return AttentionMaps(weights, maps.top, maps.left, maps.row, maps.col)
