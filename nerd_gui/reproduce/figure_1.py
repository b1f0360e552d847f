"""Fig. 1: PSNR and pictures at increasing numbers of iterations."""

from __future__ import annotations

from functools import partial
from itertools import groupby
from statistics import fmean
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from nerd_gui.evaluation.paper_figures import TABLE_I
from nerd_gui.imaging import to_8_bit
from nerd_gui.reproduce.drawing import as_png, curve, level, shown
from nerd_gui.reproduce.item import Drawing, Item, Row, Section, Table
from nerd_gui.reproduce.networks import BEST
from nerd_gui.reproduce.solving import Solution, iterates
from nerd_gui.reproduce.workbench import CleanPicture, Workbench

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_SIGMA, _STEPS = 25.0, 50
#: The iterates shown as pictures, and those listed in the table.
_PICTURES, _TABLE = (1, 2, 5, 17, 50), (1, 2, 3, 5, 8, 12, 17, 25, 50)
#: The paper says "no degradation": we agree if the PSNR changes by less than this (dB) after the 17th iterate.
_SAME = 0.01


def _measure(bench: Workbench) -> list[Row]:
    steps = 5 if bench.quick else _STEPS
    rows: list[Row] = []
    pictures = bench.pictures("set12")
    seen = next((each for each in pictures if each.name.endswith("/05")), pictures[0])
    for picture in pictures:
        run = partial(_run, bench, picture, steps, picture is seen)
        rows += bench.measured(BEST, picture, _SIGMA, {"steps": steps}, run)
    return rows


def _run(bench: Workbench, picture: CleanPicture, steps: int, seen: bool) -> list[Row]:
    return [
        {
            "iterate": each.index,
            "psnr": each.psnr,
            "ssim": each.ssim,
            "residual": each.residual,
            "file": _kept(bench, each) if seen and each.index in _PICTURES else "",
        }
        for each in iterates(bench.network(BEST).net, picture, _SIGMA, steps)
    ]


def _kept(bench: Workbench, each: Solution) -> str:
    return bench.keep_picture(f"figure-1-iterate-{each.index:02}.png", as_png(to_8_bit(each.x_hat)))


def _show(rows: list[Row], bench: Workbench) -> Section:
    runs = [list(run) for _, run in groupby(rows, lambda row: row["picture"])]
    steps = len(runs[0]) - 1
    means = [fmean(run[index]["psnr"] for run in runs) for index in range(steps + 1)]
    similar = [fmean(run[index]["ssim"] for run in runs) for index in range(steps + 1)]
    worst = [max(run[index]["residual"] for run in runs) for index in range(steps + 1)]
    table: Table = [["iterate", "PSNR / SSIM, mean of Set12", "worst residual"]]
    for index in (index for index in _TABLE if index <= steps):
        table.append([str(index), f"{means[index]:.3f} / {similar[index]:.4f}", f"{worst[index]:.1e}"])
    table.append(["DnCNN, printed", str(TABLE_I["set12", 25]["DnCNN"]), ""])
    table.append(["NERD, printed", str(TABLE_I["set12", 25]["NERD"]), ""])
    middle = min(17, steps)
    lost = max(means[middle:]) - min(means[middle:])
    near = next(index for index, psnr in enumerate(means) if psnr > means[-1] - 0.1)
    verdict = (
        f"{'Agrees' if lost < _SAME else 'Does not agree'}: from iterate {middle} to {steps} the mean PSNR changes by "
        f"{lost:.4f} dB, so more iterations do {'no' if lost < _SAME else 'some'} harm. The PSNR is within 0.1 dB of "
        f"its final value after {near} steps. The final value, {means[-1]:.2f} dB, is "
        f"{means[-1] - TABLE_I['set12', 25]['NERD'].psnr:+.2f} dB from the paper's network and "
        f"{means[-1] - TABLE_I['set12', 25]['DnCNN'].psnr:+.2f} dB from DnCNN."
    )
    seen = next(run for run in runs if any(row["file"] for row in run))
    drawings = [
        Drawing(
            "figure-1",
            f"{BEST}, sigma 25: mean PSNR on Set12 against the iterate; the line is Table I's value for DnCNN.",
            lambda figure: _draw_curve(figure, means),
        ),
        Drawing(
            "figure-1-pictures",
            f"{seen[0]['picture']}, sigma 25: some iterates with their PSNR (dB) and SSIM.",
            partial(_draw_pictures, bench, [row for row in seen if row["file"]]),
            (8.0, 2.2),
        ),
    ]
    return Section(verdict, [("PSNR, SSIM and residual of some iterates:", table)], drawings)


def _draw_curve(figure: Figure, means: list[float]) -> None:
    axes = figure.subplots()
    curve(axes, list(range(1, len(means))), means[1:], BEST, 0)
    level(axes, TABLE_I["set12", 25]["DnCNN"].psnr, "DnCNN, printed")
    level(axes, TABLE_I["set12", 25]["NERD"].psnr, "NERD, printed", "#999999")
    axes.set(xlabel="iterate", ylabel="PSNR (dB)")
    axes.legend()


def _draw_pictures(bench: Workbench, rows: list[Row], figure: Figure) -> None:
    for axes, row in zip(np.atleast_1d(figure.subplots(1, len(rows))), rows, strict=True):
        with Image.open(bench.out / row["file"]) as image:
            title = f"iterate {row['iterate']}\n{row['psnr']:.2f} / {row['ssim']:.4f}"
            shown(axes, np.asarray(image), title, vmin=0, vmax=255)


FIGURE_1 = Item(
    name="figure-1",
    title="Fig. 1: iterations",
    repeats="NERD gives a good picture after a few iterations, and no worse one after many. Networks that unroll a "
    "fixed number of steps work with that number only.",
    networks=(BEST,),
    pictures=("set12",),
    key={"steps": int},
    values={"iterate": int, "psnr": float, "ssim": float, "residual": float, "file": str},
    measure=_measure,
    show=_show,
)
