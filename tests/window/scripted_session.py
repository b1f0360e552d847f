"""A session with scripted runs: no thread and no network, but the same signals as from a real run."""

from types import SimpleNamespace
from typing import cast

import numpy as np
import torch

from nerd_gui.denoising import Iterate, MemoryPlan, RunSettings, Subject, Trajectory
from nerd_gui.equilibrium import StopReason
from nerd_gui.window.session.run import Run
from nerd_gui.window.session.session import Session

SHAPE = (1, 4, 4)


def picture_of(rows, cols, kind, seed):
    """Make values (3, rows, cols); rows share memory if there are many, so that this is quick."""
    values = np.random.default_rng(seed).normal(0.5 if kind is np.float32 else 0, 0.05, 3 * 1024 + 64 * cols)
    values = np.resize(values.astype(kind), 3 * rows + 64 * cols)
    step = values.itemsize
    return np.lib.stride_tricks.as_strided(values, (3, rows, cols), (rows * step, step, step))


def make_iterate(index: int, residual: float, *, known: bool = True, last: bool = False, **changes) -> Iterate:
    fields = {
        "index": index,
        "n_hat": np.full(SHAPE, 0.1, np.float16),
        "features": cast(object, None),
        "residual": residual,
        "relative_step": None if index == 0 or last else 2 * residual,
        "residual_change": None if index == 0 else 0.5,
        "noise_level": 20 + index / 10,
        "noise_levels": (20 + index / 10,),
        "psnr": 20.0 + index if known else None,
        "ssim": 0.5 + index / 100 if known else None,
        "seconds": 0.5 * index,
        "evaluations": index + 1,
        "restarted": False,
        "stop_reason": StopReason.CONVERGED if last else None,
    }
    return Iterate(**{**fields, **changes})


def make_trajectory(
    residuals, *, known: bool = True, finished: bool = True, tol: float = 1e-3, solver: str = "broyden"
) -> Trajectory:
    noisy = np.full(SHAPE, 0.4, np.float32)
    clean = np.full(SHAPE, 0.45, np.float32) if known else None  # the iterates' 0.5 errs by 0.05
    subject = Subject(cast(object, SimpleNamespace(name="sample")), noisy, clean, 25.0 if known else None)
    settings = RunSettings(tol=tol, solver=solver)
    trajectory = Trajectory(subject, settings, 9, MemoryPlan(0, 0, torch.float16, None))
    for index, residual in enumerate(residuals):
        last = finished and index == len(residuals) - 1
        trajectory.add(make_iterate(index, residual, known=known, last=last))
    return trajectory


def show(session: Session, trajectory: Trajectory) -> None:
    """Make a run with this trajectory the current one, next to the previous one."""
    over = trajectory.stop_reason is not None
    run = Run(trajectory.subject, trajectory.settings, trajectory=trajectory, over=over)
    session.runs.add(run)
    session.show_run(run)


def arrive(session: Session, iterate: Iterate) -> None:
    """Let the next iterate of the current run arrive."""
    assert session.trajectory is not None
    session.trajectory.add(iterate)
    session.controller.iterateAdded.emit(iterate.index, session.run)
