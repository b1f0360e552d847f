"""The settings for computing training steps on a machine, chosen by measurement (`nerd-gui tune`)."""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Literal, get_args

import torch
from torch import Tensor

from nerd_gui.files import from_json
from nerd_gui.nerd import NERD
from nerd_gui.nerd.attention import AttentionPath, Precision
from nerd_gui.training.data import DataError
from nerd_gui.training.recipe import Recipe, Stage

Mode = Literal["eager", "compile", "graphs"]
#: Number of compiled versions of f that are cached: with and without gradients, for every shape and precision.
_GRAPHS = 64
#: Names of attention paths in older files of `nerd-gui tune`.
_FORMERLY = {"tiled": "blocks"}


@dataclass(frozen=True)
class Execution:
    """The settings of a training run that depend on the machine.

    Attributes
    ----------
    attention : {"compiled", "blocks", "dense", "flex"} or None
        The implementation of the attention; None: the choice of `neighbourhood_attention`.
    mode : {"eager", "compile", "graphs"}
        How f is evaluated: kernel by kernel; by `torch.compile`; or by `torch.compile` with the solver's evaluations
        replayed from a CUDA graph.
    batch_factor : float
        Factor for all batch sizes of a recipe.
    """

    attention: AttentionPath | None = None
    mode: Mode = "eager"
    batch_factor: float = 1.0

    def __post_init__(self) -> None:
        if self.attention not in (None, *get_args(AttentionPath)):
            raise ValueError(f"There is no implementation of the attention named {self.attention!r}.")
        if self.mode not in get_args(Mode):
            raise ValueError(f"The mode must be one of {', '.join(get_args(Mode))}, not {self.mode!r}.")
        if not self.batch_factor > 0:
            raise ValueError(f"The factor for batch sizes must be above 0, not {self.batch_factor}.")

    def applied_to(self, recipe: Recipe) -> Recipe:
        """Return the recipe with scaled batch sizes.

        The learning rate is scaled by the square root of the factor, and the decay of the averaged weights is adapted
        so that they average over as many samples as before.
        """
        factor = self.batch_factor

        def larger(stage: Stage) -> Stage:
            return replace(stage, batch=max(1, round(factor * stage.batch)))

        return replace(
            recipe,
            stages=tuple(map(larger, recipe.stages)),
            decay_stage=larger(recipe.decay_stage),
            learning_rate=recipe.learning_rate * factor**0.5,
            ema=recipe.ema**factor,
        )

    def to_json(self) -> dict[str, Any]:
        """Return the choice as a dictionary that JSON can hold."""
        return asdict(self)

    @classmethod
    def read(cls, path: Path) -> "Execution":
        """Read the settings from a file of `nerd-gui tune`, under "speed".

        Raises
        ------
        DataError
            If the file has no valid settings.
        """
        try:
            chosen = {**from_json(path.read_bytes())["speed"]}
            if chosen.get("attention") in _FORMERLY:
                chosen["attention"] = _FORMERLY[chosen["attention"]]
            return cls(**chosen)
        except (OSError, UnicodeDecodeError, json.JSONDecodeError, KeyError, TypeError, ValueError) as error:
            raise DataError(f"“{path}” is not a file of “nerd-gui tune” ({error}); run the command again.") from error


class Evaluator:
    """Evaluates f of a network in training according to an `Execution`."""

    def __init__(self, net: NERD, execution: Execution) -> None:
        if net.non_local is not None:
            net.non_local.path = execution.attention
        self._compiled = execution.mode != "eager"
        self._graphed = execution.mode == "graphs"
        # A lambda, so that net.implicit is looked up in each call; a test replaces it.
        self._implicit: Callable[..., Tensor] = lambda z, s, **how: net.implicit(z, s, **how)
        self._graphs: dict[tuple[Any, ...], _Graph] = {}
        if self._compiled:
            torch._dynamo.config.recompile_limit = max(_GRAPHS, torch._dynamo.config.recompile_limit)
            self._implicit = torch.compile(net.implicit, dynamic=False)

    def at(
        self, s: Tensor, precision: Precision | None = None, window: int | None = None
    ) -> Callable[[Tensor], Tensor]:
        """Return f as a function of z only, for the injection s."""
        graph: _Graph | None = None
        implicit = partial(self._implicit, precision=precision, window=window)

        def f(z: Tensor) -> Tensor:
            nonlocal graph
            if torch.is_grad_enabled():
                # z requires a gradient in all steps but the first; making it always so needs one compiled graph only.
                return implicit(z.detach().requires_grad_() if self._lone(z) else z, s)
            if not self._graphed:
                return implicit(z, s)
            if graph is None:
                graph = self._graph(implicit, z, s, (z.shape, precision, window))
            return graph(z)

        return f

    def _lone(self, z: Tensor) -> bool:
        return self._compiled and not z.requires_grad

    def _graph(self, f: Callable[..., Tensor], z: Tensor, s: Tensor, key: tuple[Any, ...]) -> "_Graph":
        if key not in self._graphs:
            self._graphs[key] = _Graph(f, z, s)
        self._graphs[key].s.copy_(s)
        return self._graphs[key]


class _Graph:
    """An evaluation of f without gradients, recorded once as a CUDA graph and replayed."""

    def __init__(self, f: Callable[[Tensor, Tensor], Tensor], z: Tensor, s: Tensor) -> None:
        self.z, self.s = z.detach().clone(), s.detach().clone()
        here, aside = torch.cuda.current_stream(), torch.cuda.Stream()
        aside.wait_stream(here)
        with torch.cuda.stream(aside):  # one-time initialisation must not be recorded
            for _ in range(3):
                f(self.z, self.s)
        here.wait_stream(aside)
        self._graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self._graph):
            self._out = f(self.z, self.s)

    def __call__(self, z: Tensor) -> Tensor:
        self.z.copy_(z)
        self._graph.replay()
        return self._out.clone()
