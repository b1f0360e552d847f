"""Estimates the memory of a run, makes the run fit into what is available, and measures the peak.

psutil is imported inside functions, because machines that only train do not have it, but do import this module.
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

#: The type of the solver's pairs if memory suffices; the residuals agree with those of float32 pairs to three digits.
PAIR_DTYPE = torch.float16
_FLOAT = 4
#: Memory of a run beside its feature tensors: libraries and LLVM when they are first used, and small tensors.
_BASE = 70 << 20
#: Fractions of the free memory, and of a given limit, that a plan may use.
_SHARE, _LIMIT_SHARE = 0.9, 0.95
#: Tensors of the size of z while an iterate is decoded: f(z), g, the next iterate, and a temporary one of the decoder.
_DECODING = 4
#: Tensors of the size of z that outlive a step, g and the next iterate, and those that are lost in gaps between blocks
#: of other sizes, if the allocator keeps the memory of temporary tensors for reuse (1 to 3 were measured).
_LASTING, _GAPS = 2, 2
_ROOMY = 0.5  # fraction of the budget up to which freed memory is kept for reuse, which is faster
_FEWER = (8, 6, 4, 3, 2, 1)  # numbers of pairs to try if the default does not fit


@dataclass(frozen=True)
class MemoryPlan:
    """How a run is made to fit into the available memory.

    Attributes
    ----------
    needed, budget : int
        Bytes in addition to those of the idle process: the estimate, see `estimate_bytes`, and the limit.
    pair_dtype : torch.dtype
        The type of the solver's pairs.
    pairs : int or None
        Number of pairs that the solver keeps; None: the solver's default.
    tiles : int
        Number of tiles that a whole photo is solved in, see `PhotoRun`; 1: it is solved as a whole.
    steps : tuple of str
        Sentences that say what was changed to make the run fit.
    reuse : bool
        Whether freed memory is kept for the run's later tensors, which is faster but takes more: see `allocator`.
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
    *,
    reuse: bool = False,
) -> int:
    """Estimate a run's memory in addition to the idle process, in bytes.

    It counts tensors of the size of z, d x rows x cols floats (537 MB at 1024 x 1024 and d = 128): s, the solver's
    iterates and pairs, and the most temporary ones at a time: those of f, of a solver step, or of decoding. If their
    memory is kept for reuse, it stays while the solver allocates its own tensors. The best iterate counts half, see
    `uncertain_bytes`.
    """
    z, solver = z_bytes(config, batch, rows, cols), _storage(settings)
    pairs = solver.history * pair_dtype.itemsize / _FLOAT
    inside = _inside(config, settings)
    temporary = _LASTING + inside + _GAPS if reuse else max(inside, solver.step, _DECODING)
    n_hat = 2 * batch * config.channels * rows * cols * (settings.max_iter + 1)
    return int(z * (1 + solver.iterates - solver.unsure / 2 + temporary + pairs)) + n_hat + _BASE


def uncertain_bytes(config: NerdConfig, settings: RunSettings, batch: int, rows: int, cols: int) -> int:
    """How much more or less than estimated a run may take, in bytes.

    The best iterate, which the safeguard holds, takes memory of its own only while it is older than the previous one,
    which depends on the picture.
    """
    return _storage(settings).unsure * z_bytes(config, batch, rows, cols) // 2


def z_bytes(config: NerdConfig, batch: int, rows: int, cols: int) -> int:
    """The size in bytes of z for `batch` pictures."""
    return _FLOAT * batch * config.features * rows * cols


def _storage(settings: RunSettings) -> Storage:
    return SOLVERS[settings.solver].storage(**settings.solver_keywords())


def _inside(config: NerdConfig, settings: RunSettings) -> float:
    """Number of temporary tensors of the size of z in an evaluation of f; see `NERD.implicit`."""
    if not config.transformation:
        return 3
    width = 0.5 if settings.precision == "bfloat16" else 1
    hidden = config.expansion / config.groups  # width of one group, relative to z
    return 2 + width * max(2 * hidden, hidden + 1)


def free_bytes(device: str) -> int:
    """The free memory of a device, in bytes."""
    if device.startswith("cuda"):
        return int(torch.cuda.mem_get_info(device)[0])
    import psutil

    return int(psutil.virtual_memory().available)


def budget_bytes(settings: RunSettings) -> int:
    """The memory that a run may use, in bytes: most of the free memory, and at most what is left of the limit."""
    budget = int(_SHARE * free_bytes(settings.device))
    if settings.memory_limit is None:
        return budget
    return max(0, min(budget, int(_LIMIT_SHARE * 1e9 * settings.memory_limit) - _held(settings)))


def _held(settings: RunSettings) -> int:
    """Bytes in use that count towards the limit."""
    if settings.device.startswith("cuda"):
        return int(torch.cuda.memory_allocated(settings.device))
    import psutil

    return int(psutil.Process().memory_info().rss)


def plan_run(config: NerdConfig, settings: RunSettings, batch: int, rows: int, cols: int) -> MemoryPlan:
    """Plan a run so that it fits into the free memory and into `settings.memory_limit`, at its most.

    If it does not fit, the solver's pairs are kept in 8 bits instead of 16; if that is not enough, fewer are kept. A
    smaller window q would not help, because the memory of attention does not depend on it. This function only plans;
    the run itself sets the allocator.

    Raises
    ------
    TooLittleMemory
        If it cannot be made to fit; the message says how much is needed, and what would help.
    """
    if plan := roomy_plan(config, settings, batch, rows, cols):
        return plan
    budget, uncertain = budget_bytes(settings), uncertain_bytes(config, settings, batch, rows, cols)
    for plan in _plans(config, settings, batch, rows, cols, budget):
        if plan.needed + uncertain <= budget:
            return plan
    raise too_little(estimate_bytes(config, settings, batch, rows, cols) + uncertain, settings, budget)


def roomy_plan(config: NerdConfig, settings: RunSettings, batch: int, rows: int, cols: int) -> MemoryPlan | None:
    """The plan of a run if there is so much memory that freed memory can be kept for reuse; else None."""
    needed, budget = estimate_bytes(config, settings, batch, rows, cols, reuse=True), budget_bytes(settings)
    if settings.memory_limit is not None or not may_reuse(settings, needed, budget):
        return None
    return MemoryPlan(needed, budget, PAIR_DTYPE, settings.memory, reuse=True)


def may_reuse(settings: RunSettings, needed: int, budget: int) -> bool:
    """Whether there is so much memory that freed memory can be kept for reuse, which then takes `needed` bytes."""
    return needed <= _ROOMY * budget and settings.device == "cpu" and allocator.can_reuse()


def _plans(
    config: NerdConfig, settings: RunSettings, batch: int, rows: int, cols: int, budget: int
) -> Iterator[MemoryPlan]:
    """Yield plans in the order in which to try them, each with less memory than the one before."""

    def needed(settings: RunSettings, dtype: torch.dtype, rows: int = rows, cols: int = cols) -> int:
        return estimate_bytes(config, settings, batch, rows, cols, dtype)

    dtype, steps = PAIR_DTYPE, []
    yield MemoryPlan(needed(settings, dtype), budget, dtype, settings.memory)
    pairs = _storage(settings).pairs
    if pairs and settings.device != "mps":  # mps has no 8-bit floats
        dtype, steps = torch.float8_e5m2, [f"{settings.solver.capitalize()}'s pairs are kept in 8 bits instead of 16."]
        yield MemoryPlan(needed(settings, dtype), budget, dtype, settings.memory, steps=tuple(steps))
    for fewer in _FEWER:
        fewer_settings = replace(settings, memory=fewer)
        if fewer < pairs and needed(fewer_settings, dtype) < needed(settings, dtype):
            step = f"{settings.solver.capitalize()} keeps {fewer} pair{'s' * (fewer > 1)} instead of {pairs}."
            yield MemoryPlan(needed(fewer_settings, dtype), budget, dtype, fewer, steps=(*steps, step))


def limit_within(settings: RunSettings, budget: int) -> float:
    """The `RunSettings.memory_limit` that gives a run this budget in bytes."""
    return (budget + _held(settings)) / (_LIMIT_SHARE * 1e9)


@contextmanager
def want_of_memory(settings: RunSettings, helps: str) -> Iterator[None]:
    """Within this context, turn errors of exhausted memory into OutOfMemory; `helps` says what the user can do.

    Raises
    ------
    OutOfMemory
        If memory runs out.
    """
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if not allocator.ran_out(error):
            raise
        where = "" if settings.device == "cpu" else f" of “{settings.device}”"
        raise OutOfMemory(f"There is not enough memory{where} for this run; {helps}.") from error


def too_little(needed: int, settings: RunSettings, budget: int) -> TooLittleMemory:
    """Make the error for a run that does not fit."""
    limit = settings.memory_limit
    there = "are free" if limit is None else f"are left of the limit of {limit:g} GB"
    return TooLittleMemory(
        f"This run needs about {needed / 1e9:.1f} GB of memory, but only {budget / 1e9:.1f} GB {there}; choose a "
        "smaller region, fewer solver steps, or let the solver keep fewer pairs of vectors."
    )


def peak_memory_mb(device: str) -> float | None:
    """The peak memory so far in MB: of the tensors on a GPU, else of the whole process."""
    if device.startswith("cuda"):
        return torch.cuda.max_memory_allocated(device) / 1e6
    if sys.platform == "win32":
        import psutil

        return psutil.Process().memory_info().peak_wset / 1e6
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e6 if sys.platform == "darwin" else peak / 1e3
