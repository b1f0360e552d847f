"""Leading eigenvalues of a linear map that can only be applied to vectors: the Krylov-Schur method (Stewart 2001)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

_NOTHING = 10  # a vector shorter than this many rounding errors of the largest modulus has no direction


@dataclass(frozen=True, eq=False)
class Leading:
    """The eigenvalues of largest modulus, with the accuracy that was reached.

    Attributes
    ----------
    values : complex array (count,)
        In order of falling modulus.
    products : int
    errors : array (count,)
        ``||A v - value v||`` for each eigenvector v, of norm 1.
    vectors : complex Tensor (count, size)
    products : int
    """

    values: NDArray[np.complex128]
    errors: NDArray[np.float64]
    vectors: Tensor
    products: int


@torch.no_grad()
def leading(
    apply: Callable[[Tensor], Tensor], start: Tensor, count: int, *, tol: float, most: int, basis: int
) -> Leading:
    """Find the eigenvalues of largest modulus of a real linear map.

    Parameters
    ----------
    apply : callable
        The map, from a vector (size,) to a vector (size,).
    start : Tensor, (size,)
        Not 0; the method converges faster if the leading eigenvectors are strong in it.
    count : int
        Number of eigenvalues, below `basis`.
    tol : float
        The method stops when all errors are below this fraction of the largest modulus.
    most : int
        The method stops after this many products in any case.
    basis : int
        Largest dimension of the Krylov space; one vector more is kept in memory.
    """
    vectors = start.new_empty(basis + 1, start.numel())
    vectors[0] = start / start.norm()
    projected = np.zeros((basis + 1, basis))
    used = products = 0
    while True:
        image = apply(vectors[used])
        products += 1
        for _ in range(2):  # orthogonalising once is not enough in float32
            image, along = _without(vectors[: used + 1], image)
            projected[: used + 1, used] += along.double().cpu().numpy()
        left = float(image.norm())
        used += 1
        values, columns = np.linalg.eig(projected[:used, :used])
        order = np.argsort(-np.abs(values), kind="stable")[:count]
        errors = left * np.abs(columns[used - 1, order])
        largest = float(np.abs(values[order[0]]))
        exhausted = used == start.numel()
        settled = used > count and bool((errors <= tol * largest).all())
        if settled or exhausted or products >= most:
            # Real and imaginary parts separately: a complex copy of the basis would take twice its memory.
            weights = columns[:, order].T.astype(np.complex128)
            parts = [torch.from_numpy(part.copy()).to(start) @ vectors[:used] for part in (weights.real, weights.imag)]
            found = torch.complex(*parts)
            return Leading(
                values[order].astype(np.complex128), errors, torch.nn.functional.normalize(found, dim=1), products
            )
        if left <= _NOTHING * torch.finfo(start.dtype).eps * largest:
            left, image = 0.0, _chance(vectors[:used])  # the space is invariant under the map
        projected[used, used - 1] = left
        vectors[used] = image / image.norm()
        if used == basis:
            used = _restart(projected, vectors, count)


def _without(vectors: Tensor, image: Tensor) -> tuple[Tensor, Tensor]:
    """Subtract a vector's projection on orthonormal vectors; return the rest and the coefficients."""
    along = vectors @ image
    return torch.addmv(image, vectors.t(), along, alpha=-1), along


def _chance(vectors: Tensor) -> Tensor:
    generator = torch.Generator().manual_seed(len(vectors))
    image = torch.randn(vectors.shape[1], generator=generator, dtype=torch.float64).to(vectors)
    for _ in range(2):
        image, _ = _without(vectors, image)
    return image


def _restart(projected: NDArray[np.float64], vectors: Tensor, count: int) -> int:
    """Shrink the basis to the invariant subspace of the leading eigenvalues; return its dimension."""
    from scipy.linalg import schur

    basis = vectors.shape[0] - 1
    moduli = np.sort(np.abs(np.linalg.eigvals(projected[:basis])))[::-1]
    least = moduli[(count + basis) // 2 - 1] * (1 - 1e-9)
    block, turn, kept = schur(projected[:basis], output="real", sort=lambda re, im: np.hypot(re, im) >= least)
    kept = min(int(kept), basis - 1)
    if block[kept, kept - 1] != 0:  # the cut would separate a complex pair
        kept -= 1
    last = projected[basis, basis - 1] * turn[basis - 1, :kept]
    projected[:] = 0
    projected[:kept, :kept], projected[kept, :kept] = block[:kept, :kept], last
    vectors[:kept] = torch.from_numpy(turn[:, :kept].T.copy()).to(vectors) @ vectors[:basis]
    vectors[kept] = vectors[basis].clone()
    return kept
