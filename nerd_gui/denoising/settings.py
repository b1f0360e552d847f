"""All settings of a run, with their defaults."""

import math
from dataclasses import dataclass
from typing import Any, Literal, get_args

from nerd_gui.denoising.errors import RunError
from nerd_gui.equilibrium import MEASURES, SOLVERS, Measure
from nerd_gui.nerd.attention import Precision

Start = Literal["zero", "random", "last", "predicted"]
#: The stop rule that looks at the decoded picture, see `EyeRule`.
PICTURE: Literal["picture"] = "picture"
StopOn = Measure | Literal["picture"]
STOPS: tuple[StopOn, ...] = (*MEASURES, PICTURE)
#: The factor of Broyden's steps with the rule "picture". Full steps overshoot in places, which then settle later.
_ALPHA = 0.7


@dataclass(frozen=True)
class RunSettings:
    """The settings of a run.

    Attributes
    ----------
    model : str
        Name of a network in the catalogue, or path of a checkpoint.
    solver : {"broyden", "anderson", "plain"}
    max_iter : int
        Largest number of steps N; iterates are numbered 0 ... N.
    tol : float
        The run has converged when the measure `stop_on` is at most `tol`; with 0 it takes all steps.
    stop_on : {"residual", "relative_step", "residual_change", "picture"}
        The measure: ||g|| / ||f(z)||, the distance from the fixed point; the length of a step relative to z (Fig. 10);
        or the change of g relative to g (Sec. V-A), which tends to `|1 - lambda|` for f's leading eigenvalue lambda and
        not to 0. With "picture", `tol` is ignored and the run ends when the decoded picture no longer changes visibly
        (`EyeRule`), and Broyden's steps are shortened to 0.7 times their length.
    memory : int or None
        Number of pairs of vectors in the solver's history (None: the solver's default, which for Broyden is all). The
        memory in bytes is limited by `memory_limit`.
    safeguard : bool
        Whether steps that more than double the residual are dropped.
    damping : float
        Step length of the plain iteration, above 0; 1 is z <- f(z). Other solvers ignore it.
    strength : float or None
        The noise level that is given to a network with level input, 0-255 scale (None: that of the photo). A larger
        value removes more. Must be None for other networks.
    window : int or None
        Attention window q in pixels (None: the network's own).
    precision : {"float32", "bfloat16"}
        Arithmetic inside f.
    device : str
        "cpu", "cuda", "cuda:1", "mps".
    start : {"zero", "random", "last", "predicted"}
        Iterate 0 (Sec. IV-B: a well-posed equilibrium does not depend on it); "last" is the previous equilibrium, and
        "predicted" that of `PredictedStart`, where all tiles of a whole photo start.
    start_seed : int
        Seed of the random start, 0 or more.
    memory_limit : float or None
        Limit in gigabytes for the process, or for its tensors on a GPU (None: the free memory). The run is made to fit.
    """

    model: str = "nerd-lite"
    solver: str = "broyden"
    max_iter: int = 17
    tol: float = 1e-3
    stop_on: StopOn = "residual"
    memory: int | None = None
    safeguard: bool = True
    damping: float = 1.0
    strength: float | None = None
    window: int | None = None
    precision: Precision = "float32"
    device: str = "cpu"
    start: Start = "zero"
    start_seed: int = 0
    memory_limit: float | None = None

    def __post_init__(self) -> None:
        if self.solver not in SOLVERS:
            raise RunError(f"There is no solver “{self.solver}”; choose one of {', '.join(SOLVERS)}.")
        if self.max_iter < 1:
            raise RunError(f"The solver needs at least 1 step, not {self.max_iter}.")
        if not (math.isfinite(self.tol) and self.tol >= 0):
            raise RunError(f"The tolerance must be a number of 0 or more, not {self.tol}.")
        if self.stop_on not in STOPS:
            raise RunError(f"A run can stop on {', '.join(STOPS)}; there is no measure “{self.stop_on}”.")
        if self.memory is not None and self.memory < 1:
            raise RunError(f"The solver must keep at least 1 pair of vectors, not {self.memory}.")
        if not 0 < self.damping < math.inf:
            raise RunError(f"The damping of the plain iteration must be above 0, not {self.damping}.")
        if self.strength is not None and not 0 <= self.strength <= 255:
            raise RunError(f"The strength is a noise level from 0 to 255, not {self.strength}.")
        if self.window is not None and self.window < 1:
            raise RunError(f"The attention window must be at least 1 pixel wide, not {self.window}.")
        if self.memory_limit is not None and not 0 < self.memory_limit < math.inf:
            raise RunError(f"The memory limit must be above 0 GB, not {self.memory_limit}.")
        if self.precision not in get_args(Precision):
            raise RunError(f"The precision must be {' or '.join(get_args(Precision))}, not “{self.precision}”.")
        if self.start not in get_args(Start):
            raise RunError(f"A run starts from zero, random, last or predicted, not from “{self.start}”.")
        if not 0 <= self.start_seed < 1 << 63:
            raise RunError(f"The seed of the start must be 0 or more and below 2^63, not {self.start_seed}.")

    def solver_keywords(self) -> dict[str, Any]:
        """The keyword arguments of the solver that follow from these settings."""
        names = ["max_iter", "tol", "stop_on", "safeguard", *SOLVERS[self.solver].own_keywords]
        if self.memory is not None:
            names.append("memory")
        keywords = {name: getattr(self, name) for name in names}
        if self.stop_on != PICTURE:
            return keywords
        if self.solver == "broyden":
            keywords["alpha"] = _ALPHA
        # Solvers do not decode pictures, so the solver takes all steps and the run itself stops it.
        return keywords | {"stop_on": "residual", "tol": 0.0}
