"""Fixed points of any function of tensors: solvers, gradients through an equilibrium, and its stability."""

from nerd_gui.equilibrium.anderson import anderson, anderson_storage
from nerd_gui.equilibrium.broyden import broyden, broyden_storage
from nerd_gui.equilibrium.implicit import implicit_gradient
from nerd_gui.equilibrium.iteration import SolverStep
from nerd_gui.equilibrium.phantom import phantom_gradient
from nerd_gui.equilibrium.plain import plain, plain_storage
from nerd_gui.equilibrium.solver import Solver, Storage
from nerd_gui.equilibrium.stability import spectral_radius
from nerd_gui.equilibrium.stop_rule import MEASURES, Measure, StopReason
from nerd_gui.equilibrium.without_synchronisation import broyden_without_synchronisation

#: The solvers by name. All take the keyword arguments of `broyden`; some take further ones.
SOLVERS: dict[str, Solver] = {
    "broyden": Solver(broyden, broyden_storage),
    "anderson": Solver(anderson, anderson_storage),
    "plain": Solver(plain, plain_storage, own_keywords=("damping",)),
}

__all__ = [
    "MEASURES",
    "SOLVERS",
    "Measure",
    "Solver",
    "SolverStep",
    "StopReason",
    "Storage",
    "anderson",
    "broyden",
    "broyden_without_synchronisation",
    "implicit_gradient",
    "phantom_gradient",
    "plain",
    "spectral_radius",
]
