"""Helpers of the command line's tests."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
from PIL import Image

from nerd_gui.cli import main
from nerd_gui.denoising import RunSettings, Subject, denoise
from nerd_gui.imaging import open_photo


def make_photo(path, seed=0, shape=(24, 20)):
    path.parent.mkdir(exist_ok=True)
    Image.fromarray(np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)).save(path)
    return path


def tree(folder):
    return {path: path.read_bytes() if path.is_file() else None for path in Path(folder).rglob("*")}


def expected(path, model, sigma=None, **settings):
    """Compute the result's pixels with the library, (C, rows, cols), not rounded."""
    usual = {"max_iter": 3, "stop_on": "picture" if sigma is None else "residual"}
    settings = RunSettings(model=model, **{**usual, **settings})
    trajectory = denoise(Subject.of(open_photo(path), sigma=sigma, seed=4), settings)
    return trajectory.picture(trajectory.result), trajectory


def rounded(pixels, full):
    return np.rint(np.clip(pixels, 0, 1) * np.float32(full)).astype(int)


def refused(capsys, *arguments):
    """Run a command that must be refused without a traceback; return its message."""
    before = tree(".")
    assert main([str(argument) for argument in arguments]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("nerd-gui: ") and said.err.endswith(".\n") and said.err.count("\n") == 1
    assert tree(".") == before
    return said.err


def recipe():
    stage = {"until": None, "solver_steps": 0, "unroll": 1, "patch": 8, "batch": 2, "precision": "float32"}
    model, noise = {"features": 8, "window": 3}, {"low": 25, "high": 25}
    return {"name": "tiny", "model": model, "noise": noise, "stages": [stage], "decay_stage": stage}


def run_python(*arguments, cwd):
    return subprocess.run(console(*arguments), cwd=cwd, env=environment(), capture_output=True, text=True, timeout=100)


def console(*arguments):
    return [sys.executable, *map(str, arguments)]


def environment():
    root = Path(__file__).parents[2]
    return {**os.environ, "PYTHONPATH": str(root), "PYTHONIOENCODING": "utf-8", "OMP_NUM_THREADS": "1"}
