"""The exact gradient through an equilibrium, by the implicit function theorem (Eq. 13); the measure of phantom ones."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from nerd_gui.equilibrium.broyden import broyden


def implicit_gradient(
    f: Callable[[Tensor], Tensor], z_star: Tensor, *, tol: float = 1e-6, max_iter: int = 60
) -> Tensor:
    """Attach the exact gradient to an equilibrium: with dl/dz* = e it is that of f at z*, u = (I - J^T)^-1 e for e.

    The equation for u is solved by Broyden's method on ``u = J^T u + e`` when the gradient is asked for; each of its
    steps is one product of J^T, the transposed Jacobian of f, by backpropagation.

    Parameters
    ----------
    f : callable
        The map, sample by sample; parameters and whatever it closes over receive gradients.
    z_star : Tensor, (B, ...)
        The equilibrium, detached here. The gradient is as exact as this is an equilibrium.
    tol : float
        The relative residual at which the equation counts as solved.
    max_iter : int
        Products at most.

    Returns
    -------
    Tensor, shape of z_star
        f at z*, which is z* as far as that is a fixed point. Its backward pass raises RuntimeError where the equation
        is not solved in time.
    """
    at = z_star.detach().requires_grad_()
    with torch.enable_grad():
        f_at = f(at)
        z = f(z_star.detach())

    def adjoint(e: Tensor) -> Tensor:
        def g(u: Tensor) -> Tensor:
            (product,) = torch.autograd.grad(f_at, at, u, retain_graph=True)
            return product + e

        step = deque(broyden(g, e, max_iter=max_iter, tol=tol), maxlen=1)[0]
        if not float(step.residual.max()) <= tol:
            raise RuntimeError(
                f"The exact gradient was found to {float(step.residual.max()):.1e} only, in {step.evaluations} "
                f"products, where {tol:g} was asked for; allow more of them, or see whether the equilibrium is stable."
            )
        return step.f_z

    if not z.requires_grad:
        return z
    turned: Tensor = _Turned.apply(z, adjoint)  # type: ignore[no-untyped-call]
    return turned


class _Turned(torch.autograd.Function):
    """Hands a tensor on as it is, and its gradient as a function makes it."""

    @staticmethod
    def forward(ctx: Any, z: Tensor, turn: Callable[[Tensor], Tensor]) -> Tensor:
        ctx.turn = turn
        return z.view_as(z)

    @staticmethod
    def backward(ctx: Any, e: Tensor) -> tuple[Tensor, None]:
        return ctx.turn(e), None
