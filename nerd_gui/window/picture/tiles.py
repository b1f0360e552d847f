"""The tiles to paint: made a few at a time, so that the window stays responsive, and kept while there is room."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Generator, Hashable, Iterable
from dataclasses import dataclass, field
from math import isqrt
from time import perf_counter
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray
from PySide6.QtGui import QImage

from nerd_gui.imaging.psnr_ssim import to_8_bit
from nerd_gui.window.picture.grid import Grid, Place
from nerd_gui.window.picture.sources import Part, Source

_KEPT_BYTES = 256 << 20
#: Seconds that one paint may spend on making tiles: the first one, with which the rest of the window is often painted,
#: and each one after it.
_AT_FIRST, _LATER = 0.005, 0.015
_AT_LEAST = 3_000_000  # least effort of one paint, even beyond the budget: a megapixel in colour appears at once
_DRAFT_PIXELS = 30_000
_UNDEFINED = np.uint32(0xFFFF00FF)  # magenta, a colour that hardly occurs in photos


class Tile:
    """A part of a picture ready to be painted.

    Parameters
    ----------
    values : float32 array (C, rows, cols)
        Clipped to [0, 1].

    Attributes
    ----------
    pixels : uint32 array (rows, cols)
        Opaque 32-bit pixels.
    image : QImage
        The same pixels as an image.
    undefined : bool
        Whether some value is not a number; such pixels are magenta.
    """

    def __init__(self, values: NDArray[np.float32]) -> None:
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
        self.nbytes = self.pixels.nbytes


@dataclass(frozen=True)
class Wanted:
    """A picture to paint on a grid, with the tiles of it that are in view."""

    source: Source
    grid: Grid
    places: list[Place]


@dataclass
class Standing:
    """The tiles that were last painted in a slot, which stand in for the next picture's until those are ready."""

    families: frozenset[Hashable]
    grid: Grid
    tiles: dict[Place, Tile] = field(default_factory=dict)
    complete: bool = False
    before: tuple[Grid, dict[Place, Tile]] | None = None  # the last complete tiles at another zoom


_Key = tuple[Hashable, Grid | None, Place]
_Kept = TypeVar("_Kept", Tile, NDArray[np.float32])


class _Shelf(Generic[_Kept]):
    """Keeps computed parts of pictures; beyond a limit of memory, those that were used longest ago are dropped."""

    def __init__(self) -> None:
        self._items: OrderedDict[_Key, tuple[_Kept, frozenset[Hashable]]] = OrderedDict()
        self._bytes = 0

    def __contains__(self, key: _Key) -> bool:
        return key in self._items

    def find(self, key: _Key) -> _Kept | None:
        if key not in self._items:
            return None
        self._items.move_to_end(key)
        return self._items[key][0]

    def keep(self, key: _Key, item: _Kept, families: frozenset[Hashable]) -> _Kept:
        self._items[key] = item, families
        self._bytes += item.nbytes
        while self._bytes > _KEPT_BYTES and len(self._items) > 1:
            self._drop(next(iter(self._items)))
        return item

    def forget(self, families: frozenset[Hashable], part: Part | None) -> None:
        for key in [key for key, (_, kin) in self._items.items() if kin & families]:
            _, grid, place = key
            if part is None or grid is None or grid.touches(place, part):
                self._drop(key)

    def clear(self) -> None:
        self._items.clear()
        self._bytes = 0

    def _drop(self, key: _Key) -> None:
        self._bytes -= self._items.pop(key)[0].nbytes


class Tiles:
    """Makes tiles and keeps them."""

    def __init__(self) -> None:
        self._tiles: _Shelf[Tile] = _Shelf()
        self._means: _Shelf[NDArray[np.float32]] = _Shelf()  # means of terms: a new sum of them is fast
        self._missing = False  # whether some tiles were missing after the last paint
        self._under_way: tuple[_Key, frozenset[Hashable], Generator[float, None, Tile]] | None = None
        self._standing: dict[Hashable, Standing] = {}

    # -- making --------------------------------------------------------------------------------------------------

    def ready(self, wanted: Iterable[Wanted]) -> bool:
        """Whether there is a tile for every place."""
        return all((one.source.key, one.grid, place) in self._tiles for one in wanted for place in one.places)

    def make(self, wanted: Iterable[Wanted]) -> bool:
        """Make missing tiles for a short time; return False if some are still missing.

        The time is `_AT_FIRST` or `_LATER`, or what a colour picture of one megapixel takes if that is longer.
        """
        self._missing = not self._made(wanted, perf_counter() + (_LATER if self._missing else _AT_FIRST))
        return not self._missing

    def _made(self, wanted: Iterable[Wanted], until: float) -> bool:
        effort = 0.0
        for one in wanted:
            for place in one.places:
                key = one.source.key, one.grid, place
                if self._tiles.find(key) is not None:
                    continue
                if self._under_way is None or self._under_way[0] != key:
                    self._under_way = key, one.source.families, self._making(one, place)
                making = self._under_way[2]
                try:
                    while True:
                        effort += next(making)
                        if effort > _AT_LEAST and perf_counter() > until:
                            return False
                except StopIteration as made:
                    self._under_way = None
                    self._tiles.keep(key, made.value, one.source.families)
        return True

    def _making(self, wanted: Wanted, place: Place) -> Generator[float, None, Tile]:
        source, grid = wanted.source, wanted.grid
        if not grid.reduced:
            return Tile((yield from grid.at_full_size(source, place)))
        terms = []
        for term in source.terms:
            key = term.key, grid, place
            means = self._means.find(key)
            if means is None:
                means = self._means.keep(key, (yield from grid.means(term, grid.rectangle(place))), term.families)
            terms.append(means)
        return Tile(source.sum(terms))

    def draft(self, source: Source) -> Tile:
        """Return a small, coarse picture of the whole at once, made from a regular sample of its pixels."""
        key = source.key, None, (0, 0)
        draft = self._tiles.find(key)
        if draft is None:
            rows, cols = source.terms[0].pyramid.shape(0)
            step = max(1, isqrt(rows * cols // _DRAFT_PIXELS))
            draft = Tile(source.sum([term.sample(step) for term in source.terms]))
            self._tiles.keep(key, draft, source.families)
        return draft

    def undefined(self, wanted: Wanted) -> bool:
        """Whether a tile in view has a value that is not a number."""
        tiles = (self._tiles.find((wanted.source.key, wanted.grid, place)) for place in wanted.places)
        return any(tile is not None and tile.undefined for tile in tiles)

    # -- painting ------------------------------------------------------------------------------------------------

    def painted(self, slot: Hashable, wanted: Wanted) -> Standing:
        """Return the tiles to paint in a slot; for each missing one, the tile painted there before stands in.

        Parameters
        ----------
        slot : Hashable
            The place on the screen where one picture after another is painted.
        """
        source, grid = wanted.source, wanted.grid
        standing = self._standing.get(slot)
        if standing is None or standing.families != source.families:
            standing = Standing(source.families, grid)
        elif standing.grid != grid:
            before = (standing.grid, standing.tiles) if standing.complete else standing.before
            standing = Standing(source.families, grid, before=before)
        own = {place: self._tiles.find((source.key, grid, place)) for place in wanted.places}
        tiles = {place: tile or standing.tiles.get(place) for place, tile in own.items()}
        standing.tiles = {place: tile for place, tile in tiles.items() if tile is not None}
        standing.complete = None not in own.values()
        self._standing[slot] = standing
        return standing

    def leave(self, slots: Iterable[Hashable]) -> None:
        """Forget what was painted in all slots but these."""
        kept = set(slots)
        self._standing = {slot: standing for slot, standing in self._standing.items() if slot in kept}

    # -- forgetting ----------------------------------------------------------------------------------------------

    def forget(self, families: frozenset[Hashable], part: Part | None = None) -> None:
        """Drop the kept tiles and means of these families, within a part of the picture or everywhere."""
        self._tiles.forget(families, part)
        self._means.forget(families, part)
        if self._under_way is not None and self._under_way[1] & families:
            self._under_way = None

    def clear(self) -> None:
        """Forget everything."""
        self._tiles.clear()
        self._means.clear()
        self._under_way = None
        self._standing.clear()
