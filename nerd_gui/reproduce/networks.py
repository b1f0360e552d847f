"""Which of our networks are compared with which of the paper's, and what the page says of them."""

from __future__ import annotations

from collections.abc import Iterable

from nerd_gui.nerd import load_record
from nerd_gui.reproduce.workbench import is_here

#: The best small network for sigma 25, and the one for any noise level (blind).
BEST, BLIND = "nerd-lite-25", "nerd-lite"
#: A network of the paper's width for sigma 25. Only Table I includes it, because it takes four times as long.
WIDE = "nerd-25"
#: Networks whose names begin so were trained by the same recipe, each with one setting changed.
ABLATION = "nerd-lite-25-ablation-"
BASELINE, NO_POST, NO_PENALTY, SEED_1 = (
    f"{ABLATION}{name}" for name in ("baseline", "no-post", "no-penalty", "seed-1")
)


def still_to_train(names: Iterable[str], measured: Iterable[str]) -> list[str]:
    """Return one sentence for each of the `names` that is not among those `measured`."""
    there = set(measured)
    return [f"`{name}` is not {'measured' if is_here(name) else 'trained'} yet." for name in names if name not in there]


def samples_of(name: str) -> str:
    """Return how many samples a network has been trained on, as a phrase such as "116,166 samples"."""
    return f"{load_record(name).get('samples', 0):,} samples"
