"""The work of each process in test_processes.py: it trains, and writes down the results."""

import dataclasses
import os
import weakref
from contextlib import redirect_stderr, redirect_stdout

import torch
import torch.distributed as dist
from safetensors.torch import save_file
from tiny_training import DEEP, TINY, make, smooth_pictures

from nerd_gui.cli import main
from nerd_gui.nerd import NerdConfig
from nerd_gui.training import Trainer, joined
from nerd_gui.training.state import RunState

CPU = torch.device("cpu")
STEPS = 3
#: Without dropout, whose masks would differ from those of one process with the whole batch.
FIXED = dataclasses.replace(TINY, model=NerdConfig(features=8, window=5), norms_fixed_from=0)


def fixed_trainer(batch, processes=None):
    """A trainer in float64 whose BatchNorm statistics are fixed."""
    stage = dataclasses.replace(DEEP, batch=batch)
    trainer = Trainer(dataclasses.replace(FIXED, stages=(stage,)), smooth_pictures(), processes)
    trainer.fix_norms(trainer.averaged(batches=3).state_dict())
    trainer.net.double()
    trainer.ema = {name: value.double() for name, value in trainer.ema.items()}
    return trainer


#: The command that trains the tiny network in the folder it is run in.
TRAIN = ["train", "--config", "tiny.json", "--data", "pictures", "--resume", "run", "--minutes", "2", "--decay", "12"]
TRAIN += ["--device", "cpu", "--threads", "1", "--release", "net.safetensors"]


def run(rank, ports, folder):
    os.environ |= {"RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": "2"}  # as set by torchrun
    os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(ports[0])}
    torch.set_num_threads(1)
    with joined(CPU) as processes:
        group = weakref.ref(dist.group.WORLD)
        assert (processes.rank, processes.count, processes.first) == (rank, 2, rank == 0)
        assert processes.agree(rank + 0.25, 7) == [0.25, 7]
        save_file(fixed_steps(processes), folder / f"fixed{rank}.safetensors")
        save_file(resumed(processes, folder), folder / f"resumed{rank}.safetensors")
    # Otherwise gloo's threads may abort the process while the interpreter shuts down.
    assert group() is None
    os.environ["MASTER_PORT"] = str(ports[1])
    os.chdir(folder / "command")
    with open(f"out{rank}", "w") as out, open(f"err{rank}", "w") as err, redirect_stdout(out), redirect_stderr(err):
        assert main(TRAIN) == 0


def fixed_steps(processes):
    """Return batches, gradients and figures of some steps with fixed norms, and the parameters after them."""
    trainer, seen = fixed_trainer(2, processes), {}
    draw = trainer.sampler.batch
    for step in range(STEPS):
        noisy, clean, sigma = (value.double() for value in draw(2, 8))
        trainer.sampler.batch = lambda *_, batch=(noisy, clean, sigma): batch
        record = trainer.step()
        figures = torch.tensor(dataclasses.astuple(record), dtype=torch.float64)
        seen |= {f"{step}.noisy": noisy, f"{step}.clean": clean, f"{step}.sigma": sigma, f"{step}.figures": figures}
        seen |= {f"{step}.gradient.{name}": p.grad.clone() for name, p in trainer.net.named_parameters()}
    seen |= {f"parameter.{name}": p.detach() for name, p in trainer.net.named_parameters()}
    assert trainer.samples == STEPS * 4
    return {name: value.contiguous() for name, value in seen.items()}


def resumed(processes, folder):
    """Return the state of a run that was not interrupted, in float32 and with dropout, and of one that was resumed."""
    first, path = make(processes=processes), folder / "state.safetensors"
    for _ in range(2):
        first.step()
    state = first.state()
    if processes.first:
        state.save(path)
    processes.agree(0)  # the file is there
    first.step()
    mask = first.net._dropout_mask.clone()
    went_on = {f"on.{name}": value.clone() for name, value in first.state().tensors.items()}
    second = make(seed=99, processes=processes)
    second.restore(RunState.load(path, CPU))
    second.step()
    again = {f"again.{name}": value.clone() for name, value in second.state().tensors.items()}
    return {name: value.contiguous() for name, value in {**went_on, **again, "mask": mask}.items()}
