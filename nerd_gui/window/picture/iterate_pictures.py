"""The pictures of a run's iterates in any look, read part by part."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from math import inf

import numpy as np
from numpy.typing import NDArray

from nerd_gui.denoising import LOOK_HALO, PLAIN, Look, Trajectory, look_picture
from nerd_gui.imaging.pyramid import Pyramid
from nerd_gui.window.picture.sources import Part, every, pyramid_of

_KEPT_BYTES = 256 << 20  # of levels that may be read again
_ALL_DETAIL = Look(detail=1)
_EFFORT = 20.0  # of finding the structure in a pixel, see `Source`


class IteratePictures:
    """The pictures of the iterates of one run, which may be under way.

    Attributes
    ----------
    trajectory : Trajectory
    families : frozenset
        See `Source`.
    noisy : Pyramid
    """

    def __init__(self, trajectory: Trajectory) -> None:
        self.trajectory = trajectory
        self.families: frozenset[Hashable] = frozenset([object()])
        self.noisy = pyramid_of(trajectory.subject.noisy)
        self._levels: OrderedDict[Hashable, Pyramid] = OrderedDict()
        self._measured: set[Hashable] = set()

    def picture(self, index: int, look: Look) -> LookSource:
        """Return what a look makes of an iterate."""
        return LookSource(self, index, look)

    def removed(self, index: int, look: Look) -> RemovedSource:
        """Return what a look takes away."""
        return RemovedSource(self.picture(index, look))

    def n_hat(self, index: int) -> Pyramid:
        """Return the noise estimate of an iterate."""
        n_hat = self.trajectory[index].n_hat
        key = "noise", index
        if key in self._levels and self._levels[key].base is not n_hat:
            del self._levels[key]
        return self._kept(key) or self._keep(key, Pyramid(n_hat))

    def structure(self, index: int) -> Pyramid:
        """Return what can be given back of an iterate's detail, in one channel."""
        key = "structure", *self.noise_known(index)
        return self._kept(key) or self._keep(key, Pyramid(_Structure(self.trajectory, index)))

    def noise_known(self, index: int) -> tuple[Hashable, ...]:
        """Return what changes when detail is told from noise anew: once the run has ended."""
        return index, self.trajectory.stop_reason

    def measuring(self, index: int) -> Iterator[float]:
        """Take the measure of an iterate's noise by which detail is told from it."""
        known = self.noise_known(index)
        if known not in self._measured:
            yield inf
            self.trajectory.picture(index, _ALL_DETAIL, (0, 0, 1, 1))
            self._measured.add(known)

    def update(self, part: Part) -> Part:
        """Say that a part of the noise estimates of all iterates has changed; return that of their pictures."""
        row, col, rows, cols = part
        top, left = max(0, row - LOOK_HALO), max(0, col - LOOK_HALO)
        halo = top, left, row + rows + LOOK_HALO - top, col + cols + LOOK_HALO - left
        for pyramid in self._levels.values():
            pyramid.update(*halo)
        return halo

    def _kept(self, key: Hashable) -> Pyramid | None:
        if key in self._levels:
            self._levels.move_to_end(key)
        return self._levels.get(key)

    def _keep(self, key: Hashable, pyramid: Pyramid) -> Pyramid:
        self._levels[key] = pyramid
        while len(self._levels) > 2 and sum(kept.nbytes for kept in self._levels.values()) > _KEPT_BYTES:
            self._levels.popitem(last=False)
        return pyramid


@dataclass(frozen=True, eq=False)
class LookSource:
    """What a look makes of an iterate.

    At full size it is `Trajectory.picture` to the bit. At its halves it is put together from the levels of what it is
    the sum of, so that another look, or another iterate, takes a moment where those have been made.
    """

    pictures: IteratePictures
    index: int
    look: Look

    @cached_property
    def key(self) -> Hashable:
        known = self.pictures.noise_known(self.index) if self.look.detail else self.index
        return self.families, known, self.look

    @property
    def families(self) -> frozenset[Hashable]:
        return self.pictures.families

    @property
    def shape(self) -> tuple[int, int]:
        return self.pictures.noisy.shape(0)

    @property
    def effort(self) -> float:
        return 2 + (_EFFORT / self.pictures.noisy.base.shape[0] if self.look.detail else 0)

    def making(self, part: Part, level: int) -> Iterator[float]:
        if self.look.detail:
            yield from self.pictures.measuring(self.index)
        yield from self.pictures.noisy.making(*part, level)
        yield from self.pictures.n_hat(self.index).making(*part, level)
        if self.look.detail:
            for values in self.pictures.structure(self.index).making(*part, level):
                yield _EFFORT * values

    def read(self, part: Part, level: int) -> NDArray[np.float32]:
        if level == 0:
            return self.pictures.trajectory.picture(self.index, self.look, part)
        picture = self._without_detail(
            self.pictures.noisy.read(*part, level), self.pictures.n_hat(self.index).read(*part, level)
        )
        if self.look.detail:
            amount = np.float32(self.look.luma * self.look.detail)
            picture -= amount * self.pictures.structure(self.index).read(*part, level)
        return picture

    def sample(self, step: int) -> NDArray[np.float32]:
        return self._without_detail(every(self.pictures.noisy, step), every(self.pictures.n_hat(self.index), step))

    def _without_detail(self, noisy: NDArray[np.float32], n_hat: NDArray[np.float32]) -> NDArray[np.float32]:
        return look_picture(replace(self.look, detail=0), noisy, n_hat)


@dataclass(frozen=True, eq=False)
class RemovedSource:
    """What a look takes away of a noisy picture, counted as n_hat is: the picture minus the noisy one."""

    picture: LookSource

    @property
    def key(self) -> Hashable:
        return "removed", self.picture.key

    @property
    def families(self) -> frozenset[Hashable]:
        return self.picture.families

    @property
    def shape(self) -> tuple[int, int]:
        return self.picture.shape

    @property
    def effort(self) -> float:
        return 1 + self.picture.effort

    def making(self, part: Part, level: int) -> Iterator[float]:
        return self.picture.making(part, level)

    def read(self, part: Part, level: int) -> NDArray[np.float32]:
        if self.picture.look.plain:
            return self._n_hat.read(*part, level)
        return self.picture.read(part, level) - self.picture.pictures.noisy.read(*part, level)

    def sample(self, step: int) -> NDArray[np.float32]:
        return self.picture.sample(step) - every(self.picture.pictures.noisy, step)

    @property
    def _n_hat(self) -> Pyramid:
        return self.picture.pictures.n_hat(self.picture.index)


@dataclass(frozen=True, eq=False)
class _Structure:
    """What a look gives back of detail, made where it is read: one channel, as it is part of the luma."""

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
