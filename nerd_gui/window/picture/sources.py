"""What a picture is made from: values that are read part by part, at full size or at halves of it."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol
from weakref import WeakValueDictionary

import numpy as np
from numpy.typing import NDArray

from nerd_gui.imaging.pyramid import Pyramid

MID_GREY = np.float32(0.5)
Part = tuple[int, int, int, int]  # row, col, rows, cols


class Source(Protocol):
    """The values of a picture; level l of it has a value for each 2^l x 2^l of its pixels, see `Pyramid`.

    Attributes
    ----------
    key : Hashable
        Equal keys mean equal values, as long as nobody says that a part has changed.
    families : frozenset
        What the values are made from. Of one and the same, pictures are so much alike that one may be shown for
        another for a moment.
    shape : (rows, cols)
    effort : float
        What it takes to make a value at full size, in those that can be read from memory meanwhile.
    """

    @property
    def key(self) -> Hashable: ...

    @property
    def families(self) -> frozenset[Hashable]: ...

    @property
    def shape(self) -> tuple[int, int]: ...

    @property
    def effort(self) -> float: ...

    def making(self, part: Part, level: int) -> Iterator[float]:
        """Make what `read` needs, in small steps.

        Yields
        ------
        float
            The effort since; infinity: the next step is a long one.
        """
        ...

    def read(self, part: Part, level: int) -> NDArray[np.float32]:
        """Return the values (C, rows, cols) of a part, in pixels of that level; they are the caller's own."""
        ...

    def sample(self, step: int) -> NDArray[np.float32]:
        """Return about every `step`-th value along rows and columns, at once."""
        ...


class Changeable(Protocol):
    """What sources of some families are made from, where it changes."""

    @property
    def families(self) -> frozenset[Hashable]: ...

    def update(self, part: Part) -> Part:
        """Take notice that a part has changed, and return the part of the pictures that changes with it."""
        ...


_pyramids: WeakValueDictionary[int, Pyramid] = WeakValueDictionary()


def pyramid_of(values: NDArray) -> Pyramid:
    """Return the pyramid of an array (C, rows, cols); there is one, as long as somebody holds it."""
    found = _pyramids.get(id(values))
    if found is None or found.base is not values:
        _pyramids[id(values)] = found = Pyramid(values)
    return found


class ArraySource:
    """An array as a source.

    Parameters
    ----------
    pixels : array (rows, cols) or (C, rows, cols) with C 1 or 3, floating point in [0, 1] or uint8
        Not copied; whoever changes it says so with `update`.
    """

    effort = 1.0

    def __init__(self, pixels: NDArray) -> None:
        self.pixels = pixels
        self.key: Hashable = object()
        self.families = frozenset([self.key])
        self._pyramid = pyramid_of(pixels[None] if pixels.ndim == 2 else pixels)
        self.shape = self._pyramid.shape(0)

    def making(self, part: Part, level: int) -> Iterator[float]:
        return self._pyramid.making(*part, level)

    def read(self, part: Part, level: int) -> NDArray[np.float32]:
        return self._pyramid.read(*part, level)

    def sample(self, step: int) -> NDArray[np.float32]:
        return every(self._pyramid, step)

    def update(self, part: Part) -> Part:
        self._pyramid.update(*part)
        return part


def every(pyramid: Pyramid, step: int) -> NDArray[np.float32]:
    """Every `step`-th pixel of a pyramid's base, from the middle of the first step on; float32."""
    rows, cols = (slice(min(step, size) // 2, None, step) for size in pyramid.shape(0))
    values = pyramid.base[:, rows, cols]
    single = values.astype(np.float32)
    return np.divide(single, np.float32(255), out=single) if values.dtype == np.uint8 else single


@dataclass(frozen=True, eq=False)
class Difference:
    """Right minus left; a grey picture counts for all three channels of a coloured one."""

    left: Source
    right: Source

    @cached_property
    def key(self) -> Hashable:
        return "difference", self.left.key, self.right.key

    @cached_property
    def families(self) -> frozenset[Hashable]:
        return self.left.families | self.right.families

    @property
    def shape(self) -> tuple[int, int]:
        return self.right.shape

    @property
    def effort(self) -> float:
        return self.left.effort + self.right.effort

    def making(self, part: Part, level: int) -> Iterator[float]:
        yield from self.left.making(part, level)
        yield from self.right.making(part, level)

    def read(self, part: Part, level: int) -> NDArray[np.float32]:
        return self.right.read(part, level) - self.left.read(part, level)

    def sample(self, step: int) -> NDArray[np.float32]:
        return self.right.sample(step) - self.left.sample(step)


@dataclass(frozen=True, eq=False)
class AroundGrey:
    """Values around 0 as a picture: mid-grey plus gain times the values."""

    values: Source
    gain: float

    @cached_property
    def key(self) -> Hashable:
        return "around grey", self.values.key, self.gain

    @property
    def families(self) -> frozenset[Hashable]:
        return self.values.families

    @property
    def shape(self) -> tuple[int, int]:
        return self.values.shape

    @property
    def effort(self) -> float:
        return self.values.effort

    def making(self, part: Part, level: int) -> Iterator[float]:
        return self.values.making(part, level)

    def read(self, part: Part, level: int) -> NDArray[np.float32]:
        return self._grey(self.values.read(part, level))

    def sample(self, step: int) -> NDArray[np.float32]:
        return self._grey(self.values.sample(step))

    def _grey(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        values *= np.float32(self.gain)
        values += MID_GREY
        return values
