"""A session of a small photo with two runs, and an entry of an evaluation, which tests damage."""

from datetime import datetime

import numpy as np
import torch

from nerd_gui.denoising import Iterate, MemoryPlan, RunSettings, Subject, Trajectory
from nerd_gui.denoising.session_file import SavedRun, SavedSession, write_session
from nerd_gui.evaluation.figures import MEANS, SETTINGS
from nerd_gui.imaging import Photo, open_photo, save_picture

_IMAGE = {**dict.fromkeys(MEANS, 1.0), "name": "01", "seed": 0, "iterations": 17, "seconds": 2.0}
#: As `nerd-gui evaluate --json` writes it.
ENTRY = {
    **dict.fromkeys(MEANS, 1.0),
    "model": "nerd",
    "sigma": 25.0,
    "images": [_IMAGE, _IMAGE],
    "folder": "set12",
    "weights": "0" * 64,
    "settings": {**dict.fromkeys(SETTINGS), "limit": None},
    "other_solver": None,
    "device": "cpu",
    "plan": [],
    "partial": False,
}


def session_of(photo, *, seed=0):
    """Make a session of two runs, one of them with added noise."""
    chance, runs = np.random.default_rng(seed), []
    for number, sigma in ((1, None), (2, 25.0)):
        plan = MemoryPlan(0, 0, torch.float16, None)
        trajectory = Trajectory(Subject.of(photo, sigma=sigma, seed=3), RunSettings(model="tiny"), 9, plan)
        for index in range(3):
            n_hat = chance.normal(0, 0.1, photo.pixels.shape).astype(np.float16)
            measures = 0.1, None, None, 20.0, (20.0,) * photo.channels, None, None, 0.5, index + 1, False
            trajectory.add(Iterate(index, n_hat, None, *measures))
        started = datetime(2026, 11, 28)
        runs.append(SavedRun(number, f"Run {number}", trajectory, trajectory.settings, False, 2, started))
    return SavedSession(photo, runs=tuple(runs), shown=1, pins=((1, 2, 3),), selected=1)


def photo_file(path, *, seed=0, rows=24, cols=20):
    """Save a small grey photo and open it."""
    values = np.random.default_rng(seed).integers(0, 256, (1, rows, cols)).astype(np.float32) / np.float32(255)
    return open_photo(save_picture(path, Photo(values), overwrite=True))


def session_file(folder):
    """Save such a session beside its photo; return its path."""
    path = folder / "damaged.nerd"
    write_session(path, session_of(photo_file(folder / "damaged.png")), overwrite=True)
    return path
