"""Sec. IV-B: whether all start points and all solvers lead to the same equilibrium."""

from __future__ import annotations

from functools import partial
from itertools import groupby
from typing import Any

import torch
from torch import Tensor

from nerd_gui.analysis.solving import map_of
from nerd_gui.equilibrium import SOLVERS
from nerd_gui.reproduce.item import Item, Row, Section, Table
from nerd_gui.reproduce.networks import BASELINE, BEST, BLIND, NO_PENALTY, NO_POST, still_to_train
from nerd_gui.reproduce.workbench import CleanPicture, Workbench

_NETWORKS = (BEST, BLIND, BASELINE, NO_POST, NO_PENALTY)
_SOLVERS: dict[str, dict[str, Any]] = {"broyden": {}, "anderson": {}, "plain": {}}
#: Root mean square of the start points, relative to that of the equilibrium; 0 is the paper's start.
_SIZES = (0.0, 0.5, 1.0, 2.0)
_STEPS, _DEEP, _TOL, _SIGMA, _SIDE = 80, 150, 1e-6, 25.0, 96
#: Two end points closer than `ONE` count as the same equilibrium. End points with a residual above `_SOLVED` are not
#: compared.
ONE, _SOLVED = 3e-5, 1e-4


def _measure(bench: Workbench) -> list[Row]:
    rows: list[Row] = []
    steps = 3 if bench.quick else _STEPS
    picture = bench.pictures("set12", ("05",))[0].middle(24 if bench.quick else _SIDE)
    for name in bench.present(_NETWORKS):
        rows += bench.measured(name, picture, _SIGMA, {"steps": steps}, partial(_ends, bench, name, picture, steps))
    return rows


def _ends(bench: Workbench, name: str, picture: CleanPicture, steps: int) -> list[Row]:
    """Measure the distance of each run's end point from that of a longer run that starts at zero."""
    net = bench.network(name).net
    f, s = map_of(net, picture.noisy(_SIGMA), None, None, None)

    def end(start: Tensor, solver: str, most: int) -> tuple[Tensor, float]:
        best, least = start, float("inf")
        for step in SOLVERS[solver](f, start, max_iter=most, tol=_TOL, patience=None, **_SOLVERS[solver]):
            if (residual := float(step.residual)) < least:
                best, least = step.z, residual
        return best, least

    z, found = end(net.initial(s), "broyden", steps if bench.quick else _DEEP)
    rows = [{"solver": "broyden", "start": 0.0, "residual": found, "distance": 0.0, "reference": 1}]
    generator = torch.Generator().manual_seed(0)
    for size in _SIZES:
        start = size * z.square().mean().sqrt() * torch.randn(z.shape, generator=generator)
        for solver in _SOLVERS:
            there, residual = end(start.to(z), solver, steps)
            distance = float((there - z).norm() / z.norm())
            rows.append({"solver": solver, "start": size, "residual": residual, "distance": distance, "reference": 0})
    return rows


def _show(rows: list[Row], bench: Workbench) -> Section:
    table: Table = [["network", "solver", *(f"start of size {size:g}" for size in _SIZES), "worst residual"]]
    one, several, unsolved = [], [], []
    for name, of_network in groupby(rows, lambda row: row["network"]):
        ends = [row for row in of_network if not row["reference"]]
        for solver in _SOLVERS:
            of_solver = {row["start"]: row for row in ends if row["solver"] == solver}
            cells = [f"{of_solver[size]['distance']:.1e}" for size in _SIZES]
            table.append([name, solver, *cells, f"{max(row['residual'] for row in of_solver.values()):.1e}"])
        solved = [row for row in ends if row["residual"] < _SOLVED]
        worst = max((row["distance"] for row in solved), default=float("nan"))
        if not solved:
            unsolved.append(f"{name} (none of {len(ends)} does)")
            continue
        if worst <= ONE:
            one.append(f"{name} (largest distance {worst:.1e})")
        else:
            several.append(f"{name} (largest distance {worst:.1e})")
        if len(solved) < len(ends):
            unsolved.append(f"{name} ({len(solved)} of {len(ends)} do)")
    words = []
    if one:
        words.append(f"Agrees: all runs with a residual below {_SOLVED:g} end at one equilibrium for {', '.join(one)}.")
    if several:
        words.append(
            f"Runs with a residual below {_SOLVED:g} end more than {ONE:g} apart for {', '.join(several)}: either f "
            "contracts so slowly that such a residual still leaves z uncertain, or there is more than one equilibrium."
        )
    if unsolved:
        words.append(f"Not all runs reach a residual of {_SOLVED:g}: {', '.join(unsolved)}.")
    caption = (
        "Distance ‖z − z*‖ / ‖z*‖, where z is the end of each run and z* that of a longer run from zero. "
        "The columns give the size of the start, relative to z*:"
    )
    return Section(" ".join(words), [(caption, table)], missing=still_to_train(_NETWORKS, bench.present(_NETWORKS)))


SECTION_4B = Item(
    name="section-4b",
    title="Sec. IV-B: one equilibrium",
    repeats="If f is well-posed, there is only one equilibrium, whatever the start. The paper assumes this. Here it is "
    "tested with four starts (zero, and random ones of three sizes) and three solvers, in the middle of monarch.",
    networks=(BEST,),
    pictures=("set12",),
    key={"steps": int},
    values={"solver": str, "start": float, "residual": float, "distance": float, "reference": int},
    measure=_measure,
    show=_show,
    in_part=True,
)
