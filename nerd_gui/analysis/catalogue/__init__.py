"""All analyses of an equilibrium by name: what each one shows, how it is computed, and how its answer is displayed.

The command line and the window both use this catalogue, so they report the same numbers.
"""

from nerd_gui.analysis.catalogue.entry import Analysis, Question
from nerd_gui.analysis.catalogue.iterates import LOOKING, PATH, ROLLOUT, SETTLING
from nerd_gui.analysis.catalogue.pixel import INFLUENCE
from nerd_gui.analysis.catalogue.shown import Axis, Curve, Picture, Plot, Scale, Shown, Table
from nerd_gui.analysis.catalogue.solutions import HEADS, RACE, STARTS, racers
from nerd_gui.analysis.catalogue.stability import SPECTRUM
from nerd_gui.analysis.catalogue.sweeping import SWEEP
from nerd_gui.analysis.catalogue.trust import RISK, WHITENESS

CATALOGUE: dict[str, Analysis] = {
    each.name: each
    for each in (
        *(INFLUENCE, ROLLOUT, RISK, WHITENESS, HEADS, LOOKING),
        *(SETTLING, PATH, STARTS, RACE, SPECTRUM, SWEEP),
    )
}

__all__ = [
    "CATALOGUE",
    "RACE",
    "Analysis",
    "Axis",
    "Curve",
    "Picture",
    "Plot",
    "Question",
    "Scale",
    "Shown",
    "Table",
    "racers",
]
