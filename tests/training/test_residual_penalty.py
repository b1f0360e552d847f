"""The penalty on the residual: what it measures, and that it makes the equilibrium easier to find."""

import dataclasses

import torch
from tiny_training import TINY, make

from nerd_gui.training.trainer import equilibrium

STAGE = dataclasses.replace(TINY.stages[1], solver_steps=3, precision="float32")
DEEP = dataclasses.replace(TINY, stages=(STAGE,), model=dataclasses.replace(TINY.model, dropout=0.0), warm_up=1)


def test_it_is_the_squared_residual_at_the_last_z():
    trainer = make(DEEP)
    noisy, _, _ = trainer.sampler.batch(4, 16)
    s = trainer.net.inject(noisy)
    _, _, apart = trainer._noise_feature(s, STAGE)
    z, _ = equilibrium(lambda z: trainer.net.implicit(z, s), trainer.net.initial(s), 3, tol=1e-3)
    with torch.no_grad():
        f_z = trainer.net.implicit(z, s)
    expected = [float((f_z[i] - z[i]).norm() ** 2 / z[i].norm() ** 2) for i in range(4)]
    torch.testing.assert_close(float(apart.detach()), sum(expected) / 4, rtol=1e-4, atol=0)
    (gradient,) = torch.autograd.grad(apart, next(trainer.net.transformation.conv_out.parameters()))
    assert gradient.abs().max() > 0


def test_training_with_it_lowers_the_residual():
    residuals = []
    for weight in (0.0, 30.0):
        trainer = make(DEEP, residual_weight=weight)
        records = [trainer.step() for _ in range(30)]
        residuals.append(sum(record.residual for record in records[-10:]) / 10)
    assert residuals[1] < 0.7 * residuals[0]
