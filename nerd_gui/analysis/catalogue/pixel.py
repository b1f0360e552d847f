"""The pixels of the photo that one pixel of the result was computed from, beside those that the heads attend to."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nerd_gui.analysis.catalogue.entry import Analysis, Question, analysed
from nerd_gui.analysis.catalogue.shown import Picture, Scale, Shown, Table
from nerd_gui.analysis.influence import influence
from nerd_gui.denoising.analysed import Analysed

_REACHES = (3, 17, 40)  # distances in pixels; the share of the weight within each is reported


def _ask(question: Question) -> Analysed:
    row, col = question.pixel
    channel = question.value_channel
    found = influence(*question.of, row, col, channel, **question.keywords).cpu().numpy()
    weight = np.abs(found).sum(0)
    total = max(float(weight.sum()), np.finfo(np.float32).tiny)
    down, across = np.indices(weight.shape)
    distance = np.hypot(down - row, across - col)
    numbers: dict[str, Any] = {
        "pixel": [row, col],
        "channel": channel,
        "sum": float(found.sum()),
        "negative_part": float(np.clip(-found, 0, None).sum() / total),
        "radius": float(np.sqrt((weight * distance**2).sum() / total)),
        "share_within": {str(reach): float(weight[distance <= reach].sum() / total) for reach in _REACHES},
    }
    if question.at.net.non_local is None:
        return analysed(numbers, influence=found)
    heads, corner = _looked_at(question)
    used = _cut(weight, corner, heads.shape[1:])
    numbers["attention_corner"] = list(corner)
    numbers["rank_correlation"] = [_rank_correlation(used, head) for head in heads]
    return analysed(numbers, influence=found, attention=heads)


def _looked_at(question: Question) -> tuple[NDArray[np.float32], tuple[int, int]]:
    """The attention maps (heads, rows, cols) of the pixel, and the row and column of their first weight."""
    at = question.at
    maps = at.net.attention_maps(at.z, at.injection(), *question.pixel, window=at.window)
    return maps.weights[0].float().numpy(), (maps.top, maps.left)


def _cut(values: NDArray[Any], corner: tuple[int, int], shape: tuple[int, ...]) -> NDArray[Any]:
    return values[corner[0] : corner[0] + shape[0], corner[1] : corner[1] + shape[1]]


def _rank_correlation(one: NDArray[Any], other: NDArray[Any]) -> float:
    """Spearman's rank correlation; NaN if all values of either array are equal."""
    if one.min() == one.max() or other.min() == other.max():
        return math.nan
    return float(np.corrcoef(_ranks(one), _ranks(other))[0, 1])


def _ranks(values: NDArray[Any]) -> NDArray[np.float64]:
    """Ranks of the values; equal values share the mean of their ranks."""
    _, places, counts = np.unique(values.ravel(), return_inverse=True, return_counts=True)
    return np.asarray((counts.cumsum() - (counts - 1) / 2)[places])


def _show(found: Analysed) -> Shown:
    numbers, row = found.numbers, found.arrays["influence"][found.numbers["channel"]]
    pixel, shares = numbers["pixel"], numbers["share_within"]
    rows = [
        ("Sum of the filter", f"{numbers['sum']:.3f}"),
        ("Negative part", f"{100 * numbers['negative_part']:.1f} %"),
        ("Radius", f"{numbers['radius']:.1f} px"),
        *((f"Weight within {reach} px", f"{100 * share:.0f} %") for reach, share in shares.items()),
    ]
    pictures = [
        Picture(
            "",
            "used, in the whole picture",
            row,
            Scale.FAINT,
            tip="By how much this pixel of the result rises (red) or falls (blue) when a pixel of the photo rises. "
            "Weak colours are strengthened",
            mark=(pixel[0], pixel[1]),
        )
    ]
    reach = str(_REACHES[1])
    says = (
        f"The pixel at row {pixel[0]}, column {pixel[1]} of the result is made from the photo with these weights: red "
        f"adds, blue subtracts. {100 * shares[reach]:.0f} % of the weight lies within {reach} pixels."
    )
    if "attention" in found.arrays:
        heads, (top, left) = found.arrays["attention"], numbers["attention_corner"]
        near = _cut(row, (top, left), heads.shape[1:])
        place: dict[str, Any] = {"enlarge": 8, "mark": (pixel[0] - top, pixel[1] - left), "corner": (top, left)}
        pictures.append(
            Picture("near", "used nearby", near, Scale.SIGNED, tip="The same weights, where the heads look", **place)
        )
        correlations = numbers["rank_correlation"]
        for index, (head, correlation) in enumerate(zip(heads, correlations, strict=True), 1):
            tip = f"What head {index} attends to from this pixel; the result need not depend on it"
            title = f"head {index} looks"
            pictures.append(Picture(f"head_{index}", title, head, Scale.GREY, tip=tip, **place))
            words = "–" if correlation is None else f"{correlation:.2f}"
            rows.append((f"Head {index} and use, rank correlation", words))
    return Shown(says, Table((), tuple(rows)), tuple(pictures))


INFLUENCE = Analysis(
    "influence",
    "What made this pixel",
    "Which pixels of the photo a pixel of the result was made from, compared with what the heads look at from there.",
    "∂x̂[p]/∂y at the equilibrium, by the implicit function theorem: (I − ∂f/∂z)ᵀ u = ∂x̂[p]/∂z is solved for u by "
    "Broyden's method, and u is propagated back through f and the injection. No iterations are unrolled, so the only "
    "error is the tolerance of that equation.",
    10,
    _ask,
    _show,
    of_pixel=True,
)
