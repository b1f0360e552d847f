"""The interface of a solver: how to call it, and how much memory it needs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from nerd_gui.equilibrium.iteration import SolverStep


@dataclass(frozen=True)
class Storage:
    """The peak memory of a solver, counted in tensors of the size of z.

    Attributes
    ----------
    step : int
        Tensors for one step: f(z), g and temporaries.
    pairs : int
        Largest number of pairs in the history; 0 for a solver without a history.
    tensors_per_pair : int
        Tensors for each pair. They have the type `pair_dtype`, all other tensors the type of z.
    safeguard : bool
        Whether z and g of the best iterate are held, to restart from.
    """

    step: int
    pairs: int = 0
    tensors_per_pair: int = 0
    safeguard: bool = False

    @property
    def history(self) -> int:
        """Number of tensors of all pairs."""
        return self.pairs * self.tensors_per_pair

    @property
    def iterates(self) -> int:
        """Number of tensors for iterates: z, and z and g of the previous iterate and, if held, of the best one."""
        return 3 + self.unsure

    @property
    def unsure(self) -> int:
        """How many of these may be fewer: if the best iterate is the newest or the previous one, it is held anyway."""
        return 2 if self.safeguard else 0


@dataclass(frozen=True)
class Solver:
    """An entry of `SOLVERS`. It can be called like its function.

    Attributes
    ----------
    function : callable
        ``(f, z0, *, max_iter, tol, …)``, which yields a `SolverStep` for each iterate; see `broyden`.
    storage : callable
        Takes the keyword arguments of `function`, and returns the memory that this call will need, a `Storage`.
    own_keywords : tuple of str
        Names of keyword arguments that only this solver has.
    """

    function: Callable[..., Iterator[SolverStep]]
    storage: Callable[..., Storage]
    own_keywords: tuple[str, ...] = ()

    def __call__(self, f: Callable[[Tensor], Tensor], z0: Tensor, **keywords: Any) -> Iterator[SolverStep]:
        """Solve z = f(z) from `z0`; see `broyden` for the arguments."""
        return self.function(f, z0, **keywords)
