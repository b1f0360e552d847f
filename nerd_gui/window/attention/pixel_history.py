"""How a pixel's attention changes from iterate to iterate: read a little at a time, and kept with the run."""

from __future__ import annotations

import time
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, QTimer, Signal

from nerd_gui.window.attention.measures import effective_radius, entropy_bits, place_in_window, weight_on_itself
from nerd_gui.window.attention.pixel_maps import read_weights
from nerd_gui.window.session.run import Run
from nerd_gui.window.session.session import Session

_KEPT = 12  # pixels of a run
_TURN = 0.015  # seconds in a turn of the event loop


@dataclass(frozen=True, eq=False)
class AttentionAt:
    """A pixel's attention at one iterate.

    Attributes
    ----------
    entropy, radius, itself : float array (heads,)
        In bits, in pixels, and the weight that the pixel has for itself.
    weights : float32 array (heads, rows, cols)
    row, col : int
        Where the first weight stands in the window.
    window : int
    """

    entropy: NDArray[np.float64]
    radius: NDArray[np.float64]
    itself: NDArray[np.float64]
    weights: NDArray[np.float32]
    row: int
    col: int
    window: int


_Key = tuple[tuple[int, int], int | None]


class PixelHistory(QObject):
    """The attention of the session's selected pin over the iterates of the current run.

    What has been read is kept with the run, and goes with it.

    Signals
    -------
    changed
        There is more of it, or it is another pixel's.
    """

    changed = Signal()

    def __init__(self, session: Session, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._kept: WeakKeyDictionary[Run, dict[_Key, dict[int, AttentionAt]]] = WeakKeyDictionary()
        self._wanted = False
        self._timer = QTimer(self, singleShot=True, interval=0)
        self._timer.timeout.connect(self._read_on)
        for changed in (session.trajectoryChanged, session.channelChanged, session.pins.changed, session.iterateAdded):
            changed.connect(self._begin)

    def want(self, wanted: bool) -> None:
        """Say whether anybody looks at it: nothing is read before."""
        self._wanted = wanted
        self._begin()

    @property
    def complete(self) -> bool:
        """Whether all iterates that have arrived are read."""
        return len(self.found) > self._session.newest

    @property
    def found(self) -> dict[int, AttentionAt]:
        """What is known, by iterate; nothing without a pin, a run, or maps."""
        run, key = self._session.run, self._key()
        return {} if run is None or key is None else self._kept.get(run, {}).get(key, {})

    # ---- inside -------------------------------------------------------------------------------------------------

    def _key(self) -> _Key | None:
        pin = self._session.pins.selected
        return None if pin is None else (pin.pixel, self._session.channel)

    def _begin(self) -> None:
        if self._wanted:
            self.changed.emit()
            self._timer.start()

    def _read_on(self) -> None:
        """Read iterates for as long as nobody would notice."""
        run, key = self._session.run, self._key()
        if run is None or key is None or not self._wanted:
            return
        pixels = self._kept.setdefault(run, {})
        found = pixels.setdefault(key, {})
        while len(pixels) > _KEPT:
            pixels.pop(next(iter(pixels)))
        end, missing = time.perf_counter() + _TURN, [i for i in range(run.newest + 1) if i not in found]
        # What is shown comes first, then the rest in turn.
        for index in sorted(missing, key=lambda index: (index != self._session.index, index)):
            at = _attention_at(run, index, *key)
            if at is None:
                return
            found[index] = at
            if time.perf_counter() > end:
                break
        if missing:
            self.changed.emit()
        if any(index not in found for index in missing):
            self._timer.start()


def _attention_at(run: Run, index: int, pixel: tuple[int, int], channel: int | None) -> AttentionAt | None:
    maps = read_weights(run, index, pixel, channel)
    if maps is None or run.trajectory is None:
        return None
    weights = maps.weights[0].detach().float().cpu().numpy()
    row, col, window = maps.row - maps.top, maps.col - maps.left, run.trajectory.window
    return AttentionAt(
        np.array([entropy_bits(each) for each in weights]),
        np.array([effective_radius(each, row, col) for each in weights]),
        np.array([weight_on_itself(each, row, col) for each in weights]),
        weights,
        *place_in_window(maps, window),
        window,
    )
