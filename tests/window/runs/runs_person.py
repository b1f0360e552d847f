"""A simulated user of the list of runs, and what it shows."""

from types import SimpleNamespace
from typing import cast

import numpy as np
import torch
from PySide6.QtCore import QPoint, Qt
from scripted_session import make_iterate

from nerd_gui.denoising import MemoryPlan, RunSettings, Subject, Trajectory
from nerd_gui.window.runs.delegate import check_rect
from nerd_gui.window.runs.model import ROW
from nerd_gui.window.session.run import Run

LEFT = Qt.MouseButton.LeftButton


def make_run(steps=4, *, level=0.5, sigma=25.0, known=True, finished=True, shape=(1, 24, 24), region=None, **settings):
    """Make a run whose pictures are uniform grey of `level`; its residuals and PSNR identify the iterates."""
    photo = cast(object, SimpleNamespace(name="sample"))
    noisy = np.full(shape, 0.4, np.float32)
    subject = Subject(photo, noisy, np.full(shape, 0.45, np.float32) if known else None, sigma, 0, region)
    trajectory = Trajectory(subject, RunSettings(**settings), 9, MemoryPlan(0, 0, torch.float16, None))
    for index in range(steps + 1):
        n_hat = np.full(shape, (level - 0.4) * index / steps, np.float16)
        last = finished and index == steps
        trajectory.add(make_iterate(index, 0.5 * 0.3**index, known=known, last=last, n_hat=n_hat))
    return Run(subject, trajectory.settings, trajectory=trajectory, over=finished)


def add(session, *runs):
    """Add runs to the list; the last one is shown."""
    for run in runs:
        session.runs.add(run)
        session.show_run(run)


def rows(view):
    """Return the contents of each row."""
    return [view.model().index(row).data(ROW) for row in range(view.model().rowCount())]


def place_of(view, row) -> QPoint:
    """Return a place on the text of a row."""
    view.scrollTo(view.model().index(row))
    return view.visualRect(view.model().index(row)).center()


def box_of(view, row) -> QPoint:
    """Return the centre of the check box of a row."""
    view.scrollTo(view.model().index(row))
    return check_rect(view.visualRect(view.model().index(row))).center()


def click(qtbot, view, place, button=LEFT):
    qtbot.mouseClick(view.viewport(), button, pos=place)
