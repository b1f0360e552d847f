"""What all items have in common: a table or a figure of the paper, measured anew and shown beside it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from nerd_gui.reproduce.workbench import Workbench

#: One line of an item's CSV; None where a number is undefined.
Row = dict[str, Any]
#: Cells, header first.
Table = list[list[str]]


class ReproduceError(ValueError):
    """Pictures, networks or files that an item lacks; the message says what, where, and what to do."""


@dataclass(frozen=True, eq=False)
class Drawing:
    """A figure on paper.

    Attributes
    ----------
    name : str
        Of its files, without suffix.
    caption : str
    draw : callable
        Takes an empty matplotlib figure.
    size : (width, height)
        In inches.
    """

    name: str
    caption: str
    draw: Callable[[Figure], None]
    size: tuple[float, float] = (6.4, 3.6)


@dataclass(frozen=True, eq=False)
class Section:
    """What the rows of an item say.

    Attributes
    ----------
    verdict : str
        What agrees with the paper and what does not, in plain sentences.
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
        On the command line, and of its files.
    title : str
    repeats : str
        What of the paper it measures anew: a sentence.
    networks, pictures : tuple of str
        Without which there is nothing to measure: names of networks and of picture sets.
    key, values : mapping of str to type
        The columns of its CSV beside the common ones: those that say what was measured, and what came out.
    measure : callable
        Measures with a workbench what its store does not hold yet, and returns all rows.
    show : callable
        Makes the section of those rows.
    in_part : bool
        Whether its section can be shown when only a part of it is measured.
    store : str
        Name of the CSV where items share one; its own name if empty.
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
        """The file of its rows."""
        return f"{self.store or self.name}.csv"
