"""Fixed points of any function: solvers, the gradient through an equilibrium, its stability. Knows no pictures."""

from collections.abc import Callable, Iterator

from nerd_gui.equilibrium.anderson import anderson
from nerd_gui.equilibrium.broyden import broyden
from nerd_gui.equilibrium.iteration import SolverStep, StopReason
from nerd_gui.equilibrium.phantom import phantom_gradient
from nerd_gui.equilibrium.plain import plain
from nerd_gui.equilibrium.stability import jacobian_penalty, spectral_radius
from nerd_gui.equilibrium.without_synchronisation import broyden_without_synchronisation

#: The solvers by name; all take the same keywords.
SOLVERS: dict[str, Callable[..., Iterator[SolverStep]]] = {"broyden": broyden, "anderson": anderson, "plain": plain}

__all__ = [
    "SOLVERS",
    "SolverStep",
    "StopReason",
    "anderson",
    "broyden",
    "broyden_without_synchronisation",
    "jacobian_penalty",
    "phantom_gradient",
    "plain",
    "spectral_radius",
]
