"""Fig. 6: what the equilibrium z* and the injection s look like when f_decode turns them into pictures."""

from __future__ import annotations

from functools import partial
from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np
import torch
from PIL import Image

from nerd_gui.imaging import to_8_bit
from nerd_gui.nerd import exact_float32
from nerd_gui.reproduce.drawing import as_png, shown
from nerd_gui.reproduce.item import Drawing, Item, Row, Section, Table
from nerd_gui.reproduce.networks import BASELINE, BEST, still_to_train
from nerd_gui.reproduce.solving import STEPS, result
from nerd_gui.reproduce.workbench import CleanPicture, Workbench

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_NETWORKS, _SIGMA = (BEST, BASELINE), 25.0
_WHAT = {"equilibrium": "f_decode(z*)", "injection": "f_decode(s)"}
#: s counts as showing the picture if its correlation with the picture is this many times that of z*.
_SHOWS = 3.0
_SHOWN = 3.0  # standard deviations between mid-grey and white


def _measure(bench: Workbench) -> list[Row]:
    rows: list[Row] = []
    (picture,) = bench.pictures("set12", ("05",))
    steps = 3 if bench.quick else STEPS
    for name in bench.present(_NETWORKS):
        rows += bench.measured(name, picture, _SIGMA, {"steps": steps}, partial(_decoded, bench, name, picture, steps))
    return rows


def _decoded(bench: Workbench, name: str, picture: CleanPicture, steps: int) -> list[Row]:
    net = bench.network(name).net
    end = result(net, picture, _SIGMA, steps)
    clean = picture.clean[0, 0].numpy()
    noise = clean - picture.noisy(_SIGMA)[0, 0].numpy()
    rows = []
    for kind, feature in (("equilibrium", end.z), ("injection", end.s)):
        with torch.no_grad(), exact_float32():
            decoded = net.decode(feature)[0, 0].numpy()
        size = float(decoded.std())
        pixels = to_8_bit(0.5 + decoded / (2 * _SHOWN * max(size, 1e-9)))
        file = bench.keep_picture(f"figure-6-{name}-{kind}.png", as_png(pixels))
        with_noise, with_picture = _correlation(decoded, noise), _correlation(decoded, clean)
        values = {"with_noise": with_noise, "with_picture": with_picture, "deviation": 255 * size}
        rows.append({"feature": kind, **values, "file": file})
    return rows


def _correlation(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.corrcoef(one.ravel(), other.ravel())[0, 1])


def _show(rows: list[Row], bench: Workbench) -> Section:
    found = {
        name: {row["feature"]: row for row in of_one} for name, of_one in groupby(rows, lambda row: row["network"])
    }
    head = ["network", "feature", "correlation with the noise", "with the clean picture", "deviation (grey levels)"]
    table: Table = [head]
    for name, of in found.items():
        for kind, row in of.items():
            cells = [f"{row['with_noise']:+.3f}", f"{row['with_picture']:+.3f}", f"{row['deviation']:.1f}"]
            table.append([name, _WHAT[kind], *cells])
    words = [_verdict(name, of["equilibrium"], of["injection"]) for name, of in found.items()]
    drawings = [
        Drawing(
            f"figure-6-{name}",
            f"{name}, {next(iter(of.values()))['picture']}, sigma 25: mid-grey is 0, white and black are "
            f"{_SHOWN:g} standard deviations away.",
            partial(_draw, bench, of),
            (5.6, 3.0),
        )
        for name, of in found.items()
    ]
    return Section(" ".join(words), [("In numbers:", table)], drawings, still_to_train(_NETWORKS, found))


def _verdict(name: str, equilibrium: Row, injection: Row) -> str:
    noise, picture = abs(equilibrium["with_noise"]) > abs(equilibrium["with_picture"]), abs(injection["with_picture"])
    shows = picture > _SHOWS * abs(equilibrium["with_picture"])
    return (
        f"{'Agrees' if noise and shows else 'Does not agree'} for {name}: the decoded z* has a correlation of "
        f"{equilibrium['with_noise']:+.2f} with the noise and {equilibrium['with_picture']:+.2f} with the picture. The "
        f"decoded s has a correlation of {injection['with_picture']:+.2f} with the picture; its sign means nothing, "
        "since f_decode was trained on z* only."
    )


def _draw(bench: Workbench, of: dict[str, Row], figure: Figure) -> None:
    for axes, (kind, row) in zip(figure.subplots(1, len(of)), of.items(), strict=True):
        with Image.open(bench.out / row["file"]) as image:
            shown(axes, np.asarray(image), _WHAT[kind], vmin=0, vmax=255)


FIGURE_6 = Item(
    name="figure-6",
    title="Fig. 6: the equilibrium and the injection, decoded",
    repeats="For the picture monarch, f_decode turns the equilibrium z* into scattered points, like noise, and the "
    "injection s into the picture.",
    networks=(BEST,),
    pictures=("set12",),
    key={"steps": int},
    values={"feature": str, "with_noise": float, "with_picture": float, "deviation": float, "file": str},
    measure=_measure,
    show=_show,
)
