"""The stability of an equilibrium: the leading eigenvalues of the Jacobian of f there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nerd_gui.analysis.krylov import leading
from nerd_gui.analysis.linearised import Linearised, NotSolved
from nerd_gui.analysis.solving import Interrupt
from nerd_gui.nerd import Network

if TYPE_CHECKING:  # importing SciPy takes a third of a second, which would delay the window's start
    from scipy.sparse.linalg import LinearOperator

#: Relative tolerances: in float64, in float32, and in float32 where products with J are finite differences of f.
_EXACT, _SINGLE, _ROUGH = 1e-4, 1e-3, 3e-2
_BASIS = 16  # the Krylov space has this many vectors more than twice the number of eigenvalues
#: The default number of products with J^T: the first number divided by the picture's pixels, between the other two.
_PATIENCE, _FEWEST, _MOST = 2_400_000, 24, 400
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
    vectors : complex64 or complex128 Tensor (count, d, rows, cols)
        Eigenvectors of J, of norm 1, accurate to a few percent.
    radius : float
        The spectral radius. Below 1, plain iteration from nearby converges to this equilibrium; above 1, it does not,
        and only the solver's corrections reach it.
    products : int
        Number of products with J and its transpose.

    Examples
    --------
    With the network, picture and equilibrium of the examples of `nerd_gui.analysis`:

    >>> found = spectrum(net, y, z, count=2, vectors=False)
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
    vectors: bool = True,
    most: int | None = None,
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
    vectors : bool
        Whether to compute eigenvectors, which about doubles the work; if not, `Spectrum.vectors` is empty.
    most : int, optional
        Largest number of products with J^T; None: as many as take some seconds, 36 for 256 x 256 pixels. Eigenvalues
        that have not converged by then are returned with a large error.
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

    >>> found = spectrum(net, y, z, count=2, vectors=False)
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
    found = leading(
        lambda v: at.transposed(v.view_as(at.z)).reshape(-1), _start(at, seed), count, tol=tol, most=most, basis=basis
    )
    values, radius = found.values, float(np.abs(found.values[0]))
    if found.errors[0] > max(_GIVEN_UP * radius, tol):
        raise NotSolved(f"The leading eigenvalue did not converge in {found.products} products; allow more products.")
    shaped = torch.zeros(0, *at.z.shape[1:], dtype=torch.complex64)
    if vectors:
        # The leading eigenvectors of J^T are a good start for those of J.
        shaped = _ritz_vectors(at, values, found.vectors.real.sum(0).view_as(at.z))
    return Spectrum(values, found.errors, shaped, radius, at.products)


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

    from scipy.sparse import linalg

    tol = _EXACT if at.z.dtype == torch.float64 else _ROUGH
    operator = _operator(at, symmetric)
    start = np.random.default_rng(seed).standard_normal(at.z.numel()).astype(operator.dtype)
    keywords = {"k": 1, "which": "LA", "ncv": min(at.z.numel(), 2 + _BASIS), "tol": tol, "maxiter": 20}
    try:
        values, _ = linalg.eigsh(operator, v0=start, **keywords)
    except linalg.ArpackNoConvergence as error:
        raise NotSolved("The abscissa did not converge; let the run take more steps.") from error
    return float(values[0])


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


def _operator(at: Linearised, apply: Callable[[Tensor], Tensor]) -> LinearOperator:
    from scipy.sparse.linalg import LinearOperator

    def matvec(vector: NDArray[np.floating]) -> NDArray[np.floating]:
        v = torch.from_numpy(np.ascontiguousarray(vector)).view_as(at.z).to(at.z)
        return apply(v).detach().cpu().contiguous().view(-1).numpy()

    dtype = np.float64 if at.z.dtype == torch.float64 else np.float32
    return LinearOperator((at.z.numel(),) * 2, matvec=matvec, dtype=dtype)


def _ritz_vectors(at: Linearised, values: NDArray[np.complex128], begin: Tensor) -> Tensor:
    """Find Ritz vectors of J whose Ritz values are nearest to the given eigenvalues.

    This is Arnoldi's method without restarts: restarts need more accurate products than finite differences give.
    """
    steps = min(begin.numel(), 2 * len(values) + _BASIS)
    basis = [begin / begin.norm()]
    projected = np.zeros((steps + 1, steps))
    for step in range(steps):
        v = at.forward(basis[-1])
        for _ in range(2):  # orthogonalising once is not enough in float32
            for index, b in enumerate(basis):
                along = float((v * b).sum())
                projected[index, step] += along
                v = v - along * b
        projected[step + 1, step] = size = float(v.norm())
        if size < 1e-6:
            steps = step + 1
            break
        basis.append(v / size)
    ritz, columns = np.linalg.eig(projected[:steps, :steps])
    found = []
    for value in values:
        weights = columns[:, int(np.abs(ritz - value).argmin())]
        found.append(sum(complex(weight) * b[0] for weight, b in zip(weights, basis[:steps], strict=True)))
    stacked = torch.stack([torch.as_tensor(vector) for vector in found])
    return torch.nn.functional.normalize(stacked.flatten(1), dim=1).view_as(stacked)
