"""An iterate with compiled code beside one on the plain path, which a machine without such code takes."""

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

_STEPS = 2  # so that the solver's passes over its history are among what is timed


@torch.no_grad()
def measure_paths(work: Workload, precision: Precision, turns: Turns) -> dict[str, Any]:
    """Measure an iterate on each path, in turns.

    Returns
    -------
    dict
        "precision", "steps" of the short solves that are timed, "paths": for "compiled" and "plain" the "seconds" of
        an iterate, and "times_slower", the second over the first. Without compiled code there is "plain" alone, and
        "times_slower" is None.
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
