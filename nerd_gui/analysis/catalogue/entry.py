"""What an analysis of the catalogue is, and what it is asked."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import Tensor

from nerd_gui.analysis.catalogue.shown import Shown
from nerd_gui.analysis.of_run import EquilibriumOfRun
from nerd_gui.analysis.solving import Interrupt
from nerd_gui.denoising import Trajectory
from nerd_gui.denoising.analysed import Analysed
from nerd_gui.denoising.channels import to_batch


@dataclass(frozen=True, eq=False)
class Question:
    """What is asked of a run.

    Attributes
    ----------
    at : EquilibriumOfRun
        Its equilibrium.
    trajectory : Trajectory
    pixel : (row, col)
        Of what was run, for analyses of a pixel.
    channel : int
        Of a colour photo, the one that `at` was made with.
    seed : int
        Of all chance.
    interrupt : callable, optional
        Called many times; what it raises ends the work.
    """

    at: EquilibriumOfRun
    trajectory: Trajectory
    pixel: tuple[int, int]
    channel: int = 0
    seed: int = 0
    interrupt: Interrupt | None = None

    @property
    def of(self) -> tuple[Any, Tensor, Tensor]:
        """Network, picture and equilibrium, which every analysis begins with."""
        return self.at.net, self.at.y, self.at.z

    @property
    def keywords(self) -> dict[str, Any]:
        """What every analysis takes besides."""
        return {**self.at.keywords, "interrupt": self.interrupt}

    @property
    def value_channel(self) -> int:
        """The channel among those that the network saw: a grey network sees one at a time."""
        return min(self.channel, self.at.y.shape[1] - 1)

    @property
    def clean(self) -> Tensor | None:
        """The clean picture (C, rows, cols) of the channels that the network saw; None where it is not known."""
        clean = self.trajectory.subject.clean
        if clean is None:
            return None
        pictures = to_batch(clean, self.at.net)
        return pictures[self.channel if len(pictures) > 1 else 0].to(self.at.y)


@dataclass(frozen=True, eq=False)
class Analysis:
    """One question that can be asked of an equilibrium.

    Attributes
    ----------
    name : str
        As the command line and files call it.
    title : str
        As the window calls it.
    shows : str
        What it will show, in a sentence.
    equation : str
        How it is computed.
    evaluations : int
        It takes about as long as so many evaluations of f.
    ask : callable
        Question -> Analysed. Raises NotSolved where an equation cannot be solved, and what `interrupt` raises.
    show : callable
        Analysed -> Shown: how to show what was found, also long after.
    of_pixel : bool
        Whether the pixel makes a difference.
    """

    name: str
    title: str
    shows: str
    equation: str
    evaluations: int
    ask: Callable[[Question], Analysed]
    show: Callable[[Analysed], Shown]
    of_pixel: bool = False


def analysed(numbers: Mapping[str, Any], **arrays: Tensor | np.ndarray) -> Analysed:
    """Make an answer of numbers, of which those that are not finite become None, and of real arrays of any type."""
    plain = {
        name: np.ascontiguousarray(array.detach().cpu().numpy() if isinstance(array, Tensor) else array, np.float32)
        for name, array in arrays.items()
    }
    return Analysed(_plain(dict(numbers)), plain)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
