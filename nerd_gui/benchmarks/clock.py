"""Times that may be compared: competitors take turns in one run, and medians stand for them."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median
from time import perf_counter
from typing import Any

import torch
from torch import nn

#: What was measured of one thing, JSON-ready.
Measured = dict[str, Any]
#: What one turn measured, by name; "seconds" is always among it.
Sample = dict[str, float]


@dataclass(frozen=True)
class Turns:
    """How often competitors run: `least` times, then on until `seconds` have passed, at `most` so often."""

    least: int = 3
    most: int = 15
    seconds: float = 6.0


def wait_for(device: str) -> None:
    """Wait until a device has done what it was asked to do; a processor always has."""
    if device.startswith("cuda"):
        torch.cuda.synchronize(device)
    elif device.startswith("mps"):
        torch.mps.synchronize()


class Stopwatch:
    """A function whose calls are timed, the device's work included.

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
    """Make a competitor for `in_turns` of a function."""

    def run() -> Sample:
        watch = Stopwatch(function, device)
        watch()
        return {"seconds": watch.seconds[0]}

    return run


def in_turns(runs: Mapping[str, Callable[[], Sample]], turns: Turns) -> dict[str, dict[str, Any]]:
    """Let competitors run in turns and return, for each, the median of everything that its samples hold.

    Every one runs once unmeasured, so that kernels are chosen and memory is touched. Then each turn begins with the
    next of them, so that none profits from its place. The seconds of every turn are kept under "turns".
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
    """The seconds of each module's latest call inside the block, under its name; None is passed over."""
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
