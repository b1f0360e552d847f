"""A program that measures how much memory a run takes beside its plan; `test_planned_memory.py` reads it."""

import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import psutil
import torch

from nerd_gui import allocator
from nerd_gui.denoising import DenoisingRun, PhotoRun, RunSettings, Subject, TooLittleMemory, record, record_photo
from nerd_gui.imaging import Photo
from nerd_gui.nerd import load_model


def peak_of(work):
    """The peak resident memory in bytes while `work` runs, in addition to that before, as the system counts it.

    A thread that samples it would allocate memory too, at random times and places among the tensors.
    """
    Path("/proc/self/clear_refs").write_text("5")  # the peak so far is forgotten
    before = psutil.Process().memory_info().rss
    work()
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return 1024 * int(status["VmHWM"].split()[0]) - before


def measured(name, size, solver, limit):
    """Return the bytes announced and taken, beyond those of the idle process, and whether there were no tiles."""
    net = load_model(name)
    values = np.random.default_rng(0).random((net.config.channels, size, size)) / 2
    photo = Photo(values.astype(np.float32))
    settings = RunSettings(model=name, solver=solver, max_iter=8, tol=0, device="cpu")
    if limit is not None:
        settings = replace(settings, memory_limit=limit + psutil.Process().memory_info().rss / 1e9)
    subject = Subject.of(photo)
    try:
        run = DenoisingRun(subject, settings, net)
        return run.plan.needed, peak_of(lambda: record(run, keep_features=False)), "one piece", run.plan.steps
    except TooLittleMemory:
        run = PhotoRun(subject, settings, net)
        memory = run.plan.memory
        return memory.needed, peak_of(lambda: record_photo(run)), f"{memory.tiles} tiles", memory.steps


if __name__ == "__main__":
    allocator.prepare()
    torch.set_num_threads(1)
    print(json.dumps(measured(**json.loads(sys.argv[1]))))
