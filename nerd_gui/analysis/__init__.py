"""What one equilibrium tells: exact answers about one network on one picture. Knows no window.

Everywhere y is (1, C, rows, cols) in [0, 1], the noisy picture as it is, and z (1, d, rows, cols) an equilibrium of the
network for it: the iterate of least residual of a run.
"""

from nerd_gui.analysis.components import Components, IteratePath, iterate_path, principal_components
from nerd_gui.analysis.heads_off import HeadsOff, heads_off, without_heads
from nerd_gui.analysis.influence import influence
from nerd_gui.analysis.linearised import Linearised, NotSolved
from nerd_gui.analysis.looking import Spread, rollout, spread
from nerd_gui.analysis.maps import IterateMap, MapKind, RunMaps
from nerd_gui.analysis.race import Racer, load_race, race, save_race
from nerd_gui.analysis.risk import Risk, risk
from nerd_gui.analysis.spectrum import Spectrum, decoded_direction, field_of_values_abscissa, spectrum
from nerd_gui.analysis.starts import Starts, starts
from nerd_gui.analysis.sweep import Swept, sweep
from nerd_gui.analysis.whiteness import Whiteness, whiteness

__all__ = [
    "Components",
    "HeadsOff",
    "IterateMap",
    "IteratePath",
    "Linearised",
    "MapKind",
    "NotSolved",
    "Racer",
    "Risk",
    "RunMaps",
    "Spectrum",
    "Spread",
    "Starts",
    "Swept",
    "Whiteness",
    "decoded_direction",
    "field_of_values_abscissa",
    "heads_off",
    "influence",
    "iterate_path",
    "load_race",
    "principal_components",
    "race",
    "risk",
    "rollout",
    "save_race",
    "spectrum",
    "spread",
    "starts",
    "sweep",
    "whiteness",
    "without_heads",
]
