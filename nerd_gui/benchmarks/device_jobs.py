"""The measurements of `nerd-gui tune`. Each job runs in a separate process, so that a driver crash only ends that job.

This module is run as a program, with the job and its arguments as JSON. It prints every result as one line of JSON.
"""

import json
import sys
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from operator import attrgetter
from statistics import median
from time import perf_counter
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from nerd_gui.benchmarks.clock import wait_for
from nerd_gui.benchmarks.device_checks import Row, checks, why
from nerd_gui.benchmarks.flops import step_flops, useful_flops
from nerd_gui.benchmarks.workload import told
from nerd_gui.denoising import RunSettings
from nerd_gui.equilibrium import broyden
from nerd_gui.nerd import NERD, NerdConfig, exact_float32
from nerd_gui.nerd.attention import Precision, attention_path
from nerd_gui.training import Execution, Recipe, Stage, Trainer, find_recipe
from nerd_gui.training.state import RunState

_SIDE = {"cuda": 8192}  # side of the matrices whose product measures the peak rate
_SIDE_ELSEWHERE = 512
_COPIED = {"cuda": 1 << 32}  # bytes
_COPIED_ELSEWHERE = 1 << 24
_KERNELS = 15  # number of kernels in a profile


def seconds_of(function: Callable[[], object], device: str, least: int = 3, seconds: float = 1.0) -> float:
    """Measure the median time of a call, including the device's work, after two calls to warm up."""
    taken: deque[float] = deque()
    began = 0.0
    for index in range(10_000):
        if index == 2:
            taken.clear()
            began = perf_counter()
        if index >= 2 + least and perf_counter() - began > seconds:
            break
        wait_for(device)
        started = perf_counter()
        function()
        wait_for(device)
        taken.append(perf_counter() - started)
    return median(taken)


def rates(device: str) -> Iterator[Row]:
    """Measure the device's limits: matrix products (FLOP/s) and copies (bytes read and written per second)."""
    kind = torch.device(device).type
    name = torch.cuda.get_device_name(device) if kind == "cuda" else kind
    yield {
        "kind": "device",
        "device": device,
        "name": name,
        "torch": torch.__version__,
        "python": sys.version.split()[0],
    }
    side = _SIDE.get(kind, _SIDE_ELSEWHERE)
    for dtype in (torch.bfloat16, torch.float32):
        left, right = torch.randn(2, side, side, device=device).to(dtype)
        seconds = seconds_of(lambda a=left, b=right: a @ b, device)  # type: ignore[misc]
        yield {"kind": "rate", "what": f"matrix product {str(dtype)[6:]}", "flops_per_second": 2 * side**3 / seconds}
    size = _COPIED.get(kind, _COPIED_ELSEWHERE)
    source = torch.randint(0, 255, (size,), dtype=torch.uint8, device=device)
    target = torch.empty_like(source)
    yield {
        "kind": "rate",
        "what": "copy",
        "bytes_per_second": 2 * size / seconds_of(lambda: target.copy_(source), device),
    }


def steps(
    device: str, recipe: str, attention: str | None, mode: str, cases: Sequence[Sequence[int]], seconds: float
) -> Iterator[Row]:
    """Time training steps with one way of computing them, for cases (index of the recipe's stage, batch size)."""
    chosen = Execution(attention, mode)  # type: ignore[arg-type]
    whole = find_recipe(recipe)
    trainer = Trainer(replace(whole, norms_fixed_from=None), _pictures(whole, device), execution=chosen)
    start = RunState({name: value.detach().clone() for name, value in trainer.state().tensors.items()}, {})
    start.numbers = trainer.small_state().numbers
    for index, batch in cases:
        stage = replace(stages_of(whole)[index], batch=batch, until=None)
        row: Row = {"kind": "step", "attention": attention, "mode": mode, "stage": index, "batch": batch}
        row |= {"patch": stage.patch, "solver_steps": stage.solver_steps, "unroll": stage.unroll}
        try:
            yield row | _measured(trainer, whole, stage, start, device, seconds)
        except Exception as error:  # such as out of memory or a compiler error; the next case may still work
            if "CUDA error" in str(error):  # the GPU is unusable for this process from now on
                raise
            yield row | {"failed": why(error)}
        if device.startswith("cuda"):
            torch.cuda.empty_cache()


def stages_of(recipe: Recipe) -> list[Stage]:
    """The stages of a recipe; the last one is the decay stage."""
    return [*recipe.stages, recipe.decay_stage]


def _pictures(recipe: Recipe, device: str) -> Tensor:
    """Make smooth random pictures; the time of a step does not depend on their content."""
    generator = torch.Generator().manual_seed(0)
    coarse = torch.rand(16, recipe.model.channels, 20, 30, generator=generator)
    fine = F.interpolate(coarse, (321, 481), mode="bicubic").clamp(0, 1) * 255
    return fine.to(torch.uint8).to(device)


def _measured(
    trainer: Trainer, recipe: Recipe, stage: Stage, start: RunState, device: str, seconds: float
) -> dict[str, Any]:
    cuda = device.startswith("cuda")
    trainer.recipe = replace(trainer.recipe, stages=(stage,), decay_stage=stage)
    trainer.restore(start)
    if cuda:
        torch.cuda.reset_peak_memory_stats(device)
    began = perf_counter()
    first = trainer.step()  # its weights and patches are the same in every way of computing it
    wait_for(device)
    ready = perf_counter() - began
    one = seconds_of(trainer.step, device, seconds=seconds)
    flops = step_flops(recipe, stage)
    return {
        "seconds": one,
        "first_seconds": ready,
        "samples_per_second": stage.batch / one,
        "flops_per_second": flops / one,
        "peak_memory_gb": torch.cuda.max_memory_allocated(device) / 1e9 if cuda else None,
        "mse": first.mse,
        "gradient_norm": first.gradient_norm,
    }


@torch.no_grad()
def solves(
    device: str, config: dict[str, Any], sizes: Sequence[int], count: int = RunSettings.max_iter
) -> Iterator[Row]:
    """Time solves of pictures with random weights, for each size and precision, with f compiled and not compiled."""
    torch.manual_seed(0)
    net = NERD(NerdConfig(**config)).fold().eval().requires_grad_(False).to(device)
    modes = ["eager", "compile"] if device.startswith("cuda") else ["eager"]
    for mode in modes:
        f = torch.compile(net.implicit, dynamic=False) if mode == "compile" else net.implicit
        for size in sizes:
            for precision in ("bfloat16", "float32"):
                row: Row = {"kind": "solve", "size": size, "precision": precision, "mode": mode, "steps": count}
                try:
                    yield row | _solve(net, f, size, precision, count, device)
                except Exception as error:  # as above
                    if "CUDA error" in str(error):
                        raise
                    yield row | {"failed": why(error)}


def _solve(
    net: NERD, f: Callable[..., Tensor], size: int, precision: Precision, count: int, device: str
) -> dict[str, Any]:
    cuda = device.startswith("cuda")
    y = torch.rand(1, net.config.channels, size, size, generator=torch.Generator().manual_seed(0)).to(device)
    with exact_float32():
        s = net.inject(y, told(net))
        z0 = net.initial(s)
        f_seconds = seconds_of(lambda: f(z0, s, precision=precision), device)
        if cuda:
            torch.cuda.reset_peak_memory_stats(device)
        began = perf_counter()
        solve = broyden(lambda z: f(z, s, precision=precision), z0, max_iter=count, tol=0.0, pair_dtype=torch.float16)
        (last,) = deque(solve, maxlen=1)
        wait_for(device)
        seconds = perf_counter() - began
    flops = sum(useful_flops(net.config, size, size, net.window).values())
    return {
        "attention": attention_path(device, pixels=size * size),
        "seconds": seconds,
        "f_seconds": f_seconds,
        "flops_per_second": (count + 1) * flops / seconds,
        "residual": float(last.residual[0]),
        "peak_memory_gb": torch.cuda.max_memory_allocated(device) / 1e9 if cuda else None,
    }


def profile(device: str, recipe: str, execution: dict[str, Any], cases: Sequence[Sequence[int]]) -> Iterator[Row]:
    """Find the kernels that take most time in a step, for cases (index of the recipe's stage, batch size)."""
    whole = find_recipe(recipe)
    trainer = Trainer(replace(whole, norms_fixed_from=None), _pictures(whole, device), execution=Execution(**execution))
    activity = torch.profiler.ProfilerActivity
    cuda = device.startswith("cuda")
    for index, batch in cases:
        stage = replace(stages_of(whole)[index], batch=batch, until=None)
        trainer.recipe = replace(trainer.recipe, stages=(stage,), decay_stage=stage)
        for _ in range(3):
            trainer.step()
        with torch.profiler.profile(activities=[activity.CPU, *[activity.CUDA] * cuda]) as seen:
            began = perf_counter()
            trainer.step()
            wait_for(device)
            seconds = perf_counter() - began
        time_of = attrgetter("self_device_time_total" if cuda else "self_cpu_time_total")
        events = sorted((event for event in seen.key_averages() if time_of(event) > 0), key=time_of, reverse=True)
        yield {
            "kind": "profile",
            "stage": index,
            "batch": batch,
            "seconds": seconds,
            "busy_seconds": sum(map(time_of, events)) / 1e6,
            "kernels": [[event.key[:100], event.count, time_of(event) / 1e6] for event in events[:_KERNELS]],
        }


JOBS: dict[str, Callable[..., Iterator[Row]]] = {
    "rates": rates,
    "checks": checks,
    "steps": steps,
    "solves": solves,
    "profile": profile,
}


def job(name: str, device: str, **arguments: Any) -> Callable[[], Iterator[Row]]:
    """Run a job by its name."""
    return partial(JOBS[name], device, **arguments)


if __name__ == "__main__":
    for found in job(**json.loads(sys.argv[1]))():
        print(json.dumps(found), flush=True)
