"""The pictures of a run's iterates, made when they are first shown: scrubbing shows most of them again."""

import weakref

import numpy as np

from nerd_gui.denoising import Trajectory
from nerd_gui.window.picture.layers import LaterPicture


def picture_of(trajectory: Trajectory, index: int) -> LaterPicture:
    """x_hat of an iterate."""
    return LaterPicture(_key(trajectory, "picture", index), _shape(trajectory), lambda: trajectory.picture(index))


def noise_of(trajectory: Trajectory, index: int) -> LaterPicture:
    """n_hat of an iterate."""
    n_hat = trajectory[index].n_hat
    return LaterPicture(_key(trajectory, "noise", index), _shape(trajectory), lambda: n_hat.astype(np.float32))


def _key(trajectory: Trajectory, what: str, index: int) -> tuple[object, ...]:
    # A weak reference is as good a key as the trajectory, and does not keep its features in memory.
    return weakref.ref(trajectory), what, index


def _shape(trajectory: Trajectory) -> tuple[int, int]:
    return trajectory.subject.rows, trajectory.subject.cols
