"""Reading and writing the answers of a run's analyses in a session file."""

import re
from collections.abc import Callable, Iterator
from math import prod
from typing import Any

from numpy.typing import NDArray

from nerd_gui.denoising.analysed import Analysed
from nerd_gui.denoising.session_file.fields import Damaged, Fields
from nerd_gui.denoising.session_file.record import SavedRun

_NAME = re.compile("[a-z0-9_]{1,64}")
_MOST_PLANES, _SMALL = 64, 1 << 20  # largest accepted array: this many values per pixel; smaller ones always fit

#: Loads an array, given the name of its member and its shape.
Load = Callable[[str, tuple[int, ...]], NDArray[Any]]


def analyses_to_json(run: SavedRun) -> dict[str, Any]:
    """Convert the analyses of a run to JSON, with the shapes but not the values of their arrays."""
    return {
        name: {"numbers": found.numbers, "arrays": {key: list(array.shape) for key, array in found.arrays.items()}}
        for name, found in run.trajectory.analyses.items()
    }


def analysis_arrays(run: SavedRun) -> Iterator[tuple[str, NDArray[Any]]]:
    """Yield the arrays of a run's analyses, with the names of their members."""
    for name, found in run.trajectory.analyses.items():
        for key, array in found.arrays.items():
            yield _member(run, name, key), array


def add_analyses(run: SavedRun, fields: Fields, load: Load) -> None:
    """Read the analyses of a run and add them to it.

    Raises
    ------
    Damaged
        If they are invalid.
    """
    for name in fields.values:
        kept = fields.fields(name)
        shapes = kept.object("arrays")
        arrays = {key: load(_member(run, name, key), _shape(run, shapes[key])) for key in shapes}
        run.trajectory.analyses[name] = Analysed(kept.object("numbers"), arrays)


def _member(run: SavedRun, name: str, key: str) -> str:
    if not (_NAME.fullmatch(name) and _NAME.fullmatch(key)):
        raise Damaged("an analysis has no name")
    return f"run_{run.number}/analysis_{name}-{key}.npy"


def _shape(run: SavedRun, value: Any) -> tuple[int, ...]:
    """Check and return the shape of an array of an analysis of this run."""
    whole = isinstance(value, list) and len(value) in (2, 3)
    if not whole or any(type(size) is not int or size < 1 for size in value):
        raise Damaged("an array of an analysis has no shape")
    if prod(value) > max(_MOST_PLANES * run.trajectory.subject.noisy.size, _SMALL):
        raise Damaged("an array of an analysis is too large for its run")
    return tuple(value)
