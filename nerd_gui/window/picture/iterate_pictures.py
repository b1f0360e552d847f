"""The pictures of a run's iterates with any look, read part by part."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from nerd_gui.denoising import LOOK_HALO, PLAIN, Look, Trajectory, look_picture
from nerd_gui.window.picture.sources import Part, Term, Values, term_of

_KEPT_BYTES = 256 << 20  # bytes of pyramid levels that are kept to be read again
_ALL_DETAIL = Look(detail=1)
_EFFORT = 50.0  # effort of computing the structure of a pixel, see `Term`


class IteratePictures:
    """The pictures of the iterates of one run, which may still be running.

    Attributes
    ----------
    trajectory : Trajectory
    families : frozenset
        See `Source`.
    noisy : Term
        The noisy picture that the run started from.
    """

    def __init__(self, trajectory: Trajectory) -> None:
        self.trajectory = trajectory
        self.noisy = term_of(trajectory.subject.noisy)
        self._own: frozenset[Hashable] = frozenset([object()])
        self.families = self._own | self.noisy.families
        self._terms: OrderedDict[Hashable, Term] = OrderedDict()

    def picture(self, index: int, look: Look) -> LookSource:
        """Return the picture of an iterate with a look."""
        return LookSource(self, index, look)

    def removed(self, index: int, look: Look) -> RemovedSource:
        """Return the noise that an iterate removes with a look."""
        return RemovedSource(self.picture(index, look))

    def n_hat(self, index: int) -> Term:
        """Return the noise estimate of an iterate."""
        n_hat = self.trajectory[index].n_hat
        key = self._own, "n_hat", index, id(n_hat)
        return self._kept(key) or self._keep(Term(n_hat, key, self._own))

    def structure(self, index: int) -> Term:
        """Return the detail that a look can give back to an iterate, in one channel."""
        key = self._own, "structure", *self.noise_known(index)
        return self._kept(key) or self._keep(Term(_Structure(self.trajectory, index), key, self._own, _EFFORT))

    def noise_known(self, index: int) -> tuple[Hashable, ...]:
        """Return a key of the separation of detail from noise, which is computed again when the run has ended."""
        return index, id(self.trajectory[index].n_hat), self.trajectory.stop_reason

    def update(self, part: Part) -> Part:
        """Take note that a part of all iterates' noise estimates has changed; return the part of their pictures."""
        row, col, rows, cols = part
        top, left = max(0, row - LOOK_HALO), max(0, col - LOOK_HALO)
        halo = top, left, row + rows + LOOK_HALO - top, col + cols + LOOK_HALO - left
        for term in self._terms.values():
            term.pyramid.update(*halo)
        return halo

    def _kept(self, key: Hashable) -> Term | None:
        if key in self._terms:
            self._terms.move_to_end(key)
        return self._terms.get(key)

    def _keep(self, term: Term) -> Term:
        self._terms[term.key] = term
        while len(self._terms) > 2 and sum(kept.pyramid.nbytes for kept in self._terms.values()) > _KEPT_BYTES:
            self._terms.popitem(last=False)
        return term


@dataclass(frozen=True, eq=False)
class LookSource:
    """The picture of an iterate with a look.

    At full size it equals `Trajectory.picture` to the bit. Reduced, it is a sum of the means of its terms, which are
    kept: once they are there, another look takes only a moment, and another iterate little more.
    """

    pictures: IteratePictures
    index: int
    look: Look

    @cached_property
    def key(self) -> Hashable:
        """Equal keys mean equal values; see `Source`."""
        known = self.pictures.noise_known(self.index) if self.look.detail else None
        return self.pictures.n_hat(self.index).key, known, self.look

    @property
    def families(self) -> frozenset[Hashable]:
        """Tokens of the data that the values are made from; see `Source`."""
        return self.pictures.families

    @property
    def terms(self) -> Sequence[Term]:
        """The terms that the values are put together from; see `Source`."""
        terms = self.pictures.noisy, self.pictures.n_hat(self.index)
        return (*terms, self.pictures.structure(self.index)) if self.look.detail else terms

    def read(self, part: Part) -> Values:
        """Return the values of a part at full size."""
        return self.pictures.trajectory.picture(self.index, self.look, part)

    def sum(self, terms: Sequence[Values]) -> Values:
        """Return the picture's values: the sum of those of the terms."""
        picture = look_picture(replace(self.look, detail=0), terms[0], terms[1])
        if self.look.detail:
            picture -= np.float32(self.look.luma * self.look.detail) * terms[2]
        return picture


@dataclass(frozen=True, eq=False)
class RemovedSource:
    """The noise that a look removes, with the sign of n_hat: the picture minus the noisy picture."""

    picture: LookSource

    @property
    def key(self) -> Hashable:
        """Equal keys mean equal values; see `Source`."""
        return "removed", self.picture.key

    @property
    def families(self) -> frozenset[Hashable]:
        """Tokens of the data that the values are made from; see `Source`."""
        return self.picture.families

    @property
    def terms(self) -> Sequence[Term]:
        """The terms that the values are put together from; see `Source`."""
        return self.picture.terms

    def read(self, part: Part) -> Values:
        """Return the values of a part at full size."""
        noisy, n_hat = self.terms[:2]
        if self.picture.look.plain:
            return n_hat.pyramid.read(*part)
        return self.picture.read(part) - noisy.pyramid.read(*part)

    def sum(self, terms: Sequence[Values]) -> Values:
        """Return the removed noise, put together from the values of the terms."""
        return self.picture.sum(terms) - terms[0]


@dataclass(frozen=True, eq=False)
class _Structure:
    """The detail that a look gives back, computed when it is read; one channel, since it is part of the luma."""

    trajectory: Trajectory
    index: int

    dtype = np.dtype(np.float32)

    @property
    def shape(self) -> tuple[int, ...]:
        return 1, *self.trajectory.subject.noisy.shape[1:]

    def __getitem__(self, part: tuple[slice, slice, slice], /) -> NDArray[np.float32]:
        (row, bottom, _), (col, right, _) = (
            along.indices(size) for along, size in zip(part[1:], self.shape[1:], strict=True)
        )
        where = row, col, bottom - row, right - col
        structure = self.trajectory.picture(self.index, PLAIN, where)[:1]
        structure -= self.trajectory.picture(self.index, _ALL_DETAIL, where)[:1]
        return structure
