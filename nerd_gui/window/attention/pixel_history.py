"""How a pixel's attention changes from iterate to iterate; read in small steps, and kept with the run."""

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

_KEPT = 12  # pixels of a run whose attention is kept
_TURN = 0.015  # seconds of work before the event loop gets its turn


@dataclass(frozen=True, eq=False)
class MapsAt:
    """A pixel's maps at one iterate.

    Attributes
    ----------
    weights : float32 array (maps, rows, cols)
    row, col : int
        The place of the first weight in the window.
    window : int
    """

    weights: NDArray[np.float32]
    row: int
    col: int
    window: int


@dataclass(frozen=True, eq=False)
class AttentionAt(MapsAt):
    """A pixel's attention at one iterate: a map for each head, and its figures.

    Attributes
    ----------
    entropy, radius, itself : float array (heads,)
        Entropy in bits, radius in pixels, and the weight that the pixel gives to itself.
    """

    entropy: NDArray[np.float64]
    radius: NDArray[np.float64]
    itself: NDArray[np.float64]


_Key = tuple[tuple[int, int], int | None]


class PixelHistory(QObject):
    """The attention of the session's selected pin over the iterates of the current run.

    What has been read is kept as long as the run exists.

    Signals
    -------
    changed
        More has been read, or another pixel is selected.
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
        """Say whether the history is visible; nothing is read unless it is."""
        self._wanted = wanted
        self._begin()

    @property
    def complete(self) -> bool:
        """Whether all iterates that have arrived have been read."""
        return len(self.found) > self._session.newest

    @property
    def found(self) -> dict[int, AttentionAt]:
        """What has been read, by iterate; empty without a pin, a run, or maps."""
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
        """Read iterates for a time so short that a person does not notice."""
        run, key = self._session.run, self._key()
        if run is None or key is None or not self._wanted:
            return
        pixels = self._kept.setdefault(run, {})
        found = pixels.setdefault(key, {})
        while len(pixels) > _KEPT:
            pixels.pop(next(iter(pixels)))
        end, missing = time.perf_counter() + _TURN, [i for i in range(run.newest + 1) if i not in found]
        # The shown iterate comes first, then the others in order.
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
        weights,
        *place_in_window(maps, window),
        window,
        entropy=np.array([entropy_bits(each) for each in weights]),
        radius=np.array([effective_radius(each, row, col) for each in weights]),
        itself=np.array([weight_on_itself(each, row, col) for each in weights]),
    )
