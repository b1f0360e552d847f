"""Competitors take turns, and the reported medians are those of the measured times."""

import time

import pytest
import torch
from torch import nn

from nerd_gui.benchmarks.clock import Stopwatch, Turns, in_turns, part_times, timed


class Competitor:
    """Reports given seconds one after the other, and records its name at each call."""

    def __init__(self, name, seconds, calls):
        self._name, self._seconds, self._calls = name, iter(seconds), calls

    def __call__(self):
        self._calls.append(self._name)
        return {"seconds": next(self._seconds), "part": 1.0}


def test_turns_are_taken_in_alternation_and_the_first_call_does_not_count():
    calls = []
    runs = {"a": Competitor("a", [99, 1, 5, 2], calls), "b": Competitor("b", [99, 7, 8, 70], calls)}
    figures = in_turns(runs, Turns(least=3, most=3, seconds=0))
    assert "".join(calls) == "ab" + "ab" + "ba" + "ab"
    assert figures == {
        "a": {"seconds": 2, "part": 1, "turns": [1, 5, 2]},
        "b": {"seconds": 8, "part": 1, "turns": [7, 8, 70]},
    }


@pytest.mark.parametrize(
    ("turns", "count"),
    [(Turns(least=2, most=9, seconds=0.0), 2), (Turns(least=2, most=4, seconds=60.0), 4)],
)
def test_number_of_turns(turns, count):
    figures = in_turns({"a": Competitor("a", range(20), [])}, turns)
    assert len(figures["a"]["turns"]) == count


def test_stopwatch_times_each_call_and_passes_everything_on():
    watch = Stopwatch(lambda *numbers: time.sleep(0.02) or sum(numbers), "cpu")
    assert (watch(1, 2), watch(3)) == (3, 3)
    assert len(watch.seconds) == 2 and all(0.02 <= seconds < 2 for seconds in watch.seconds)
    assert 0.02 <= timed(lambda: time.sleep(0.02), "cpu")()["seconds"] < 2


class Slow(nn.Module):
    def forward(self, x):
        time.sleep(0.03)
        return x + 1


def test_part_times_are_inside_the_whole_and_leave_no_trace():
    part = Slow()
    net = nn.Sequential(part, nn.ReLU())
    with part_times({"slow": part, "absent": None, "never called": nn.ReLU()}, "cpu") as parts:
        started = time.perf_counter()
        assert net(torch.zeros(1)) == 1
        whole = time.perf_counter() - started
        assert set(parts) == {"slow"} and 0.03 <= parts["slow"] <= whole
    before = dict(parts)
    net(torch.zeros(1))
    assert parts == before
