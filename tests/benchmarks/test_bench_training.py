"""The measured training step: what it counts, and that torchdeq's step is the same step."""

import dataclasses

import pytest
import torch

from nerd_gui.benchmarks.clock import Turns
from nerd_gui.benchmarks.flops import conv_flops, step_flops
from nerd_gui.benchmarks.training_step import _TorchdeqTrainer, measure_step, step_table
from nerd_gui.nerd import NerdConfig
from nerd_gui.training import Recipe
from nerd_gui.training.noise_models import NoiseRange
from nerd_gui.training.recipe import Stage
from nerd_gui.training.trainer import Trainer

DEEP = Stage(until=None, solver_steps=3, unroll=2, patch=12, batch=2, precision="float32")
TINY = Recipe(
    name="tiny",
    model=NerdConfig(features=8, window=5, weight_norm=False),
    noise=NoiseRange(25, 25),
    stages=(dataclasses.replace(DEEP, until=4, solver_steps=0),),
    decay_stage=DEEP,
)


def test_a_step_counts_its_evaluations_and_twice_those_for_the_gradient():
    convolution = 2 * conv_flops(8, 32, 12 * 12)
    only_convolutions = dataclasses.replace(TINY, model=dataclasses.replace(TINY.model, non_local=False))
    assert step_flops(only_convolutions, DEEP) == 2 * convolution * (3 + 1 + 3 * 2)
    assert step_flops(only_convolutions, TINY.stages[0]) == 2 * convolution * 3 * 2


def test_every_stage_is_measured():
    report = measure_step(TINY, "cpu", Turns(least=1, most=1))
    shallow, deep = report["stages"]
    assert (shallow["solver_steps"], shallow["torchdeq_seconds"], deep["solver_steps"]) == (0, None, 3)
    for row in report["stages"]:
        assert row["samples_per_second"] == pytest.approx(2 / row["seconds"])
        assert row["part_of_conv2d_rate"] == pytest.approx(row["seconds_at_conv2d_rate"] / row["seconds"])
    assert deep["torchdeq_seconds"] > 0
    assert len(step_table(report)) == 3


def test_torchdeqs_step_solves_the_same_equation(monkeypatch):
    """Near the fixed point both give the same z and the same phantom gradient."""
    pictures = torch.randint(0, 256, (1, 24, 24), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    stage = dataclasses.replace(DEEP, solver_steps=40)
    results = []
    for kind in (Trainer, _TorchdeqTrainer):
        trainer = kind(dataclasses.replace(TINY, stages=(stage,)), pictures)
        monkeypatch.setattr(
            trainer.net, "implicit", lambda z, s, f=trainer.net.implicit, **how: 0.3 * f(z, s, **how)
        )  # contracts
        noisy, _, _ = trainer.sampler.batch(2, 12)
        s = trainer.net.inject(noisy)
        z, residual, _ = trainer._noise_feature(s, stage)
        (gradient,) = torch.autograd.grad(z.square().sum(), trainer.net.transformation.conv_out.weight)
        results.append((z.detach(), gradient))
        assert residual < 1e-2
    for one, other in zip(*results, strict=True):
        assert float((one - other).norm() / one.norm()) < 2e-2
