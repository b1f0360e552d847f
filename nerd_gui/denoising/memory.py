"""What a run will need of memory, known before it starts, and what it took."""

import sys

import psutil
import torch

from nerd_gui.denoising.settings import RunError, RunSettings
from nerd_gui.nerd import NerdConfig

_FLOAT = 4
#: Feature-sized tensors alive at once beside the solver's pairs: s, z, f(z), g, the step, the best pair, those before.
_VECTORS = 12
#: Feature-sized tensors inside one evaluation of f: projections, attended values, and their channels-last copies.
_INSIDE = 10


def estimate_bytes(config: NerdConfig, settings: RunSettings, batch: int, rows: int, cols: int) -> int:
    """Upper estimate of a run's memory above the idle process.

    Broyden keeps two vectors of d x rows x cols floats for each pair (537 MB each at 1024 x 1024 and d = 128); the
    hidden layer of the transformation block, `expansion` times as wide, is alive three times over.
    """
    feature = _FLOAT * batch * config.features * rows * cols
    pairs = {"broyden": settings.memory or settings.max_iter, "anderson": min(settings.memory or 5, settings.max_iter)}
    solver = 2 * min(pairs.get(settings.solver, 0), settings.max_iter)
    kept = 0.5 * (settings.max_iter + 2)  # every iterate in half precision, for the attention maps
    return int(feature * (solver + _VECTORS + _INSIDE + 3 * config.expansion + kept)) + (64 << 20)


def free_bytes(device: str) -> int:
    """Memory that a run may take on a device."""
    if device.startswith("cuda"):
        return int(torch.cuda.mem_get_info(device)[0])
    return int(psutil.virtual_memory().available)


def check_memory(config: NerdConfig, settings: RunSettings, batch: int, rows: int, cols: int) -> int:
    """Return the estimate in bytes if it fits.

    Raises
    ------
    RunError
        If the run would need more than is free; the sentence says how much, and what would help.
    """
    needed, free = estimate_bytes(config, settings, batch, rows, cols), free_bytes(settings.device)
    if needed > 0.9 * free:
        raise RunError(
            f"This run needs about {needed / 1e9:.1f} GB of memory and {free / 1e9:.1f} GB are free; choose a smaller "
            "region, fewer solver steps, or a smaller memory for Broyden's pairs."
        )
    return needed


def peak_memory_mb(device: str) -> float | None:
    """Most memory taken so far, in MB: by tensors on a GPU, by the whole process elsewhere."""
    if device.startswith("cuda"):
        return torch.cuda.max_memory_allocated(device) / 1e6
    if sys.platform == "win32":
        return psutil.Process().memory_info().peak_wset / 1e6
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e6 if sys.platform == "darwin" else peak / 1e3
