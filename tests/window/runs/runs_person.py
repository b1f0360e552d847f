"""What a person does with the list of runs, and what is read there."""

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
    """A run whose pictures are even grey of `level`; its residuals and PSNR tell the iterates apart."""
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
    """Put runs into the list; the last one is shown."""
    for run in runs:
        session.runs.add(run)
        session.show_run(run)


def rows(view):
    """What each row shows."""
    return [view.model().index(row).data(ROW) for row in range(view.model().rowCount())]


def place_of(view, row) -> QPoint:
    """A place on the words of a row."""
    view.scrollTo(view.model().index(row))
    return view.visualRect(view.model().index(row)).center()


def box_of(view, row) -> QPoint:
    """The middle of the check box of a row."""
    view.scrollTo(view.model().index(row))
    return check_rect(view.visualRect(view.model().index(row))).center()


def click(qtbot, view, place, button=LEFT):
    qtbot.mouseClick(view.viewport(), button, pos=place)
