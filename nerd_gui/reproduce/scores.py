"""PSNR and SSIM of networks on picture sets, measured once and shared by all tables that need them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import partial
from statistics import fmean

from nerd_gui.evaluation.paper_figures import Score
from nerd_gui.nerd import model_path, weights_sha256
from nerd_gui.reproduce.item import Row
from nerd_gui.reproduce.solving import STEPS, result
from nerd_gui.reproduce.workbench import CleanPicture, Workbench

#: The CSV file that the items share, and its columns.
STORE = "scores"
KEY: Mapping[str, type] = {"steps": int, "window": int}
VALUES: Mapping[str, type] = {"psnr": float, "ssim": float, "residual": float, "noise_level": float, "source": str}
#: A card's figures can be taken over if they were measured with these settings.
_AS_HERE = {"solver": "broyden", "max_iter": STEPS, "tol": 0.0, "memory": None, "window": None, "precision": "float32"}


def scores(
    bench: Workbench, network: str, pictures: Sequence[CleanPicture], sigma: float, *, window: int | None = None
) -> list[Row]:
    """Return PSNR, SSIM and residual of the result, one row for each picture.

    Figures that the network's card holds for the same weights, picture, noise and settings are taken from it, and the
    row's "source" says so. With `bench.fresh` all are measured. If a figure is missing for any picture, no rows are
    returned.
    """
    steps, own = 3 if bench.quick else STEPS, bench.window_of(network)
    anew = bench.fresh or bench.quick or (window or own) != own
    rows: list[Row] = []
    for picture in pictures:
        card = None if anew else _on_card(network, picture, sigma)
        measure = partial(_measured, bench, network, picture, sigma, steps, window)
        rows += bench.measured(
            network,
            picture,
            sigma,
            {"steps": steps, "window": window or own},
            measure if card is None else partial(list, [card]),
            at_once=card is not None,
        )
    return rows if len(rows) == len(pictures) else []  # the mean over a part of a set could not be compared


def mean_score(rows: Sequence[Row]) -> Score:
    """Return the mean PSNR and SSIM over the pictures."""
    return Score(fmean(row["psnr"] for row in rows), fmean(row["ssim"] for row in rows))


def _measured(
    bench: Workbench, network: str, picture: CleanPicture, sigma: float, steps: int, window: int | None
) -> list[Row]:
    found = result(bench.network(network).net, picture, sigma, steps, window=window)
    values = {"psnr": found.psnr, "ssim": found.ssim, "residual": found.residual, "noise_level": found.noise_level}
    return [{**values, "source": "measured"}]


def _on_card(network: str, picture: CleanPicture, sigma: float) -> Row | None:
    """Read a picture's figures from the network's card; None if the card has none with the same settings."""
    path = model_path(network).with_suffix(".json")
    if not path.exists():
        return None
    kept = json.loads(path.read_text())
    if kept["weights"] != weights_sha256(network):
        return None
    folder, _, name = picture.name.partition("/")
    for entry in kept["figures"]:
        settings = {setting: value for setting, value in entry["settings"].items() if setting != "limit"}
        if (entry["folder"], entry["sigma"], settings, entry["plan"]) != (folder, sigma, _AS_HERE, []):
            continue
        for image in entry["images"]:
            if (image["name"], image["seed"]) == (name, picture.seed):
                values = {each: image[each] for each in ("psnr", "ssim", "noise_level")}
                return {**values, "residual": image["residual_best"], "source": "card"}
    return None
