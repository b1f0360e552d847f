import pytest
import torch
from torch import nn

from nerd_gui.training.muon import Muon, orthogonalised


@pytest.mark.parametrize("shape", [(16, 16), (24, 90), (90, 24)])
def test_the_singular_vectors_stay_and_the_values_come_near_one(shape):
    matrix = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    left, _, right = torch.linalg.svd(matrix, full_matrices=False)
    made = orthogonalised(matrix)
    in_their_axes = left.T @ made @ right.T
    torch.testing.assert_close(in_their_axes, torch.diag(in_their_axes.diag()), atol=2e-3, rtol=0)
    assert in_their_axes.diag().min() > 0.5
    assert in_their_axes.diag().max() < 1.3


def test_a_step_is_as_large_as_adamws_whatever_the_gradient():
    weight = nn.Parameter(torch.zeros(32, 16, 3, 3))
    for size in (1e-6, 1e3):
        weight.data.zero_()
        optimizer = Muon([weight], lr=1e-2)
        weight.grad = size * torch.randn(weight.shape, generator=torch.Generator().manual_seed(1))
        optimizer.step()
        assert float(weight.detach().square().mean().sqrt()) == pytest.approx(0.2 * 1e-2, rel=0.3)


def test_decay_is_decoupled_from_the_gradient():
    weight = nn.Parameter(torch.ones(16, 16))
    weight.grad = torch.zeros(16, 16)
    Muon([weight], lr=0.1, weight_decay=0.5).step()
    torch.testing.assert_close(weight.detach(), torch.full((16, 16), 0.95))


def test_it_solves_a_badly_scaled_regression_that_sgd_does_not():
    generator = torch.Generator().manual_seed(2)
    inputs = torch.randn(200, 20, generator=generator) * torch.logspace(0, -2, 20)
    truth = torch.randn(20, 18, generator=generator)

    def error_after(make):
        weight = nn.Parameter(torch.zeros(20, 18))
        optimizer = make([weight])
        for step in range(300):
            for group in optimizer.param_groups:
                group["lr"] = group["initial"] * (1 - step / 300)
            optimizer.zero_grad()
            (inputs @ (weight - truth)).square().mean().backward()
            optimizer.step()
        return float((weight.detach() - truth).square().mean())

    def muon(weights):
        return Muon([{"params": weights, "initial": 0.3}], lr=0.3)

    def descent(weights):
        return torch.optim.SGD([{"params": weights, "initial": 5.0}], lr=5.0, momentum=0.9)

    assert error_after(muon) < 0.1 * error_after(descent)


def test_what_is_no_matrix_is_left_to_others():
    net = nn.Sequential(nn.Conv2d(1, 16, 3), nn.Conv2d(16, 32, 3), nn.BatchNorm2d(32), nn.Linear(32, 64))
    assert {name for name, weight in net.named_parameters() if Muon.suits(weight)} == {"1.weight", "3.weight"}
