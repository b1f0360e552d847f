"""What a run will need of memory, how it is made to fit, and what it took.

psutil is imported where it is called: a machine that only trains has none, and reads the defaults of a run too.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import torch

from nerd_gui import allocator
from nerd_gui.denoising.errors import OutOfMemory, TooLittleMemory
from nerd_gui.denoising.settings import RunSettings
from nerd_gui.equilibrium import SOLVERS, Storage
from nerd_gui.nerd import NerdConfig

#: What the solver's pairs are kept in where memory suffices: the residuals are those of float32 to three digits.
PAIR_DTYPE = torch.float16
_FLOAT = 4
#: What a run takes beside its tensors of features: libraries and LLVM at work for the first time, small tensors.
_BASE = 100 << 20
#: Part of the free memory, or of a limit, that a plan gives away.
_SHARE, _LIMIT_SHARE = 0.9, 0.95
#: What a run takes at most where freed memory is kept for its later tensors, in parts of the estimate; and, beyond the
#: estimate, tensors of the size of z that lie between others and fit none: much for a solver that keeps few.
_REUSED, _SPLINTERS = 1.5, 11
_ROOMY = 0.5  # part of the budget up to which memory is given away for speed
_FEWER = (8, 6, 4, 3, 2, 1)  # pairs, to choose from when all do not fit


@dataclass(frozen=True)
class MemoryPlan:
    """How a run fits into the memory there is.

    Attributes
    ----------
    needed, budget : int
        Bytes above the idle process: the estimate, and what the run may take.
    pair_dtype : torch.dtype
        What the solver's pairs are kept in.
    pairs : int or None
        Those that the solver keeps; None: all of them, or the solver's own choice.
    tiles : int
        Parts that a whole photo is solved in, see `PhotoRun`; 1: the picture is solved as a whole.
    steps : tuple of str
        What was given up for it, a sentence each.
    reuse : bool
        Whether there is enough to keep freed memory for the run's later tensors, which is faster: see `allocator`.
    """

    needed: int
    budget: int
    pair_dtype: torch.dtype
    pairs: int | None
    tiles: int = 1
    steps: tuple[str, ...] = ()
    reuse: bool = False


def estimate_bytes(
    config: NerdConfig,
    settings: RunSettings,
    batch: int,
    rows: int,
    cols: int,
    pair_dtype: torch.dtype = PAIR_DTYPE,
) -> int:
    """Upper estimate of a run's memory above the idle process.

    In units of z, d x rows x cols floats (537 MB at 1024 x 1024 and d = 128): s, and what the solver states of itself,
    its iterates and its pairs; either what f takes beside them, or the algebra of a step.
    """
    z = z_bytes(config, batch, rows, cols)
    solver = _storage(settings)
    pairs = solver.history * pair_dtype.itemsize / _FLOAT
    n_hat = 2 * batch * config.channels * rows * cols * (settings.max_iter + 1)
    return int(z * (1 + solver.iterates + max(_inside(config, settings), solver.step) + pairs)) + n_hat + _BASE


def z_bytes(config: NerdConfig, batch: int, rows: int, cols: int) -> int:
    """Of z for so many pictures of this size."""
    return _FLOAT * batch * config.features * rows * cols


def _storage(settings: RunSettings) -> Storage:
    return SOLVERS[settings.solver].storage(**settings.solver_keywords())


def _inside(config: NerdConfig, settings: RunSettings) -> float:
    """Tensors of the size of z that f takes beside z and s; see `NERD.implicit`."""
    if not config.transformation:
        return 3
    width = 0.5 if settings.precision == "bfloat16" else 1
    hidden = config.expansion / config.groups  # of one group
    return 2 + width * max(2 * hidden, hidden + 1)


def free_bytes(device: str) -> int:
    """Memory that a run may take on a device."""
    if device.startswith("cuda"):
        return int(torch.cuda.mem_get_info(device)[0])
    import psutil

    return int(psutil.virtual_memory().available)


def budget_bytes(settings: RunSettings) -> int:
    """What a run may take: most of what is free, and within the limit what the process does not hold yet."""
    budget = int(_SHARE * free_bytes(settings.device))
    if settings.memory_limit is None:
        return budget
    return max(0, min(budget, int(_LIMIT_SHARE * 1e9 * settings.memory_limit) - _held(settings)))


def _held(settings: RunSettings) -> int:
    """Bytes that count towards a limit and are taken already."""
    if settings.device.startswith("cuda"):
        return int(torch.cuda.memory_allocated(settings.device))
    import psutil

    return int(psutil.Process().memory_info().rss)


def plan_run(config: NerdConfig, settings: RunSettings, batch: int, rows: int, cols: int) -> MemoryPlan:
    """Fit a run into the free memory and into `settings.memory_limit`.

    In this order, as far as it takes: pairs in 8 bits instead of 16, and fewer pairs. A smaller window q is no step of
    the plan: attention's memory does not depend on it. Nothing is done here: the run itself sets the allocator.

    Raises
    ------
    TooLittleMemory
        If nothing helps; the sentence says how much is needed, and what would help.
    """
    if plan := roomy_plan(config, settings, batch, rows, cols):
        return plan
    budget = budget_bytes(settings)
    for plan in _plans(config, settings, batch, rows, cols, budget):
        if plan.needed <= budget:
            return plan
    raise too_little(estimate_bytes(config, settings, batch, rows, cols), settings, budget)


def roomy_plan(config: NerdConfig, settings: RunSettings, batch: int, rows: int, cols: int) -> MemoryPlan | None:
    """The plan of a run for which there is plenty of memory; None where there is not."""
    estimate, budget = estimate_bytes(config, settings, batch, rows, cols), budget_bytes(settings)
    needed = max(int(_REUSED * estimate), estimate + _SPLINTERS * z_bytes(config, batch, rows, cols))
    roomy = settings.memory_limit is None and settings.device == "cpu" and needed <= _ROOMY * budget
    if not (roomy and allocator.can_reuse()):
        return None
    return MemoryPlan(needed, budget, PAIR_DTYPE, settings.memory, reuse=True)


def _plans(
    config: NerdConfig, settings: RunSettings, batch: int, rows: int, cols: int, budget: int
) -> Iterator[MemoryPlan]:
    """The plans to try, each of which gives up more than the one before."""

    def needed(settings: RunSettings, dtype: torch.dtype, rows: int = rows, cols: int = cols) -> int:
        return estimate_bytes(config, settings, batch, rows, cols, dtype)

    dtype, steps = PAIR_DTYPE, []
    yield MemoryPlan(needed(settings, dtype), budget, dtype, settings.memory)
    pairs = _storage(settings).pairs
    if pairs and settings.device != "mps":  # which knows no 8-bit floats
        dtype, steps = torch.float8_e5m2, [f"{settings.solver.capitalize()}'s pairs are kept in 8 bits instead of 16."]
        yield MemoryPlan(needed(settings, dtype), budget, dtype, settings.memory, steps=tuple(steps))
    for fewer in _FEWER:
        fewer_settings = replace(settings, memory=fewer)
        if fewer < pairs and needed(fewer_settings, dtype) < needed(settings, dtype):
            step = f"{settings.solver.capitalize()} keeps {fewer} pair{'s' * (fewer > 1)} instead of {pairs}."
            yield MemoryPlan(needed(fewer_settings, dtype), budget, dtype, fewer, steps=(*steps, step))


def limit_within(settings: RunSettings, budget: int) -> float:
    """The `RunSettings.memory_limit` with which a run may take so many bytes."""
    return (budget + _held(settings)) / (_LIMIT_SHARE * 1e9)


@contextmanager
def want_of_memory(settings: RunSettings, helps: str) -> Iterator[None]:
    """Around what a run does: where memory runs out, that is said, and what helps.

    Raises
    ------
    OutOfMemory
    """
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if not allocator.ran_out(error):
            raise
        where = "" if settings.device == "cpu" else f" of “{settings.device}”"
        raise OutOfMemory(f"The memory{where} does not suffice for this run; {helps}.") from error


def too_little(needed: int, settings: RunSettings, budget: int) -> TooLittleMemory:
    """What to say of a run that does not fit."""
    limit = settings.memory_limit
    there = "may be taken" if limit is None else f"are left of the limit of {limit:g} GB"
    return TooLittleMemory(
        f"This run needs about {needed / 1e9:.1f} GB of memory and {budget / 1e9:.1f} GB {there}; choose a smaller "
        "region, fewer solver steps, or fewer pairs of vectors for the solver to keep."
    )


def peak_memory_mb(device: str) -> float | None:
    """Most memory taken so far, in MB: by tensors on a GPU, by the whole process elsewhere."""
    if device.startswith("cuda"):
        return torch.cuda.max_memory_allocated(device) / 1e6
    if sys.platform == "win32":
        import psutil

        return psutil.Process().memory_info().peak_wset / 1e6
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e6 if sys.platform == "darwin" else peak / 1e3
