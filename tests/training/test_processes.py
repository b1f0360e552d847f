"""Two processes that train together are one with twice the batch."""

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
def seen(tmp_path_factory):
    """What the two processes wrote: of the steps with fixed norms, and of the resumed run."""
    folder = tmp_path_factory.mktemp("processes")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    torch.multiprocessing.spawn(two_processes.run, (port, folder), nprocs=2)
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
            # Until they are fixed nothing reads BatchNorm's running statistics, each process's own.
            if one is first or "running" not in name:
                assert torch.equal(one[f"on.{name}"], one[f"again.{name}"]), name
                assert torch.equal(one[f"on.{name}"], first[f"on.{name}"]), name
        for kind in ("global", "sampler"):
            assert not torch.equal(one[f"on.random.{kind}"], one[f"on.random.{kind}.1"])


def test_torchrun_trains_one_network(tmp_path):
    source = tmp_path / "pictures"
    source.mkdir()
    for name, picture in zip(["a", "b", *validation_names()[:1]], smooth_pictures(3, 96, 96), strict=True):
        Image.fromarray(picture.numpy()).save(source / f"{name}.png")
    (tmp_path / "tiny.json").write_text(json.dumps(TINY.to_json()))
    start = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2", "-m", "nerd_gui"]
    options = "train --config tiny.json --data pictures --resume run --minutes 2 --decay 12 --device cpu --threads 1"
    done = subprocess.run(
        [*start, *options.split(), "--release", "net.safetensors"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    assert done.returncode == 0, done.stderr
    assert [line.split(" samples")[0] for line in done.stdout.splitlines()] == ["run: 12"]
    assert next(line for line in done.stderr.splitlines() if "samples, " in line).startswith("12 samples, ")
    assert len((tmp_path / "run" / "curve.csv").read_text().splitlines()) == 2
    assert load_model(tmp_path / "net.safetensors").config == TINY.model
    state = RunState.load(tmp_path / "run" / "state.safetensors", torch.device("cpu"))
    assert (state.numbers["samples"], state.numbers["steps"]) == (12, 3)
    assert "random.sampler.1" in state.tensors
    # One process goes on from it, and the second of two from a state that one has saved.
    one = make()
    one.restore(state)
    one.step()
    assert one.samples == 14
    alone = make()
    alone.step()
    second = make(processes=Processes(rank=1, count=2))
    second.restore(alone.state())
    assert not torch.equal(second.sampler.batch(2, 8)[0], alone.sampler.batch(2, 8)[0])
