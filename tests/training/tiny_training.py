"""A recipe, pictures and comparisons small enough for the tests of this room."""

import dataclasses

import numpy as np
import torch

from nerd_gui.nerd import NerdConfig
from nerd_gui.training import Recipe, Stage, Trainer
from nerd_gui.training.noise_models import NoiseRange
from nerd_gui.training.state import RunState

SHALLOW = Stage(until=4, solver_steps=0, unroll=2, patch=8, batch=2, precision="float32")
DEEP = Stage(until=None, solver_steps=3, unroll=2, patch=8, batch=2, precision="float32")
TINY = Recipe(
    name="tiny",
    model=NerdConfig(features=8, window=5, dropout=0.1),
    noise=NoiseRange(0, 55),
    stages=(SHALLOW, DEEP),
    decay_stage=dataclasses.replace(DEEP, solver_steps=4),
    warm_up=8,
    noise_weight=1.0,
    muon=True,
)


def smooth_pictures(count=3, rows=24, cols=30, seed=0):
    """Slopes with an edge, uint8 (N, rows, cols)."""
    random = np.random.default_rng(seed)
    down, across = np.mgrid[:rows, :cols]
    pictures = []
    for _ in range(count):
        a, b, c = random.uniform(-3, 3), random.uniform(-3, 3), random.uniform(0.3, 0.7)
        pictures.append(128 + a * (down - rows / 2) + b * (across - cols / 2) + 60 * (across > c * cols))
    return torch.from_numpy(np.clip(np.stack(pictures), 0, 255).astype(np.uint8))


def make(recipe=TINY, processes=None, **changes):
    return Trainer(dataclasses.replace(recipe, **changes), smooth_pictures(), processes)


def assert_same_state(one, other):
    assert one.tensors.keys() == other.tensors.keys()
    for name, value in one.tensors.items():
        assert value.dtype == other.tensors[name].dtype, name
        assert torch.equal(value, other.tensors[name]), name
    assert one.numbers == other.numbers


def as_committed(state):
    """Return a state with weights and averages rounded to half precision."""
    rounded = {
        name: value if "running" in name or not value.is_floating_point() else value.half().float()
        for name, value in state.tensors.items()
    }
    return RunState(rounded, state.numbers)


def snapshot(trainer):
    return RunState({name: value.clone() for name, value in trainer.state().tensors.items()}, trainer.state().numbers)
