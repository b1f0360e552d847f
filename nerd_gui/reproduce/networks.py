"""Which networks stand for which of the paper's, and how they are called on the page."""

from __future__ import annotations

from collections.abc import Iterable

from nerd_gui.nerd import load_record
from nerd_gui.reproduce.workbench import is_here

#: The best network for one noise level, and the blind one.
BEST, BLIND = "nerd-lite-25", "nerd-lite"
#: All by one recipe, so that two of them differ in one thing.
ABLATION = "nerd-lite-25-ablation-"
BASELINE, NO_POST, NO_PENALTY, SEED_1 = (
    f"{ABLATION}{name}" for name in ("baseline", "no-post", "no-penalty", "seed-1")
)


def still_to_train(names: Iterable[str], measured: Iterable[str]) -> list[str]:
    """A sentence for each network that nothing was measured of."""
    there = set(measured)
    return [f"`{name}` is not {'measured' if is_here(name) else 'trained'} yet." for name in names if name not in there]


def samples_of(name: str) -> str:
    """How many samples a network has seen, as words."""
    return f"{load_record(name).get('samples', 0):,} samples"
