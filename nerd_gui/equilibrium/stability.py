"""The stability of an equilibrium: the Jacobian of f there (Bai et al. 2021, "Stabilizing Equilibrium Models")."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from nerd_gui.equilibrium.history import sample_norms


def spectral_radius(
    f: Callable[[Tensor], Tensor], z: Tensor, *, iterations: int = 60, generator: torch.Generator | None = None
) -> Tensor:
    """Estimate the spectral radius of the Jacobian of f at z by power iteration; below 1, plain iteration contracts.

    The transposed Jacobian, which has the same eigenvalues, is applied by backpropagation: this takes one evaluation of
    f and `iterations` backward passes. The estimate is the geometric mean of the growth over the second half of the
    passes. The mean also converges if the leading eigenvalues are a complex pair, whose growth oscillates.

    Parameters
    ----------
    f : callable
        The map, with independent samples.
    z : Tensor, (B, ...)
        The point at which the Jacobian is taken.
    iterations : int
        Number of backward passes, at least 2. The error falls as 1 / `iterations` for a complex pair, geometrically
        otherwise.
    generator : torch.Generator or None
        Random generator of the start vector, on the device of z.

    Returns
    -------
    Tensor, (B,), float64, CPU
        The estimate for each sample; 0 if the Jacobian maps the start vector to zero.

    Raises
    ------
    ValueError
        If `iterations` is below 2.
    """
    if iterations < 2:
        raise ValueError(f"The power iteration needs at least 2 passes, not {iterations}.")
    z = z.detach().requires_grad_()
    with torch.enable_grad():
        f_z = f(z)
    v = torch.randn(z.shape, dtype=z.dtype, device=z.device, generator=generator)
    logs = []
    for _ in range(iterations):
        (v,) = torch.autograd.grad(f_z, z, v.to(f_z.dtype), retain_graph=True)
        growth = sample_norms(v.flatten(1))
        v = v / growth.clamp_min(torch.finfo(growth.dtype).tiny).view(-1, *[1] * (z.dim() - 1)).to(v.dtype)
        logs.append(growth.log())
    return torch.stack(logs[iterations // 2 :]).cpu().double().mean(0).exp()
