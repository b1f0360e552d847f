import dataclasses
import json
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest
import torch
from tiny_runs import make_net, make_photo

from nerd_gui import allocator
from nerd_gui.denoising import (
    DenoisingRun,
    RunError,
    RunSettings,
    Subject,
    TooLittleMemory,
    denoise,
    estimate_bytes,
    memory_plan,
    peak_memory_mb,
    plan_run,
)
from nerd_gui.equilibrium import MEASURES, SOLVERS, Solver, Storage, plain
from nerd_gui.nerd import NerdConfig

PAPER = NerdConfig()
VECTOR = 4 * 128 * 1024 * 1024  # z at 1024 x 1024 with the paper's width
EIGHT_BITS = "Broyden's pairs are kept in 8 bits instead of 16."


@pytest.fixture
def budget(monkeypatch):
    """Set how much memory a run may take."""
    return lambda size: monkeypatch.setattr(memory_plan, "budget_bytes", lambda settings: int(size))


def test_the_estimate_counts_broydens_vectors():
    """One half-precision vector for each pair if all steps are kept, since pairs follow from steps; otherwise two."""
    by_steps = [estimate_bytes(PAPER, RunSettings(max_iter=n), 1, 1024, 1024) for n in (16, 17)]
    assert by_steps[1] - by_steps[0] == pytest.approx(VECTOR / 2, rel=0.01)
    by_memory = [estimate_bytes(PAPER, RunSettings(memory=m), 1, 1024, 1024) for m in (3, 4, 17, 99)]
    assert by_memory[1] - by_memory[0] == VECTOR
    assert by_memory[2] == by_memory[3] == by_steps[1]  # 17 steps, no more
    in_float32 = estimate_bytes(PAPER, RunSettings(), 1, 1024, 1024, torch.float32)
    assert in_float32 - by_steps[1] == 16 * VECTOR / 2


@pytest.mark.parametrize(
    ("settings", "tensors"),
    [
        ({}, (17, 13)),  # s, 3 iterates and half of the 2 of the best one, 4 temporary ones, and 16 pairs
        ({"safeguard": False}, (16, 12)),
        ({"memory": 3}, (14, 12.5)),
        ({"memory": 99, "max_iter": 5}, (11, 10)),
        ({"solver": "anderson"}, (14, 11.5)),
        ({"solver": "anderson", "memory": 3, "safeguard": False}, (11, 9.5)),
        ({"solver": "anderson", "max_iter": 2}, (10, 9.5)),
        ({"solver": "plain"}, (8, 8)),
        ({"solver": "plain", "memory": 3, "max_iter": 40, "safeguard": False}, (8, 8)),
    ],
)
def test_the_estimate_counts_the_tensors_at_the_peak(settings, tensors):
    """In float32 with pairs of 16 bits, and in bfloat16 with pairs of 8; counted where they are allocated."""
    kinds = (("float32", torch.float16), ("bfloat16", torch.float8_e5m2))
    asked = [RunSettings(precision=precision, **settings) for precision, _ in kinds]
    found = [estimate_bytes(PAPER, one, 1, 1024, 1024, dtype) for one, (_, dtype) in zip(asked, kinds, strict=True)]
    beside = 2 * 1024**2 * (asked[0].max_iter + 1) + (70 << 20)  # n_hat of each iterate, libraries
    assert found == [int(VECTOR * count) + beside for count in tensors]


def test_memory_kept_for_reuse_is_planned_beside_the_solvers():
    """It stays while the solver allocates g and the next iterate, and gaps in it take two tensors more."""
    for settings in (RunSettings(), RunSettings(solver="anderson"), RunSettings(solver="plain")):
        usual, kept = (estimate_bytes(PAPER, settings, 1, 1024, 1024, reuse=reuse) for reuse in (False, True))
        assert kept - usual == 4 * VECTOR


@pytest.mark.parametrize(("fits", "settings"), [(1, {}), (1, {"solver": "anderson"}), (0, {"safeguard": False})])
def test_a_limit_leaves_room_for_the_best_iterate(budget, fits, settings):
    """What the safeguard may hold in addition to the estimate must fit too."""
    settings = RunSettings(**settings)
    least = estimate_bytes(PAPER, settings, 1, 1024, 1024)
    budget(least + fits * VECTOR)
    assert plan_run(PAPER, settings, 1, 1024, 1024).steps == ()
    budget(least + fits * VECTOR - 1)
    plan = plan_run(PAPER, settings, 1, 1024, 1024)
    assert plan.steps and plan.needed + fits * VECTOR <= plan.budget


def test_a_last_step_that_is_measured_is_kept_too():
    usual, measured = (estimate_bytes(PAPER, RunSettings(stop_on=m), 1, 1024, 1024) for m in ("residual", MEASURES[1]))
    assert measured - usual == VECTOR / 2


@pytest.fixture
def heavy(monkeypatch):
    """A solver, added as in `docs/architecture.md`, which states more memory than it takes."""

    def storage(*, max_iter, memory=None, **_):
        return Storage(step=9, pairs=memory or max_iter, tensors_per_pair=4)

    monkeypatch.setitem(SOLVERS, "heavy", Solver(plain, storage))
    return RunSettings(solver="heavy", max_iter=10)


def test_an_added_solver_is_planned_with_what_it_states(heavy, budget):
    least = estimate_bytes(PAPER, RunSettings(solver="plain", max_iter=10), 1, 1024, 1024)  # where f takes the most
    f = 4  # tensors of the size of z that the paper's f needs in addition to z and s
    assert estimate_bytes(PAPER, heavy, 1, 1024, 1024) - least == VECTOR * (9 - f + 10 * 4 / 2)
    budget(least + VECTOR * (9 - f + 3 * 4 / 4))
    plan = plan_run(PAPER, heavy, 1, 1024, 1024)
    assert plan.pairs == 3
    assert plan.steps == ("Heavy's pairs are kept in 8 bits instead of 16.", "Heavy keeps 3 pairs instead of 10.")


def test_an_added_solver_runs(heavy):
    subject, net = Subject.of(make_photo()), make_net()
    run, same = (denoise(subject, dataclasses.replace(heavy, solver=name), net) for name in ("heavy", "plain"))
    assert run.curve("residual") == same.curve("residual")


def test_the_papers_network_solves_a_megapixel_whole_in_10_gb(budget):
    budget(10e9)
    plan = plan_run(PAPER, RunSettings(), 1, 1024, 1024)
    assert plan.needed < 10e9 and plan.steps == ()


def test_the_estimate_grows_with_what_it_depends_on():
    settings = RunSettings()
    least = estimate_bytes(PAPER, settings, 1, 256, 256)
    assert estimate_bytes(PAPER, settings, 3, 256, 256) > 2.5 * least
    assert estimate_bytes(PAPER, settings, 1, 512, 512) > 3.5 * least
    assert estimate_bytes(NerdConfig(features=64), settings, 1, 256, 256) < 0.6 * least
    for cheaper in ({"solver": "plain"}, {"safeguard": False}, {"max_iter": 9}):
        assert estimate_bytes(PAPER, dataclasses.replace(settings, **cheaper), 1, 256, 256) < least


@pytest.mark.parametrize(
    ("vectors", "pairs", "steps"),
    [
        (18.5, None, []),
        (14.5, None, [EIGHT_BITS]),
        (14.1, None, [EIGHT_BITS]),
        (13.6, 3, [EIGHT_BITS, "Broyden keeps 3 pairs instead of 16."]),
        (12.6, 1, [EIGHT_BITS, "Broyden keeps 1 pair instead of 16."]),
    ],
)
def test_a_plan_gives_up_no_more_than_it_must(budget, vectors, pairs, steps):
    budget(vectors * VECTOR + 90e6)
    plan = plan_run(PAPER, RunSettings(), 1, 1024, 1024)
    assert plan.needed <= plan.budget
    assert plan.pairs == pairs
    assert list(plan.steps) == steps
    assert (plan.pair_dtype is torch.float16) == (not steps)


@pytest.mark.parametrize("vectors", [6.0, 1.0])
def test_what_does_not_fit_is_refused(budget, vectors):
    budget(vectors * VECTOR + 90e6)
    with pytest.raises(TooLittleMemory, match="choose a smaller region"):
        plan_run(PAPER, RunSettings(), 1, 1024, 1024)


@pytest.fixture
def calls(monkeypatch):
    """The calls of functions of the C library, by name, as if it were glibc."""
    made = []
    library = SimpleNamespace(mallopt=lambda *_: made.append("mallopt") or 1, malloc_trim=lambda _: made.append("trim"))
    monkeypatch.setattr(allocator, "_library", lambda: library)
    return made


@pytest.mark.parametrize("free", [64e9, 12e9, 1e6])
def test_planning_does_not_touch_the_allocator(monkeypatch, calls, free):
    monkeypatch.setattr(memory_plan, "free_bytes", lambda device: int(free))
    with nullcontext() if free > 1e9 else pytest.raises(RunError):
        plan = plan_run(PAPER, RunSettings(), 1, 1024, 1024)
        assert plan.reuse == (free == 64e9)
    assert calls == []


@pytest.mark.parametrize(("limit", "reuse"), [(None, True), (500.0, False)])
def test_a_run_sets_the_allocator_after_its_first_iterate(monkeypatch, calls, limit, reuse):
    monkeypatch.setattr(memory_plan, "free_bytes", lambda device: int(64e9))
    run = DenoisingRun(Subject.of(make_photo()), RunSettings(max_iter=1, memory_limit=limit), make_net())
    assert "mallopt" not in calls and run.plan.reuse == reuse
    calls.clear()
    asked = []
    monkeypatch.setattr(allocator, "set_reuse", asked.append)
    stream = run.iterates()
    next(stream)
    assert asked == []  # what is loaded for the first evaluation must not lie among what is reused
    list(stream)
    assert asked == [reuse]


def test_what_an_earlier_run_left_to_be_reused_counts_as_free(monkeypatch):
    """The memory is returned before the plan makes anything smaller."""
    left = [8e9]
    monkeypatch.setattr(memory_plan, "free_bytes", lambda device: int(12e9 - left[0]))
    monkeypatch.setattr(allocator, "trim", lambda: left.__setitem__(0, 0))
    photo = make_photo(rows=1024, cols=1024)
    plan = DenoisingRun(Subject.of(photo), RunSettings(), make_net(**dataclasses.asdict(PAPER))).plan
    assert plan.steps == () and plan.budget == int(0.9 * 12e9)


def test_a_run_with_room_to_spare_leaves_it_there(monkeypatch):
    monkeypatch.setattr(memory_plan, "free_bytes", lambda device: int(64e9))
    monkeypatch.setattr(allocator, "trim", lambda: pytest.fail("What could be reused was returned."))
    run = DenoisingRun(Subject.of(make_photo()), RunSettings(max_iter=1), make_net())
    assert run.plan.reuse and run.plan.needed > estimate_bytes(run.net.config, run.settings, 1, 24, 20)
    list(run.iterates())


def test_the_limit_is_that_of_the_process():
    held = psutil.Process().memory_info().rss
    left = memory_plan.budget_bytes(RunSettings(memory_limit=2.0))
    assert left == pytest.approx(0.95 * 2e9 - held, abs=2e7)
    assert memory_plan.budget_bytes(RunSettings(memory_limit=1e-3)) == 0
    assert memory_plan.budget_bytes(RunSettings(memory_limit=1e6)) == pytest.approx(
        0.9 * psutil.virtual_memory().available, rel=0.05
    )


def test_a_run_that_cannot_fit_is_refused(monkeypatch):
    monkeypatch.setattr(psutil, "virtual_memory", lambda: type("Memory", (), {"available": 50_000_000}))
    with pytest.raises(RunError, match=r"needs about \d\.\d GB of memory, but only 0\.0 GB are free; choose"):
        DenoisingRun(Subject.of(make_photo(3, rows=512, cols=512)), RunSettings(), make_net())
    with pytest.raises(RunError, match=r"0\.0 GB are left of the limit of 0\.001 GB; choose"):
        DenoisingRun(Subject.of(make_photo()), RunSettings(memory_limit=0.001), make_net())
    with pytest.raises(RunError, match="must be above 0 GB"):
        RunSettings(memory_limit=0.0)


_MEASURE = """
import json, torch
from nerd_gui.benchmarks.peak import resident_peak
from nerd_gui.denoising import DenoisingRun, RunSettings, Subject
from nerd_gui.nerd import NERD, NerdConfig
from tiny_runs import make_photo
torch.set_num_threads(1)
torch.manual_seed(0)
net = NERD(NerdConfig(features=64, window=5)).fold().eval().requires_grad_(False)
settings = RunSettings(max_iter=5, tol=0.0)
run = DenoisingRun(Subject.of(make_photo(rows=224, cols=224)), settings, net)
peak = resident_peak(lambda: list(run.iterates(keep_features=False)))
print(json.dumps([peak, run.plan.needed]))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="other systems count resident memory in other ways")
def test_the_estimate_is_what_a_run_takes():
    here = Path(__file__).parent
    done = subprocess.run(
        [sys.executable, "-c", _MEASURE],
        env={"PYTHONPATH": f"{here.parents[1]}:{here}", "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    peak, needed = json.loads(done.stdout)
    assert 0.5 * needed < peak < 1.1 * needed


def test_the_peak_is_that_of_the_process():
    assert peak_memory_mb("cpu") >= 0.9 * psutil.Process().memory_info().rss / 1e6
    assert peak_memory_mb("cpu") < psutil.virtual_memory().total / 1e6
    assert memory_plan.free_bytes("cpu") < psutil.virtual_memory().total


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="only Linux has this second source")
def test_the_peak_is_what_the_system_says():
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    assert peak_memory_mb("cpu") == pytest.approx(int(status["VmHWM"].split()[0]) / 1e3, rel=0.05)
