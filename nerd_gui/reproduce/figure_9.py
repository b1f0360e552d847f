"""Fig. 9: where each attention head looks from two given pixels."""

from __future__ import annotations

import io
from functools import partial
from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np

from nerd_gui.nerd.layers import AttentionMaps
from nerd_gui.reproduce.drawing import shown
from nerd_gui.reproduce.item import Drawing, Item, Row, Section, Table
from nerd_gui.reproduce.networks import BEST
from nerd_gui.reproduce.solving import STEPS, result
from nerd_gui.reproduce.workbench import CleanPicture, Workbench

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_SIGMA = 25.0
#: (row, column) in monarch.
_PIXELS = {"white area of the wing": (160, 180), "black vein": (176, 176)}
#: Two heads look at different things if their maps share less than this part of their weight. Some heads look farther
#: than others if the largest radius is at least this many times the smallest.
_SHARED, _FARTHER = 0.5, 1.5


def _measure(bench: Workbench) -> list[Row]:
    (picture,) = bench.pictures("set12", ("05",))
    steps = 3 if bench.quick else STEPS
    return bench.measured(BEST, picture, _SIGMA, {"steps": steps}, partial(_maps, bench, picture, steps))


def _maps(bench: Workbench, picture: CleanPicture, steps: int) -> list[Row]:
    net = bench.network(BEST).net
    end = result(net, picture, _SIGMA, steps)
    rows = []
    for place, (row, col) in _PIXELS.items():
        row, col = min(row, picture.photo.rows - 1), min(col, picture.photo.cols - 1)
        maps = net.attention_maps(end.z, end.s, row, col)
        file = f"figure-9-{place.replace(' ', '-')}.npz"
        bench.keep_picture(file, _archive(maps, picture))
        all_heads = maps.weights[0].double().numpy()
        for head, weights in enumerate(all_heads, start=1):
            down, across = np.indices(weights.shape)
            squared = (down + maps.top - row) ** 2 + (across + maps.left - col) ** 2
            known = weights[weights > 0]
            rows.append(
                {
                    "pixel": place,
                    "row": row,
                    "col": col,
                    "head": head,
                    "radius": float(np.sqrt((weights * squared).sum())),
                    "entropy": float(-(known * np.log2(known)).sum()),
                    "itself": float(weights[row - maps.top, col - maps.left]),
                    "shared": float(min(np.minimum(weights, other).sum() for other in all_heads)),
                    "file": file,
                }
            )
    return rows


def _archive(maps: AttentionMaps, picture: CleanPicture) -> bytes:
    """Pack the maps and the part of the clean picture under them into an NPZ file."""
    weights = maps.weights[0].numpy()
    part = picture.clean[0, 0, maps.top : maps.top + weights.shape[1], maps.left : maps.left + weights.shape[2]]
    content = io.BytesIO()
    query = np.array([maps.row - maps.top, maps.col - maps.left])
    np.savez_compressed(content, weights=weights.astype(np.float32), clean=part.numpy(), query=query)
    return content.getvalue()


def _show(rows: list[Row], bench: Workbench) -> Section:
    of_pixel = {place: list(group) for place, group in groupby(rows, lambda row: row["pixel"])}
    table: Table = [
        ["pixel", "head", "radius (pixels)", "entropy (bit)", "weight of the pixel itself", "least shared with a head"]
    ]
    spans, shares = {}, {}
    for place, heads in of_pixel.items():
        radii = [row["radius"] for row in heads]
        spans[place] = max(radii) / max(min(radii), 1e-9)
        shares[place] = min(row["shared"] for row in heads)
        for row in heads:
            where = f"{place}, row {row['row']}, column {row['col']}"
            cells = [f"{row['radius']:.1f}", f"{row['entropy']:.1f}", f"{row['itself']:.3f}", f"{row['shared']:.2f}"]
            table.append([where, str(row["head"]), *cells])
    differ, farther = min(shares.values()) < _SHARED, max(spans.values()) > _FARTHER
    shared = ", ".join(f"{share:.2f} at the {place}" for place, share in shares.items())
    told = ", ".join(f"{span:.1f} at the {place}" for place, span in spans.items())
    verdict = (
        f"{'Agrees' if differ else 'Does not agree'} that heads look at different things: the two most different maps "
        f"have {shared} of their weight in common (equal maps: 1). {'Agrees' if farther else 'Does not agree'} that "
        f"some heads look near and some far: the largest radius divided by the smallest is {told}. The window is 17 "
        "pixels wide here and 65 in the paper."
    )
    drawing = Drawing(
        "figure-9",
        "The neighbourhood of each pixel (cross) and the maps of the heads. Each map goes from 0 to its own largest "
        "weight; the NPZ files in this folder hold the numbers.",
        partial(_draw, bench, of_pixel),
        (7.0, 1.6 * len(of_pixel)),
    )
    return Section(verdict, [("The map of each head at each pixel:", table)], [drawing])


def _draw(bench: Workbench, of_pixel: dict[str, list[Row]], figure: Figure) -> None:
    heads = len(next(iter(of_pixel.values())))
    grid = figure.subplots(len(of_pixel), 1 + heads, squeeze=False)
    for line, (place, rows) in zip(grid, of_pixel.items(), strict=True):
        with np.load(bench.out / rows[0]["file"]) as kept:
            clean, weights, (row, col) = kept["clean"], kept["weights"], kept["query"]
        shown(line[0], clean, place, vmin=0, vmax=1)
        line[0].plot(col, row, marker="+", color="#d55e00", markersize=9)
        for head, axes in enumerate(line[1:]):
            shown(axes, weights[head], f"head {head + 1}, ≤ {weights[head].max():.2g}", cmap="magma", vmin=0)


FIGURE_9 = Item(
    name="figure-9",
    title="Fig. 9: where the heads look",
    repeats="Different heads learn different correspondences: some look near the pixel, some over the whole "
    "neighbourhood, one at the edges. The paper shows two pixels of a patch that it does not name; here, two pixels of "
    "monarch are taken.",
    networks=(BEST,),
    pictures=("set12",),
    key={"steps": int},
    values={
        "pixel": str,
        "row": int,
        "col": int,
        "head": int,
        "radius": float,
        "entropy": float,
        "itself": float,
        "shared": float,
        "file": str,
    },
    measure=_measure,
    show=_show,
)
