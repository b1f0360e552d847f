"""The attention rollout of the pin at each iterate, as small maps for the strip."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Signal

from nerd_gui.analysis.maps import IterateMap, MapKind
from nerd_gui.window.attention.pixel_history import MapsAt
from nerd_gui.window.session.iterate_maps import MapKey
from nerd_gui.window.session.session import Session

_OWNER = "strip"
_SHOWN = 0.99  # fraction of the weight inside the shown part, for the widest map


class RolloutHistory(QObject):
    """The attention rollout of the selected pin, for each iterate from the result back to the start.

    Signals
    -------
    changed
        More maps have been computed, or another pixel is selected.
    """

    changed = Signal()

    def __init__(self, session: Session, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._wanted = False
        session.maps.found.connect(self._tell)
        for changed in (session.trajectoryChanged, session.channelChanged, session.pins.changed):
            changed.connect(self._begin)
        session.controller.ended.connect(self._begin)

    def want(self, wanted: bool) -> None:
        """Say whether the strip is visible; nothing is computed unless it is."""
        if wanted != self._wanted:
            self._wanted = wanted
            self._begin()

    @property
    def found(self) -> dict[int, MapsAt]:
        """The computed maps by iterate, cut to the same size around the pin."""
        maps = {key.index: made for key in self._keys() if isinstance(made := self._session.maps.find(key), IterateMap)}
        pixel = self._session.pin_in_run
        if not maps or pixel is None:
            return {}
        reach = _reach(maps[min(maps)].values[0], *pixel)
        return {index: _around(made.values[0] / 100, *pixel, reach) for index, made in maps.items()}

    @property
    def why_none(self) -> str:
        """A sentence that says why there is nothing; empty while the maps are being computed."""
        found = (self._session.maps.find(key) for key in self._keys())
        return next((why for why in found if isinstance(why, str)), "")

    def _keys(self) -> list[MapKey]:
        session, trajectory = self._session, self._session.trajectory
        if trajectory is None or not len(trajectory) or not session.maps.there:
            return []
        pixel, channel = session.pin_in_run, session.channel
        return [
            MapKey(MapKind.ROLLOUT, index, channel=channel, pixel=pixel) for index in range(trajectory.result, -1, -1)
        ]

    def _begin(self) -> None:
        self._session.maps.want(_OWNER, self._keys() if self._wanted else [])
        self._tell()

    def _tell(self) -> None:
        if self._wanted:
            self.changed.emit()


def _reach(weights: NDArray[np.float32], row: int, col: int) -> int:
    """Return the distance from the pixel, along rows or columns, within which nearly all of the weight lies."""
    down, across = np.indices(weights.shape)
    distance = np.maximum(np.abs(down - row), np.abs(across - col)).ravel()
    within = np.cumsum(np.bincount(distance, weights.ravel().astype(np.float64)))
    return max(2, int(np.searchsorted(within, _SHOWN * within[-1])))


def _around(weights: NDArray[np.float32], row: int, col: int, reach: int) -> MapsAt:
    top, left = max(0, row - reach), max(0, col - reach)
    part = weights[top : row + reach + 1, left : col + reach + 1]
    return MapsAt(part[None], reach - (row - top), reach - (col - left), 2 * reach + 1)
