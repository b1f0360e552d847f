"""The stability of an equilibrium: the leading eigenvalues of the Jacobian of f there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nerd_gui.analysis.krylov import leading
from nerd_gui.analysis.linearised import Linearised, NotSolved
from nerd_gui.analysis.solving import Interrupt
from nerd_gui.nerd import Network

#: Relative tolerances: in float64, in float32, and in float32 where products with J are finite differences of f.
_EXACT, _SINGLE, _ROUGH = 1e-4, 1e-3, 3e-2
_BASIS = 16  # the Krylov space has this many vectors more than twice the number of eigenvalues
#: The default number of products with J^T: the first number divided by the picture's pixels, between the other two.
_PATIENCE, _FEWEST, _MOST = 2_260_000, 24, 400
_GIVEN_UP = 0.25  # error of the leading eigenvalue, as a fraction of it, above which the result is useless


@dataclass(frozen=True, eq=False)
class Spectrum:
    """The eigenvalues of largest modulus of J = df/dz.

    Attributes
    ----------
    eigenvalues : complex array (count,)
        In order of falling modulus; complex ones come in conjugate pairs.
    errors : array (count,)
        ``||J^T v - lambda v||`` for each computed eigenvector v, of norm 1. Where many eigenvalues lie close together,
        as in large pictures, this is about the error of lambda.
    vectors : complex64 or complex128 Tensor (number, d, rows, cols)
        The first eigenvectors of J, of norm 1, accurate to a few percent.
    radius : float
        The spectral radius. Below 1, plain iteration from nearby converges to this equilibrium; above 1, it does not,
        and only the solver's corrections reach it.
    products : int
        Number of products with J and its transpose.

    Examples
    --------
    With the network, picture and equilibrium of the examples of `nerd_gui.analysis`:

    >>> found = spectrum(net, y, z, count=2, vectors=0)
    >>> len(found.eigenvalues), tuple(found.vectors.shape)
    (2, (0, 64, 16, 16))
    """

    eigenvalues: NDArray[np.complex128]
    errors: NDArray[np.float64]
    vectors: Tensor
    radius: float
    products: int


def spectrum(
    net: Network,
    y: Tensor,
    z: Tensor,
    count: int = 4,
    *,
    vectors: int | None = None,
    most: int | None = None,
    told: Callable[[complex, float], None] | None = None,
    level: float | None = None,
    window: int | None = None,
    seed: int = 0,
    interrupt: Interrupt | None = None,
) -> Spectrum:
    """Compute the leading eigenvalues of J at an equilibrium, by the Krylov-Schur method on products with J^T.

    J^T has the same eigenvalues as J, and products with it are exact. The eigenvectors are those of J itself, computed
    by products with J.

    Parameters
    ----------
    net, y, z, level, window, interrupt
        See `Linearised`.
    count : int
        Number of eigenvalues, at least 1. Some of several equal eigenvalues may be missed: ask for more then.
    vectors : int, optional
        Number of eigenvectors to compute; None: of all these eigenvalues. Any takes half as much work again.
    most : int, optional
        Largest number of products with J^T; None: as many as take some seconds, 34 for 256 x 256 pixels. Eigenvalues
        that have not converged by then are returned with a large error.
    told : callable, optional
        Called after each product with J^T with the leading eigenvalue as far as known, and its error.
    seed : int
        Seed of the start vector.

    Returns
    -------
    Spectrum

    Raises
    ------
    ValueError
        If `count` is below 1 or larger than the number of features allows.
    NotSolved
        If the leading eigenvalue does not converge.

    Examples
    --------
    With the network, picture and equilibrium of the examples of `nerd_gui.analysis`:

    >>> found = spectrum(net, y, z, count=2, vectors=0)
    >>> found.radius < 1  # plain iteration ends here from nearby
    True
    """
    at = Linearised(net, y, z, level=level, window=window, interrupt=interrupt)
    size = at.z.numel()
    if not 1 <= count < size - 1:
        raise ValueError(f"{count} eigenvalues of a Jacobian of {size} features cannot be found; ask for 1 or a few.")
    basis = min(size, 2 * count + _BASIS)
    tol = _EXACT if at.z.dtype == torch.float64 else _SINGLE
    if most is None:
        most = min(max(_PATIENCE // (at.z.shape[2] * at.z.shape[3]), _FEWEST), _MOST)
    found = leading(_flat(at, at.transposed), _start(at, seed), count, tol=tol, most=most, basis=basis, told=told)
    values, radius = found.values, float(np.abs(found.values[0]))
    if found.errors[0] > max(_GIVEN_UP * radius, tol):
        raise NotSolved(f"The leading eigenvalue did not converge in {found.products} products; allow more products.")
    shaped = torch.zeros(0, *at.z.shape[1:], dtype=torch.complex64)
    if vectors != 0:
        # The leading eigenvector of J^T is a good start for those of J. There are no restarts: they would need products
        # that are more accurate than finite differences.
        begin = found.vector(values[0]).real
        of_j = leading(_flat(at, at.forward), begin, count, tol=_ROUGH, most=basis, basis=basis)
        shaped = torch.stack([of_j.vector(value).view(at.z.shape[1:]) for value in values[:vectors]])
    return Spectrum(values, found.errors, shaped, radius, at.products)


def _flat(at: Linearised, apply: Callable[[Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
    """Turn a map of tensors like z into one of vectors."""
    return lambda v: apply(v.view_as(at.z)).reshape(-1)


def _start(at: Linearised, seed: int) -> Tensor:
    """The start vector: f(z) - z, in which the slowest directions are strong, plus some noise in case it is near 0."""
    chance = torch.from_numpy(np.random.default_rng(seed).standard_normal(at.z.numel())).to(at.z)
    left = (at.f_z - at.z).reshape(-1)
    result: Tensor = left / left.norm().clamp_min(torch.finfo(left.dtype).tiny) + 0.1 * chance / chance.norm()
    return result


def field_of_values_abscissa(
    net: Network,
    y: Tensor,
    z: Tensor,
    *,
    level: float | None = None,
    window: int | None = None,
    seed: int = 0,
    interrupt: Interrupt | None = None,
) -> float:
    """Compute the largest eigenvalue of (J + J^T) / 2.

    Below 1, no error of z can grow, not even briefly, under the flow dz/dt = f(z) - z.

    Parameters
    ----------
    net, y, z, level, window, interrupt
        See `Linearised`.
    seed : int
        Seed of the start vector.

    Returns
    -------
    float

    Raises
    ------
    NotSolved
        If the eigenvalue does not converge.

    Examples
    --------
    With the network, picture and equilibrium of the examples of `nerd_gui.analysis`:

    >>> field_of_values_abscissa(net, y, z) > 0
    True
    """
    at = Linearised(net, y, z, level=level, window=window, interrupt=interrupt)

    def symmetric(v: Tensor) -> Tensor:
        return (at.forward(v) + at.transposed(v)) / 2

    size, tol = at.z.numel(), _EXACT if at.z.dtype == torch.float64 else _ROUGH
    basis = min(size, 2 + _BASIS)
    # There are no restarts in float32, for the same reason as for the eigenvectors of J.
    most = _MOST if at.z.dtype == torch.float64 else basis
    found = leading(_flat(at, symmetric), _start(at, seed), 1, tol=tol, most=most, basis=basis, rank=np.real)
    value = float(found.values[0].real)
    if found.errors[0] > max(_GIVEN_UP * abs(value), tol):
        raise NotSolved("The abscissa did not converge; let the run take more steps.")
    return value


@torch.no_grad()
def decoded_direction(net: Network, z: Tensor, direction: Tensor) -> Tensor:
    """Compute how the decoded picture changes when z moves along a direction: a derivative of f_decode.

    Parameters
    ----------
    net : Network
    z : Tensor, (1, d, rows, cols)
    direction : Tensor, (d, rows, cols)
        Real, such as the real part of an eigenvector.

    Returns
    -------
    Tensor, (C, rows, cols)
        Change of the decoded values per unit step along the direction.

    Examples
    --------
    With the network, picture and equilibrium of the examples of `nerd_gui.analysis`:

    >>> tuple(decoded_direction(net, z, z[0]).shape)
    (1, 16, 16)
    """
    along = direction[None].to(z)
    step = 1e-3 * float(z.square().mean().sqrt()) / max(float(along.abs().max()), torch.finfo(z.dtype).tiny)
    return ((net.decode(z + step * along) - net.decode(z - step * along)) / (2 * step))[0]
