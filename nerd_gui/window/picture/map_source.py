"""A map as a picture: its values as colours, and the legend that gives the value of each colour."""

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
_STEPS = 64  # colours in the legend's bar


@dataclass(frozen=True, eq=False)
class Legend:
    """What the colours of a map mean.

    Attributes
    ----------
    colours : uint8 array (steps, 3), or None
        The colours from the lowest value to the highest.
    low, high : str
        The lowest and the highest value; the unit follows the highest.
    note : str
        Shown instead of the colours: what red, green and blue stand for.
    """

    colours: NDArray[np.uint8] | None
    low: str = ""
    high: str = ""
    note: str = ""


class MapSource(ArraySource):
    """The values of a map; `displayed` gives the colours that are painted.

    Parameters
    ----------
    shown : IterateMap
    """

    def __init__(self, shown: IterateMap) -> None:
        super().__init__(shown.values)
        self.shown = shown

    def displayed(self, shared: bool) -> ColouredMap:
        """Return the map in colours; with `shared`, its colour range is the same for all iterates."""
        return ColouredMap(self, shared)

    def legend(self, shared: bool) -> Legend:
        """Return what the colours mean."""
        shown = self.shown
        if shown.note:
            return Legend(None, note=shown.note)
        low, high = (number_words(end) for end in shown.ends(shared=shared))
        steps = np.linspace(0, 1, _STEPS)
        grey = np.rint(255 * steps).astype(np.uint8)[:, None].repeat(3, 1)
        return Legend(grey if shown.scale is Scale.SIGNED else coloured(steps), low, f"{high} {shown.unit}".strip())

    def words(self, row: int, col: int) -> str:
        """Return the values of a pixel with their unit."""
        values = " ".join(number_words(float(value)) for value in self.read((row, col, 1, 1))[:, 0, 0])
        return f"{values} {self.shown.unit}".strip()


@dataclass(frozen=True, eq=False)
class ColouredMap:
    """A map in colours. When it is shown reduced, it shows the colours of mean values, not means of colours."""

    source: MapSource
    shared: bool

    @property
    def key(self) -> Hashable:
        """Equal keys mean equal values; see `Source`."""
        return "map", self.source.key, self.shared

    @property
    def families(self) -> frozenset[Hashable]:
        """Tokens of the data that the values are made from; see `Source`."""
        return self.source.families

    @property
    def terms(self) -> Sequence[Term]:
        """The terms that the values are put together from; see `Source`."""
        return self.source.terms

    def read(self, part: tuple[int, int, int, int]) -> Values:
        """Return the colours of a part at full size."""
        return self._in_colours(self.source.read(part))

    def sum(self, terms: Sequence[Values]) -> Values:
        """Return the colours of the values that the terms give."""
        return self._in_colours(terms[0])

    def _in_colours(self, values: Values) -> Values:
        unit = self.source.shown.brightness(values, shared=self.shared)
        if self.source.shown.scale is Scale.SIGNED:
            return unit
        colours = np.moveaxis(coloured(np.nan_to_num(unit[0])), -1, 0).astype(np.float32) / np.float32(255)
        colours[:, np.isnan(unit[0])] = np.nan
        return colours


def number_words(value: float) -> str:
    """Return a value with two or three digits; a negative one has a true minus sign."""
    size = abs(value)
    words = scientific(size) if 0 < size < _TINY else f"{size:.{3 if size >= 100 else 2}g}"
    return f"−{words}" if value < 0 else words
