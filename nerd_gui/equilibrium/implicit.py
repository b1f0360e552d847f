"""The exact gradient through an equilibrium, by the implicit function theorem (Eq. 13)."""

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
    """Return the equilibrium with the exact gradient attached.

    In the backward pass, the gradient e = dl/dz* is replaced by u = (I - J^T)^-1 e, where J is the Jacobian of f,
    before it passes through one evaluation of f. The equation is solved by Broyden's method on ``u = J^T u + e``; each
    step takes one product with J^T, by backpropagation.

    Parameters
    ----------
    f : callable
        The map, with independent samples. Its parameters and all tensors that it uses receive gradients.
    z_star : Tensor, (B, ...)
        The equilibrium, which is detached here. Its residual limits the accuracy of the gradient.
    tol : float
        The relative residual at which the equation counts as solved.
    max_iter : int
        The largest number of steps.

    Returns
    -------
    Tensor, shape of z_star
        f(z*), which equals z* up to the residual. Its backward pass raises RuntimeError if the equation is not solved
        within `max_iter` steps.
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
                f"The exact gradient reached a relative residual of {float(step.residual.max()):.1e} in "
                f"{step.evaluations} products, not {tol:g}; raise max_iter, or check whether the equilibrium is stable."
            )
        return step.f_z

    if not z.requires_grad:
        return z
    turned: Tensor = _Turned.apply(z, adjoint)  # type: ignore[no-untyped-call]
    return turned


class _Turned(torch.autograd.Function):
    """The identity, whose backward pass applies a function to the gradient."""

    @staticmethod
    def forward(ctx: Any, z: Tensor, turn: Callable[[Tensor], Tensor]) -> Tensor:
        ctx.turn = turn
        return z.view_as(z)

    @staticmethod
    def backward(ctx: Any, e: Tensor) -> tuple[Tensor, None]:
        return ctx.turn(e), None
