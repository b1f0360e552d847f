"""Measures a whole solve: its time, the time of the solver's own algebra, and the same for torchdeq's solver."""

import itertools
from functools import partial
from statistics import median
from time import perf_counter
from typing import Any

import torch
from torch import Tensor

from nerd_gui.benchmarks.baselines import SOLVERS, installed_version
from nerd_gui.benchmarks.clock import Sample, Stopwatch, Turns, in_turns, wait_for
from nerd_gui.benchmarks.peak import peak_of_solve
from nerd_gui.benchmarks.workload import Workload, told
from nerd_gui.denoising.memory_plan import PAIR_DTYPE, free_bytes
from nerd_gui.equilibrium import broyden
from nerd_gui.imaging import psnr
from nerd_gui.nerd.attention import Precision

#: Number of tensors of the size of z that torchdeq's solver needs beside its pairs, including those of f and copies of
#: half the pairs.
_TORCHDEQ_VECTORS = 60


def measure_solve(work: Workload, precision: Precision, steps: int, turns: Turns) -> dict[str, Any]:
    """Measure a solve with a fixed number of Broyden steps, and torchdeq's solver for comparison.

    f is timed within a real solve; the rest of the time is the solver's own. A first solve warms up and records the
    values of f. To compare the two solvers, both then run in turns with these recorded values, so that only their
    algebra is timed.

    Returns
    -------
    dict
        "seconds" of the solve, "iterates_per_second" (the start among them), "evaluations" (the seconds of each) and
        their median "f_seconds", "times_f" (the solve over all its evaluations at that median), "own_seconds",
        "first_iterate_seconds" (injection, two evaluations, decoding), "psnr" of the last iterate (None for random
        weights), "algebra" by solver and "algebra_ratio" (torchdeq's over this one's; None if torchdeq's is missing).
    """
    start, values = work.net.initial(work.s), _values(work, precision, steps)
    figures = _real_solve(work, precision, steps)
    runs = {name: partial(_played_back, name, values, start, steps, work.device) for name in SOLVERS}
    if why_no_torchdeq(work, steps):
        del runs["torchdeq"]
    algebra = in_turns(runs, turns)
    ratio = algebra["torchdeq"]["seconds"] / algebra["here"]["seconds"] if len(algebra) == 2 else None
    return {"precision": precision, "steps": steps, **figures, "algebra": algebra, "algebra_ratio": ratio}


@torch.no_grad()
def _values(work: Workload, precision: Precision, steps: int) -> list[Tensor]:
    """Record what f returns during a solve, in memory that the next solve does not use."""
    f, z0 = partial(work.net.implicit, s=work.s, precision=precision), work.net.initial(work.s)
    solve = broyden(f, z0, max_iter=steps, tol=0.0, pair_dtype=PAIR_DTYPE)
    return [step.f_z.clone() for step in solve]


@torch.no_grad()
def _real_solve(work: Workload, precision: Precision, steps: int) -> dict[str, Any]:
    inject, decode = (Stopwatch(function, work.device) for function in (work.net.inject, work.net.estimate))
    f = Stopwatch(partial(work.net.implicit, s=work.s, precision=precision), work.device)
    inject(work.y, told(work.net))
    wait_for(work.device)
    first = 0.0
    started = perf_counter()
    z0 = work.net.initial(work.s)
    for step in broyden(f, z0, max_iter=steps, tol=0.0, pair_dtype=PAIR_DTYPE):
        if step.index == 1:
            first = perf_counter() - started
    wait_for(work.device)
    seconds = perf_counter() - started
    x_hat, _ = decode(work.y, step.z)
    inside = f.seconds
    f_seconds = median(inside)
    return {
        "seconds": seconds,
        "iterates_per_second": len(inside) / seconds,
        "evaluations": inside,
        "f_seconds": f_seconds,
        "times_f": seconds / (len(inside) * f_seconds),
        "own_seconds": seconds - sum(inside),
        "first_iterate_seconds": inject.seconds[0] + first + decode.seconds[0],
        "psnr": psnr(work.clean, x_hat.mean((0, 1)).cpu().numpy()) if work.trained else None,
    }


def _played_back(name: str, values: list[Tensor], z0: Tensor, steps: int, device: str) -> Sample:
    """Time the solver's own algebra, with recorded values of f."""
    upcoming = itertools.cycle(values)
    f = Stopwatch(lambda _: next(upcoming).clone(), device)
    wait_for(device)
    started = perf_counter()
    SOLVERS[name](f, z0, steps)
    wait_for(device)
    return {"seconds": perf_counter() - started - sum(f.seconds)}


def measure_peaks(work: Workload, precision: Precision, steps: int) -> dict[str, Any]:
    """Measure the peak memory of a solve with this solver and with torchdeq's.

    Returns
    -------
    dict
        "peak_memory_mb" by solver, "memory_ratio" (this one's over torchdeq's), and why torchdeq's figures, or those of
        the memory, are "missing": a list of sentences.
    """
    missing = why_no_torchdeq(work, steps)
    peaks: dict[str, float] = {}
    for name in ["here"] if missing else SOLVERS:
        try:
            peak = peak_of_solve(work.name, work.size, precision, name, work.device, steps)
        except MemoryError as error:
            missing.append(str(error))
            continue
        if peak is not None:
            peaks[name] = peak / 1e6
        elif name == "here":
            missing.append(f"The peak memory of a solve cannot be measured on {work.device}.")
    ratio = peaks["here"] / peaks["torchdeq"] if len(peaks) == 2 else None
    return {"peak_memory_mb": peaks, "memory_ratio": ratio, "missing": missing}


def why_no_torchdeq(work: Workload, steps: int) -> list[str]:
    """Return the reason why torchdeq's solver cannot be measured here, or None."""
    if installed_version("torchdeq") is None:
        return ["torchdeq is not installed, so its solver is not measured; it comes with nerd-gui[test]."]
    needed = (2 * steps + _TORCHDEQ_VECTORS) * work.z.numel() * work.z.element_size()
    if needed > free_bytes(work.device):
        what = f"torchdeq's solver ({work.name}, {work.size} px)"
        return [f"{what} is not measured, because it needs about {needed / 1e9:.1f} GB, more than is free."]
    return []
