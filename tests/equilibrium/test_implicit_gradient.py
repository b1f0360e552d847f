"""The exact gradient through an equilibrium, compared with finite differences of new equilibria."""

import pytest
import torch

from nerd_gui.equilibrium import broyden, implicit_gradient, phantom_gradient
from nerd_gui.nerd import NERD, NerdConfig

DTYPE = torch.float64


@pytest.fixture(scope="module")
def problem():
    """A small network in double precision, a picture, and a loss of its denoised picture."""
    torch.manual_seed(0)
    net = NERD(NerdConfig(features=8, heads=2, groups=2, window=5)).fold().to(DTYPE).eval()
    with torch.no_grad():
        net.f_inject.conv_out.weight.mul_(10)  # larger than the output of the network's blocks, so that f contracts
        net.transformation.norm_post.weight.mul_(0.1)
    generator = torch.Generator().manual_seed(1)
    y, target = (torch.rand(1, 1, 9, 8, generator=generator, dtype=DTYPE) for _ in range(2))

    def equilibrium(s):
        with torch.no_grad():
            *_, last = broyden(lambda z: net.implicit(z, s), net.initial(s), max_iter=200, tol=1e-13)
        assert float(last.residual) < 1e-12
        return last.z

    def loss(z):
        return (net.decode(z) + y - target).square().sum()

    return net, y, equilibrium, loss


def parameters(net):
    """The parameters of f, for gradients together with that of s: PyTorch's group norm fails for weights alone."""
    return {name: each for name, each in net.named_parameters() if name.startswith(("non_local", "transformation"))}


def test_it_is_that_of_finite_differences(problem):
    net, y, equilibrium, loss = problem
    s = net.inject(y)
    z = implicit_gradient(lambda z: net.implicit(z, s), equilibrium(s.detach()), tol=1e-10)
    of_f = parameters(net)
    gradients = torch.autograd.grad(loss(z), [s, *of_f.values()])[1:]
    for (name, each), gradient in zip(of_f.items(), gradients, strict=True):
        index = int(gradient.abs().argmax())
        step, losses = 1e-6, []
        for sign in (1, -1):
            with torch.no_grad():
                each.view(-1)[index] += sign * step
                losses.append(float(loss(equilibrium(s.detach()))))
                each.view(-1)[index] -= sign * step
        difference = (losses[0] - losses[1]) / (2 * step)
        assert float(gradient.flatten()[index]) == pytest.approx(difference, rel=1e-4), name


def test_it_reaches_what_f_closes_over(problem):
    net, y, equilibrium, loss = problem
    noisy = y.clone().requires_grad_()
    s = net.inject(noisy)
    z = implicit_gradient(lambda z: net.implicit(z, s), equilibrium(s.detach()), tol=1e-10)
    (gradient,) = torch.autograd.grad(loss(z), noisy)
    direction = torch.randn(y.shape, generator=torch.Generator().manual_seed(2), dtype=DTYPE)
    step = 1e-6
    with torch.no_grad():
        up, down = (float(loss(equilibrium(net.inject(y + sign * step * direction)))) for sign in (1, -1))
    assert float((gradient * direction).sum()) == pytest.approx((up - down) / (2 * step), rel=1e-4)


def test_phantom_gradients_tend_to_it(problem):
    net, y, equilibrium, loss = problem
    s = net.inject(y).detach().requires_grad_()
    z_star, of_f = equilibrium(s.detach()), [s, *parameters(net).values()]

    def flat(z):
        return torch.cat([each.flatten() for each in torch.autograd.grad(loss(z), of_f)])

    def f(z):
        return net.implicit(z, s)

    exact = flat(implicit_gradient(f, z_star, tol=1e-10))
    errors = [
        float((flat(phantom_gradient(f, z_star, steps=steps)) - exact).norm() / exact.norm()) for steps in (1, 4, 30)
    ]
    assert errors[0] > errors[1] > errors[2] and errors[0] > 0.1 and errors[2] < 1e-4


def test_what_is_not_found_in_time_is_said(problem):
    net, y, equilibrium, loss = problem
    s = net.inject(y).detach()
    z = implicit_gradient(lambda z: net.implicit(z, s), equilibrium(s), tol=1e-10, max_iter=2)
    with pytest.raises(RuntimeError, match=r"in 3 products, not 1e-10; raise max_iter"):
        loss(z).backward()


def test_without_a_gradient_to_give_it_is_the_equilibrium(problem):
    net, y, equilibrium, _ = problem
    with torch.no_grad():
        s = net.inject(y)
        z = implicit_gradient(lambda z: net.implicit(z, s).detach(), z_star := equilibrium(s))
    torch.testing.assert_close(z, z_star)
    assert not z.requires_grad
