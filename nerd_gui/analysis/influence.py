"""The influence of the noisy picture on one pixel of the result: a row of the Jacobian of the solution."""

from __future__ import annotations

import torch
from torch import Tensor

from nerd_gui.analysis.linearised import Linearised
from nerd_gui.analysis.solving import Interrupt
from nerd_gui.nerd import Network, exact_float32


def influence(
    net: Network,
    y: Tensor,
    z: Tensor,
    row: int,
    col: int,
    channel: int = 0,
    *,
    level: float | None = None,
    window: int | None = None,
    tol: float = 1e-3,
    interrupt: Interrupt | None = None,
) -> Tensor:
    """Compute d x_hat[channel, row, col] / d y at an equilibrium: the linear filter that made this pixel.

    This is the implicit function theorem (Eq. 12-14 with y in place of the parameters). With e the gradient of the
    pixel with respect to z, the adjoint equation ``u = J^T u + e`` is solved, and u is propagated back through f and
    the injection.

    Parameters
    ----------
    net : Network
    y : Tensor, (1, C, rows, cols)
    z : Tensor, (1, d, rows, cols)
        An equilibrium of the network for y.
    row, col, channel : int
        The pixel of the result.
    level, window, interrupt
        See `Linearised`.
    tol : float
        Relative residual to which the adjoint equation is solved. The filter's relative error is a few times larger,
        up to 1 / (1 - spectral radius) times.

    Returns
    -------
    Tensor, (C, rows, cols)
        The change of the pixel for each unit of change of a value of y.

    Raises
    ------
    ValueError
        If the pixel lies outside the picture.
    NotSolved
        If the adjoint equation cannot be solved.

    Examples
    --------
    With the network, picture and equilibrium of the examples of `nerd_gui.analysis`:

    >>> filtered = influence(net, y, z, row=8, col=8, tol=1e-2)
    >>> tuple(filtered.shape)
    (1, 16, 16)
    >>> divmod(int(filtered.argmax()), 16)  # the pixel itself has the largest weight
    (8, 8)
    """
    if not (0 <= channel < y.shape[1] and 0 <= row < y.shape[2] and 0 <= col < y.shape[3]):
        raise ValueError(
            f"Channel {channel}, row {row}, column {col} lies outside a picture of {y.shape[1]} channel(s) and "
            f"{y.shape[2]} x {y.shape[3]} pixels."
        )
    at = Linearised(net, y, z, level=level, window=window, interrupt=interrupt)
    with torch.enable_grad(), exact_float32():
        picture, features = at.y.clone().requires_grad_(), at.z.clone().requires_grad_()
        value = net.estimate(picture, features)[0][0, channel, row, col]
        direct, e = torch.autograd.grad(value, (picture, features), allow_unused=True)
    _, of_s = at.solve_transposed(e, start=_from_nearby(at, e, row, col, tol), tol=tol)
    with torch.enable_grad(), exact_float32():
        (through,) = torch.autograd.grad((net.inject(picture, level) * of_s).sum(), picture)
    return (through if direct is None else direct + through)[0].detach()


def _from_nearby(at: Linearised, e: Tensor, row: int, col: int, tol: float) -> Tensor | None:
    """A start for the adjoint equation: its solution in the pixel's neighbourhood; None if the picture is small."""
    near = at.near(row, col)
    if near is None:
        return None
    local, (rows, cols) = near
    start = torch.zeros_like(e)
    start[..., rows, cols] = local.solve_transposed(e[..., rows, cols].clone(), tol=tol)[0]
    return start
