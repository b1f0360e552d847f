"""The values that a picture is made from, read part by part, at full size or as means over areas."""

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
    """Values of which sources are weighted sums, so that the means of a source are sums of its terms' means.

    Parameters
    ----------
    base : Pixels
    key : Hashable
    families : frozenset
        See `Source`.
    effort : float
        The time to compute a value at full size, in multiples of the time to read one from memory. A term with
        more than a few also keeps level 1 of its pyramid, and drafts leave it out.

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
        """Compute what reading a part of a level needs, in small steps; yield the effort of each."""
        for values in self.pyramid.making(*part, level):
            yield self.effort * values

    def sample(self, step: int) -> Values:
        """Return every `step`-th value along rows and columns, at once; a single 0 if the term is slow to compute."""
        rows, cols = (slice(min(step, size) // 2, None, step) for size in self.pyramid.shape(0))
        if self._slow:
            return np.zeros((1, 1, 1), np.float32)
        values = self.pyramid.base[:, rows, cols]
        single = values.astype(np.float32)
        return np.divide(single, np.float32(255), out=single) if values.dtype == np.uint8 else single


_terms: WeakValueDictionary[int, Term] = WeakValueDictionary()


def term_of(values: NDArray[Any]) -> Term:
    """Return an array (C, rows, cols) as a term; the same array gives the same term as long as that term is in use."""
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
        Equal keys mean equal values, until a part is reported as changed.
    families : frozenset
        Tokens of the data that the values are made from. Pictures with the same families are so much alike that one
        may stand in for another for a moment.
    terms : sequence of Term
        The terms that the values are put together from.
    """

    @property
    def key(self) -> Hashable:
        """Equal keys mean equal values."""

    @property
    def families(self) -> frozenset[Hashable]:
        """Tokens of the data that the values are made from."""

    @property
    def terms(self) -> Sequence[Term]:
        """The terms that the values are put together from."""

    def read(self, part: Part) -> Values:
        """Return the values of a part at full size."""
        ...

    def sum(self, terms: Sequence[Values]) -> Values:
        """Return the values, put together from those of the terms, which are not changed."""
        ...


class Changeable(Protocol):
    """Data that may change, from which the sources of some families are made."""

    @property
    def families(self) -> frozenset[Hashable]:
        """The families whose values change with this data."""

    def update(self, part: Part) -> Part:
        """Take note that a part of the data has changed; return the part of the pictures that changes with it."""
        ...


class ArraySource:
    """An array as a source.

    Parameters
    ----------
    pixels : array (rows, cols) or (C, rows, cols) with C 1 or 3, floating point in [0, 1] or uint8
        The array is not copied; whoever changes it must call `update`.
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
        """Return the values, put together from those of the terms."""
        return terms[0]

    def update(self, part: Part) -> Part:
        """Read a part again from the array, and return that part."""
        self.terms[0].pyramid.update(*part)
        return part


@dataclass(frozen=True, eq=False)
class Difference:
    """Right minus left; a grey picture counts for all three channels of a coloured one."""

    left: Source
    right: Source

    @cached_property
    def key(self) -> Hashable:
        """Equal keys mean equal values; see `Source`."""
        return "difference", self.left.key, self.right.key

    @cached_property
    def families(self) -> frozenset[Hashable]:
        """Tokens of the data that the values are made from; see `Source`."""
        return self.left.families | self.right.families

    @property
    def terms(self) -> Sequence[Term]:
        """The terms that the values are put together from; see `Source`."""
        return *self.left.terms, *self.right.terms

    def read(self, part: Part) -> Values:
        """Return the values of a part at full size."""
        return self.right.read(part) - self.left.read(part)

    def sum(self, terms: Sequence[Values]) -> Values:
        """Return the values, put together from those of the terms."""
        count = len(self.left.terms)
        return self.right.sum(terms[count:]) - self.left.sum(terms[:count])


@dataclass(frozen=True, eq=False)
class AroundGrey:
    """Values around 0 as a picture: mid-grey plus gain times the values."""

    values: Source
    gain: float

    @cached_property
    def key(self) -> Hashable:
        """Equal keys mean equal values; see `Source`."""
        return "around grey", self.values.key, self.gain

    @property
    def families(self) -> frozenset[Hashable]:
        """Tokens of the data that the values are made from; see `Source`."""
        return self.values.families

    @property
    def terms(self) -> Sequence[Term]:
        """The terms that the values are put together from; see `Source`."""
        return self.values.terms

    def read(self, part: Part) -> Values:
        """Return the values of a part at full size."""
        return MID_GREY + np.float32(self.gain) * self.values.read(part)

    def sum(self, terms: Sequence[Values]) -> Values:
        """Return the values, put together from those of the terms."""
        return MID_GREY + np.float32(self.gain) * self.values.sum(terms)
