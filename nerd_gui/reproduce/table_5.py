"""Table V and Fig. 8: how post-normalization changes the equilibrium and the estimated noise level."""

from __future__ import annotations

import math
from functools import partial
from itertools import groupby, pairwise
from statistics import fmean
from typing import TYPE_CHECKING

from nerd_gui.evaluation.paper_figures import MONARCH, TABLE_V
from nerd_gui.reproduce.drawing import curve, level
from nerd_gui.reproduce.item import Drawing, Item, Row, Section, Table
from nerd_gui.reproduce.networks import BASELINE, BEST, NO_POST, samples_of, still_to_train
from nerd_gui.reproduce.solving import STEPS, iterates
from nerd_gui.reproduce.workbench import CleanPicture, Workbench

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_SIGMA = 25.0
_FAIR = {"with": BASELINE, "without": NO_POST}
#: Compared until the networks of the fair pair are trained.
_UNFAIR = {"with": BEST, "without": "nerd-lite-25-no-post"}
#: In the paper's figure, the noise level no longer changes after this iterate.
_RESTS = 8


def _pair(bench: Workbench) -> dict[str, str]:
    return _FAIR if len(bench.present(_FAIR.values())) == len(_FAIR) else _UNFAIR


def _measure(bench: Workbench) -> list[Row]:
    steps = 3 if bench.quick else STEPS
    rows: list[Row] = []
    for name in _pair(bench).values():
        for picture in bench.pictures("set12"):
            rows += bench.measured(name, picture, _SIGMA, {"steps": steps}, partial(_run, bench, name, picture, steps))
    return rows


def _run(bench: Workbench, name: str, picture: CleanPicture, steps: int) -> list[Row]:
    return [
        {
            "iterate": each.index,
            "residual": each.residual,
            "psnr": each.psnr,
            "ssim": each.ssim,
            "norm": float(each.z.norm()),
            "variance": float(each.z.var(correction=0)),
            "noise_level": each.noise_level,
            "mse": float(((each.n_hat - (picture.clean - picture.noisy(_SIGMA))[0, 0].numpy()) ** 2).mean()) * 255**2,
        }
        for each in iterates(bench.network(name).net, picture, _SIGMA, steps)
    ]


def _show(rows: list[Row], bench: Workbench) -> Section:
    pair = _pair(bench)
    runs = {
        name: {picture: list(of) for picture, of in groupby(of_one, lambda row: row["picture"])}
        for name, of_one in groupby(rows, lambda row: row["network"])
    }
    ends = {
        kind: [min(run, key=lambda row: row["residual"]) for run in runs[name].values()] for kind, name in pair.items()
    }
    mean = {
        kind: {what: fmean(row[what] for row in found) for what in ("psnr", "ssim", "norm", "variance")}
        for kind, found in ends.items()
    }
    names = [f"{pair[kind]} ({samples_of(pair[kind])})" for kind in TABLE_V]
    table: Table = [
        ["Set12, sigma 25", "paper, with", "paper, without", *(f"ours, {kind}" for kind in TABLE_V)],
        ["PSNR / SSIM", *(str(TABLE_V[kind][0]) for kind in TABLE_V)]
        + [f"{mean[kind]['psnr']:.2f} / {mean[kind]['ssim']:.4f}" for kind in TABLE_V],
        ["Frobenius norm of z*", *(f"{TABLE_V[kind][1]:.0f}" for kind in TABLE_V)]
        + [f"{mean[kind]['norm']:.0f}" for kind in TABLE_V],
        ["variance of z*", *(f"{TABLE_V[kind][2]:.2f}" for kind in TABLE_V)]
        + [f"{mean[kind]['variance']:.2f}" for kind in TABLE_V],
    ]
    smaller = (
        1 - mean["with"]["norm"] / mean["without"]["norm"],
        1 - mean["with"]["variance"] / mean["without"]["variance"],
    )
    gain = mean["with"]["psnr"] - mean["without"]["psnr"]
    monarch = next(
        (picture for picture in runs[pair["with"]] if picture.endswith("/05")), next(iter(runs[pair["with"]]))
    )
    swing = {kind: _swing(runs[name][monarch]) for kind, name in pair.items()}
    verdict = (
        f"Post-normalization makes the norm of z* {_percent(smaller[0])} and its variance {_percent(smaller[1])} "
        f"(paper: 70 % and 91 % smaller): {'agrees' if min(smaller) > 0.3 else 'does not agree'}. "
        f"It changes the PSNR by {gain:+.2f} dB (paper: +0.06): {'agrees' if gain > 0.015 else 'does not agree'}"
        f"{'' if pair is _FAIR else ', but the two networks saw different samples, so this difference means nothing'}. "
        f"From iterate 1 to {_RESTS}, the changes of the noise level add up to {swing['with']:.1f} with it and to "
        f"{swing['without']:.1f} without it: {'agrees' if swing['without'] > swing['with'] else 'does not agree'} with "
        "the paper, where the noise level without it “changes drastically at the first few evaluations”."
    )
    drawing = Drawing(
        "figure-8",
        f"{monarch}, sigma 25: the estimated noise level of each iterate. The lower line is sqrt(sigma² − MSE), the "
        "standard deviation of what a least-squares denoiser removes.",
        lambda figure: _draw(figure, {kind: runs[name][monarch] for kind, name in pair.items()}),
    )
    of_monarch = {kind: min(runs[name][monarch], key=lambda row: row["residual"]) for kind, name in pair.items()}
    levels: Table = [
        ["monarch, sigma 25", "paper: PSNR / SSIM", "ours: PSNR / SSIM", "noise level", "sqrt(sigma² − MSE)"],
        *(
            [
                f"{kind} post-normalization",
                str(MONARCH[kind]),
                f"{end['psnr']:.2f} / {end['ssim']:.4f}",
                f"{end['noise_level']:.2f}",
                f"{math.sqrt(max(0.0, _SIGMA**2 - end['mse'])):.2f}",
            ]
            for kind, end in of_monarch.items()
        ),
    ]
    caption = f"With: {names[0]}. Without: {names[1]}."
    missing = still_to_train(_FAIR.values(), bench.present(_FAIR.values()))
    return Section(verdict, [(caption, table), ("Fig. 8's picture:", levels)], [drawing], missing)


def _percent(part: float) -> str:
    return f"{100 * abs(part):.0f} % {'smaller' if part > 0 else 'larger'}"


def _swing(run: list[Row]) -> float:
    """Add up the changes of the noise level from one iterate to the next, upward and downward alike."""
    levels = [row["noise_level"] for row in run[1 : _RESTS + 1]]
    return float(sum(abs(after - before) for before, after in pairwise(levels)))


def _draw(figure: Figure, runs: dict[str, list[Row]]) -> None:
    axes = figure.subplots()
    for number, (kind, run) in enumerate(runs.items()):
        levels = [row["noise_level"] for row in run[1:]]
        curve(axes, [row["iterate"] for row in run[1:]], levels, f"{kind} post-normalization", number)
    level(axes, _SIGMA, "sigma")
    end = min(runs["with"], key=lambda row: row["residual"])
    level(axes, math.sqrt(max(0.0, _SIGMA**2 - end["mse"])), "sqrt(sigma² − MSE)", "#999999")
    axes.set(xlabel="iterate", ylabel="estimated noise level")
    axes.legend()


TABLE_5 = Item(
    name="table-5",
    title="Table V and Fig. 8: post-normalization",
    repeats="Post-normalization makes the norm and variance of z* smaller, raises the PSNR a little, and keeps the "
    "estimated noise level steady from the first iterates on.",
    networks=tuple(_UNFAIR.values()),
    pictures=("set12",),
    key={"steps": int},
    values={
        "iterate": int,
        "residual": float,
        "psnr": float,
        "ssim": float,
        "norm": float,
        "variance": float,
        "noise_level": float,
        "mse": float,
    },
    measure=_measure,
    show=_show,
)
