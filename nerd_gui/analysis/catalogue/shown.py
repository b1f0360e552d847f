"""How the answer of an analysis is shown, wherever that is: rows of a table, pictures, one plot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import Enum

import numpy as np
from numpy.typing import NDArray

_RED, _BLUE = np.array([178, 24, 43]), np.array([33, 102, 172])
_TINY = np.finfo(np.float64).tiny


class Scale(Enum):
    """How values become colours."""

    SIGNED = "signed"  # around 0: white at 0, red above, blue below, by the root so that small ones are seen
    FAINT = "faint"  # the same by the fourth root, so that those of a ten-thousandth of the largest are seen
    GREY = "grey"  # from 0, black, to the largest, white


@dataclass(frozen=True, eq=False)
class Picture:
    """Values over pixels.

    Attributes
    ----------
    name : str
        Of its file, after that of the analysis; empty for the first picture.
    title : str
    values : array (rows, cols)
    scale : Scale
    unit : str
        Of the values.
    tip : str
        What is to be seen in it.
    enlarge : int
        Pixels of its file along each side of a value.
    mark : (row, col), optional
        The value that it is about.
    corner : (row, col), optional
        The pixel of what was run where its first value lies; None: it does not lie over the photo.
    cell : int
        Pixels of the photo along each side of a value.
    """

    name: str
    title: str
    values: NDArray[np.float32]
    scale: Scale
    unit: str = ""
    tip: str = ""
    enlarge: int = 2
    mark: tuple[int, int] | None = None
    corner: tuple[int, int] | None = (0, 0)
    cell: int = 1

    @property
    def largest(self) -> float:
        """The value, or its modulus, that has the strongest colour."""
        return float(self.values.max()) if self.scale is Scale.GREY else float(np.abs(self.values).max())

    def with_values(self, values: NDArray[np.float32]) -> Picture:
        """The same of fewer values."""
        return replace(self, values=values)

    def pixels(self) -> NDArray[np.uint8]:
        """The picture (rows, cols, 3), a pixel for each value."""
        if self.scale is Scale.GREY:
            return _grey(self.values)[..., None].repeat(3, -1)
        return _signed(self.values, _POWER[self.scale])


@dataclass(frozen=True)
class Curve:
    """Points of a plot, joined in their order or not."""

    name: str
    x: Sequence[float]
    y: Sequence[float]
    joined: bool = True


@dataclass(frozen=True)
class Axis:
    """What lies along an axis; a logarithmic one has no place for 0 and less."""

    label: str
    log: bool = False


@dataclass(frozen=True, eq=False)
class Plot:
    """Curves over one axis, or over one of several.

    Attributes
    ----------
    name : str
        Of its file, after that of the analysis.
    title : str
    x, y : Axis
    curves : tuple of Curve
    unit_circle : bool
        The complex plane with the unit circle in it; both axes have one scale.
    iterates : sequence of int
        Which iterate each point is of, in all curves of so many points; empty where they are not of iterates.
    """

    name: str
    title: str
    x: Axis
    y: Axis
    curves: tuple[Curve, ...]
    unit_circle: bool = False
    iterates: Sequence[int] = ()


@dataclass(frozen=True)
class Table:
    """Numbers in words.

    Attributes
    ----------
    columns : tuple of str
        Their names; empty where the rows are names and values.
    rows : tuple of tuple of str
        The first of each says what it is of.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, eq=False)
class Shown:
    """All that is to be seen of an answer.

    Attributes
    ----------
    says : str
        What it comes to, in a sentence or two.
    table : Table
    pictures : tuple of Picture
    plots : tuple of Plot
        One of them at a time is enough: they are views of the same.
    """

    says: str
    table: Table
    pictures: tuple[Picture, ...] = field(default=())
    plots: tuple[Plot, ...] = field(default=())


_POWER = {Scale.SIGNED: 0.5, Scale.FAINT: 0.25}


def _signed(values: NDArray[np.floating], power: float) -> NDArray[np.uint8]:
    strength = (np.abs(values) / max(float(np.abs(values).max()), _TINY))[..., None] ** power
    colour = np.where(values[..., None] >= 0, _RED, _BLUE)
    colours: NDArray[np.uint8] = np.rint(255 + strength * (colour - 255)).astype(np.uint8)
    return colours


def _grey(values: NDArray[np.floating]) -> NDArray[np.uint8]:
    colours: NDArray[np.uint8] = np.rint(255 * values / max(float(values.max()), _TINY)).clip(0, 255).astype(np.uint8)
    return colours
