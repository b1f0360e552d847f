"""The attention panel: where each head looks from the pinned or hovered pixel, at the current iterate."""

import numpy as np
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QWidget

from nerd_gui.imaging.colour import LUMA
from nerd_gui.nerd import AttentionMaps
from nerd_gui.window.attention.maps_panel import EMPTY_TEXT, MapsPanel
from nerd_gui.window.session.run import Run
from nerd_gui.window.session.session import Session

NEEDS_EXPLORE = "Maps need Explore: Denoise photo keeps no features. Choose a region there and explore it"
NEEDS_RUN = "This run was opened from a file, which keeps no features: explore again to see where its heads look"
_HOVER_MS = 30


class AttentionPanel(MapsPanel):
    """The maps of the session's active pixel; while there is no pin, they follow the pointer, a little behind it."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("attentionPanel")
        self.setAccessibleName("Attention maps")
        self._session = session
        self._hover_timer = QTimer(self, singleShot=True, interval=_HOVER_MS)
        self._hover_timer.timeout.connect(self._show_active_pixel)
        session.pins.hoveredChanged.connect(self._on_hovered)
        session.trajectoryChanged.connect(self._show_active_pixel)
        session.indexChanged.connect(self._show_active_pixel)
        session.channelChanged.connect(self._show_active_pixel)
        session.pins.changed.connect(self._show_active_pixel)

    def _on_hovered(self) -> None:
        session = self._session
        if session.pins.hovered is not None and not session.pins.all and not self._hover_timer.isActive():
            self._hover_timer.start()

    def _show_active_pixel(self) -> None:
        session = self._session
        run, index, pixel = session.run, session.index, session.pins.active
        maps = run.attention_maps(index, *pixel) if run is not None and pixel is not None else None
        if run is None or run.trajectory is None or pixel is None or maps is None:
            self.clear(_why_none(run) if run is not None and pixel is not None else EMPTY_TEXT)
            return
        trajectory = run.trajectory
        caption = f"pixel row {pixel[0]}, column {pixel[1]} · iterate {index}"
        self.set_maps(_one_of_batch(maps, session.channel), trajectory.window, caption=caption)
        rows, cols = maps.weights.shape[2:]
        picture = trajectory.picture(index)[:, maps.top : maps.top + rows, maps.left : maps.left + cols]
        pixels = np.clip(np.rint(picture * 255), 0, 255).astype(np.uint8)
        self.set_neighbourhood(np.moveaxis(np.broadcast_to(pixels, (3, *pixels.shape[1:])), 0, -1).copy())


def _why_none(run: Run) -> str:
    """What keeps a run without maps, and what to do."""
    if run.in_tiles:
        return NEEDS_EXPLORE
    return NEEDS_RUN if run.from_file else EMPTY_TEXT


def _one_of_batch(maps: AttentionMaps, channel: int | None) -> AttentionMaps:
    """The maps of one of a colour photo's channels, or all weighed as luma is; those of one picture as they are."""
    weights = maps.weights
    if weights.shape[0] == 3 and channel is not None:
        weights = weights[channel : channel + 1]
    elif weights.shape[0] == 3:
        weights = (weights * weights.new_tensor(LUMA)[:, None, None, None]).sum(0, keepdim=True)
    return AttentionMaps(weights, maps.top, maps.left, maps.row, maps.col)
