"""A race of several solvers to one equilibrium, and the file format of its curves."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from nerd_gui.analysis.solving import Interrupt, map_of
from nerd_gui.equilibrium import SOLVERS
from nerd_gui.files import write_file
from nerd_gui.nerd import Network

#: The default racers: for each name on the plot, the solver and its keyword arguments.
RACERS: dict[str, tuple[str, dict[str, Any]]] = {
    "Broyden": ("broyden", {}),
    "Anderson": ("anderson", {}),
    "plain": ("plain", {}),
    "damped 0.8": ("plain", {"damping": 0.8}),
}
_COLUMNS = ("residual", "relative_step", "residual_change", "evaluations", "seconds")


@dataclass(frozen=True, eq=False)
class Racer:
    """The curves of one solver: one number for each iterate, NaN where it is undefined.

    Attributes
    ----------
    name : str
    residual, relative_step, residual_change, seconds : tuple of float
    evaluations : tuple of int
        Cumulative number of evaluations of f at each iterate.
    stop_reason : str

    Examples
    --------
    With the network, picture and equilibrium of the examples of `nerd_gui.analysis`:

    >>> (racer,) = race(net, y, racers={"plain": ("plain", {})}, max_iter=3)
    >>> racer.name, racer.evaluations, racer.stop_reason
    ('plain', (1, 2, 3, 4), 'step limit')
    """

    name: str
    residual: tuple[float, ...]
    relative_step: tuple[float, ...]
    residual_change: tuple[float, ...]
    evaluations: tuple[int, ...]
    seconds: tuple[float, ...]
    stop_reason: str

    def reaches(self, residual: float) -> int | None:
        """The number of evaluations of f until a residual is reached; None if it is never reached."""
        return next((n for n, found in zip(self.evaluations, self.residual, strict=True) if found <= residual), None)


def race(
    net: Network,
    y: Tensor,
    z0: Tensor | None = None,
    racers: Mapping[str, tuple[str, Mapping[str, Any]]] | None = None,
    *,
    max_iter: int = 30,
    tol: float = 1e-4,
    level: float | None = None,
    window: int | None = None,
    interrupt: Interrupt | None = None,
) -> list[Racer]:
    """Run several solvers on one picture from the same start.

    Parameters
    ----------
    net, y, level, window, interrupt
        See `Linearised`.
    z0 : Tensor, (1, d, rows, cols), optional
        The start; None: zero.
    racers : mapping, optional
        For each name, a solver's name in `SOLVERS` and its keyword arguments; None: `RACERS`.
    max_iter, tol
        Step limit and final residual of every solver. The safeguard is off, as in the paper's curves.

    Returns
    -------
    list of Racer
        One for each entry, in the order of `racers`.

    Examples
    --------
    With the network, picture and equilibrium of the examples of `nerd_gui.analysis`:

    >>> racers = race(net, y, racers={"Broyden": ("broyden", {}), "Anderson": ("anderson", {})}, tol=1e-2)
    >>> [racer.name for racer in racers if racer.reaches(1e-2)]
    ['Broyden', 'Anderson']
    """
    f, s = map_of(net, y, level, window, interrupt)
    start = net.initial(s) if z0 is None else z0.to(s)
    found = []
    for name, (solver, own) in (RACERS if racers is None else racers).items():
        rows: list[tuple[float, ...]] = []
        for step in SOLVERS[solver](f, start, max_iter=max_iter, tol=tol, safeguard=False, **own):
            rows.append(
                (
                    float(step.residual),
                    _number(step.relative_step),
                    _number(step.residual_change),
                    step.evaluations,
                    step.seconds,
                )
            )
        residual, relative_step, change, evaluations, seconds = zip(*rows, strict=True)
        counted = tuple(int(count) for count in evaluations)
        found.append(Racer(name, residual, relative_step, change, counted, seconds, str(step.stop_reason)))
    return found


def _number(value: Tensor | None) -> float:
    return float("nan") if value is None else float(value)


def save_race(path: Path, racers: list[Racer], *, overwrite: bool = False) -> None:
    """Write the curves of a race as an NPZ file, which ``numpy.load(path)`` opens without pickle.

    The file holds an array ``NAME/COLUMN`` for each curve, and ``about``, JSON with the names and stop reasons.

    Parameters
    ----------
    path : Path
        File name, ending in .npz.
    racers : list of Racer
    overwrite : bool
        Whether an existing file may be replaced.

    Raises
    ------
    OSError
        If the file cannot be written, or exists and may not be replaced.

    Examples
    --------
    With the network, picture and equilibrium of the examples of `nerd_gui.analysis`:

    >>> import numpy
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> racers = race(net, y, racers={"plain": ("plain", {})}, max_iter=1)
    >>> with TemporaryDirectory() as folder:
    ...     save_race(Path(folder) / "race.npz", racers)
    ...     sorted(numpy.load(Path(folder) / "race.npz"))[:2]
    ['about', 'plain/evaluations']
    """
    arrays: dict[str, Any] = {
        f"{racer.name}/{column}": np.asarray(getattr(racer, column)) for racer in racers for column in _COLUMNS
    }
    about = [{"name": racer.name, "stop_reason": racer.stop_reason} for racer in racers]
    buffer = io.BytesIO()
    np.savez_compressed(buffer, about=np.array(json.dumps(about)), **arrays)
    write_file(path, buffer.getvalue(), overwrite=overwrite)


def load_race(path: Path) -> list[Racer]:
    """Read a race that `save_race` wrote.

    Parameters
    ----------
    path : Path

    Returns
    -------
    list of Racer

    Examples
    --------
    With the network, picture and equilibrium of the examples of `nerd_gui.analysis`:

    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> racers = race(net, y, racers={"plain": ("plain", {})}, max_iter=1)
    >>> with TemporaryDirectory() as folder:
    ...     save_race(Path(folder) / "race.npz", racers)
    ...     load_race(Path(folder) / "race.npz")[0].residual == racers[0].residual
    True
    """
    with np.load(path) as file:
        return [_loaded(entry, file) for entry in json.loads(str(file["about"]))]


def _loaded(entry: dict[str, str], arrays: Mapping[str, Any]) -> Racer:
    columns = {column: tuple(arrays[f"{entry['name']}/{column}"].tolist()) for column in _COLUMNS}
    return Racer(name=entry["name"], stop_reason=entry["stop_reason"], **columns)
