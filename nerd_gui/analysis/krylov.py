"""Leading eigenvalues of a linear map that can only be applied to vectors: the Krylov-Schur method (Stewart 2001)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nerd_gui.denoising.on_disk import array_on_disk, leave_memory

_NOTHING = 10  # a vector shorter than this many rounding errors of the largest modulus has no direction
#: A vector that keeps this fraction of its length is orthogonalised only once (the criterion of Daniel et al. 1976).
_KEPT = 0.7
_AT_ONCE = 1 << 16  # numbers of each vector that are combined at once

#: Ranks eigenvalues: those with the largest results are the leading ones.
Rank = Callable[[NDArray[np.complex128]], NDArray[np.float64]]


class Basis:
    """Orthonormal vectors, kept in a temporary file: at 256 x 256 pixels and 64 features, each takes 17 MB.

    Parameters
    ----------
    like : Tensor, (size,)
        A vector of their size and type.
    room : int
        Largest number of vectors.

    Raises
    ------
    RunError
        If the temporary folder has no room for them.
    """

    def __init__(self, like: Tensor, room: int) -> None:
        kind = np.float64 if like.dtype == torch.float64 else np.float32
        self._file = array_on_disk(
            (room, like.numel()), kind, what="The vectors of this analysis", instead="analyse a smaller region"
        )
        self._vectors, self._device = torch.from_numpy(self._file), like.device
        self.used = 0

    def push(self, vector: Tensor) -> None:
        """Add a vector of norm 1."""
        self._vectors[self.used] = vector
        self.used += 1

    def last(self) -> Tensor:
        """The vector that was added last."""
        return self._vectors[self.used - 1].to(self._device, copy=True)

    def split(self, image: Tensor) -> tuple[Tensor, NDArray[np.float64]]:
        """Subtract a vector's projection on the basis; return the rest and the coefficients."""
        vectors, rest = self._vectors[: self.used], image.cpu()
        total = np.zeros(self.used)
        for _ in range(2):
            before = float(rest.norm())
            along = vectors @ rest
            rest = torch.addmv(rest, vectors.t(), along, alpha=-1)
            total += along.double().numpy()
            if float(rest.norm()) > _KEPT * before:
                break  # little was cancelled, so that little rounding error is left along the basis
        leave_memory(self._file)
        return rest.to(self._device), total

    def combined(self, weights: NDArray[np.float64]) -> Tensor:
        """Combine the first vectors with weights (count, number), into (count, size)."""
        factors = torch.from_numpy(np.ascontiguousarray(weights)).to(self._vectors)
        made = factors @ self._vectors[: factors.shape[1]]
        leave_memory(self._file)
        return made.to(self._device)

    def shrink(self, weights: NDArray[np.float64]) -> None:
        """Replace all vectors but the last by combinations of them, with weights (count, number)."""
        factors = torch.from_numpy(np.ascontiguousarray(weights)).to(self._vectors)
        kept, used = factors.shape
        for begin in range(0, self._vectors.shape[1], _AT_ONCE):
            part = self._vectors[:, begin : begin + _AT_ONCE]
            part[:kept] = factors @ part[:used]
            part[kept] = part[used].clone()
        self.used = kept + 1
        leave_memory(self._file)


@dataclass(frozen=True, eq=False)
class Leading:
    """The leading eigenvalues, with the accuracy that was reached.

    Attributes
    ----------
    values : complex array (count,)
        The leading one first.
    errors : array (count,)
        ``||A v - value v||`` for each eigenvector v, of norm 1.
    products : int
    basis : Basis
        The Krylov space.
    projected : array (dimension, dimension)
        The map in that space.
    """

    values: NDArray[np.complex128]
    errors: NDArray[np.float64]
    products: int
    basis: Basis
    projected: NDArray[np.float64]

    def vector(self, value: complex) -> Tensor:
        """Return the eigenvector in the Krylov space whose eigenvalue is nearest to `value`: complex, of norm 1."""
        values, columns = np.linalg.eig(self.projected)
        weights = columns[:, int(np.abs(values - value).argmin())].astype(np.complex128)
        found = torch.complex(*self.basis.combined(np.stack([weights.real, weights.imag])))
        return torch.nn.functional.normalize(found, dim=0)


@torch.no_grad()
def leading(
    apply: Callable[[Tensor], Tensor],
    start: Tensor,
    count: int,
    *,
    tol: float,
    most: int,
    basis: int,
    rank: Rank = np.abs,
    told: Callable[[complex, float], None] | None = None,
) -> Leading:
    """Find the leading eigenvalues of a real linear map. All vectors but about three are stored on disk.

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
        Largest dimension of the Krylov space; one vector more is stored.
    rank : callable
        What makes an eigenvalue a leading one, equal for both of a complex pair; by default the modulus.
    told : callable, optional
        Called after each product with the leading eigenvalue so far and its error.
    """
    vectors = Basis(start, basis + 1)
    vectors.push(start / start.norm())
    projected = np.zeros((basis + 1, basis))
    products = 0
    while True:
        used = vectors.used
        image, projected[:used, used - 1] = vectors.split(apply(vectors.last()))
        products += 1
        left = float(image.norm())
        values, columns = np.linalg.eig(projected[:used, :used])
        order = np.argsort(-rank(values), kind="stable")[:count]
        errors = left * np.abs(columns[used - 1, order])
        largest = float(np.abs(values).max())
        if told is not None and used > count:
            told(complex(values[order[0]]), float(errors[0]))
        exhausted = used == start.numel()
        settled = used > count and bool((errors <= tol * largest).all())
        if settled or exhausted or products >= most:
            return Leading(values[order].astype(np.complex128), errors, products, vectors, projected[:used, :used])
        if left <= _NOTHING * torch.finfo(start.dtype).eps * largest:
            left, image = 0.0, _chance(vectors, start)  # the space is invariant under the map
        projected[used, used - 1] = left
        vectors.push(image / image.norm())
        if used == basis:
            _restart(projected, vectors, count, rank)


def _chance(vectors: Basis, like: Tensor) -> Tensor:
    generator = torch.Generator().manual_seed(vectors.used)
    image = torch.randn(like.numel(), generator=generator, dtype=torch.float64).to(like)
    return vectors.split(image)[0]


def _restart(projected: NDArray[np.float64], vectors: Basis, count: int, rank: Rank) -> None:
    """Shrink the basis to the invariant subspace of the leading eigenvalues."""
    from scipy.linalg import schur

    basis = projected.shape[1]
    ranks = np.sort(rank(np.linalg.eigvals(projected[:basis]).astype(np.complex128)))[::-1]
    wanted = ranks[(count + basis) // 2 - 1]
    least = wanted - 1e-9 * abs(wanted)
    block, turn, kept = schur(
        projected[:basis], output="real", sort=lambda re, im: bool(rank(np.array(complex(re, im))) >= least)
    )
    kept = min(int(kept), basis - 1)
    if block[kept, kept - 1] != 0:  # the cut would separate a complex pair
        kept -= 1
    last = projected[basis, basis - 1] * turn[basis - 1, :kept]
    projected[:] = 0
    projected[:kept, :kept], projected[kept, :kept] = block[:kept, :kept], last
    vectors.shrink(turn[:, :kept].T)
