"""Small networks with an equilibrium that can be found to the last bit, and the truth about it by dense matrices."""

import torch

from nerd_gui.nerd import NERD, NerdConfig


def make_net(channels=1, dtype=torch.float64, seed=0, **changes):
    """A network that contracts: the post-normalization lets little through."""
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
    """The equilibrium, by plain iteration."""
    s = net.inject(y, level)
    z = torch.zeros_like(s)
    for _ in range(steps):
        z = net.implicit(z, s)
    return z


def dense_jacobian(net, y, z):
    """J = df/dz at z as a matrix."""
    s = net.inject(y)
    full = torch.autograd.functional.jacobian(lambda z: net.implicit(z, s), z)
    return full.reshape(z.numel(), z.numel())


def dense_solution_jacobian(net, y, z):
    """d x_hat / d y by the implicit function theorem, all matrices written out."""
    s, size, pixels = net.inject(y), z.numel(), y.numel()
    of = torch.autograd.functional.jacobian
    j_z = dense_jacobian(net, y, z)
    j_s = of(lambda s: net.implicit(z, s), s).reshape(size, size)
    s_y = of(net.inject, y).reshape(size, pixels)
    x_z = of(lambda z: net.estimate(y, z)[0], z).reshape(pixels, size)
    x_y = of(lambda y: net.estimate(y, z)[0], y).reshape(pixels, pixels)
    identity = torch.eye(size, dtype=z.dtype)
    return x_y + x_z @ torch.linalg.solve(identity - j_z, j_s @ s_y)
