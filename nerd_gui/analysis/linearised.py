"""f of a network, linearised at an equilibrium: products with its Jacobian J and solves with I - J, matrix-free."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from contextlib import nullcontext
from typing import TypeVar

import torch
from torch import Tensor

from nerd_gui.analysis.solving import Interrupt
from nerd_gui.equilibrium import SolverStep, StopReason, broyden
from nerd_gui.nerd import NERD, Network, exact_float32
from nerd_gui.nerd.fixed_statistics import Statistics, statistics_seen, with_fixed_statistics

T = TypeVar("T")

#: Step of the finite differences: the largest change of a feature, as a fraction of the root mean square of z.
_STEP = {torch.float32: 3e-3, torch.float64: 1e-6}
#: A pixel's neighbourhood reaches this many pixels beyond the attention window, and is used only if it covers at most
#: this fraction of the picture.
_AROUND, _SMALL = 8, 0.25


class NotSolved(ValueError):
    """A linear equation at the equilibrium was not solved to the accuracy that was asked for.

    Examples
    --------
    With the network, picture and equilibrium of the examples of `nerd_gui.analysis`:

    >>> at = Linearised(net, y, z)
    >>> at.solve_transposed(torch.ones_like(z), tol=1e-9, max_iter=1)
    Traceback (most recent call last):
    nerd_gui.analysis.linearised.NotSolved: The equation at this equilibrium was solved to ...
    """


class Linearised:
    """The map f(z, s) of a network for one picture, linearised at its equilibrium z; J is df/dz there.

    A product with the transposed Jacobian is one backpropagation, and exact. A product with the Jacobian is a finite
    difference of two evaluations of f; in float32 it is accurate to a percent, limited by the ReLUs and by rounding.
    The memory needed is a few tensors of the size of z.

    Parameters
    ----------
    net : Network
        In evaluation mode.
    y : Tensor, (1, C, rows, cols)
    z : Tensor, (1, d, rows, cols)
    level : float, optional
        The noise level, 0-255 scale, for a network that takes it as an input.
    window : int, optional
        Attention window q in pixels; None: the network's own.
    interrupt : callable, optional
        Called often during the work; an exception that it raises ends the work.

    Attributes
    ----------
    s : Tensor, (1, d, rows, cols)
        The injection of y.
    products : int
        Number of products with J or its transpose so far.

    Raises
    ------
    ValueError
        If y or z is a batch of more than one, or their sizes differ.

    Examples
    --------
    With the network, picture and equilibrium of the examples of `nerd_gui.analysis`:

    >>> at = Linearised(net, y, z)
    >>> at.residual < 1e-3
    True
    >>> tuple(at.transposed(torch.ones_like(z)).shape), at.products
    ((1, 64, 16, 16), 1)
    """

    def __init__(
        self,
        net: Network,
        y: Tensor,
        z: Tensor,
        *,
        level: float | None = None,
        window: int | None = None,
        interrupt: Interrupt | None = None,
    ) -> None:
        if y.dim() != 4 or z.dim() != 4 or len(y) != 1 or len(z) != 1 or y.shape[2:] != z.shape[2:]:
            raise ValueError(
                "An analysis takes one picture y (1, C, rows, cols) and its features z (1, d, rows, cols), "
                f"not y {tuple(y.shape)} and z {tuple(z.shape)}."
            )
        self.net, self.y, self.z = net, y.detach(), z.detach().to(y.dtype)
        self.level, self.products = level, 0
        self._window, self._interrupt = window, interrupt
        with torch.no_grad(), exact_float32():
            self.s = net.inject(self.y, level)
        self._scale = float(self.z.square().mean().sqrt().clamp_min(torch.finfo(self.z.dtype).tiny))
        self._base: Tensor | None = None
        self._graph: tuple[Tensor, Tensor, Tensor] | None = None
        self._statistics: Statistics | None = None

    def f(self, z: Tensor, s: Tensor | None = None) -> Tensor:
        """Evaluate f at z; s defaults to the injection of y."""
        with exact_float32():
            return self.net.implicit(z, self.s if s is None else s, window=self._window, interrupt=self._interrupt)

    @property
    def f_z(self) -> Tensor:
        """f(z), which equals z up to the residual."""
        if self._base is None:
            with torch.no_grad():
                self._base = self.f(self.z)
        return self._base

    @property
    def residual(self) -> float:
        """||f(z) - z|| / ||f(z)||: how far z is from being an equilibrium."""
        return float((self.f_z - self.z).norm() / self.f_z.norm())

    def transposed(self, v: Tensor) -> Tensor:
        """J^T v."""
        return self._pulled_back(v)[0]

    def _pulled_back(self, v: Tensor) -> tuple[Tensor, Tensor]:
        """J^T v and (df/ds)^T v."""
        if self._interrupt is not None:
            self._interrupt()
        z, s, f_z = self._traced()
        self.products += 1
        with torch.enable_grad(), exact_float32():
            # The gradient of a sum is taken, because for other gradients PyTorch loads SymPy, which takes half a
            # second.
            of_z, of_s = torch.autograd.grad((f_z * v).sum(), (z, s), retain_graph=True)
        return of_z, of_s

    def _traced(self) -> tuple[Tensor, Tensor, Tensor]:
        """z, s and f(z) with the autograd graph that all products with transposed Jacobians use."""
        if self._graph is None:
            z, s = self.z.clone().requires_grad_(), self.s.clone().requires_grad_()
            seen = statistics_seen(self.net) if isinstance(self.net, NERD) else nullcontext()
            with torch.enable_grad(), seen as self._statistics:
                self._graph = z, s, self.f(z, s)
        return self._graph

    def near(self, row: int, col: int) -> tuple[Linearised, tuple[slice, slice]] | None:
        """Restrict the map to a pixel's neighbourhood; None if that covers too much of the picture to save work.

        GroupNorm's statistics are fixed at those of the whole picture, which makes f local. For vectors that are
        concentrated around the pixel, products with the restricted Jacobian are nearly the same and cost much less.

        Returns
        -------
        Linearised
            The restricted map.
        (slice, slice)
            The rows and columns of the neighbourhood.
        """
        reach = (self._window or self.net.window) + _AROUND
        rows, cols = (slice(max(0, at - reach), at + reach + 1) for at in (row, col))
        part = self.y[..., rows, cols]
        # A network whose weight norm is not folded yet cannot be copied safely: the copy would share the weight norm,
        # so that folding the copy would also fold the original.
        if not (isinstance(self.net, NERD) and self.net.folded) or part.numel() > _SMALL * self.y.numel():
            return None
        self._traced()
        assert self._statistics is not None
        local = with_fixed_statistics(self.net, self._statistics).to(self.z.dtype)
        found = copy.copy(self)
        found.net, found.products, found._base, found._graph = local, 0, None, None
        found.y, found.z, found.s = (x[..., rows, cols].clone() for x in (self.y, self.z, self.s))
        return found, (rows, cols)

    @torch.no_grad()
    def forward(self, dz: Tensor, ds: Tensor | None = None) -> Tensor:
        """J dz, plus (df/ds) ds if ds is given."""
        largest = max(float(d.abs().max()) for d in (dz, ds) if d is not None)
        if largest == 0:
            return torch.zeros_like(dz)
        step = _STEP.get(dz.dtype, _STEP[torch.float32]) * self._scale / largest
        self.products += 1
        moved = self.f(self.z + step * dz, self.s if ds is None else self.s + step * ds)
        return (moved - self.f_z) / step

    def solve_transposed(
        self, e: Tensor, *, start: Tensor | None = None, tol: float = 1e-4, max_iter: int = 60
    ) -> tuple[Tensor, Tensor]:
        """Solve (I - J^T) u = e for u, by Broyden's method on u = J^T u + e, starting from `start` or else from e.

        Returns
        -------
        Tensor
            u.
        Tensor
            (df/ds)^T u, which the last product gives without further work.

        Raises
        ------
        NotSolved
            If the residual is above three times `tol` after `max_iter` steps.
        """
        of_s = e

        def f(u: Tensor) -> Tensor:
            nonlocal of_s
            of_z, of_s = self._pulled_back(u)
            return of_z + e

        steps = ((step, of_s) for step in broyden(f, e if start is None else start, max_iter=max_iter, tol=tol))
        step, of_s = _best(steps, tol)
        return step.z, of_s

    def solve(self, ds: Tensor, *, tol: float = 1e-2, max_iter: int = 30) -> Tensor:
        """Solve (I - J) dz = (df/ds) ds for dz: how the equilibrium moves when the injection moves by ds.

        Raises
        ------
        NotSolved
            If the residual is above three times `tol` after `max_iter` steps.
        """
        steps = broyden(lambda dz: self.forward(dz, ds), torch.zeros_like(self.z), max_iter=max_iter, tol=tol)
        return _best(((step, None) for step in steps), tol)[0].f_z


def _best(steps: Iterable[tuple[SolverStep, T]], tol: float) -> tuple[SolverStep, T]:
    """Take all steps of a linear equation's solver; return the step of least residual and the value yielded with it."""
    best: tuple[SolverStep, T] | None = None
    for step, extra in steps:
        if best is None or float(step.residual) < float(best[0].residual):
            best = step, extra
    assert best is not None
    least = float(best[0].residual)
    if not least <= 3 * tol or step.stop_reason is StopReason.DIVERGED:
        raise NotSolved(
            f"The equation at this equilibrium was solved to {least:.1e} only, in {step.evaluations} products, because "
            "the equilibrium is not stable enough. A run with more solver steps may help."
        )
    return best
