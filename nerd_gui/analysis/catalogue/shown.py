"""The display of an answer, for the window and for files alike: a sentence, a table, pictures and plots."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import Enum

import numpy as np
from numpy.typing import NDArray

_RED, _BLUE = np.array([178, 24, 43]), np.array([33, 102, 172])
_TINY = np.finfo(np.float64).tiny


class Scale(Enum):
    """The mapping from values to colours."""

    SIGNED = "signed"  # 0 is white, above is red, below is blue; the square root makes small values visible
    FAINT = "faint"  # as SIGNED, but the fourth root makes even 1/10 000 of the largest value visible
    GREY = "grey"  # 0 is black, the largest value is white


@dataclass(frozen=True, eq=False)
class Picture:
    """An array of values to be drawn as a picture.

    Attributes
    ----------
    name : str
        Appended to the name of the analysis to name the file; empty for the first picture.
    title : str
    values : array (rows, cols)
    scale : Scale
    unit : str
        Unit of the values.
    tip : str
        Tooltip: what the picture shows.
    enlarge : int
        In a file, each value is a square with sides of this many pixels.
    mark : (row, col), optional
        The value that the analysis is about.
    corner : (row, col), optional
        The pixel of the denoised region where the first value lies; None if the picture does not overlay the photo.
    cell : int
        On the photo, each value covers a square with sides of this many pixels.
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
        """The largest value, or the largest modulus of a signed picture: it gets the strongest colour."""
        return float(self.values.max()) if self.scale is Scale.GREY else float(np.abs(self.values).max())

    def with_values(self, values: NDArray[np.float32]) -> Picture:
        """A copy of this picture with other values, such as a part of them."""
        return replace(self, values=values)

    def pixels(self) -> NDArray[np.uint8]:
        """The picture as RGB (rows, cols, 3), one pixel for each value."""
        if self.scale is Scale.GREY:
            return _grey(self.values)[..., None].repeat(3, -1)
        return _signed(self.values, _POWER[self.scale])


@dataclass(frozen=True)
class Curve:
    """Points of a plot, joined by lines in their order if `joined`."""

    name: str
    x: Sequence[float]
    y: Sequence[float]
    joined: bool = True


@dataclass(frozen=True)
class Axis:
    """The label and scale of an axis; a logarithmic axis shows positive values only."""

    label: str
    log: bool = False


@dataclass(frozen=True, eq=False)
class Plot:
    """Curves in one pair of axes.

    Attributes
    ----------
    name : str
        Appended to the name of the analysis to name the file.
    title : str
    x, y : Axis
    curves : tuple of Curve
    unit_circle : bool
        Whether this is the complex plane: the unit circle is drawn and both axes have the same scale.
    iterates : sequence of int
        The iterate of each point, for all curves that have this number of points; empty if points are not iterates.
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
    """A table of formatted numbers.

    Attributes
    ----------
    columns : tuple of str
        Headings; empty if each row is a name and a value.
    rows : tuple of tuple of str
        The first cell of each row names the row.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, eq=False)
class Shown:
    """The complete display of an answer.

    Attributes
    ----------
    says : str
        The conclusion, in a sentence or two.
    table : Table
    pictures : tuple of Picture
    plots : tuple of Plot
        Alternative views of the same answer, so that showing one at a time is enough.
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
