"""Figures of robustness: each is a test of so many tries, of which every run of the tests makes a few."""

import random
import time
from contextlib import contextmanager

import pytest

from nerd_gui.denoising.memory_plan import peak_memory_mb

_SAMPLE = 0.03


def figure(count, *, sample=_SAMPLE):
    """Parametrize a test with `count`: a sample of the tries in every run of the tests, and all of them with -m soak.

    The tries are told apart by their seeds, so that a sample is a part of the whole.
    """
    marks = [pytest.mark.soak, pytest.mark.timeout(24 * 3600)]
    few = max(1, round(sample * count))
    return pytest.mark.parametrize(
        "count", [pytest.param(few, id="sample"), pytest.param(count, id="all", marks=marks)]
    )


class Costs:
    """What one try cost at most.

    Seconds of computing, which do not depend on what else the machine does, and by how much it raised the most memory
    that the process ever took.
    """

    def __init__(self):
        self.seconds, self.slowest = 0.0, None
        self.megabytes, self.largest = 0.0, None

    @contextmanager
    def of(self, what):
        before, began = peak(), time.process_time()
        yield
        if (took := time.process_time() - began) > self.seconds:
            self.seconds, self.slowest = took, what
        if (rose := peak() - before) > self.megabytes:
            self.megabytes, self.largest = rose, what

    def __str__(self):
        return f"{self.seconds:.2f} s at most ({self.slowest}), {self.megabytes:.0f} MB at most ({self.largest})"


def peak():
    """The most memory that the process took so far, MB."""
    return peak_memory_mb("cpu")


ODD_BYTES = (b"\0\0\0\0", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\x80\0\0\0", b"\0\0\0\1", b"\0\0\1\0")


def mutated(data, other, seed):
    """Bytes with damage of the kinds that disks, networks and people do, or somebody with an intention."""
    chance, made = random.Random(seed), bytearray(data)
    head = min(len(made), 400 if chance.random() < 0.7 else len(made))  # what decoders believe stands in front
    for _ in range(chance.choice((1, 1, 2, 4, 12))):
        kind, place = chance.randrange(9), chance.randrange(max(1, min(head, len(made))))
        length = chance.choice((1, 2, 4, 16, 100, 1000))
        if kind == 0:
            made[place : place + 1] = bytes([chance.randrange(256)])
        elif kind == 1 and place < len(made):
            made[place] ^= 1 << chance.randrange(8)
        elif kind == 2:
            made[place : place + 4] = chance.choice(ODD_BYTES)
        elif kind == 3:
            made[place : place + length] = bytes(length)
        elif kind == 4:
            del made[place : place + length]
        elif kind == 5:
            made[place:place] = made[place : place + length]
        elif kind == 6:
            made[place:place] = chance.randbytes(length)
        elif kind == 7:
            start = chance.randrange(max(1, len(other)))
            made[place : place + length] = other[start : start + length]
        else:
            del made[chance.randrange(len(made) + 1) :]
    return bytes(made)


ODD_VALUES = (
    *(
        None,
        True,
        False,
        0,
        1,
        -1,
        2**31,
        2**63,
        2**64,
        -(2**63),
        0.5,
        -0.5,
        1e308,
        -1e308,
        1e-320,
        "",
        "x",
        "nan",
        "inf",
    ),
    *("../../etc/passwd", "\0", "é" * 300, [], {}, [[]], {"a": 1}, [1, 2, 3], "[" * 50, 10**400, "auto", "float16"),
)


def odd_json(value, chance):
    """A JSON value with another one somewhere inside it, one more, or one less."""
    if isinstance(value, dict) and value and chance.random() < 0.9:
        key = chance.choice(sorted(value))
        made = dict(value)
        if (what := chance.random()) < 0.1:
            del made[key]
        elif what < 0.15:
            made["more"] = chance.choice(ODD_VALUES)
        else:
            made[key] = odd_json(value[key], chance)
        return made
    if isinstance(value, list) and value and chance.random() < 0.9:
        index = chance.randrange(len(value))
        inside = [odd_json(value[index], chance)]
        return value[:index] + chance.choice((inside, inside, inside, [], inside * 3)) + value[index + 1 :]
    return chance.choice(ODD_VALUES)
