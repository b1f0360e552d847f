"""The maps of the current run's iterates, computed one after another on a thread, as views request them."""

from __future__ import annotations

import traceback
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from weakref import ref

from PySide6.QtCore import QObject, QThread, Signal

from nerd_gui.analysis.maps import IterateMap, MapKind, RunMaps
from nerd_gui.denoising import RunError
from nerd_gui.window.session.run import Run
from nerd_gui.window.threads import release

_KEPT_BYTES = 96 << 20
_OF_RESULT = (MapKind.COMPONENTS, MapKind.ROLLOUT)  # these maps depend on which iterate is the result


@dataclass(frozen=True)
class MapKey:
    """Identifies a map; for the fields see `RunMaps.make`."""

    kind: MapKind
    index: int
    number: int = 0
    channel: int | None = None
    pixel: tuple[int, int] | None = None


class _NotWanted(Exception):
    """Raised to abandon a map that no view waits for any more."""


class _Making(QThread):
    """Computes one map.

    Attributes
    ----------
    found : IterateMap, str or None
        The map, or a sentence that says why there is none; None if the map is not wanted any more.
    defect : (str, str) or None
        A sentence and the details of an unexpected error.
    """

    def __init__(self, maps: RunMaps, key: MapKey, stamp: object, parent: QObject) -> None:
        super().__init__(parent)
        self.key, self.stamp, self.stopped = key, stamp, False
        self.found: IterateMap | str | None = None
        self.defect: tuple[str, str] | None = None
        self._maps = maps

    def _interrupt(self) -> None:
        if self.stopped:
            raise _NotWanted

    def run(self) -> None:
        """Compute the map; Qt calls this on the thread itself."""
        key = self.key
        try:
            self.found = self._maps.make(
                key.kind,
                key.index,
                number=key.number,
                channel=key.channel,
                pixel=key.pixel,
                interrupt=self._interrupt,
            )
        except _NotWanted:
            return
        except RunError as error:
            self.found = str(error)
        except Exception as error:  # noqa: BLE001 - the thread's outermost frame: what escapes here would end the program
            self.found = f"The map was not made because of an unexpected error ({type(error).__name__}: {error})."
            self.defect = self.found, traceback.format_exc()


class IterateMaps(QObject):
    """Computes the maps of one run that views request, and keeps them within a limit of memory.

    Signals
    -------
    found
        A map has been computed, or is known to be impossible: see `find`.
    failed : str, str
        A sentence and the details of an unexpected error.
    """

    found = Signal()
    failed = Signal(str, str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._run: ref[Run] | None = None
        self._maps: RunMaps | None = None
        self._kept: OrderedDict[tuple[MapKey, object], IterateMap | str] = OrderedDict()
        self._wanted: dict[str, list[MapKey]] = {}
        self._making: _Making | None = None

    def take(self, run: Run | None) -> None:
        """Turn to another run, and drop the maps of the previous one."""
        if run is self._current and (self._maps is not None or run is None):
            return
        self._run, self._maps = None if run is None else ref(run), None
        self._kept.clear()
        self._wanted.clear()
        self._stop()
        if run is not None and run.trajectory is not None and run.net is not None and not run.in_tiles:
            self._maps = RunMaps(run.trajectory, run.net)

    @property
    def there(self) -> bool:
        """Whether the run can have maps, which takes features."""
        return self._maps is not None

    def count(self, kind: MapKind) -> int:
        """Return how many maps of a kind an iterate has; 0 without a run."""
        return 0 if self._maps is None else self._maps.count(kind)

    def find(self, key: MapKey) -> IterateMap | str | None:
        """Return a map, or a sentence that says why there is none; None while neither is known."""
        return self._kept.get((key, self._stamp(key)))

    def want(self, owner: str, keys: Sequence[MapKey]) -> None:
        """Set the maps that a view waits for, the most urgent first; its earlier requests are dropped."""
        self._wanted[owner] = list(keys)
        making = self._making
        if making is not None and making.key not in self._missing():
            making.stopped = True
        self._go_on()

    def wait(self) -> None:
        """Stop, and return when the thread has ended."""
        self._wanted.clear()
        making = self._making
        if making is not None:
            making.stopped = True
            making.wait()

    # ---- inside -------------------------------------------------------------------------------------------------

    @property
    def _current(self) -> Run | None:
        return None if self._run is None else self._run()

    def _stamp(self, key: MapKey) -> object:
        """Return what a map depends on besides its key."""
        run = self._current
        if key.kind not in _OF_RESULT or run is None or not run.trajectory:
            return None
        return run.trajectory.result, run.trajectory.stop_reason

    def _missing(self) -> list[MapKey]:
        wanted = (key for keys in self._wanted.values() for key in keys)
        return [key for key in wanted if self.find(key) is None]

    def _stop(self) -> None:
        if self._making is not None:
            self._making.stopped = True

    def _go_on(self) -> None:
        """Begin the next missing map, unless one is being computed."""
        missing = self._missing()
        if self._making is not None or self._maps is None or not missing:
            return
        self._making = _Making(self._maps, missing[0], self._stamp(missing[0]), self)
        self._making.finished.connect(self._on_made)
        self._making.start()

    def _on_made(self) -> None:
        made = self._making
        assert made is not None
        release(made)
        self._making = None
        if made.found is not None and made._maps is self._maps:
            self._keep(made)
        self._go_on()

    def _keep(self, made: _Making) -> None:
        assert made.found is not None
        self._kept[made.key, made.stamp] = made.found
        sizes = {key: 0 if isinstance(kept, str) else kept.values.nbytes for key, kept in self._kept.items()}
        total = sum(sizes.values())
        while total > _KEPT_BYTES and len(self._kept) > 2:
            key, _ = self._kept.popitem(last=False)
            total -= sizes[key]
        if made.defect is not None:
            self.failed.emit(*made.defect)
        self.found.emit()
