"""Small networks whose equilibrium is exact to the last bit, and their Jacobians as dense matrices."""

import torch

from nerd_gui.nerd import NERD, NerdConfig

_AT_ONCE = 96  # outputs


def make_net(channels=1, dtype=torch.float64, seed=0, **changes):
    """Make a network that contracts, because its post-normalization is scaled down."""
    torch.manual_seed(seed)
    net = NERD(NerdConfig(channels=channels, features=8, heads=2, groups=2, expansion=2, window=5, **changes))
    net = net.to(dtype).eval().requires_grad_(False)
    net.f_inject.conv_out.weight.mul_(3)
    net.transformation.norm_post.weight.fill_(0.2)
    net.f_decode.conv.weight.mul_(6)
    return net


def picture(channels=1, rows=12, cols=12, dtype=torch.float64, seed=1):
    return torch.rand(1, channels, rows, cols, generator=torch.Generator().manual_seed(seed), dtype=dtype)


@torch.no_grad()
def settle(net, y, steps=40, level=None):
    """Compute the equilibrium by plain iteration."""
    s = net.inject(y, level)
    z = torch.zeros_like(s)
    for _ in range(steps):
        z = net.implicit(z, s)
    return z


def dense(function, x):
    """The Jacobian of a function of one picture at x as a matrix, by backpropagation of every single output.

    Each output gets a copy of the picture to itself, so that many are differentiated in one batch.
    """
    outputs, rows = function(x).numel(), []
    for start in range(0, outputs, _AT_ONCE):
        count = min(_AT_ONCE, outputs - start)
        copies = x.expand(count, *x.shape[1:]).clone().requires_grad_()
        chosen = function(copies).reshape(count, -1)[range(count), range(start, start + count)]
        there = chosen.sum() + 0 * copies.sum()  # a function that does not depend on x has the Jacobian 0
        rows.append(torch.autograd.grad(there, copies)[0].reshape(count, -1))
    return torch.cat(rows)


def dense_jacobian(net, y, z):
    """J = df/dz at z as a matrix."""
    s = net.inject(y)
    return dense(lambda z: net.implicit(z, s.expand(len(z), *s.shape[1:])), z)


def dense_solution_jacobian(net, y, z):
    """Compute d x_hat / d y by the implicit function theorem, with dense matrices."""
    s = net.inject(y)
    j_z = dense_jacobian(net, y, z)
    j_s = dense(lambda s: net.implicit(z.expand(len(s), *z.shape[1:]), s), s)
    s_y = dense(net.inject, y)
    x_z = dense(lambda z: net.estimate(y.expand(len(z), *y.shape[1:]), z)[0], z)
    x_y = dense(lambda y: net.estimate(y, z.expand(len(y), *z.shape[1:]))[0], y)
    identity = torch.eye(z.numel(), dtype=z.dtype)
    return x_y + x_z @ torch.linalg.solve(identity - j_z, j_s @ s_y)
