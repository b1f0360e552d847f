"""Runs take the memory that their plans announced, for several sizes, networks, solvers and limits."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

COMBINATIONS = [
    ("nerd-lite", 192, "broyden", None),
    ("nerd-lite", 384, "broyden", None),
    ("nerd-lite", 384, "anderson", None),
    ("nerd-lite", 384, "plain", None),
    ("nerd-lite", 384, "broyden", 0.62),
    ("nerd-lite", 384, "anderson", 0.6),
    ("nerd-lite", 768, "broyden", 1.0),
    ("nerd-lite", 768, "plain", 0.8),
    ("nerd-lite-25", 384, "broyden", None),
    ("nerd-lite-25", 512, "broyden", 1.0),
    ("nerd-lite-colour", 256, "broyden", None),
    ("nerd-lite-photo-colour", 384, "broyden", 0.75),
]


@pytest.mark.soak
@pytest.mark.timeout(24 * 3600)
def test_runs_take_what_their_plans_announced():
    here, ratios = Path(__file__).parent, []
    environment = {**os.environ, "PYTHONPATH": str(here.parents[1]), "OMP_NUM_THREADS": "1"}
    for name, size, solver, limit in COMBINATIONS:
        task = json.dumps({"name": name, "size": size, "solver": solver, "limit": limit})
        program = [sys.executable, str(here / "planned_memory.py"), task]
        done = subprocess.run(program, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        announced, taken, how, steps = json.loads(done.stdout)
        ratios.append(taken / announced)
        print(f"{name} {size} {solver} {limit}: {how} {steps}, {announced / 1e6:.0f} MB announced,", end=" ")
        print(f"{taken / 1e6:.0f} MB taken, {ratios[-1]:.2f}", flush=True)
    assert len(ratios) == len(COMBINATIONS) and 0.9 < min(ratios) < max(ratios) < 1.1
