"""`nerd-gui train` as a separate process: killed, with a full disk, or without a writable folder."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from PIL import Image
from tiny_training import TINY, assert_same_state, smooth_pictures

from nerd_gui import files
from nerd_gui.cli import main
from nerd_gui.nerd import load_record
from nerd_gui.training.data import validation_names
from nerd_gui.training.state import RunState

ROOT = Path(__file__).resolve().parents[2]
FULL = Path("/dev/full")  # a device that is always full


@pytest.fixture
def command(tmp_path, monkeypatch):
    """Return the command that trains the tiny network for some samples, in this folder."""
    monkeypatch.chdir(tmp_path)
    Path("pictures").mkdir()
    for name, picture in zip(["a", "b", *validation_names()[:1]], smooth_pictures(3, 96, 96), strict=True):
        Image.fromarray(picture.numpy()).save(f"pictures/{name}.png")
    Path("tiny.json").write_text(json.dumps(TINY.to_json()))
    common = "train --config tiny.json --data pictures --minutes 5 --device cpu --threads 1 --resume"

    def made(folder, samples, validate_every=5.0):
        return [*common.split(), folder, "--decay", str(samples), "--validate-every", str(validate_every)]

    return made


def start(arguments):
    return subprocess.Popen(
        [sys.executable, "-m", "nerd_gui", *arguments],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def state(folder):
    read = RunState.load(Path(folder, "state.safetensors"), torch.device("cpu"))
    del read.numbers["seconds"]
    return read


def kill(arguments, folder, after):
    """Start the command and kill it this long after its first saved state; return whether it was still running."""
    file = Path(folder, "state.safetensors")
    before = file.stat().st_mtime_ns if file.exists() else 0
    process = start(arguments)
    while process.poll() is None and not (file.exists() and file.stat().st_mtime_ns > before):
        time.sleep(0.002)
    time.sleep(after)
    process.send_signal(signal.SIGKILL)
    return process.wait() == -signal.SIGKILL


def test_killed_and_resumed_is_never_killed(command):
    assert main(command("whole", 80)) == 0
    assert kill(command("killed", 80, 0.001), "killed", after=0.1)
    assert 0 < state("killed").numbers["samples"] < 80
    assert main(command("killed", 80)) == 0
    assert state("whole").numbers["samples"] == 80
    assert_same_state(state("killed"), state("whole"))
    file = Path("killed/state.safetensors")
    before = file.read_bytes()
    assert main([*command("killed", 80), "--release", "net.safetensors"]) == 0  # as if killed before this was written
    assert file.read_bytes() == before
    assert load_record("net.safetensors")["samples"] == 80


@pytest.mark.soak
@pytest.mark.timeout(900)
def test_killed_at_many_moments(command):
    """Kills at random moments, some of them during a write, until the training is done."""
    moments, kills = random.Random(0), 0
    assert main(command("whole", 1500)) == 0
    while kill(command("killed", 1500, moments.choice([0, 0.001, 0.01])), "killed", after=moments.uniform(0, 2)):
        kills += 1
        assert state("killed").numbers["samples"] <= 1500
    assert kills >= 10
    assert_same_state(state("killed"), state("whole"))


def refused(capsys, arguments):
    """Run a command that fails, and return its one sentence."""
    capsys.readouterr()
    assert main(arguments) == 2
    said = [line for line in capsys.readouterr().err.splitlines() if line.startswith("nerd-gui: ")]
    assert len(said) == 1
    return said[0]


@pytest.mark.skipif(not FULL.exists(), reason="this system has no /dev/full to play a full disk")
@pytest.mark.parametrize(
    ("file", "words"),
    [
        ("run/state.safetensors", "state “run/state.safetensors” cannot be written"),
        ("run/recipe.json", "Files cannot be written to “run”"),
        ("run/curve.csv", "curve “run/curve.csv” cannot be written"),
        ("net.safetensors", "network “net.safetensors” cannot be written"),
        ("state/net.safetensors", "state “state/net.safetensors” cannot be written"),
    ],
)
def test_a_full_disk_is_a_sentence_and_the_last_state_survives(command, capsys, monkeypatch, file, words):
    step = command("run", 4)
    step[step.index("--minutes") + 1] = "0"
    assert main(step[: step.index("--decay")]) == 0
    before = Path("run/state.safetensors").read_bytes()

    def full(path, mode="r", **options):
        """Let every write of this file fail with a full disk."""
        ours = Path(path).parent == Path(file).resolve().parent and Path(path).name.startswith(f".{Path(file).name}.")
        return opened(FULL, "wb") if ours else opened(path, mode, **options)

    opened = open
    with monkeypatch.context() as patch:
        patch.setattr(files, "open", full, raising=False)
        said = refused(capsys, [*step, "--release", "net.safetensors"])
    assert words in said and "No space left" in said
    state_comes_first = file in ("run/curve.csv", "net.safetensors")
    assert (Path("run/state.safetensors").read_bytes() == before) is not state_comes_first
    assert state("run").numbers["samples"] == (4 if state_comes_first else 2)
    assert not Path("net.safetensors").exists() and not list(Path().rglob("*.part"))
    # With free space again:
    assert main(step) == 0


def test_a_place_that_cannot_be_written_is_a_sentence(command, capsys, monkeypatch):
    Path("file").touch()
    assert "Files cannot be written to “file”" in refused(capsys, command("file", 2))
    assert main(command("run", 2)) == 0
    before = Path("run/state.safetensors").read_bytes()

    def forbidden(path, mode="r", *args, **options):
        if "x" in mode and Path(path).parent == Path("run").resolve():
            raise PermissionError(13, "Permission denied", str(path))
        return opened(path, mode, *args, **options)

    opened = open
    with monkeypatch.context() as patch:
        patch.setattr(files, "open", forbidden, raising=False)
        said = refused(capsys, command("run", 2))
    assert "Files cannot be written to “run”" in said and "Permission denied" in said
    assert Path("run/state.safetensors").read_bytes() == before


def test_the_minutes_between_states_are_asked_for(command):
    assert main(command("often", 6, 0)) == 0
    assert len(Path("often/curve.csv").read_text().splitlines()) == 1 + 3  # every step
    assert main(command("once", 6)) == 0
    assert len(Path("once/curve.csv").read_text().splitlines()) == 1 + 1
