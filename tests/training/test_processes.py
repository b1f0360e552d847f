"""Two processes that train together are equivalent to one with twice the batch."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import two_processes
from PIL import Image
from safetensors.torch import load_file
from tiny_training import TINY, make, smooth_pictures

from nerd_gui.nerd import load_model
from nerd_gui.training import Processes
from nerd_gui.training.data import validation_names
from nerd_gui.training.state import RunState

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder in which two processes have trained, each with the environment variables of torchrun."""
    folder = tmp_path_factory.mktemp("processes")
    to_train(folder / "command")
    with socket.socket() as one, socket.socket() as other:
        for free in (one, other):
            free.bind(("127.0.0.1", 0))
        ports = [free.getsockname()[1] for free in (one, other)]
    torch.multiprocessing.spawn(two_processes.run, (ports, folder), nprocs=2)
    return folder


def to_train(folder):
    """Copy the tiny recipe and its pictures into a folder."""
    (folder / "pictures").mkdir(parents=True)
    for name, picture in zip(["a", "b", *validation_names()[:1]], smooth_pictures(3, 96, 96), strict=True):
        Image.fromarray(picture.numpy()).save(folder / "pictures" / f"{name}.png")
    (folder / "tiny.json").write_text(json.dumps(TINY.to_json()))


@pytest.fixture(scope="module")
def seen(folder):
    """Return what the two processes wrote about the steps with fixed norms, and about the resumed run."""
    return {kind: [load_file(folder / f"{kind}{rank}.safetensors") for rank in (0, 1)] for kind in ("fixed", "resumed")}


def close(one, other):
    return float((one - other).norm()) <= 1e-6 * float(other.norm())


def test_gradients_are_those_of_one_process_with_twice_the_batch(seen):
    first, second = seen["fixed"]
    trainer = two_processes.fixed_trainer(4)
    for step in range(two_processes.STEPS):
        batch = [torch.cat([one[f"{step}.{name}"] for one in (first, second)]) for name in ("noisy", "clean", "sigma")]
        assert not torch.equal(first[f"{step}.clean"], second[f"{step}.clean"])
        trainer.sampler.batch = lambda *_, batch=batch: batch
        record = trainer.step()
        for name, parameter in trainer.net.named_parameters():
            expected = parameter.grad
            assert float(expected.norm()) > 0
            assert torch.equal(first[f"{step}.gradient.{name}"], second[f"{step}.gradient.{name}"]), name
            assert close(first[f"{step}.gradient.{name}"], expected), (step, name)
        for one in (first, second):
            assert one[f"{step}.figures"].tolist() == pytest.approx(
                [record.mse, record.residual, record.gradient_norm], rel=1e-6
            )
    for name, parameter in trainer.net.named_parameters():
        assert torch.equal(first[f"parameter.{name}"], second[f"parameter.{name}"]), name
        assert close(first[f"parameter.{name}"], parameter.detach()), name


def test_every_process_gets_its_own_random_numbers_back(seen):
    first, second = seen["resumed"]
    assert not torch.equal(first["mask"], second["mask"])
    for one in (first, second):
        names = [name.removeprefix("on.") for name in one if name.startswith("on.")]
        random = {name for name in names if name.startswith("random.")}
        assert random == {f"random.{kind}{rank}" for kind in ("global", "sampler") for rank in ("", ".1")}
        for name in names:
            # Until they are fixed nothing reads BatchNorm's running statistics, which differ between the processes.
            if one is first or "running" not in name:
                assert torch.equal(one[f"on.{name}"], one[f"again.{name}"]), name
                assert torch.equal(one[f"on.{name}"], first[f"on.{name}"]), name
        for kind in ("global", "sampler"):
            assert not torch.equal(one[f"on.random.{kind}"], one[f"on.random.{kind}.1"])


def trained_once(folder, out, err):
    """Check that two processes trained one network and announced it once; return its last state."""
    assert [line.split(" samples")[0] for line in out.splitlines()] == ["run: trained on 12"]
    assert next(line for line in err.splitlines() if "samples, " in line).startswith("12 samples, ")
    assert len((folder / "run" / "curve.csv").read_text().splitlines()) == 2
    assert load_model(folder / "net.safetensors").config == TINY.model
    state = RunState.load(folder / "run" / "state.safetensors", torch.device("cpu"))
    assert (state.numbers["samples"], state.numbers["steps"]) == (12, 3)
    assert "random.sampler.1" in state.tensors
    return state


@pytest.mark.soak
def test_torchrun_trains_one_network(tmp_path):
    to_train(tmp_path / "here")
    start = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2", "-m", "nerd_gui"]
    done = subprocess.run(
        [*start, *two_processes.TRAIN],
        cwd=tmp_path / "here",
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    assert done.returncode == 0, done.stderr
    trained_once(tmp_path / "here", done.stdout, done.stderr)


def test_the_command_trains_one_network(folder):
    here = folder / "command"
    out, err = ("".join((here / f"{kind}{rank}").read_text() for rank in (0, 1)) for kind in ("out", "err"))
    state = trained_once(here, out, err)
    # One process continues from a state of two, and two continue from a state of one.
    one = make()
    one.restore(state)
    one.step()
    assert one.samples == 14
    alone = make()
    alone.step()
    second = make(processes=Processes(rank=1, count=2))
    second.restore(alone.state())
    assert not torch.equal(second.sampler.batch(2, 8)[0], alone.sampler.batch(2, 8)[0])
