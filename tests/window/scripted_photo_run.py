"""A run of a whole photo whose tiles are finished on the test's command; its signals are like those of a real run."""

import threading
import time
from contextlib import contextmanager
from types import SimpleNamespace

import numpy as np
import torch
from scripted_session import make_iterate

from nerd_gui.denoising import MemoryPlan, PhotoProgress, RunError, Trajectory
from nerd_gui.equilibrium import StopReason

ACROSS = DOWN = 2
STEPS = 3


class ScriptedPhotoRun:
    """Four tiles; iterate i of each has the noise estimate -0.02 (i + 1).

    Attributes
    ----------
    made : list
        Every prepared run, the newest last.
    """

    made: list["ScriptedPhotoRun"] = []  # noqa: RUF012 - emptied for every test

    def __init__(self, subject, settings, net=None, *, grain=1):
        self.subject, self.settings, self.grain = subject, settings, grain
        self.net = net or SimpleNamespace(non_local=None)
        plan = MemoryPlan(0, 0, torch.float16, None)
        self.trajectory = Trajectory(subject, settings, 9, plan)
        self.plan = SimpleNamespace(memory=plan)
        rows, cols = subject.rows // DOWN, subject.cols // ACROSS
        self.left = [(row * rows, col * cols, rows, cols) for row in range(DOWN) for col in range(ACROSS)]
        self.n_hats = [np.zeros(subject.noisy.shape, np.float16) for _ in range(STEPS)]
        self.permits = threading.Semaphore(0)
        self.fails, self.reason, self.residuals = False, StopReason.SETTLED, (0.1, 0.05, 0.02)
        self.views, self.threads = [], []
        self.asked_at = None  # the time of its last question whether to stop, while it waits for the answer
        ScriptedPhotoRun.made.append(self)

    @property
    def finished(self):
        return not self.left

    @property
    def waits(self):
        """Return whether it has been waiting for an answer, as in a pause."""
        asked_at = self.asked_at
        return asked_at is not None and time.perf_counter() - asked_at > 0.05

    def tiles(self, should_stop=None, view=None):
        self.threads.append(threading.current_thread())
        yield PhotoProgress("sample", 0, DOWN * ACROSS, 0.0)
        while self.left:
            stopped = False
            while not (stopped or self.permits.acquire(timeout=2e-3)):
                self.asked_at = time.perf_counter()
                stopped = should_stop()
                self.asked_at = None
            if stopped:
                return
            if self.fails:
                raise RunError("The temporary folder is full; make room there.")
            yield self._solved(view())

    def _solved(self, view):
        self.views.append(view)
        part = self.left.pop(0)
        row, col, rows, cols = part
        for index, n_hat in enumerate(self.n_hats):
            n_hat[:, row : row + rows, col : col + cols] = -0.02 * (index + 1)
        reasons = [None] * (STEPS - 1) + [None if self.left else self.reason]
        iterates = tuple(
            make_iterate(index, self.residuals[index], known=False, n_hat=n_hat, stop_reason=reason)
            for index, (n_hat, reason) in enumerate(zip(self.n_hats, reasons, strict=True))
        )
        done = DOWN * ACROSS - len(self.left)
        return PhotoProgress(
            "tiles", done, DOWN * ACROSS, done / (DOWN * ACROSS), 50.0 * len(self.left), part, iterates
        )

    @contextmanager
    def standing_still(self):
        yield None

    def finish(self, reason=StopReason.CANCELLED):
        self.trajectory.stop_reason = self.trajectory.stop_reason or reason
