"""What a picture is made from: values that are read part by part, at full size or as means over halves of it."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol
from weakref import WeakValueDictionary

import numpy as np
from numpy.typing import NDArray

from nerd_gui.imaging.pyramid import Pixels, Pyramid

MID_GREY = np.float32(0.5)
Part = tuple[int, int, int, int]  # row, col, rows, cols
Values = NDArray[np.float32]  # (C, rows, cols)


class Term:
    """Values of which sources are sums, each times a factor: means over areas of the sum are sums of its means.

    Parameters
    ----------
    base : Pixels
    key : Hashable
    families : frozenset
        See `Source`.
    effort : float
        What it takes to make a value at full size, in those that can be read from memory meanwhile. Where it is more
        than a few, level 1 is kept as well, and drafts go without.

    Attributes
    ----------
    pyramid : Pyramid
    """

    def __init__(self, base: Pixels, key: Hashable, families: frozenset[Hashable], effort: float = 1) -> None:
        self.key = key
        self.families = families
        self.effort = effort
        self.pyramid = Pyramid(base, first_kept=1 if self._slow else 2)

    @property
    def _slow(self) -> bool:
        return self.effort > 4

    def making(self, part: Part, level: int) -> Iterator[float]:
        """Make what reading a part of a level needs, in small steps, and yield the effort of each."""
        for values in self.pyramid.making(*part, level):
            yield self.effort * values

    def sample(self, step: int) -> Values:
        """Return every `step`-th value along rows and columns, at once; 0 where that takes too long."""
        rows, cols = (slice(min(step, size) // 2, None, step) for size in self.pyramid.shape(0))
        if self._slow:
            return np.zeros((1, 1, 1), np.float32)
        values = self.pyramid.base[:, rows, cols]
        single = values.astype(np.float32)
        return np.divide(single, np.float32(255), out=single) if values.dtype == np.uint8 else single


_terms: WeakValueDictionary[int, Term] = WeakValueDictionary()


def term_of(values: NDArray[Any]) -> Term:
    """Return an array (C, rows, cols) as a term; always the same one, as long as somebody holds it."""
    found = _terms.get(id(values))
    if found is None or found.pyramid.base is not values:
        key = object()
        _terms[id(values)] = found = Term(values, key, frozenset([key]))
    return found


class Source(Protocol):
    """The values of a picture.

    Attributes
    ----------
    key : Hashable
        Equal keys mean equal values, as long as nobody says that a part has changed.
    families : frozenset
        What the values are made from. Of one and the same, pictures are so much alike that one may be shown for
        another for a moment.
    terms : sequence of Term
    """

    @property
    def key(self) -> Hashable:
        """Equal keys mean equal values."""

    @property
    def families(self) -> frozenset[Hashable]:
        """What the values are made from."""

    @property
    def terms(self) -> Sequence[Term]:
        """The terms that the values are put together from."""

    def read(self, part: Part) -> Values:
        """Return the values of a part at full size."""
        ...

    def sum(self, terms: Sequence[Values]) -> Values:
        """Put the values together from those of the terms, which are not changed."""
        ...


class Changeable(Protocol):
    """What sources of some families are made from, where it changes."""

    @property
    def families(self) -> frozenset[Hashable]:
        """The families that change with it."""

    def update(self, part: Part) -> Part:
        """Take notice that a part has changed, and return the part of the pictures that changes with it."""
        ...


class ArraySource:
    """An array as a source.

    Parameters
    ----------
    pixels : array (rows, cols) or (C, rows, cols) with C 1 or 3, floating point in [0, 1] or uint8
        Not copied; whoever changes it says so with `update`.
    """

    def __init__(self, pixels: NDArray[Any]) -> None:
        self.pixels = pixels
        self.terms = (term_of(pixels[None] if pixels.ndim == 2 else pixels),)
        self.key = self.terms[0].key
        self.families = self.terms[0].families

    def read(self, part: Part) -> Values:
        """Return the values of a part at full size."""
        return self.terms[0].pyramid.read(*part)

    def sum(self, terms: Sequence[Values]) -> Values:
        """Put the values together from those of the terms."""
        return terms[0]

    def update(self, part: Part) -> Part:
        """Read a part anew from the array, and return it."""
        self.terms[0].pyramid.update(*part)
        return part


@dataclass(frozen=True, eq=False)
class Difference:
    """Right minus left; a grey picture counts for all three channels of a coloured one."""

    left: Source
    right: Source

    @cached_property
    def key(self) -> Hashable:
        """See `Source`."""
        return "difference", self.left.key, self.right.key

    @cached_property
    def families(self) -> frozenset[Hashable]:
        """See `Source`."""
        return self.left.families | self.right.families

    @property
    def terms(self) -> Sequence[Term]:
        """See `Source`."""
        return *self.left.terms, *self.right.terms

    def read(self, part: Part) -> Values:
        """Return the values of a part at full size."""
        return self.right.read(part) - self.left.read(part)

    def sum(self, terms: Sequence[Values]) -> Values:
        """Put the values together from those of the terms."""
        count = len(self.left.terms)
        return self.right.sum(terms[count:]) - self.left.sum(terms[:count])


@dataclass(frozen=True, eq=False)
class AroundGrey:
    """Values around 0 as a picture: mid-grey plus gain times the values."""

    values: Source
    gain: float

    @cached_property
    def key(self) -> Hashable:
        """See `Source`."""
        return "around grey", self.values.key, self.gain

    @property
    def families(self) -> frozenset[Hashable]:
        """See `Source`."""
        return self.values.families

    @property
    def terms(self) -> Sequence[Term]:
        """See `Source`."""
        return self.values.terms

    def read(self, part: Part) -> Values:
        """Return the values of a part at full size."""
        return MID_GREY + np.float32(self.gain) * self.values.read(part)

    def sum(self, terms: Sequence[Values]) -> Values:
        """Put the values together from those of the terms."""
        return MID_GREY + np.float32(self.gain) * self.values.sum(terms)
