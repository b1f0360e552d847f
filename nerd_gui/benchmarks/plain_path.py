"""Compares the time of an iterate with compiled code and without it, as on machines where it is not available."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import Any

import torch

from nerd_gui.benchmarks.baselines import solve_here
from nerd_gui.benchmarks.clock import Sample, Turns, in_turns, timed
from nerd_gui.benchmarks.workload import Workload
from nerd_gui.compiled import plain_path, status
from nerd_gui.nerd.attention import Precision

_STEPS = 2  # enough steps to include the solver's passes over its history


@torch.no_grad()
def measure_paths(work: Workload, precision: Precision, turns: Turns) -> dict[str, Any]:
    """Measure an iterate on each path, in turns.

    Returns
    -------
    dict
        "precision", "steps" of the short solves that are timed, "paths" with the "seconds" of an iterate for "compiled"
        and "plain", and "times_slower", the ratio of plain to compiled. Without compiled code there is only "plain",
        and "times_slower" is None.
    """
    ways: dict[str, Callable[[], AbstractContextManager[None]]] = {"compiled": nullcontext, "plain": plain_path}
    if not status(work.device).compiled:
        del ways["compiled"]
    f, z0 = partial(work.net.implicit, s=work.s, precision=precision), work.net.initial(work.s)

    def run(way: str) -> Sample:
        with ways[way]():
            whole = timed(lambda: solve_here(f, z0, _STEPS), work.device)()
        return {"seconds": whole["seconds"] / (_STEPS + 1)}

    paths = in_turns({way: partial(run, way) for way in ways}, turns)
    slower = paths["plain"]["seconds"] / paths["compiled"]["seconds"] if len(paths) == 2 else None
    return {"precision": precision, "steps": _STEPS, "paths": paths, "times_slower": slower}
