"""Analyses of the iterates: where they have settled, the path that they took, and where the heads look."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nerd_gui.analysis.catalogue.entry import Analysis, Question, analysed
from nerd_gui.analysis.catalogue.shown import Axis, Curve, Picture, Plot, Scale, Shown, Table
from nerd_gui.analysis.components import iterate_path
from nerd_gui.analysis.looking import spread
from nerd_gui.analysis.maps import MapKind, RunMaps
from nerd_gui.denoising import RunError
from nerd_gui.denoising.analysed import Analysed

_LEVELS = (10.0, 1.0, 0.1)  # residuals above which a pixel counts as not settled, percent of the size of f(z)
_BRIGHTEST = 99.8  # percentile of the residual that is drawn white
_NO_ATTENTION = "This network has no attention, because it was built without the non-local block."


def _ask_settling(question: Question) -> Analysed:
    trajectory = question.trajectory
    maps, result = RunMaps(trajectory, question.at.net), trajectory.result
    shares: dict[str, list[float]] = {f"{level:g}": [] for level in _LEVELS}
    arrays: dict[str, NDArray[np.float32]] = {}
    for index in range(len(trajectory)):
        values = maps.make(MapKind.RESIDUAL, index, channel=question.channel).values[0]
        for level in _LEVELS:
            shares[f"{level:g}"].append(float((values > level).mean()))
        if index == result:
            arrays["residual"] = values
    if result > 0:
        arrays["update"] = maps.make(MapKind.UPDATE, result, channel=question.channel).values[0]
    worst = np.unravel_index(int(arrays["residual"].argmax()), arrays["residual"].shape)
    numbers = {
        "result": result,
        "residual": float(np.sqrt(np.square(arrays["residual"], dtype=np.float64).mean())),
        "largest": float(arrays["residual"].max()),
        "largest_at": [int(place) for place in worst],
        "shares_above": shares,
    }
    return analysed(numbers, **arrays)


def _show_settling(found: Analysed) -> Shown:
    numbers, shares = found.numbers, found.numbers["shares_above"]
    row, col = numbers["largest_at"]
    rows = [
        ("Residual at the result", f"{numbers['residual']:.2g} %"),
        ("Largest at one pixel", f"{numbers['largest']:.2g} %"),
        ("This pixel", f"row {row}, column {col}"),
        *((f"Pixels above {level} %", f"{100 * share[numbers['result']]:.2g} %") for level, share in shares.items()),
    ]
    tips = {
        "residual": "‖f(z) − z‖ over the features of each pixel at the result. Bright pixels have settled least",
        "update": "‖zᵢ − zᵢ₋₁‖ over the features of each pixel. The last step changed bright pixels most",
    }
    pictures = []
    for name, values in found.arrays.items():
        cut = np.minimum(values, np.float32(np.percentile(values, _BRIGHTEST)))
        pictures.append(Picture(name, f"{name} at each pixel", cut, Scale.GREY, "%", tips[name], mark=(row, col)))
    curves = tuple(
        Curve(f"above {level} %", range(len(share)), [100 * each for each in share]) for level, share in shares.items()
    )
    axes, iterates = (Axis("iterate"), Axis("percent of the pixels")), range(len(curves[0].x))
    plot = Plot("shares", "Pixels that have not settled", *axes, curves, iterates=iterates)
    says = (
        "The pictures show where the result has not settled yet, in percent of the mean size of f(z). The plot shows "
        "how many pixels had not settled at each iterate"
    )
    return Shown(f"{says}.", Table((), tuple(rows)), tuple(pictures), (plot,))


def _ask_path(question: Question) -> Analysed:
    iterates = []
    for iterate in question.trajectory.iterates:
        if iterate.features is None:
            raise RunError("This run kept no features of its iterates. Explore a region and analyse that.")
        iterates.append(iterate.features.z)
        if question.interrupt is not None:
            question.interrupt()
    found = iterate_path(iterates)
    first, second = found.shares.tolist()
    numbers = {"result": question.trajectory.result, "shares": [first, second]}
    return analysed(numbers, points=found.points)


def _show_path(found: Analysed) -> Shown:
    points, (first, second) = found.arrays["points"].astype(float), found.numbers["shares"]
    result, half = found.numbers["result"], len(found.arrays["points"]) // 2
    points = points / max(float(np.hypot(*(points[result] - points[0]))), np.finfo(float).tiny)
    way = float(np.hypot(*np.diff(points[: result + 1], axis=0).T).sum())
    rows = [
        ("First direction", f"{100 * first:.0f} % of all movement"),
        ("Second direction", f"{100 * second:.0f} % of all movement"),
        ("Length of the path", f"{way:.2f} times the straight line"),
    ]
    axes = Axis(f"first direction ({100 * first:.0f} %)"), Axis(f"second direction ({100 * second:.0f} %)")

    def curve(words: str, which: slice, *, joined: bool) -> Curve:
        return Curve(words, points[which, 0].tolist(), points[which, 1].tolist(), joined)

    def plot(name: str, title: str, start: int) -> Plot:
        path = curve("path", slice(start, None), joined=True)
        marks = [curve(f"iterates {start} to {len(points) - 1}", slice(start, None), joined=False)]
        marks += [curve(f"result, iterate {result}", slice(result, result + 1), joined=False)]
        if start == 0:
            marks.append(curve("start", slice(0, 1), joined=False))
        return Plot(name, title, *axes, (path, *marks), iterates=range(start, len(points)))

    plots = [plot("path", "All iterates", 0)]
    if half <= result and len(points) - half > 2:
        plots.append(plot("end", "The last half of the iterates", half))
    says = (
        "The path of the iterates, drawn in the plane that shows most of their movement "
        f"({100 * (first + second):.0f} %). The distance from the start to the result is 1. A straight path means that "
        "the equilibrium is easy to find; in a spiral, f rotates the iterates and the solver has to undo the rotation."
    )
    return Shown(says, Table((), tuple(rows)), plots=tuple(plots))


def _ask_looking(question: Question) -> Analysed:
    at = question.at
    if at.net.non_local is None:
        return analysed({})
    found = spread(at.net, at.z, at.injection(), window=at.window, interrupt=question.interrupt)
    numbers: dict[str, Any] = {
        f"head {head + 1}": {
            "mean_radius": float(found.radius[0, head].mean()),
            "mean_entropy": float(found.entropy[0, head].mean()),
        }
        for head in range(found.radius.shape[1])
    }
    return analysed(numbers, radius=found.radius[0], entropy=found.entropy[0])


def _show_looking(found: Analysed) -> Shown:
    if not found.arrays:
        return Shown(_NO_ATTENTION, Table((), ()))
    rows = [
        (name, f"{each['mean_radius']:.2f} px", f"{each['mean_entropy']:.2f} bit", f"{2 ** each['mean_entropy']:.0f}")
        for name, each in found.numbers.items()
    ]
    pictures = []
    for measure, unit, tip in (
        ("radius", "pixels", "How far it looks from each pixel: √(Σ p |k − q|²)"),
        ("entropy", "bit", "Over how many pixels its attention is spread: −Σ p log₂ p"),
    ):
        for head, values in enumerate(found.arrays[measure], 1):
            title = f"{measure} of head {head}"
            pictures.append(Picture(f"{measure}_{head}", title, values, Scale.GREY, unit, f"Head {head}. {tip}"))
    columns = ("", "mean radius", "mean entropy", "pixels attended to")
    says = (
        "How far each head looks from each pixel at the equilibrium, and over how many pixels it spreads its attention."
    )
    return Shown(says, Table(columns, tuple(rows)), tuple(pictures))


def _ask_rollout(question: Question) -> Analysed:
    net, trajectory = question.at.net, question.trajectory
    if net.non_local is None:
        return analysed({})
    maps, (row, col) = RunMaps(trajectory, net), question.pixel
    radii, values = [], np.zeros((0, 0), np.float32)
    for index in range(trajectory.result, -1, -1):
        found = maps.make(
            MapKind.ROLLOUT, index, channel=question.channel, pixel=(row, col), interrupt=question.interrupt
        )
        values = found.values[0] / 100
        down, across = np.indices(values.shape)
        radii.append(float(np.sqrt((values * ((down - row) ** 2 + (across - col) ** 2)).sum() / values.sum())))
    numbers = {"pixel": [row, col], "result": trajectory.result, "radius": radii, "on_itself": float(values[row, col])}
    return analysed(numbers, weights=values)


def _show_rollout(found: Analysed) -> Shown:
    if not found.arrays:
        return Shown(_NO_ATTENTION, Table((), ()))
    numbers, values = found.numbers, found.arrays["weights"]
    row, col = numbers["pixel"]
    iterates = [numbers["result"] - step for step in range(len(numbers["radius"]))]
    rows = (
        ("Radius at the result", f"{numbers['radius'][0]:.1f} px"),
        ("Radius, followed to the start", f"{numbers['radius'][-1]:.1f} px"),
        ("Weight of the pixel itself", f"{100 * numbers['on_itself']:.2g} %"),
    )
    tip = "How much this pixel has looked at each pixel of the picture, directly or through other pixels"
    picture = Picture("", "followed back to the start", values, Scale.SIGNED, tip=tip, mark=(row, col))
    curve = Curve("radius", iterates, numbers["radius"])
    plot = Plot(
        "radius",
        "How far it has looked",
        Axis("followed back to iterate"),
        Axis("radius (px)"),
        (curve,),
        iterates=iterates,
    )
    says = f"What the pixel at row {row}, column {col} has looked at in all iterates, directly or through other pixels"
    return Shown(f"{says}.", Table((), rows), (picture,), (plot,))


SETTLING = Analysis(
    "settling",
    "Where it has not settled",
    "Which parts of the picture still change at the result, and how many pixels had settled at each iterate.",
    "‖f(z) − z‖ and ‖zᵢ − zᵢ₋₁‖ over the features of each pixel, in percent of the root mean square of ‖f(z)‖ over the "
    "pixels. The root mean square of the first is the residual.",
    1,
    _ask_settling,
    _show_settling,
)
PATH = Analysis(
    "path",
    "Path to the equilibrium",
    "How the iterates moved from the start to the result, drawn in the plane that shows most of their movement.",
    "Principal components of the iterates z₀ … z_N: the two leading eigenvectors of the inner products of zᵢ − mean.",
    3,
    _ask_path,
    _show_path,
)
LOOKING = Analysis(
    "looking",
    "How far the heads look",
    "How far each attention head looks from each pixel, and over how many pixels its attention is spread.",
    "Radius √(Σ p |k − q|²) and entropy −Σ p log₂ p of the softmax weights p of each pixel q (Eq. 7) at the "
    "equilibrium. They are computed part by part, so that the matrix of all weights is never stored.",
    3,
    _ask_looking,
    _show_looking,
)
ROLLOUT = Analysis(
    "rollout",
    "What this pixel looked at",
    "Which pixels a pixel of the result has looked at in all iterates, directly or through other pixels.",
    "Attention rollout: the pixel’s row of A_N A_N₋₁ … A₀, where A = (I + mean of the heads’ attention) / 2 at each "
    "iterate. It is computed from the pixel outwards, without storing the matrices.",
    8,
    _ask_rollout,
    _show_rollout,
    of_pixel=True,
)
