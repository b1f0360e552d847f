"""Takes all measurements of `nerd-gui bench`, for each network and size."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from statistics import median

import torch
from torch import Tensor

from nerd_gui import allocator
from nerd_gui.benchmarks.baselines import non_local_means, sdpa_by_blocks
from nerd_gui.benchmarks.clock import Measured, Sample, Stopwatch, Turns, in_turns, part_times, timed
from nerd_gui.benchmarks.flops import useful_flops
from nerd_gui.benchmarks.machine import convolutions, describe, matrix_product
from nerd_gui.benchmarks.plain_path import measure_paths
from nerd_gui.benchmarks.solve import measure_peaks, measure_solve
from nerd_gui.benchmarks.workload import SAMPLE, SEED, SIGMA, Workload, find_network, pictures
from nerd_gui.denoising import Features, RunSettings
from nerd_gui.denoising.features import FeatureStore
from nerd_gui.denoising.memory_plan import budget_bytes, estimate_bytes, plan_run, too_little
from nerd_gui.imaging import psnr
from nerd_gui.nerd.attention import Precision, attention_path, neighbourhood_attention

_CLICKS = (0.1, 0.3, 0.5, 0.7, 0.9)  # positions of the clicks as fractions of each side
#: Sides of the baseline's query blocks: small blocks compute fewer masked scores, large ones suit accelerators.
_SIDE, _SIDE_ELSEWHERE = 8, 32


@dataclass(frozen=True)
class BenchRequest:
    """The request: every network is measured at every size (side in pixels) and precision, on one device."""

    models: Sequence[str]
    sizes: Sequence[int]
    device: str = "cpu"
    precisions: Sequence[Precision] = ("float32", "bfloat16")
    steps: int = RunSettings.max_iter
    turns: Turns = field(default_factory=Turns)


def check_feasible(request: BenchRequest) -> None:
    """Check that a request can be carried out.

    Raises
    ------
    ModelError
        If a network is missing.
    RunError
        If a solve would not fit in memory.
    """
    settings = RunSettings(device=request.device, max_iter=request.steps)
    for name in request.models:
        net, _ = find_network(name, "cpu")
        # Without changes to fit into memory, since a changed solve would not be comparable.
        needed, budget = (
            estimate_bytes(net.config, settings, 1, max(request.sizes), max(request.sizes)),
            budget_bytes(settings),
        )
        if needed > budget:
            raise too_little(needed, settings, budget)


def measure(request: BenchRequest, watch: Callable[[str], None] = lambda _: None) -> Measured:
    """Take all measurements; `watch` is called with a description of each one before it starts.

    Returns
    -------
    dict
        "machine", "plan", "picture", "runs" (a list, one entry for each network and size) and "non_local_means" (one
        for each size). All times are seconds; those under "turns" are of single turns, the others medians of them.
    """
    machine = describe(request.device)
    runs, baselines = [], []
    for size in request.sizes:
        for name in request.models:
            runs.append(_run(request, name, size, watch))
        watch(f"non-local means, {size} px")
        baselines.append(_non_local_means(size, request.turns))
    return {
        "machine": machine,
        "plan": asdict(request),
        "picture": {"sample": SAMPLE, "sigma": SIGMA, "seed": SEED},
        "runs": runs,
        "non_local_means": baselines,
    }


def _run(request: BenchRequest, name: str, size: int, watch: Callable[[str], None]) -> Measured:
    at = f"{name}, {size} px"
    watch(f"{at}: network and picture")
    work = Workload.of(name, size, request.device)
    config = work.net.config
    # Use the same memory plan as every run.
    settings = RunSettings(device=request.device, max_iter=request.steps)
    allocator.set_reuse(plan_run(config, settings, 1, size, size).reuse)
    entry: Measured = {
        "model": name,
        "weights": "trained" if work.trained else "random",
        "size": size,
        "features": config.features,
        "heads": config.heads,
        "window": work.net.window,
        "attention": [],
    }
    if work.net.non_local is not None:
        watch(f"{at}: attention")
        entry["attention"] = _attention(work, request)
    watch(f"{at}: f")
    entry["ceilings"], entry["f"] = _f_and_ceilings(work, request)
    if request.device == "cpu":
        watch(f"{at}: compiled and plain path")
        entry["plain_path"] = measure_paths(work, _exactest(request.precisions), request.turns)
    fastest = min(entry["f"], key=lambda row: row["seconds"])["precision"]
    watch(f"{at}: a solve of {request.steps} steps in {fastest}")
    entry["solve"] = measure_solve(work, fastest, request.steps, request.turns)
    watch(f"{at}: peak memory")
    entry["solve"] |= measure_peaks(work, fastest, request.steps)
    if work.net.non_local is not None:
        watch(f"{at}: a click")
        entry["click"] = _click(work, request.turns)
    return entry


def _exactest(precisions: Sequence[Precision]) -> Precision:
    return "float32" if "float32" in precisions else precisions[0]


@torch.no_grad()
def _attention(work: Workload, request: BenchRequest) -> list[Measured]:
    """Measure the baseline, and the program's attention in each precision: its error and speedup."""
    inputs, window = work.attention_inputs(), work.net.window
    side = _SIDE if work.device == "cpu" else _SIDE_ELSEWHERE
    baseline = f"SDPA, {side}x{side} blocks"

    paths: dict[str, Callable[[], Tensor]] = {baseline: partial(sdpa_by_blocks, *inputs, window, side)}
    for precision in request.precisions:
        paths[precision] = partial(neighbourhood_attention, *inputs, window, precision)
    truth = paths[baseline]()
    errors = {name: float((path() - truth).abs().max()) for name, path in paths.items()}
    runs = {name: timed(path, work.device) for name, path in paths.items()}
    times = in_turns(runs, request.turns)
    return [
        {
            "path": baseline if name == baseline else f"{attention_path(work.device)}, here",
            "baseline": name == baseline,
            "precision": "float32" if name == baseline else name,
            **figures,
            "times_faster": times[baseline]["seconds"] / figures["seconds"],
            "max_error": errors[name],
            "relative_error": errors[name] / float(truth.abs().max()),
        }
        for name, figures in times.items()
    ]


@torch.no_grad()
def _f_and_ceilings(work: Workload, request: BenchRequest) -> tuple[list[Measured], list[Measured]]:
    """Measure f and its parts in turns with the machine's limits."""
    net, device = work.net, work.device
    shape = (net.config.features, work.hidden, work.size)
    makers = {"conv2d": convolutions, "matrix product": matrix_product}
    runs: dict[str, Callable[[], Sample]] = {}
    ceilings: list[Measured] = []
    for precision in request.precisions:
        for operation, make in makers.items():
            function, flops = make(*shape, precision, device)
            runs[f"{operation} {precision}"] = timed(function, device)
            ceilings.append({"operation": operation, "precision": precision, "flops": flops})
        runs[precision] = _evaluation(work, precision)
    times = in_turns(runs, request.turns)
    for row in ceilings:
        row |= times[f"{row['operation']} {row['precision']}"]
        row["flops_per_second"] = row["flops"] / row["seconds"]
    rates = {row["precision"]: row["flops_per_second"] for row in ceilings if row["operation"] == "conv2d"}
    useful = useful_flops(net.config, work.size, work.size, net.window)
    rows = []
    for precision in request.precisions:
        at_rate = sum(useful.values()) / rates[precision]
        rows.append(
            {
                "precision": precision,
                **times[precision],
                "flops": useful,
                "seconds_at_conv2d_rate": at_rate,
                "times_conv2d_rate": times[precision]["seconds"] / at_rate,
                "seconds_per_pixel": times[precision]["seconds"] / work.size**2,
            }
        )
    return ceilings, rows


def _evaluation(work: Workload, precision: Precision) -> Callable[[], Sample]:
    """Time one evaluation of f and its two blocks."""
    net = work.net

    def run() -> Sample:
        evaluate = Stopwatch(partial(net.implicit, precision=precision), work.device)
        blocks = {"non_local_seconds": net.non_local, "transformation_seconds": net.transformation}
        with torch.no_grad(), part_times(blocks, work.device) as parts:
            evaluate(work.z, work.s)
        return {"seconds": evaluate.seconds[0], **parts}

    return run


def _click(work: Workload, turns: Turns) -> Measured:
    """Time the attention maps of a clicked pixel from the stored features of an iterate: the median over pixels."""
    store, net = FeatureStore(), work.net
    kept = Features(store.keep(work.z), store.keep(work.s), net.attention_statistics(work.z, work.s))
    pixels = ((int(down * work.size), int(across * work.size)) for down in _CLICKS for across in _CLICKS)
    runs = {
        f"{row}, {col}": timed(partial(kept.attention_maps, net, row, col, net.window), work.device)
        for row, col in pixels
    }
    times = in_turns(runs, Turns(turns.least, turns.least))
    seconds = [second for figures in times.values() for second in figures["turns"]]
    return {"seconds": median(seconds), "turns": seconds}


def _non_local_means(size: int, turns: Turns) -> Measured:
    """Measure scikit-image's non-local means on one CPU thread."""
    clean, noisy = pictures(size)
    times = in_turns({"": timed(lambda: non_local_means(noisy, SIGMA), "cpu")}, turns)
    return {"size": size, **times[""], "psnr": psnr(clean, non_local_means(noisy, SIGMA))}
