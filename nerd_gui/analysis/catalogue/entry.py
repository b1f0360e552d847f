"""The record that describes an analysis of the catalogue, and the question that it answers."""

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
    """The run, pixel and channel that an analysis is computed for.

    Attributes
    ----------
    at : EquilibriumOfRun
        The equilibrium of the run.
    trajectory : Trajectory
    pixel : (row, col)
        The pixel of the denoised region, for analyses of one pixel.
    channel : int
        The channel of a colour photo that `at` was made with.
    seed : int
        Seed of all random numbers.
    interrupt : callable, optional
        Called often during the work; an exception that it raises ends the work.
    so_far : callable, optional
        Called during longer work with a sentence that says what is known by then.
    """

    at: EquilibriumOfRun
    trajectory: Trajectory
    pixel: tuple[int, int]
    channel: int = 0
    seed: int = 0
    interrupt: Interrupt | None = None
    so_far: Callable[[str], None] | None = None

    @property
    def of(self) -> tuple[Any, Tensor, Tensor]:
        """The network, the picture and its equilibrium, which are the first arguments of every analysis."""
        return self.at.net, self.at.y, self.at.z

    @property
    def keywords(self) -> dict[str, Any]:
        """Keyword arguments that every analysis takes."""
        return {**self.at.keywords, "interrupt": self.interrupt}

    @property
    def value_channel(self) -> int:
        """The channel's index in the network's input: a grey network takes one channel at a time, so always 0."""
        return min(self.channel, self.at.y.shape[1] - 1)

    @property
    def clean(self) -> Tensor | None:
        """The clean picture (C, rows, cols) in the channels of the network's input; None if it is not known."""
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
        The name on the command line and in file names.
    title : str
        The title in the window.
    shows : str
        A sentence that says what the analysis will show.
    equation : str
        A sentence that says how it is computed.
    evaluations : int
        Its cost: about as much time as this many evaluations of f.
    ask : callable
        Question -> Analysed. Raises NotSolved if an equation cannot be solved, and any exception of `interrupt`.
    show : callable
        Analysed -> Shown: displays an answer, also one that was read from a file.
    of_pixel : bool
        Whether the answer depends on the pixel.
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
    """Make an answer from numbers and real arrays; numbers that are not finite become None, arrays float32."""
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
