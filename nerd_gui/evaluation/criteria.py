"""The table of a card about licence, training data, limits and reproducibility, which network collections require."""

import re
from collections.abc import Mapping
from typing import Any

from nerd_gui.evaluation.tables import Table

#: For a word in the card's row "data", the source of the training pictures and what its terms allow.
_SOURCES = {
    "BSDS500": "BSDS500: non-commercial research and education",
    "Debian": "wallpapers of Debian: CC BY, CC BY-SA, CC0, GPL-2+",
    "Sun-Hays": "Sun-Hays 80: no terms stated, treated as for research only",
}
_ADDED = "trained on white Gaussian noise, sigma {level}; camera noise is coarser, and much of it is not removed"
_CAMERA = "trained on a model of camera noise; white noise added to a picture is removed less well"
_GREY = "grey, so the channels of a colour photo are denoised one by one"
_SMALL = (
    "{features} features, a window of {window} pixels and {samples:,} training samples (the paper: 128, 65 and 5.1 "
    "million), so fine texture may be lost"
)


def criteria(head: str, record: Mapping[str, Any]) -> Table:
    """Make the table of a card.

    Parameters
    ----------
    head : str
        The handwritten head of the card; its row "data" is used.
    record : mapping
        The training record in the network's file.
    """
    recipe = record.get("recipe", {})
    data = row(head, "data")
    terms = [terms for word, terms in _SOURCES.items() if word in data]
    rows = {
        "licence": "code and weights MIT, as far as the training pictures allow: see [LICENSE](LICENSE)",
        "training pictures": "; ".join(terms) or data or "not stated",
        "training code": "`nerd_gui/training` of this repository, MIT; the recipe is in the file's metadata",
        "limits": "; ".join(_limits(recipe, record.get("samples"))) or "not stated",
        "reproduction": "the rows *schedule* and *command* above repeat the training, except that random numbers "
        "differ between machines; the states that it begins from are in the repository or its history. The commands "
        "below repeat the figures",
    }
    return [["", ""], *([name, words] for name, words in rows.items())]


def row(head: str, name: str) -> str:
    """Return the value of a row in the table of a card's head; empty if there is no such row."""
    found = re.search(rf"^\| {re.escape(name)} \| (.*) \|$", head, re.MULTILINE)
    return found[1] if found else ""


def _limits(recipe: Mapping[str, Any], samples: int | None) -> list[str]:
    noise, model = recipe.get("noise", {}), recipe.get("model", {})
    found = []
    if noise:
        white = noise.get("kind", "white") == "white"
        found.append(_ADDED.format(level=_level(noise)) if white else _CAMERA)
    if model.get("channels", 3) == 1:
        found.append(_GREY)
    if model.get("features", 128) < 128 and samples:
        found.append(_SMALL.format(features=model["features"], window=model["window"], samples=samples))
    return found


def _level(noise: Mapping[str, Any]) -> str:
    low, high = f"{noise['low']:g}", f"{noise['high']:g}"
    return low if low == high else f"{low}–{high}"
