"""The classes of an item: one table or figure of the paper, measured again and shown beside the paper's numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from nerd_gui.reproduce.workbench import Workbench

#: One row of an item's CSV, by column. A number that is undefined is None.
Row = dict[str, Any]
#: The cells of a table, row by row; the first row is the header.
Table = list[list[str]]


class ReproduceError(ValueError):
    """An item lacks pictures, networks or files; the message says which, where they belong, and what to do."""


@dataclass(frozen=True, eq=False)
class Drawing:
    """A figure of the page, not drawn yet.

    Attributes
    ----------
    name : str
        Name of its files, without the suffix.
    caption : str
    draw : callable
        Called with an empty matplotlib figure, into which it draws.
    size : (width, height)
        In inches.
    """

    name: str
    caption: str
    draw: Callable[[Figure], None]
    size: tuple[float, float] = (6.4, 3.6)


@dataclass(frozen=True, eq=False)
class Section:
    """The content of an item's section on the page.

    Attributes
    ----------
    verdict : str
        Sentences: what agrees with the paper and what does not.
    tables : sequence of (caption, Table)
    drawings : sequence of Drawing
    missing : sequence of str
        Sentences: what could not be measured, and why.
    """

    verdict: str
    tables: Sequence[tuple[str, Table]] = ()
    drawings: Sequence[Drawing] = ()
    missing: Sequence[str] = ()


@dataclass(frozen=True)
class Item:
    """One of the paper's tables or figures.

    Attributes
    ----------
    name : str
        Its name on the command line and the beginning of its files' names.
    title : str
    repeats : str
        What the paper claims and this item measures again, in a sentence or two.
    networks, pictures : tuple of str
        Names of the networks and picture sets that a measurement needs.
    key, values : mapping of str to type
        The columns of its CSV in addition to the common ones: `key` tells measurements apart, `values` are the results.
    measure : callable
        Called with a `Workbench`; measures the rows that its store does not hold yet, and returns all rows.
    show : callable
        Called with the rows and the workbench; returns the `Section`.
    in_part : bool
        Whether the section can be shown when only some of the rows are measured.
    store : str
        Name of the CSV, where several items share one; if empty, the item's own name.
    """

    name: str
    title: str
    repeats: str
    networks: tuple[str, ...]
    pictures: tuple[str, ...]
    key: Mapping[str, type]
    values: Mapping[str, type]
    measure: Callable[[Workbench], list[Row]]
    show: Callable[[list[Row], Workbench], Section] = field(repr=False)
    in_part: bool = False
    store: str = ""

    @property
    def csv(self) -> str:
        """Name of the CSV file that holds its rows."""
        return f"{self.store or self.name}.csv"
