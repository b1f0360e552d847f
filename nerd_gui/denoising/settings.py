"""How a run seeks the equilibrium: every setting and its default, which stand here alone."""

import math
from dataclasses import dataclass
from typing import Literal

from nerd_gui.denoising.errors import RunError
from nerd_gui.equilibrium import SOLVERS
from nerd_gui.nerd.attention import Precision


@dataclass(frozen=True)
class RunSettings:
    """How the equilibrium is sought.

    Attributes
    ----------
    model : str
        Name of a catalogued network, or path of a checkpoint.
    solver : {"broyden", "anderson", "plain"}
    max_iter : int
        Most steps; iterates are numbered 0 ... N.
    tol : float
        Residual ||g|| / ||f(z)|| at which the run has converged; 0 takes all steps.
    memory : int or None
        Pairs that Broyden keeps (None: all).
    safeguard : bool
        Drop steps that more than double the residual.
    window : int or None
        q for this run (None: the network's own).
    precision : {"float32", "bfloat16"}
        Arithmetic inside f.
    device : str
        "cpu", "cuda", "cuda:1", "mps".
    start : {"zero", "random", "last"}
        z of iterate 0 (Sec. IV-B: a well-posed equilibrium does not depend on it); "last" is the last equilibrium.
    start_seed : int
        Seed of the random start.
    memory_limit : float or None
        Gigabytes that the process, or its tensors on a GPU, may take (None: what is free). The run is made to fit.
    """

    model: str = "nerd-lite"
    solver: str = "broyden"
    max_iter: int = 17
    tol: float = 1e-3
    memory: int | None = None
    safeguard: bool = True
    window: int | None = None
    precision: Precision = "float32"
    device: str = "cpu"
    start: Literal["zero", "random", "last"] = "zero"
    start_seed: int = 0
    memory_limit: float | None = None

    def __post_init__(self) -> None:
        if self.solver not in SOLVERS:
            raise RunError(f"There is no solver “{self.solver}”; choose one of {', '.join(SOLVERS)}.")
        if self.max_iter < 1:
            raise RunError(f"The solver needs at least 1 step, not {self.max_iter}.")
        if not (math.isfinite(self.tol) and self.tol >= 0):
            raise RunError(f"The tolerance must be a number of 0 or more, not {self.tol}.")
        if self.memory is not None and self.memory < 1:
            raise RunError(f"Broyden's memory must hold at least 1 pair, not {self.memory}.")
        if self.window is not None and self.window < 1:
            raise RunError(f"The attention window must be at least 1 pixel wide, not {self.window}.")
        if self.memory_limit is not None and not 0 < self.memory_limit < math.inf:
            raise RunError(f"The memory limit must be above 0 GB, not {self.memory_limit}.")
        if self.precision not in ("float32", "bfloat16"):
            raise RunError(f"The precision must be float32 or bfloat16, not “{self.precision}”.")
        if self.start not in ("zero", "random", "last"):
            raise RunError(f"A run starts from zero, random or last, not from “{self.start}”.")
