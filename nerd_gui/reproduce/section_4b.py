"""Sec. IV-B: whether all starts and all solvers end at one equilibrium."""

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
#: Sizes of the starts in parts of the equilibrium's root mean square; 0 is the paper's start.
_SIZES = (0.0, 0.5, 1.0, 2.0)
_STEPS, _DEEP, _TOL, _SIGMA, _SIDE = 80, 150, 1e-6, 25.0, 96
#: How near ends must be to count as one, and how near its equation an end must be to be compared at all.
ONE, _SOLVED = 3e-5, 1e-4


def _measure(bench: Workbench) -> list[Row]:
    rows: list[Row] = []
    steps = 3 if bench.quick else _STEPS
    picture = bench.pictures("set12", ("05",))[0].middle(24 if bench.quick else _SIDE)
    for name in bench.present(_NETWORKS):
        rows += bench.measured(name, picture, _SIGMA, {"steps": steps}, partial(_ends, bench, name, picture, steps))
    return rows


def _ends(bench: Workbench, name: str, picture: CleanPicture, steps: int) -> list[Row]:
    """The distance of every end from that of a longer solve from zero."""
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
    table: Table = [["network", "solver", *(f"from {size:g} of its size" for size in _SIZES), "worst residual"]]
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
            unsolved.append(f"{name} (none of {len(ends)})")
            continue
        if worst <= ONE:
            one.append(f"{name} ({worst:.1e} at most)")
        else:
            several.append(f"{name} (up to {worst:.1e})")
        if len(solved) < len(ends):
            unsolved.append(f"{name} ({len(solved)} of {len(ends)} do)")
    words = []
    if one:
        words.append(f"Agrees: all ends with a residual below {_SOLVED:g} are one equilibrium for {', '.join(one)}.")
    if several:
        words.append(
            f"Ends that are solved to {_SOLVED:g} lie farther than {ONE:g} apart for {', '.join(several)}: either f "
            "contracts so slowly that this residual does not fix z, or there is more than one equilibrium."
        )
    if unsolved:
        words.append(f"Not all solves reach a residual of {_SOLVED:g}: {', '.join(unsolved)}.")
    caption = "Distance ‖z − z*‖ / ‖z*‖ of each end from the end of a longer solve from zero:"
    return Section(" ".join(words), [(caption, table)], missing=still_to_train(_NETWORKS, bench.present(_NETWORKS)))


SECTION_4B = Item(
    name="section-4b",
    title="Sec. IV-B: one equilibrium",
    repeats="If f is well-posed, the equilibrium is one and does not depend on the start. The paper assumes it; this "
    "table looks: four starts (zero, and random ones of three sizes) times three solvers, in the middle of monarch.",
    networks=(BEST,),
    pictures=("set12",),
    key={"steps": int},
    values={"solver": str, "start": float, "residual": float, "distance": float, "reference": int},
    measure=_measure,
    show=_show,
    in_part=True,
)
