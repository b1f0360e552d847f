import itertools
import json

import pytest
import torch
from fixed_point_maps import DTYPE, Counted, tanh_map

from nerd_gui.equilibrium import SOLVERS, SolverStep, StopReason, broyden, plain

EVERY_SOLVER = pytest.mark.parametrize("solver", SOLVERS.values(), ids=SOLVERS.keys())


def norm(x):
    return x.flatten(1).pow(2).sum(1).sqrt()


def rough(z):
    """A contraction whose residual has a lower bound, as with low precision inside f."""
    return 0.5 * torch.cos(z) + 1e-4 * torch.sin(1e7 * z)


@EVERY_SOLVER
def test_measures_equal_their_definitions(solver):
    f, z0 = tanh_map(3, 6, 0.9), torch.randn(3, 6, generator=torch.Generator().manual_seed(2), dtype=DTYPE)
    steps = list(solver(f, z0, max_iter=9, tol=0))
    assert len(steps) == 10
    g = [f(step.z) - step.z for step in steps]
    for i, step in enumerate(steps):
        torch.testing.assert_close(step.residual, norm(g[i]) / norm(f(step.z)))
        if i < 9:
            torch.testing.assert_close(step.relative_step, norm(steps[i + 1].z - step.z) / norm(step.z))
        if i > 0:
            torch.testing.assert_close(step.residual_change, norm(g[i] - g[i - 1]) / norm(g[i - 1]))
    assert steps[0].residual_change is None
    assert steps[9].relative_step is None


@pytest.mark.parametrize("pair_dtype", [None, torch.float16])
def test_samples_may_lie_across_each_other(pair_dtype):
    dim = 64 * 1100
    weights = torch.randn(2, dim, generator=torch.Generator().manual_seed(0))

    def f(z):
        return 0.5 * torch.cos(z * weights)

    runs = [
        list(broyden(f, z0, max_iter=9, tol=0, pair_dtype=pair_dtype))
        for z0 in (torch.zeros(2, dim), torch.zeros(dim, 2).t())
    ]
    assert runs[0][-1].residual.max() < 1e-3
    for one, other in zip(*runs, strict=True):
        torch.testing.assert_close(one.z, other.z, rtol=1e-4, atol=1e-5)


def test_measures_flatten_all_but_the_batch():
    f = tanh_map(2, 24, 0.9)
    flat = list(broyden(f, torch.zeros(2, 24, dtype=DTYPE), max_iter=5, tol=0))
    shaped = list(
        broyden(lambda z: f(z.flatten(1)).view_as(z), torch.zeros(2, 2, 3, 4, dtype=DTYPE), max_iter=5, tol=0)
    )
    for a, b in zip(flat, shaped, strict=True):
        torch.testing.assert_close(a.residual, b.residual)
        torch.testing.assert_close(a.z, b.z.flatten(1))


@EVERY_SOLVER
def test_iterates_lie_in_memory_as_the_start_does(solver):
    f, seen = tanh_map(2, 24, 0.9), []

    def shaped(z):
        seen.append(z)
        return f(z.flatten(1)).view(z.shape)

    start = torch.randn(2, 2, 3, 4, generator=torch.Generator().manual_seed(1), dtype=DTYPE)
    plainly = list(solver(shaped, start, max_iter=5, tol=0))
    seen.clear()
    turned = list(solver(shaped, start.contiguous(memory_format=torch.channels_last), max_iter=5, tol=0))
    for z in (*seen, *(step.z for step in turned)):
        assert z.is_contiguous(memory_format=torch.channels_last)
    for one, other in zip(plainly, turned, strict=True):
        torch.testing.assert_close(one.z, other.z)
        torch.testing.assert_close(one.f_z, other.f_z)


@EVERY_SOLVER
def test_step_from_zero_has_no_relative_size(solver):
    steps = list(solver(tanh_map(2, 6, 0.9), torch.zeros(2, 6, dtype=DTYPE), max_iter=2, tol=0))
    assert steps[0].relative_step is None
    assert steps[1].relative_step is not None


def test_a_start_on_the_fixed_point_is_no_division_by_zero():
    (step,) = broyden(lambda z: 0.5 * z, torch.zeros(2, 3), max_iter=17, tol=1e-3)
    assert step.stop_reason == "converged"
    assert step.residual.tolist() == [0, 0] and step.relative_step.tolist() == [0, 0]


@EVERY_SOLVER
@pytest.mark.parametrize(
    ("measure", "tol", "f"),
    [
        ("residual", 1e-5, tanh_map(2, 6, 0.3)),
        ("relative_step", 1e-5, tanh_map(2, 6, 0.3)),
        # A triple root is approached ever more slowly, so that the change of g falls as well.
        ("residual_change", 0.6, lambda z: z - 0.1 * z**3),
    ],
)
def test_converged_at_the_first_iterate_where_every_sample_is_within_tolerance(solver, measure, tol, f):
    z0 = torch.tensor([[2.0], [1.5]], dtype=DTYPE).expand(2, 6)
    through = [getattr(step, measure) for step in solver(f, z0, max_iter=30, tol=0)]
    first = next(i for i, value in enumerate(through) if value is not None and (value <= tol).all())
    steps = list(solver(f, z0, max_iter=30, tol=tol, stop_on=measure))
    assert len(steps) == first + 1 > 2
    assert [step.stop_reason for step in steps] == [None] * first + [StopReason.CONVERGED]


def test_relative_step_can_still_converge_on_the_last_step_allowed():
    f, z0 = tanh_map(1, 6, 0.3), torch.ones(1, 6, dtype=DTYPE)
    *_, free = broyden(f, z0, max_iter=30, tol=1e-4, stop_on="relative_step")
    *_, tight = broyden(f, z0, max_iter=free.index, tol=1e-4, stop_on="relative_step")
    assert tight.index == free.index > 1
    assert tight.stop_reason == "converged"


@EVERY_SOLVER
@pytest.mark.parametrize("max_iter", [0, 1, 7])
def test_step_limit(solver, max_iter):
    f = Counted(tanh_map(2, 6, 0.9))
    steps = list(solver(f, torch.zeros(2, 6, dtype=DTYPE), max_iter=max_iter, tol=0))
    assert len(steps) == len(f.points) == max_iter + 1
    assert steps[-1].stop_reason is StopReason.STEP_LIMIT


@EVERY_SOLVER
def test_stalled_on_the_floor_of_f(solver):
    z0 = torch.zeros(2, 50, dtype=DTYPE)
    steps = list(solver(rough, z0, max_iter=80, tol=1e-9, patience=5))
    assert steps[-1].stop_reason == "stalled"
    assert 5 < steps[-1].index < 80
    residuals = torch.stack([step.residual for step in steps])
    assert residuals.min(0).values.max() < 1e-3
    assert (residuals[-5:].min(0).values > 0.99 * residuals[:-5].min(0).values).all()


@pytest.mark.parametrize("options", [{"tol": 0}, {"tol": 1e-9, "patience": None}])
def test_tolerance_zero_or_no_patience_takes_all_steps(options):
    z0 = torch.zeros(2, 50, dtype=DTYPE)
    *_, last = broyden(rough, z0, max_iter=40, **options)
    assert (last.index, last.stop_reason) == (40, "step limit")


def test_a_run_far_from_any_fixed_point_does_not_stall():
    *_, last = plain(lambda z: z.roll(1, 1), torch.arange(1.0, 9)[None], max_iter=30, tol=1e-3)
    assert (last.index, last.stop_reason) == (30, "step limit")


def test_a_converged_sample_does_not_keep_the_others_from_stalling():
    def f(z):  # sample 0 falls below the tolerance and continues to fall, tenfold in each step
        return torch.stack([1 + 0.9 * (z[0] - 1), rough(z[1])])

    steps = list(plain(f, torch.zeros(2, 50, dtype=DTYPE), max_iter=200, tol=1e-6))
    assert steps[-1].stop_reason == "stalled"
    assert steps[-1].residual[0] <= 1e-6 < steps[-1].residual[1]
    assert steps[-2].residual[0] > 1e-6


@EVERY_SOLVER
@pytest.mark.parametrize("poison", [torch.nan, torch.inf])
def test_diverged_keeps_the_last_finite_iterate(solver, poison):
    inner, calls = tanh_map(2, 6, 0.9), []

    def f(z):
        calls.append(z)
        f_z = inner(z)
        if len(calls) == 4:
            f_z[0, 2] = poison
        return f_z

    z0 = torch.zeros(2, 6, dtype=DTYPE)
    steps = list(solver(f, z0, max_iter=9, tol=0))
    last = steps[-1]
    assert (last.index, last.evaluations, last.stop_reason) == (3, 4, "diverged")
    assert torch.equal(last.z[0], steps[2].z[0])
    torch.testing.assert_close(last.f_z[0], steps[2].f_z[0])
    assert last.residual[0] == torch.inf
    # The other sample is not affected.
    undisturbed = list(solver(inner, z0, max_iter=3, tol=0))[3]
    assert torch.equal(last.z[1], undisturbed.z[1]) and torch.equal(last.f_z[1], undisturbed.f_z[1])
    assert last.residual[1] == undisturbed.residual[1]


def test_a_run_that_overflows_diverges():
    steps = list(plain(lambda z: z**2, torch.full((1, 3), 2.0), max_iter=100, tol=1e-3))
    assert steps[-1].stop_reason == "diverged"
    assert steps[-1].z.isfinite().all() and torch.equal(steps[-1].z, steps[-2].z)


def test_a_map_without_values_diverges_at_the_start():
    (step,) = broyden(lambda z: z * torch.nan, torch.ones(1, 2), max_iter=3, tol=1e-3)
    assert (step.index, step.stop_reason) == (0, "diverged")
    assert step.z.tolist() == [[1, 1]]


@EVERY_SOLVER
def test_cancelled_during_an_evaluation(solver):
    f = Counted(tanh_map(2, 6, 0.9))
    steps = list(solver(f, torch.zeros(2, 6, dtype=DTYPE), max_iter=9, tol=0, should_stop=lambda: len(f.points) == 4))
    assert [step.stop_reason for step in steps] == [None] * 3 + [StopReason.CANCELLED]
    assert len(f.points) == 4
    assert steps[-1].residual.isfinite().all()


@EVERY_SOLVER
def test_cancelled_between_records(solver):
    f, stop = Counted(tanh_map(2, 6, 0.9)), False
    run = solver(f, torch.zeros(2, 6, dtype=DTYPE), max_iter=9, tol=0, should_stop=lambda: stop)
    assert next(run).stop_reason is None
    stop = True
    assert list(run) == []
    assert len(f.points) == 1


@EVERY_SOLVER
def test_callers_grad_mode_is_left_alone(solver):
    weight = torch.tensor(0.5, requires_grad=True)
    inside = []

    def f(z):
        inside.append(torch.is_grad_enabled())
        return weight * torch.cos(z)

    for mode in (True, False):
        with torch.set_grad_enabled(mode):
            for step in solver(f, torch.zeros(1, 2), max_iter=4, tol=0):
                assert torch.is_grad_enabled() is mode
                assert not (step.z.requires_grad or step.f_z.requires_grad)
            assert torch.is_grad_enabled() is mode
    assert inside == [False] * 10


def test_start_with_a_gradient_is_detached_not_changed():
    z0 = torch.zeros(1, 2, requires_grad=True)
    steps = list(broyden(lambda z: 0.5 * torch.cos(z), z0, max_iter=3, tol=0))
    assert not any(step.z.requires_grad for step in steps)
    assert z0.requires_grad and z0.detach().eq(0).all()


def test_records_are_frozen_and_in_order_of_time():
    steps = list(broyden(lambda z: 0.5 * torch.cos(z), torch.zeros(1, 2), max_iter=17, tol=1e-3))
    assert all(isinstance(step, SolverStep) for step in steps)
    assert all(a.seconds <= b.seconds for a, b in itertools.pairwise(steps)) and steps[0].seconds > 0
    with pytest.raises(AttributeError):
        steps[0].index = 3


def test_stop_reason_and_restarts_serialise():
    *_, last = broyden(lambda z: 0.5 * torch.cos(z), torch.zeros(2, 2), max_iter=17, tol=1e-3)
    assert json.loads(json.dumps([last.stop_reason, last.restarted])) == ["converged", [False, False]]
    assert not last.restarted


@EVERY_SOLVER
@pytest.mark.parametrize(
    "options", [{"max_iter": -1}, {"tol": -1e-3}, {"tol": float("nan")}, {"stop_on": "energy"}, {"patience": 0}]
)
def test_refuses_impossible_options_at_once(solver, options):
    with pytest.raises(ValueError, match=r"must be|can stop on"):
        solver(torch.cos, torch.zeros(1, 1), **{"max_iter": 3, "tol": 0.0, **options})


@EVERY_SOLVER
@pytest.mark.parametrize("z0", [torch.tensor(1.0), torch.zeros(0, 3), torch.zeros(2, 3, dtype=torch.int64)])
def test_refuses_an_impossible_start(solver, z0):
    with pytest.raises(ValueError, match="starts from a non-empty float tensor"):
        solver(torch.cos, z0, max_iter=3, tol=0)


def test_refuses_a_map_that_changes_the_shape():
    with pytest.raises(ValueError, match=r"\(2, 3\).*\(2, 4\)"):
        next(broyden(lambda z: torch.zeros(2, 4), torch.zeros(2, 3), max_iter=3, tol=0))


@EVERY_SOLVER
def test_errors_of_f_reach_the_caller(solver):
    def f(z):
        raise OSError("no more memory")

    with pytest.raises(OSError, match="no more memory"):
        next(solver(f, torch.zeros(1, 1), max_iter=3, tol=0))
