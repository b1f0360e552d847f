"""Maps with known fixed points, shared by the tests of this room."""

import torch

DTYPE = torch.float64


def linear_map(batch, dim, radius, seed=0):
    """f(z) = A z + b with spectral radius `radius` in each sample; returns f, A, b and the fixed points."""
    generator = torch.Generator().manual_seed(seed)
    a = torch.randn(batch, dim, dim, generator=generator, dtype=DTYPE)
    a *= radius / torch.linalg.eigvals(a).abs().amax(1)[:, None, None]
    b = torch.randn(batch, dim, generator=generator, dtype=DTYPE)
    truth = torch.linalg.solve(torch.eye(dim, dtype=DTYPE) - a, b)
    return (lambda z: torch.einsum("bij,bj->bi", a, z) + b), a, b, truth


def tanh_map(batch, dim, gain, seed=0):
    """f(z) = gain A tanh(z) + b with orthogonal A: a contraction for gain < 1."""
    generator = torch.Generator().manual_seed(seed)
    a = torch.linalg.qr(torch.randn(batch, dim, dim, generator=generator, dtype=DTYPE)).Q
    b = torch.randn(batch, dim, generator=generator, dtype=DTYPE)
    return lambda z: gain * torch.einsum("bij,bj->bi", a, torch.tanh(z)) + b


class Counted:
    """Calls f, and keeps a copy of every argument."""

    def __init__(self, f):
        self.f = f
        self.points = []

    def __call__(self, z):
        self.points.append(z.detach().clone())
        return self.f(z)
