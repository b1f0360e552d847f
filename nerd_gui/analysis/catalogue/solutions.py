"""Analyses that solve again: without some heads, from other starts, and with other solvers."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from torch import Tensor

from nerd_gui.analysis.catalogue.entry import Analysis, Question, analysed
from nerd_gui.analysis.catalogue.shown import Axis, Curve, Picture, Plot, Scale, Shown, Table
from nerd_gui.analysis.heads_off import heads_off
from nerd_gui.analysis.race import RACERS, Racer, race
from nerd_gui.analysis.starts import starts
from nerd_gui.denoising.analysed import Analysed
from nerd_gui.denoising.captions import scientific

_GOALS = (1e-2, 1e-3)  # residuals that the solvers race to
_CURVES = ("residual", "relative_step", "residual_change", "evaluations", "seconds")


def _ask_heads(question: Question) -> Analysed:
    net = question.at.net
    if net.non_local is None:
        return analysed({})
    count = net.non_local.heads
    with_all, clean = question.at.picture(), question.clean
    changes: dict[str, Tensor] = {}
    numbers: dict[str, Any] = {}
    for name, heads in [*((f"head {head + 1}", [head]) for head in range(count)), ("all", list(range(count)))]:
        found = heads_off(*question.of, heads, **question.keywords)
        changes[name.replace(" ", "_")] = found.x_hat - with_all
        numbers[name] = {
            "change": found.change,
            "lost_decibels": None if clean is None else _decibels(found.x_hat - clean) - _decibels(with_all - clean),
            "residual": found.residual,
            "evaluations": found.evaluations,
        }
    return analysed(numbers, **changes)


def _decibels(error: Tensor) -> float:
    return 10 * math.log10(max(float(error.double().square().mean()), 1e-12))


def _show_heads(found: Analysed) -> Shown:
    if not found.numbers:
        return Shown("This network has no heads, because it was built without the non-local block.", Table((), ()))
    known = all(each["lost_decibels"] is not None for each in found.numbers.values())
    rows, pictures = [], []
    for number, (name, each) in enumerate(found.numbers.items()):
        cells = (f"{each['lost_decibels']:.2f} dB",) if known else ()
        rows.append((_without(name), *cells, f"{each['change']:.2f}", scientific(each["residual"])))
        values = 255 * found.arrays[name.replace(" ", "_")]
        largest = values[int(np.abs(values).max((1, 2)).argmax())]
        tip = f"Where the picture gets brighter (red) or darker (blue) {_without(name)}, after solving again"
        file = "" if number == 0 else name.replace(" ", "_")
        pictures.append(Picture(file, _without(name), largest, Scale.SIGNED, "grey levels", tip))
    columns = ("", *(("PSNR lost",) if known else ()), "change in grey levels", "residual")
    worst = max(found.numbers, key=lambda name: 0 if name == "all" else found.numbers[name]["change"])
    lost = found.numbers[worst]["lost_decibels"]
    says = f"{worst.capitalize()} matters most: without it the picture " + (
        f"changes by {found.numbers[worst]['change']:.1f} grey levels." if lost is None else f"loses {lost:.2f} dB."
    )
    return Shown(says, Table(columns, tuple(rows)), tuple(pictures))


def _without(name: str) -> str:
    return "without any head" if name == "all" else f"without {name}"


def _ask_starts(question: Question) -> Analysed:
    found = starts(*question.of, seed=question.seed, **question.keywords)
    apart = found.distances[0, 1:].tolist()
    numbers = {
        name: {"residual": residual, "decibels_from_the_run": decibels}
        for name, residual, decibels in zip(found.names[1:], found.residuals[1:], apart, strict=True)
    }
    return analysed(numbers, disagreement=found.disagreement, distances=found.distances)


def _show_starts(found: Analysed) -> Shown:
    rows = tuple(
        (name, _or("the same", each["decibels_from_the_run"], "{:.0f} dB"), scientific(each["residual"]))
        for name, each in found.numbers.items()
    )
    apart = [each["decibels_from_the_run"] for each in found.numbers.values()]
    nearest = min((decibels for decibels in apart if decibels is not None), default=math.inf)
    says = (
        "All starts lead to the same picture; no difference can be seen."
        if nearest > _UNSEEN
        else "The starts lead to different pictures: some runs have not settled, or there is more than one equilibrium."
    )
    picture = Picture(
        "",
        "disagreement",
        found.arrays["disagreement"],
        Scale.GREY,
        "grey levels",
        "Standard deviation between the pictures that the starts lead to. They differ most where it is bright",
    )
    return Shown(says, Table(("start", "PSNR to the run's result", "residual"), rows), (picture,))


_UNSEEN = 54.0  # dB: a root mean square difference of half a grey level, which nobody can see


def _or(otherwise: str, value: float | None, form: str) -> str:
    return otherwise if value is None else form.format(value)


def _ask_race(question: Question) -> Analysed:
    numbers: dict[str, Any] = {}
    for name, racer in RACERS.items():
        (found,) = race(question.at.net, question.at.y, racers={name: racer}, **question.keywords)
        numbers[name] = {
            **{f"evaluations_to_{goal:g}": found.reaches(goal) for goal in _GOALS},
            "best_residual": min(found.residual),
            "stop_reason": found.stop_reason,
            **{curve: list(getattr(found, curve)) for curve in _CURVES},
        }
    return analysed(numbers)


def racers(found: Analysed) -> list[Racer]:
    """Turn the answer of a race back into racers, for `save_race`."""
    made = []
    for name, each in found.numbers.items():
        columns: dict[str, Any] = {curve: tuple(_or_nan(value) for value in each[curve]) for curve in _CURVES}
        made.append(Racer(name=name, stop_reason=each["stop_reason"], **columns))
    return made


def _or_nan(value: float | None) -> float:
    return math.nan if value is None else value


def _show_race(found: Analysed) -> Shown:
    rows = tuple(
        (
            name,
            *(_or("never", each[f"evaluations_to_{goal:g}"], "{}") for goal in _GOALS),
            f"{each['seconds'][-1]:.1f} s",
            scientific(each["best_residual"]),
        )
        for name, each in found.numbers.items()
    )
    goal = f"evaluations_to_{_GOALS[-1]:g}"
    there = {name: each[goal] for name, each in found.numbers.items() if each[goal] is not None}
    says = (
        f"{min(there, key=lambda name: there[name])} is the first to reach a residual of {_GOALS[-1]:g}, after "
        f"{min(there.values())} evaluations of f."
        if there
        else f"No solver reaches a residual of {_GOALS[-1]:g}."
    )
    plots = tuple(
        Plot(file, f"over {label}", Axis(label), Axis("residual", log=True), _race_curves(found, along))
        for file, label, along in (
            ("", "iterations", None),
            ("evaluations", "evaluations of f", "evaluations"),
            ("seconds", "seconds", "seconds"),
        )
    )
    columns = ("solver", *(f"evaluations to {goal:g}" for goal in _GOALS), "time", "best residual")
    return Shown(says, Table(columns, rows), plots=plots)


def _race_curves(found: Analysed, along: str | None) -> tuple[Curve, ...]:
    return tuple(
        Curve(
            name,
            tuple(range(len(each["residual"]))) if along is None else tuple(each[along]),
            tuple(_or_nan(value) for value in each["residual"]),
        )
        for name, each in found.numbers.items()
    )


HEADS = Analysis(
    "heads",
    "What each head is for",
    "How the picture changes when one head, or all of them, are switched off and the solver continues from here.",
    "The columns of W_O that belong to a head are set to 0, and z = f(z) is solved again from z*. The loss of PSNR is "
    "given if the clean picture is known.",
    45,
    _ask_heads,
    _show_heads,
)
STARTS = Analysis(
    "starts",
    "Is it one equilibrium?",
    "Whether the solver finds the same picture from other starts: from zero, and from random ones of three sizes.",
    "z = f(z) is solved from z₀ = 0 and from Gaussian z₀ of 0.5, 1 and 2 times the size of z*. The pictures are "
    "compared by their PSNR to each other; the map shows their standard deviation.",
    56,
    _ask_starts,
    _show_starts,
)
RACE = Analysis(
    "race",
    "Which solver is fastest?",
    "How fast Broyden's method, Anderson's method and plain iteration approach this equilibrium from the same start.",
    "The residual ‖f(z) − z‖/‖f(z)‖ of each solver, from z₀ = 0 and without a safeguard: Broyden, Anderson, plain "
    "iteration z ← f(z), and damped iteration z ← 0.8 f(z) + 0.2 z.",
    45,
    _ask_race,
    _show_race,
)
