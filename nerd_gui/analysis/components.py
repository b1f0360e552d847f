"""Principal components: of the features, to show them as colours, and of the iterates, to plot their path."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

_AT_ONCE = 1 << 19  # values of each tensor that are converted to float64 at a time


@dataclass(frozen=True, eq=False)
class Components:
    """The principal components of a picture's features: the directions along which its pixels differ most.

    Attributes
    ----------
    mean : Tensor, (d,), float64
    directions : Tensor, (count, d), float64
        Orthonormal rows; in each, the entry of largest modulus is positive.
    deviations : Tensor, (count,), float64
        Standard deviation of the pixels along each direction.
    shares : Tensor, (count,), float64
        Fraction of the whole variance along each direction.

    Examples
    --------
    With the network, picture and equilibrium of the examples of `nerd_gui.analysis`:

    >>> found = principal_components(z[0], count=2)
    >>> tuple(found.of(z[0]).shape)
    (2, 16, 16)
    """

    mean: Tensor
    directions: Tensor
    deviations: Tensor
    shares: Tensor

    def of(self, z: Tensor) -> Tensor:
        """Project z (d, rows, cols) on the directions: coordinates (count, rows, cols) of its pixels, float32."""
        directions = self.directions.float()
        offset = directions @ self.mean.float()
        bands = [
            torch.einsum("kd,drc->krc", directions, z[:, row : row + step].float())
            for step in [_rows_at_once(z)]
            for row in range(0, z.shape[1], step)
        ]
        return torch.cat(bands, 1) - offset[:, None, None]


def principal_components(z: Tensor, count: int = 3) -> Components:
    """Find the principal components of the features over the pixels.

    Parameters
    ----------
    z : Tensor, (d, rows, cols)
        The features; may be in half precision.
    count : int
        Number of components, at most d.

    Returns
    -------
    Components

    Examples
    --------
    With the network, picture and equilibrium of the examples of `nerd_gui.analysis`:

    >>> found = principal_components(z[0], count=2)
    >>> tuple(found.directions.shape), bool(found.shares[0] > found.shares[1])
    ((2, 64), True)
    """
    d = len(z)
    total, products, step = (
        torch.zeros(d, dtype=torch.float64),
        torch.zeros(d, d, dtype=torch.float64),
        _rows_at_once(z),
    )
    for row in range(0, z.shape[1], step):
        band = z[:, row : row + step].flatten(1).double().cpu()
        total += band.sum(1)
        products += band @ band.T
    pixels = z.shape[1] * z.shape[2]
    mean = total / pixels
    variances, vectors = torch.linalg.eigh(products / pixels - torch.outer(mean, mean))
    variances, directions = variances.flip(0).clamp_min(0), vectors.flip(1).T[:count]
    signs = directions.gather(1, directions.abs().argmax(1, keepdim=True)).sign()
    shares = variances[:count] / variances.sum().clamp_min(torch.finfo(torch.float64).tiny)
    return Components(mean, directions * signs, variances[:count].sqrt(), shares)


@dataclass(frozen=True, eq=False)
class IteratePath:
    """The iterates as points in the plane in which they differ most.

    Attributes
    ----------
    points : Tensor, (N + 1, 2), float64
        Coordinates in the first two principal components, in the units of the features. The origin is the mean of all
        iterates, and the signs are chosen so that no coordinate of the start is above 0.
    shares : Tensor, (2,), float64
        Fraction of the whole variance along each direction.

    Examples
    --------
    With the network, picture and equilibrium of the examples of `nerd_gui.analysis`:

    >>> path = iterate_path([net.initial(s), net.implicit(net.initial(s), s), z])
    >>> bool(path.points[0, 0] <= 0)  # the start lies to the left
    True
    """

    points: Tensor
    shares: Tensor


def iterate_path(iterates: Sequence[Tensor]) -> IteratePath:
    """Project the iterates of a solver on the plane of their first two principal components.

    Parameters
    ----------
    iterates : sequence of Tensor, all of one shape
        z_0 ... z_N; may be in half precision. They are converted to float64 a part at a time.

    Returns
    -------
    IteratePath

    Raises
    ------
    ValueError
        If there are fewer than two iterates.

    Examples
    --------
    With the network, picture and equilibrium of the examples of `nerd_gui.analysis`:

    >>> path = iterate_path([net.initial(s), net.implicit(net.initial(s), s), z])
    >>> tuple(path.points.shape)
    (3, 2)
    """
    if len(iterates) < 2:
        raise ValueError("A path needs at least two iterates.")
    flat = [z.reshape(-1) for z in iterates]
    products = torch.zeros(len(flat), len(flat), dtype=torch.float64)
    for begin in range(0, len(flat[0]), _AT_ONCE):
        part = torch.stack([z[begin : begin + _AT_ONCE].double() for z in flat])
        part -= part.mean(0)
        products += part @ part.T
    variances, vectors = torch.linalg.eigh(products)
    variances, vectors = variances.flip(0).clamp_min(0), vectors.flip(1)
    points = vectors[:, :2] * variances[:2].sqrt()
    points *= torch.where(points[0] > 0, -1.0, 1.0)
    return IteratePath(points, variances[:2] / variances.sum().clamp_min(torch.finfo(torch.float64).tiny))


def _rows_at_once(z: Tensor) -> int:
    return max(1, _AT_ONCE // (z.shape[0] * z.shape[2]))
