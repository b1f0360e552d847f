"""Broyden's method with a fixed number of steps, which never waits for the device.

The other solvers wait for the device in every step, to decide whether to stop and to report. In training, an
accelerator would then be idle until the next kernels are launched.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from nerd_gui.equilibrium.broyden import FromSteps
from nerd_gui.equilibrium.history import comparison, sample_norms
from nerd_gui.equilibrium.safeguard import FREE_ITERATES, is_wild


@torch.no_grad()
def broyden_without_synchronisation(f: Callable[[Tensor], Tensor], z0: Tensor, *, steps: int) -> tuple[Tensor, Tensor]:
    """Take `steps` safeguarded steps of `broyden` (all pairs, alpha = 1) and return the iterate of least residual.

    Parameters
    ----------
    f : callable
        Maps a tensor to a tensor of the same shape, with independent samples; called `steps` + 1 times, without
        gradients.
    z0 : Tensor, (B, ...)
        The start.
    steps : int
        The number of steps.

    Returns
    -------
    z : Tensor, shape of z0
        For each sample, the iterate of least residual; the start if no residual is finite.
    residual : Tensor, (B,), float32 at least, on the device of z0
        ``||g|| / ||f(z)||`` of that iterate.
    """
    shape, z = z0.shape, z0.detach().reshape(z0.shape[0], -1)
    update = FromSteps(z, max(1, steps - 1), None, 1.0)
    best_z, best_g = z, torch.zeros_like(z)
    best = last = torch.full_like(sample_norms(z), torch.inf)
    for index in range(steps + 1):
        f_z = f(z.view(shape)).to(z.dtype).reshape(z.shape)
        if index == steps:
            g, (_, size_f, size_g, _) = comparison(z, f_z, f_z)
            z_next = z
        else:
            g, z_next, (_, size_f, size_g, _, _) = update.advance(z, f_z, f_z)
        residual = torch.where(size_g == 0, 0, (size_g / size_f).nan_to_num(nan=torch.inf))
        better = (residual < best)[:, None]
        best_z, best_g = torch.where(better, z, best_z), torch.where(better, g, best_g)
        best = torch.minimum(best, residual)
        if FREE_ITERATES < index < steps:
            wild = is_wild(residual, last)
            z_next = torch.where(wild[:, None], update.forget(wild, best_z, best_g), z_next)
        z, last = z_next, residual
    return best_z.view(shape), best
