"""The training gradient through an equilibrium (Eq. 16)."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor


def phantom_gradient(f: Callable[[Tensor], Tensor], z_star: Tensor, *, steps: int = 8, damping: float = 0.8) -> Tensor:
    """Return the equilibrium with an approximate gradient attached, the phantom gradient (Eq. 16).

    The gradient is that of unrolled steps ``z <- damping f(z) + (1 - damping) z``. If this iteration contracts, the
    gradient converges to the exact one of the implicit function theorem as `steps` grows.

    Parameters
    ----------
    f : callable
        The map. Its parameters and all tensors that it uses, such as the injection s, receive gradients.
    z_star : Tensor
        The equilibrium, which is detached here.
    steps : int
        T, the number of unrolled steps.
    damping : float
        Lambda, in (0, 1].

    Returns
    -------
    Tensor, shape of z_star
        The last unrolled iterate, which equals `z_star` up to its residual.

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
