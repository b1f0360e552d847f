"""The maps of the shown iterate as layers: computed when they are selected, shown when they are ready."""

from __future__ import annotations

from weakref import WeakKeyDictionary

from PySide6.QtCore import QObject, Signal

from nerd_gui.analysis.maps import NO_FEATURES, IterateMap, MapKind
from nerd_gui.window.picture.layers import MAPS, Layer
from nerd_gui.window.picture.map_source import MapSource
from nerd_gui.window.session.iterate_maps import MapKey
from nerd_gui.window.session.session import Session

_OWNER = "picture"
_MAKING = "The map is being made …"
_NO_RUN = "Explore a region first: maps are computed from the iterates of a run."
_OF_PHOTO = (MapKind.INJECTION, MapKind.DECODED_INJECTION)  # the same at every iterate


class MapLayers(QObject):
    """Provides the selected maps of the shown iterate.

    Signals
    -------
    changed
        A map is ready, or other maps are wanted now: ask `source`.
    """

    changed = Signal()

    def __init__(self, session: Session, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._numbers: dict[Layer, int] = {}
        self._sources: WeakKeyDictionary[IterateMap, MapSource] = WeakKeyDictionary()
        session.maps.found.connect(self.changed)
        for changed in (session.trajectoryChanged, session.indexChanged, session.channelChanged, session.pins.changed):
            changed.connect(self._want_again)
        session.iterateAdded.connect(self._want_again)
        session.controller.ended.connect(self._want_again)

    def select(self, numbers: dict[Layer, int]) -> None:
        """Choose the maps, each with the number of its feature or head, counted from 0."""
        self._numbers = numbers
        self._want_again()

    def _want_again(self) -> None:
        keys = [self._key(layer) for layer in self._numbers]
        self._session.maps.want(_OWNER, [key for key in keys if key is not None])
        self.changed.emit()

    def _key(self, layer: Layer) -> MapKey | None:
        session, kind = self._session, MAPS[layer]
        if not session.maps.there or session.index < 0:
            return None
        pixel = session.pin_in_run if kind is MapKind.ROLLOUT else None
        index = 0 if kind in _OF_PHOTO else session.index
        return MapKey(kind, index, self._numbers.get(layer, 0), session.channel, pixel)

    def found(self, layer: Layer) -> IterateMap | None:
        """Return the map itself, or None until it has been computed."""
        key = self._key(layer)
        made = None if key is None else self._session.maps.find(key)
        return made if isinstance(made, IterateMap) else None

    def source(self, layer: Layer) -> MapSource | str:
        """Return the map of the shown iterate, or a sentence that says why there is none yet."""
        key = self._key(layer)
        if key is None:
            run = self._session.run
            return NO_FEATURES if run is not None and run.over else _NO_RUN
        made = self._session.maps.find(key)
        if made is None:
            return _MAKING
        if isinstance(made, str):
            return made
        if made not in self._sources:
            self._sources[made] = MapSource(made)
        return self._sources[made]

    def making(self, layer: Layer) -> bool:
        """Whether the map is being computed; the map shown before may stay meanwhile."""
        return self.source(layer) == _MAKING

    def caption(self, layer: Layer) -> str:
        """Return the caption of a map."""
        mean = self._mean(layer) if layer in (Layer.RADIUS, Layer.ENTROPY) else ""
        number, iterate = self._numbers.get(layer, 0) + 1, f"iterate {self._session.index}"
        words = {
            Layer.RESIDUAL: f"residual · {iterate}",
            Layer.UPDATE: f"change · {iterate}",
            Layer.INJECTION: f"photo feature {number}",
            Layer.DECODED_INJECTION: str(layer),
            Layer.FEATURE: f"feature {number} · {iterate}",
            Layer.RADIUS: f"radius of head {number} · {iterate}{mean}",
            Layer.ENTROPY: f"entropy of head {number} · {iterate}{mean}",
            Layer.ROLLOUT: f"followed back to {iterate}",
        }
        return words.get(layer, f"{layer} · {iterate}")

    def _mean(self, layer: Layer) -> str:
        """Return the mean of a map over the picture, in words."""
        made = self.found(layer)
        return "" if made is None else f" · mean {made.values.mean():.2f}"
