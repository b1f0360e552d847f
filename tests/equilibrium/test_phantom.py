import itertools

import pytest
import torch
from fixed_point_maps import DTYPE

from nerd_gui.equilibrium import broyden, phantom_gradient

DIM = 6


@pytest.fixture
def problem():
    """z = 0.7 Q tanh(z) + W s, its equilibrium, and the gradient of sum(c z*) in W and s by the implicit theorem."""
    generator = torch.Generator().manual_seed(0)
    q = torch.linalg.qr(torch.randn(DIM, DIM, generator=generator, dtype=DTYPE)).Q
    weight, s, c = (torch.randn(*shape, generator=generator, dtype=DTYPE) for shape in ((DIM, DIM), (DIM,), (DIM,)))
    leaves = [weight.requires_grad_(), s.requires_grad_()]

    def f(z):
        return 0.7 * torch.tanh(z) @ q.T + weight @ s

    *_, last = broyden(f, torch.zeros(1, DIM, dtype=DTYPE), max_iter=100, tol=1e-14)
    jacobian = torch.autograd.functional.jacobian(lambda z: f(z[None])[0], last.z[0])
    adjoint = torch.linalg.solve(torch.eye(DIM, dtype=DTYPE) - jacobian.T, c)
    exact = torch.autograd.grad(f(last.z)[0], leaves, adjoint)
    return f, last.z, c, leaves, exact


def test_tends_to_the_implicit_gradient(problem):
    f, z_star, c, leaves, exact = problem
    errors = []
    for steps in (1, 4, 16, 64):
        z = phantom_gradient(f, z_star, steps=steps)
        gradients = torch.autograd.grad(z[0] @ c, leaves)
        errors.append(max(float((a - b).norm() / b.norm()) for a, b in zip(gradients, exact, strict=True)))
    assert all(later < earlier for earlier, later in itertools.pairwise(errors))
    assert errors[0] > 0.1
    assert errors[-1] < 1e-4


def test_one_step_is_damped_backpropagation_through_f(problem):
    f, z_star, c, leaves, _ = problem
    through_f = torch.autograd.grad(f(z_star)[0] @ c, leaves)
    through_phantom = torch.autograd.grad(phantom_gradient(f, z_star, steps=1, damping=0.3)[0] @ c, leaves)
    for a, b in zip(through_phantom, through_f, strict=True):
        torch.testing.assert_close(a, 0.3 * b)


def test_value_is_the_equilibrium_and_the_start_is_detached(problem):
    f, z_star, *_ = problem
    start = z_star.clone().requires_grad_()
    with torch.no_grad():
        z = phantom_gradient(f, start)
    torch.testing.assert_close(z, z_star)
    z.sum().backward()
    assert start.grad is None


@pytest.mark.parametrize("options", [{"steps": 0}, {"damping": 0.0}, {"damping": 1.5}])
def test_refuses_impossible_options(options):
    with pytest.raises(ValueError, match="phantom gradient"):
        phantom_gradient(torch.cos, torch.zeros(1, 1), **options)
