"""Analyses of one equilibrium: exact answers about one network on one picture. This package does not use Qt.

In every function, y is the noisy picture, (1, C, rows, cols), nominally in [0, 1] and not clipped; z is an equilibrium
of the network for y, (1, d, rows, cols): the iterate of least residual of a run.

Examples
--------
All other examples of this room continue these lines, which find the equilibrium of a small noisy picture:

>>> import torch
>>> from nerd_gui.equilibrium import broyden
>>> from nerd_gui.nerd import load_model
>>> net = load_model("nerd-lite-25")
>>> chance = torch.Generator().manual_seed(1)
>>> clean = torch.rand(1, 1, 16, 16, generator=chance)
>>> y = clean + 25 / 255 * torch.randn(clean.shape, generator=chance)
>>> s = net.inject(y)
>>> *_, last = broyden(lambda z: net.implicit(z, s), net.initial(s), max_iter=30, tol=1e-4)
>>> z = last.z
>>> tuple(z.shape), str(last.stop_reason)
((1, 64, 16, 16), 'converged')
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
