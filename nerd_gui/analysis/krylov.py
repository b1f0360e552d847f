"""The leading eigenvalues of a map that is known by its products: the Krylov-Schur method (Stewart 2001)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

_NOTHING = 10  # roundings, of the largest modulus, that are no direction


@dataclass(frozen=True, eq=False)
class Leading:
    """Eigenvalues of largest modulus, as near as they were found.

    Attributes
    ----------
    values : complex array (count,)
        By falling modulus.
    errors : array (count,)
        ``||A v - value v||`` for the vectors v of norm 1.
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
    """Find the eigenvalues of largest modulus of a real map.

    Parameters
    ----------
    apply : callable
        The map: a vector (size,) to one.
    start : Tensor, (size,)
        Not 0; the more it has of the leading eigenvectors, the better.
    count : int
        How many, below `basis`.
    tol : float
        All errors are to be below so much of the largest modulus.
    most : int
        Products after which what there is is returned.
    basis : int
        Vectors that are kept at most, beside one more.
    """
    vectors = start.new_empty(basis + 1, start.numel())
    vectors[0] = start / start.norm()
    projected = np.zeros((basis + 1, basis))
    used = products = 0
    while True:
        image = apply(vectors[used])
        products += 1
        for _ in range(2):  # again: once is not enough in float32
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
            # The parts one by one: a complex copy of the basis would be twice as large as it.
            weights = columns[:, order].T.astype(np.complex128)
            parts = [torch.from_numpy(part.copy()).to(start) @ vectors[:used] for part in (weights.real, weights.imag)]
            found = torch.complex(*parts)
            return Leading(
                values[order].astype(np.complex128), errors, torch.nn.functional.normalize(found, dim=1), products
            )
        if left <= _NOTHING * torch.finfo(start.dtype).eps * largest:
            left, image = 0.0, _chance(vectors[:used])  # the map leads no further from what the start has
        projected[used, used - 1] = left
        vectors[used] = image / image.norm()
        if used == basis:
            used = _restart(projected, vectors, count)


def _without(vectors: Tensor, image: Tensor) -> tuple[Tensor, Tensor]:
    """What is left of a vector beside orthonormal ones, and its products with those."""
    along = vectors @ image
    return torch.addmv(image, vectors.t(), along, alpha=-1), along


def _chance(vectors: Tensor) -> Tensor:
    generator = torch.Generator().manual_seed(len(vectors))
    image = torch.randn(vectors.shape[1], generator=generator, dtype=torch.float64).to(vectors)
    for _ in range(2):
        image, _ = _without(vectors, image)
    return image


def _restart(projected: NDArray[np.float64], vectors: Tensor, count: int) -> int:
    """Keep the part of the basis that has the leading eigenvalues; return how many vectors that are."""
    from scipy.linalg import schur

    basis = vectors.shape[0] - 1
    moduli = np.sort(np.abs(np.linalg.eigvals(projected[:basis])))[::-1]
    least = moduli[(count + basis) // 2 - 1] * (1 - 1e-9)
    block, turn, kept = schur(projected[:basis], output="real", sort=lambda re, im: np.hypot(re, im) >= least)
    kept = min(int(kept), basis - 1)
    if block[kept, kept - 1] != 0:  # between the two of a complex pair
        kept -= 1
    last = projected[basis, basis - 1] * turn[basis - 1, :kept]
    projected[:] = 0
    projected[:kept, :kept], projected[kept, :kept] = block[:kept, :kept], last
    vectors[:kept] = torch.from_numpy(turn[:, :kept].T.copy()).to(vectors) @ vectors[:basis]
    vectors[kept] = vectors[basis].clone()
    return kept
