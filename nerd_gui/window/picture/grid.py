"""A picture at the size at which it is shown, cut into tiles, and the computation of a tile's pixels."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from functools import cached_property
from itertools import product

import numpy as np

from nerd_gui.imaging.area_means import AreaMeans
from nerd_gui.window.picture.sources import Part, Source, Term, Values

_SIDE, _REDUCED_SIDE = 256, 128  # pixels along a tile's side; a reduced pixel averages up to 16 values
_AT_ONCE = 1 << 16  # pixels of the picture that one step reads
_BAND = 128  # rows of a tile at full size that one step makes
Place = tuple[int, int]  # the row and the column of a tile in the grid


@dataclass(frozen=True)
class Grid:
    """A picture of rows x cols pixels shown in height x width pixels: at full size, or reduced to means over areas.

    Tiles are numbered by row and column; those at the right and the bottom edge may be smaller than the others.
    """

    rows: int
    cols: int
    height: int
    width: int

    @cached_property
    def reduced(self) -> bool:
        """Whether the picture is shown smaller than its own size."""
        return (self.height, self.width) != (self.rows, self.cols)

    @cached_property
    def level(self) -> int:
        """The pyramid level from which tiles are made: a shown pixel covers at least two of its pixels along each side.

        The level's pixels that lie across a shown pixel's border count by the share of their area. With two or more
        pixels inside, treating a border pixel as uniform makes hardly any difference.
        """
        level = 0
        while min(self.rows / self.height, self.cols / self.width) >= 4 << level:
            level += 1
        return level

    @property
    def side(self) -> int:
        """The length of a tile's side in pixels."""
        return _REDUCED_SIDE if self.reduced else _SIDE

    def places(self, top: int, left: int, height: int, width: int) -> list[Place]:
        """Return the tiles that a rectangle of the shown picture touches, those nearest to its middle first."""
        bottom, right = min(top + height, self.height), min(left + width, self.width)
        top, left = max(top, 0), max(left, 0)
        if top >= bottom or left >= right:
            return []
        down, across = ((start // self.side, -(-end // self.side)) for start, end in ((top, bottom), (left, right)))
        middle = [(sum(ends) - 1) / 2 for ends in (down, across)]
        return sorted(
            product(range(*down), range(*across)),
            key=lambda place: abs(place[0] - middle[0]) + abs(place[1] - middle[1]),
        )

    def rectangle(self, place: Place) -> Part:
        """Return (top, left, height, width) of a tile, in pixels of the shown picture."""
        top, left = place[0] * self.side, place[1] * self.side
        return top, left, min(self.side, self.height - top), min(self.side, self.width - left)

    def touches(self, place: Place, part: Part) -> bool:
        """Whether a tile shows any pixel of a part (row, col, rows, cols) of the picture."""
        top, left, height, width = self.rectangle(place)
        row, col, rows, cols = part
        return (
            row * self.height < (top + height) * self.rows
            and (row + rows) * self.height > top * self.rows
            and col * self.width < (left + width) * self.cols
            and (col + cols) * self.width > left * self.cols
        )

    def at_full_size(self, source: Source, place: Place) -> Generator[float, None, Values]:
        """Compute a tile's values (C, height, width) in small steps; yield the effort of each step."""
        row, col, rows, cols = self.rectangle(place)
        effort = sum(term.effort for term in source.terms)
        bands = []
        for start in range(0, rows, _BAND):
            bands.append(source.read((row + start, col, min(_BAND, rows - start), cols)))
            yield effort * bands[-1].size
        return np.concatenate(bands, axis=1)

    def means(self, term: Term, rectangle: Part) -> Generator[float, None, Values]:
        """Compute the means of a term in a rectangle of the shown picture in small steps; yield the effort of each."""
        top, left, height, width = rectangle
        down = AreaMeans(self.rows, self.height, top, height, self.level)
        across = AreaMeans(self.cols, self.width, left, width, self.level)
        yield from term.making((down.first, across.first, down.count, across.count), self.level)
        # The two finest levels may be computed while they are read; the others are kept and only copied.
        finer = 2 * self.level if self.level < 2 else 0
        band = max(1, (_AT_ONCE >> finer) // across.count)
        bands = []
        for start in range(0, down.count, band):
            tall = min(band, down.count - start)
            bands.append(term.pyramid.read(down.first + start, across.first, tall, across.count, self.level))
            yield term.effort * (bands[-1].size << finer)
        return across.along(down.along(np.concatenate(bands, axis=1), 1), 2)
