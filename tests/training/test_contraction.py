"""The penalty on slow contraction: what it measures, and that it makes equilibria easier to find."""

import dataclasses

import torch
from tiny_training import TINY, make

from nerd_gui.equilibrium import phantom_gradient
from nerd_gui.training.trainer import contraction, equilibrium

STAGE = dataclasses.replace(TINY.stages[1], solver_steps=3, precision="float32")
DEEP = dataclasses.replace(TINY, stages=(STAGE,), model=dataclasses.replace(TINY.model, dropout=0.0), warm_up=1)


def test_of_a_linear_map_it_is_the_squared_gain_between_two_points():
    generator = torch.Generator().manual_seed(0)
    matrix = torch.randn(7, 7, generator=generator, dtype=torch.float64)
    a, b = torch.randn(2, 3, 7, generator=generator, dtype=torch.float64)
    expected = [float((matrix @ (b[i] - a[i])).norm() / (b[i] - a[i]).norm()) ** 2 for i in range(3)]
    measured = contraction([(a, a @ matrix.T), (b, b @ matrix.T)])
    torch.testing.assert_close(float(measured), sum(expected) / 3)
    assert contraction([(a, a @ matrix.T)]) == 0


def test_a_step_takes_it_from_the_last_two_points_of_the_phantom_gradient():
    trainer = make(DEEP)
    noisy, _, _ = trainer.sampler.batch(4, 16)
    s = trainer.net.inject(noisy)
    _, _, slowness = trainer._noise_feature(s, STAGE)
    z_star, _ = equilibrium(lambda z: trainer.net.implicit(z, s), trainer.net.initial(s), 3, tol=1e-3)
    seen = []
    phantom_gradient(lambda z: seen.append(z) or trainer.net.implicit(z, s), z_star, steps=STAGE.unroll, damping=0.8)
    a, b = seen[-2:]
    with torch.no_grad():
        gains = (trainer.net.implicit(b, s) - trainer.net.implicit(a, s)).flatten(1).norm(dim=1)
    expected = (gains / (b - a).flatten(1).norm(dim=1)).square().mean()
    torch.testing.assert_close(float(slowness.detach()), float(expected.detach()), rtol=1e-3, atol=0)
    (gradient,) = torch.autograd.grad(slowness, next(trainer.net.transformation.conv_out.parameters()))
    assert gradient.abs().max() > 0


def test_training_with_it_lowers_the_residual():
    residuals = []
    for weight in (0.0, 3.0):
        trainer = make(DEEP, contraction_weight=weight)
        records = [trainer.step() for _ in range(30)]
        residuals.append(sum(record.residual for record in records[-10:]) / 10)
    assert residuals[1] < 0.7 * residuals[0]
