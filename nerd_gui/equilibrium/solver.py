"""A solver as its callers see it: the call itself, and what it says of itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from nerd_gui.equilibrium.iteration import SolverStep


@dataclass(frozen=True)
class Storage:
    """What a solve holds at most, counted in tensors of the size of z.

    Attributes
    ----------
    step : int
        f(z), g, and what the algebra of a step takes beside them.
    pairs : int
        Pairs of its history, as many as it holds in the end; 0 for a solver without a history.
    tensors_per_pair : int
        A pair is kept in the type `pair_dtype`, everything else in that of z.
    safeguard : bool
        Whether z and g of the best iterate are held, to go on from.
    """

    step: int
    pairs: int = 0
    tensors_per_pair: int = 0
    safeguard: bool = False

    @property
    def history(self) -> int:
        """Tensors of all pairs."""
        return self.pairs * self.tensors_per_pair

    @property
    def iterates(self) -> int:
        """z, and z and g of the iterate before it and of the best one."""
        return 5 if self.safeguard else 3


@dataclass(frozen=True)
class Solver:
    """An entry of `SOLVERS`; called as the function that it is made of.

    Attributes
    ----------
    function : callable
        ``(f, z0, *, max_iter, tol, …)``, see `broyden`, which yields a `SolverStep` for each iterate.
    storage : callable
        Takes the keywords of a call, of which it may ignore any, and returns what that solve will hold, a `Storage`.
    own_keywords : tuple of str
        Those that other solvers do not have.
    """

    function: Callable[..., Iterator[SolverStep]]
    storage: Callable[..., Storage]
    own_keywords: tuple[str, ...] = ()

    def __call__(self, f: Callable[[Tensor], Tensor], z0: Tensor, **keywords: Any) -> Iterator[SolverStep]:
        """Solve z = f(z) from `z0`; see `broyden` for the arguments."""
        return self.function(f, z0, **keywords)
