"""The tiles that are painted: made a few at a time, so that nothing waits for them, and kept while there is room."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Generator, Hashable, Iterable
from dataclasses import dataclass, field
from math import inf, isqrt
from time import perf_counter

import numpy as np
from numpy.typing import NDArray
from PySide6.QtGui import QImage

from nerd_gui.imaging.psnr_ssim import to_8_bit
from nerd_gui.window.picture.grid import Grid, Place
from nerd_gui.window.picture.sources import Part, Source

_KEPT_BYTES = 256 << 20
_BUDGET = 0.020  # seconds that a paint spends on making tiles
_AT_LEAST = 3_000_000  # values read in a paint, however long it takes: a colour photo of a megapixel appears at once
_DRAFT_PIXELS = 30_000
_UNDEFINED = np.uint32(0xFFFF00FF)  # magenta, which no photo is likely to be


class Tile:
    """A part of a picture ready to be painted.

    Parameters
    ----------
    values : float32 array (C, rows, cols)
        In [0, 1], clipped to it.
    families : frozenset
        Of the source.

    Attributes
    ----------
    pixels : uint32 array (rows, cols)
        Opaque 32-bit pixels.
    image : QImage
        The same.
    undefined : bool
        Whether there is a value that is not a number; its pixel is magenta.
    """

    def __init__(self, values: NDArray[np.float32], families: frozenset[Hashable]) -> None:
        undefined = np.isnan(values).any(axis=0)
        self.undefined = bool(undefined.any())
        levels = to_8_bit(np.where(undefined, np.float32(0), values) if self.undefined else values)
        rows, cols = undefined.shape
        self.pixels: NDArray[np.uint32] = np.full((rows, cols), 0xFF000000, np.uint32)
        for channel, place in zip(levels if len(levels) == 3 else levels.repeat(3, axis=0), (16, 8, 0), strict=True):
            self.pixels |= channel.astype(np.uint32) << np.uint32(place)
        if self.undefined:
            self.pixels[undefined] = _UNDEFINED
        # The image does not own the pixels; both live as long as the tile does.
        self.image = QImage(self.pixels.data, cols, rows, 4 * cols, QImage.Format.Format_RGB32)
        self.families = families


@dataclass(frozen=True)
class Wanted:
    """A picture that is to be painted on a grid, and the tiles of it that are in view."""

    source: Source
    grid: Grid
    places: list[Place]


@dataclass
class _Standing:
    """What was last painted of a picture, to be painted again where the next one is not ready."""

    families: frozenset[Hashable]
    grid: Grid
    tiles: dict[Place, Tile] = field(default_factory=dict)
    complete: bool = False
    before: tuple[Grid, dict[Place, Tile]] | None = None  # the same at another zoom, when it was complete


_Key = tuple[Hashable, Grid | None, Place]


class Tiles:
    """Makes tiles and keeps them; the oldest ones go when there are too many."""

    def __init__(self) -> None:
        self._kept: OrderedDict[_Key, Tile] = OrderedDict()
        self._bytes = 0
        self._under_way: tuple[_Key, frozenset[Hashable], Generator[float, None, NDArray[np.float32]]] | None = None
        self._standing: dict[Hashable, _Standing] = {}

    # -- making --------------------------------------------------------------------------------------------------

    def ready(self, wanted: Iterable[Wanted]) -> bool:
        """Whether there is a tile for every place."""
        return all((one.source.key, one.grid, place) in self._kept for one in wanted for place in one.places)

    def make(self, wanted: Iterable[Wanted]) -> bool:
        """Make tiles that are not there for a moment; False if that was not long enough.

        The moment is a time; a picture of a megapixel is made whole even if it takes longer.
        """
        until, values = perf_counter() + _BUDGET, 0.0
        for one in wanted:
            for place in one.places:
                key = one.source.key, one.grid, place
                if self._found(key) is not None:
                    continue
                if self._under_way is None or self._under_way[0] != key:
                    self._under_way = key, one.source.families, one.grid.making(one.source, place)
                making = self._under_way[2]
                try:
                    while True:
                        values += next(making)
                        if values == inf or (values > _AT_LEAST and perf_counter() > until):
                            return False
                except StopIteration as made:
                    self._under_way = None
                    self._keep(key, Tile(made.value, one.source.families))
        return True

    def draft(self, source: Source) -> Tile:
        """Return some of a picture's pixels as a small picture of the whole, at once."""
        rows, cols = source.shape
        key = source.key, None, (0, 0)
        found = self._found(key)
        if found is None:
            step = isqrt(max(1, rows * cols // _DRAFT_PIXELS)) or 1
            found = self._keep(key, Tile(source.sample(step), source.families))
        return found

    def undefined(self, wanted: Wanted) -> bool:
        """Whether a tile in view holds a value that is not a number."""
        tiles = (self._kept.get((wanted.source.key, wanted.grid, place)) for place in wanted.places)
        return any(tile is not None and tile.undefined for tile in tiles)

    def _found(self, key: _Key) -> Tile | None:
        tile = self._kept.get(key)
        if tile is not None:
            self._kept.move_to_end(key)
        return tile

    def _keep(self, key: _Key, tile: Tile) -> Tile:
        self._kept[key] = tile
        self._bytes += tile.pixels.nbytes
        while self._bytes > _KEPT_BYTES and len(self._kept) > 1:
            self._bytes -= self._kept.popitem(last=False)[1].pixels.nbytes
        return tile

    # -- what is painted -----------------------------------------------------------------------------------------

    def painted(self, slot: Hashable, wanted: Wanted) -> _Standing:
        """Return the tiles to paint in a slot: those that are there, and where one is not, that of the picture before.

        Parameters
        ----------
        slot : Hashable
            Where the picture is painted, one after another.
        """
        source, grid = wanted.source, wanted.grid
        standing = self._standing.get(slot)
        if standing is None or standing.families != source.families:
            standing = _Standing(source.families, grid)
        elif standing.grid != grid:
            before = (standing.grid, standing.tiles) if standing.complete else standing.before
            standing = _Standing(source.families, grid, before=before)
        own = {place: self._found((source.key, grid, place)) for place in wanted.places}
        tiles = {place: tile or standing.tiles.get(place) for place, tile in own.items()}
        standing.tiles = {place: tile for place, tile in tiles.items() if tile is not None}
        standing.complete = None not in own.values()
        self._standing[slot] = standing
        return standing

    def leave(self, slots: Iterable[Hashable]) -> None:
        """Forget what was painted in slots that are not among these."""
        kept = set(slots)
        self._standing = {slot: standing for slot, standing in self._standing.items() if slot in kept}

    # -- forgetting ----------------------------------------------------------------------------------------------

    def forget(self, families: frozenset[Hashable], part: Part | None = None) -> None:
        """Make tiles of these families anew when they are next looked at: those of a part of the picture, or all."""
        for key in [key for key, tile in self._kept.items() if tile.families & families]:
            _, grid, place = key
            if part is None or grid is None or grid.touches(place, part):
                self._bytes -= self._kept.pop(key).pixels.nbytes
        if self._under_way is not None and self._under_way[1] & families:
            self._under_way = None

    def clear(self) -> None:
        """Forget everything."""
        self._kept.clear()
        self._bytes, self._under_way = 0, None
        self._standing.clear()
