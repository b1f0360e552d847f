"""A map as a picture: its values in colours, and the legend that says which colour is which value."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nerd_gui.analysis.maps import IterateMap, Scale
from nerd_gui.window.colour_map import coloured
from nerd_gui.window.picture.sources import ArraySource, Term, Values
from nerd_gui.window.wording import scientific

_TINY = 1e-3
_STEPS = 64  # of the legend's colours


@dataclass(frozen=True, eq=False)
class Legend:
    """What the colours of a map mean.

    Attributes
    ----------
    colours : uint8 array (steps, 3), or None
        From the lowest value to the highest.
    low, high : str
        Those values; the unit stands after the second.
    note : str
        In place of colours: what red, green and blue are.
    """

    colours: NDArray[np.uint8] | None
    low: str = ""
    high: str = ""
    note: str = ""


class MapSource(ArraySource):
    """The values of a map; `displayed` is what is painted.

    Parameters
    ----------
    shown : IterateMap
    """

    def __init__(self, shown: IterateMap) -> None:
        super().__init__(shown.values)
        self.shown = shown

    def displayed(self, shared: bool) -> ColouredMap:
        """The map in colours; `shared` between the ends that are the same for all iterates."""
        return ColouredMap(self, shared)

    def legend(self, shared: bool) -> Legend:
        """What the colours mean."""
        shown = self.shown
        if shown.note:
            return Legend(None, note=shown.note)
        low, high = (number_words(end) for end in shown.ends(shared=shared))
        steps = np.linspace(0, 1, _STEPS)
        grey = np.rint(255 * steps).astype(np.uint8)[:, None].repeat(3, 1)
        return Legend(grey if shown.scale is Scale.SIGNED else coloured(steps), low, f"{high} {shown.unit}".strip())

    def words(self, row: int, col: int) -> str:
        """The values of a pixel with their unit."""
        values = " ".join(number_words(float(value)) for value in self.read((row, col, 1, 1))[:, 0, 0])
        return f"{values} {self.shown.unit}".strip()


@dataclass(frozen=True, eq=False)
class ColouredMap:
    """A map in colours. Where it is shown small, these are the colours of mean values, not means of colours."""

    source: MapSource
    shared: bool

    @property
    def key(self) -> Hashable:
        """See `Source`."""
        return "map", self.source.key, self.shared

    @property
    def families(self) -> frozenset[Hashable]:
        """See `Source`."""
        return self.source.families

    @property
    def terms(self) -> Sequence[Term]:
        """See `Source`."""
        return self.source.terms

    def read(self, part: tuple[int, int, int, int]) -> Values:
        """Return the values of a part at full size."""
        return self._in_colours(self.source.read(part))

    def sum(self, terms: Sequence[Values]) -> Values:
        """Put the values together from those of the terms."""
        return self._in_colours(terms[0])

    def _in_colours(self, values: Values) -> Values:
        unit = self.source.shown.brightness(values, shared=self.shared)
        if self.source.shown.scale is Scale.SIGNED:
            return unit
        colours = np.moveaxis(coloured(np.nan_to_num(unit[0])), -1, 0).astype(np.float32) / np.float32(255)
        colours[:, np.isnan(unit[0])] = np.nan
        return colours


def number_words(value: float) -> str:
    """A value in two or three digits; negative ones have a true minus sign."""
    size = abs(value)
    words = scientific(size) if 0 < size < _TINY else f"{size:.{3 if size >= 100 else 2}g}"
    return f"−{words}" if value < 0 else words
