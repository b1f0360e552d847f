"""The training gradient through an equilibrium (Eq. 16)."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor


def phantom_gradient(f: Callable[[Tensor], Tensor], z_star: Tensor, *, steps: int = 8, damping: float = 0.8) -> Tensor:
    """Attach a gradient to an equilibrium by unrolling ``z <- damping f(z) + (1 - damping) z`` from it (Eq. 16).

    Where that iteration contracts, the gradient tends to the exact one of the implicit function theorem as `steps`
    grows.

    Parameters
    ----------
    f : callable
        The map; parameters and whatever it closes over (the injected features s) receive gradients.
    z_star : Tensor
        The equilibrium, detached here.
    steps : int
        T, the number of unrolled steps.
    damping : float
        Lambda, in (0, 1].

    Returns
    -------
    Tensor, shape of z_star
        The unrolled iterate, equal to `z_star` as far as that is a fixed point.

    Raises
    ------
    ValueError
        If `steps` or `damping` is out of its range.
    """
    if steps < 1:
        raise ValueError(f"The phantom gradient unrolls at least 1 step, not {steps}.")
    if not 0 < damping <= 1:
        raise ValueError(f"The phantom gradient's damping must lie in (0, 1], not at {damping}.")
    z = z_star.detach()
    with torch.enable_grad():
        for _ in range(steps):
            z = damping * f(z) + (1 - damping) * z
    return z
