"""Measures the peak memory of a solve in addition to the idle process.

On a CPU, the resident memory of a new process is sampled a thousand times a second. The system's own high-water mark
(`ru_maxrss`) would include the parent's memory on Linux, and an old process could reuse memory that it holds already.
On CUDA, the peak is that of PyTorch's allocator.
"""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable

import psutil
import torch

from nerd_gui import allocator
from nerd_gui.benchmarks.baselines import SOLVERS
from nerd_gui.benchmarks.workload import find_network, pictures, told
from nerd_gui.denoising import RunSettings
from nerd_gui.denoising.channels import to_batch
from nerd_gui.denoising.memory_plan import plan_run
from nerd_gui.nerd.attention import Precision

_PERIOD = 1e-3  # seconds between two samples


def peak_of_solve(name: str, size: int, precision: Precision, solver: str, device: str, steps: int) -> int | None:
    """Measure the peak memory in bytes of injection and solve in addition to the idle process; None if impossible.

    The idle process has loaded the network and the picture. A complete solve is measured, because the allocator's state
    depends on all evaluations of f.

    Raises
    ------
    MemoryError
        If the system ended the process because memory ran out.
    """
    if device.startswith("cuda"):
        return _peak(name, size, precision, solver, device, steps)
    if device != "cpu":
        return None
    task = {"name": name, "size": size, "precision": precision, "solver": solver, "steps": steps}
    done = subprocess.run(
        [sys.executable, "-m", "nerd_gui.benchmarks.peak", json.dumps(task), str(torch.get_num_threads())],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        stdout=subprocess.PIPE,
        check=False,
    )
    if done.returncode < 0:
        raise MemoryError(f"A solve ({solver}, {name}, {size} px) needs more memory than this machine has free.")
    done.check_returncode()
    return int(done.stdout)


@torch.no_grad()
def _peak(name: str, size: int, precision: Precision, solver: str, device: str, steps: int) -> int:
    net, _ = find_network(name, device)
    _, noisy = pictures(size)

    def solve() -> None:
        s = net.inject(to_batch(noisy[None], net).to(device), told(net))
        SOLVERS[solver](lambda z: net.implicit(z, s, precision=precision), net.initial(s), steps)

    if device == "cpu":
        reuse = False
        if solver == "here":
            reuse = plan_run(net.config, RunSettings(max_iter=steps, precision=precision), 1, size, size).reuse
        allocator.set_reuse(reuse)
        return resident_peak(solve)
    torch.cuda.reset_peak_memory_stats(device)
    before = torch.cuda.memory_allocated(device)
    solve()
    return torch.cuda.max_memory_allocated(device) - before


def resident_peak(work: Callable[[], object]) -> int:
    """Measure the peak resident memory in bytes while `work` runs, in addition to that before."""
    process, done = psutil.Process(), threading.Event()
    before = peak = process.memory_info().rss

    def look() -> None:
        nonlocal peak
        while not done.wait(_PERIOD):
            peak = max(peak, process.memory_info().rss)

    thread = threading.Thread(target=look, name="peak-memory")
    thread.start()
    try:
        work()
    finally:
        done.set()
        thread.join()
    return int(peak - before)


if __name__ == "__main__":
    allocator.prepare()
    torch.set_num_threads(int(sys.argv[2]))
    print(_peak(**json.loads(sys.argv[1]), device="cpu"))
