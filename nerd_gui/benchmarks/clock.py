"""Comparable timings: the competitors take turns in one process, and medians are reported."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median
from time import perf_counter
from typing import Any

import torch
from torch import nn

#: The JSON-ready results for one competitor.
Measured = dict[str, Any]
#: The results of one turn by name; "seconds" is always included.
Sample = dict[str, float]


@dataclass(frozen=True)
class Turns:
    """The number of turns: at least `least`, then until `seconds` have passed, but at most `most`."""

    least: int = 3
    most: int = 15
    seconds: float = 6.0


def wait_for(device: str) -> None:
    """Wait until a device has finished all its work; returns at once for the CPU."""
    if device.startswith("cuda"):
        torch.cuda.synchronize(device)
    elif device.startswith("mps"):
        torch.mps.synchronize()


class Stopwatch:
    """Wraps a function and times its calls, including the device's work.

    `seconds` holds the wall time of every call so far.
    """

    def __init__(self, function: Callable[..., Any], device: str) -> None:
        self.seconds: list[float] = []
        self._function, self._device = function, device

    def __call__(self, *arguments: Any) -> Any:
        """Call the function once, wait until the device has finished, and add the seconds that it took."""
        wait_for(self._device)
        started = perf_counter()
        result = self._function(*arguments)
        wait_for(self._device)
        self.seconds.append(perf_counter() - started)
        return result


def timed(function: Callable[[], object], device: str) -> Callable[[], Sample]:
    """Make a competitor for `in_turns` from a function."""

    def run() -> Sample:
        watch = Stopwatch(function, device)
        watch()
        return {"seconds": watch.seconds[0]}

    return run


def in_turns(runs: Mapping[str, Callable[[], Sample]], turns: Turns) -> dict[str, dict[str, Any]]:
    """Run the competitors in turns, and return the median of every measured quantity for each.

    Each first runs once without being measured, to select kernels and to allocate memory. Each turn starts with another
    competitor, so that none has an advantage from its position. The seconds of all turns are kept under "turns".
    """
    for run in runs.values():
        run()
    names = list(runs)
    samples: dict[str, list[Sample]] = {name: [] for name in names}
    started = perf_counter()
    for turn in range(turns.most):
        if turn >= turns.least and perf_counter() - started > turns.seconds:
            break
        first = turn % max(1, len(names))
        for name in names[first:] + names[:first]:
            samples[name].append(runs[name]())
    return {name: _medians(taken) for name, taken in samples.items()}


def _medians(samples: list[Sample]) -> dict[str, Any]:
    figures: dict[str, Any] = {key: median(sample[key] for sample in samples) for key in samples[0]}
    return figures | {"turns": [sample["seconds"] for sample in samples]}


@contextmanager
def part_times(parts: Mapping[str, nn.Module | None], device: str) -> Iterator[Sample]:
    """Within this context, record the seconds of each module's last call under its name; None is ignored."""
    seconds: Sample = {}
    handles = []
    for name, module in parts.items():
        if module is None:
            continue

        def begin(*_: Any, name: str = name) -> None:
            wait_for(device)
            seconds[name] = -perf_counter()

        def end(*_: Any, name: str = name) -> None:
            wait_for(device)
            seconds[name] += perf_counter()

        handles += [module.register_forward_pre_hook(begin), module.register_forward_hook(end)]
    try:
        yield seconds
    finally:
        for handle in handles:
            handle.remove()
