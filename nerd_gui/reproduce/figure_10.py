"""Fig. 10: how fast each solver approaches the equilibrium."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from itertools import groupby
from typing import TYPE_CHECKING, Any

from nerd_gui.analysis import race
from nerd_gui.reproduce.drawing import curve
from nerd_gui.reproduce.item import Drawing, Item, Row, Section, Table
from nerd_gui.reproduce.networks import BASELINE, BEST, NO_PENALTY, still_to_train
from nerd_gui.reproduce.workbench import CleanPicture, Workbench

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_RACERS: dict[str, tuple[str, dict[str, Any]]] = {
    "Broyden": ("broyden", {}),
    "Anderson": ("anderson", {}),
    "plain": ("plain", {}),
    "plain, damping 0.7": ("plain", {"damping": 0.7}),
}
_NETWORKS = (BEST, BASELINE, NO_PENALTY)
_STEPS, _SIGMA = 40, 25.0
_MONARCH = ("05",)
#: We agree with the paper's "efficiently" if Broyden's residual is this many times smaller than plain iteration's.
_CLEARLY = 10.0


def _measure(bench: Workbench) -> list[Row]:
    steps = 4 if bench.quick else _STEPS
    rows: list[Row] = []
    for name in bench.present(_NETWORKS):
        for picture in bench.pictures("set12", _MONARCH):
            for solver in _RACERS:
                raced = partial(_raced, bench, name, picture, solver, steps)
                rows += bench.measured(name, picture, _SIGMA, {"solver": solver, "steps": steps}, raced)
    return rows


def _raced(bench: Workbench, name: str, picture: CleanPicture, solver: str, steps: int) -> list[Row]:
    net, y = bench.network(name).net, picture.noisy(_SIGMA)
    (racer,) = race(net, y, racers={solver: _RACERS[solver]}, max_iter=steps, tol=0.0)
    curves = zip(racer.evaluations, racer.residual, racer.relative_step, strict=True)
    return [{"evaluations": count, "residual": residual, "relative_step": step} for count, residual, step in curves]


def _show(rows: list[Row], bench: Workbench) -> Section:
    curves = {
        name: {solver: list(group) for solver, group in groupby(of_one, lambda row: row["solver"])}
        for name, of_one in groupby(rows, lambda row: row["network"])
    }
    last = {name: {solver: _least(run) for solver, run in runs.items()} for name, runs in curves.items()}
    table: Table = [["network", *(f"{solver}: least residual" for solver in _RACERS), "plain / Broyden"]]
    for name, of_solver in last.items():
        ratio = of_solver["plain"] / of_solver["Broyden"]
        table.append([name, *(f"{of_solver[solver]:.1e}" for solver in _RACERS), f"{ratio:.2g}"])
    words = [_verdict(name, of) for name, of in last.items()]
    drawings = [
        Drawing(
            f"figure-10-{name}",
            f"{name}, {runs['Broyden'][0]['picture']}, sigma 25: the step ‖z(i+1) − z(i)‖ / ‖z(i)‖, as in Fig. 10, and "
            "the residual ‖f(z) − z‖ / ‖f(z)‖, against the number of evaluations of f.",
            lambda figure, runs=runs: _draw(figure, runs),  # type: ignore[misc]
            (7.0, 3.0),
        )
        for name, runs in curves.items()
    ]
    caption = "The smallest residual of each run (the paper shows a plot without numbers):"
    return Section(" ".join(words), [(caption, table)], drawings, still_to_train(_NETWORKS, curves))


def _verdict(name: str, least: dict[str, float]) -> str:
    ratio = least["plain"] / least["Broyden"]
    told = (
        f"plain iteration gets down to a residual of {least['plain']:.1e}, Broyden's method to "
        f"{least['Broyden']:.1e}, Anderson's to {least['Anderson']:.1e}, and plain iteration with damping 0.7 to "
        f"{least['plain, damping 0.7']:.1e}"
    )
    if ratio > _CLEARLY:
        return f"Agrees for {name}: {told}."
    return f"Does not agree for {name}, where plain iteration converges as well: {told}."


def _least(run: Sequence[Row]) -> float:
    return float(min(row["residual"] for row in run if row["residual"] is not None))


def _draw(figure: Figure, runs: dict[str, list[Row]]) -> None:
    left, right = figure.subplots(1, 2)
    for number, (solver, run) in enumerate(runs.items()):
        counts = [row["evaluations"] for row in run]
        curve(left, counts, [row["relative_step"] for row in run], solver, number)
        curve(right, counts, [row["residual"] for row in run], solver, number)
    for axes, words in ((left, "relative step"), (right, "residual")):
        axes.set(yscale="log", xlabel="evaluations of f", ylabel=words)
    right.legend()


FIGURE_10 = Item(
    name="figure-10",
    title="Fig. 10: convergence",
    repeats="Plain iteration of f may oscillate around the fixed point. Broyden's method reaches it stably.",
    networks=(BEST,),
    pictures=("set12",),
    key={"solver": str, "steps": int},
    values={"evaluations": int, "residual": float, "relative_step": float},
    measure=_measure,
    show=_show,
    in_part=True,
)
