import gc
import math

import pytest
import torch
from fixed_point_maps import DTYPE, Counted, linear_map, tanh_map
from torchdeq.solver.broyden import broyden_solver

from nerd_gui.equilibrium import broyden, plain


def expansive_map(batch):
    """A nonlinear map that contracts in all directions except one, in which plain iteration diverges."""
    generator = torch.Generator().manual_seed(3)
    q = torch.linalg.qr(torch.randn(batch, 10, 10, generator=generator, dtype=DTYPE)).Q
    a = q @ torch.diag(torch.tensor([-1.8] + [0.06 * k for k in range(9)], dtype=DTYPE)) @ q.mT
    b = torch.randn(batch, 10, generator=generator, dtype=DTYPE)
    return lambda z: torch.einsum("bij,bj->bi", a, z) + 0.3 * torch.sin(z) + b


def torchdeq_points(f, z0, steps, memory):
    counted = Counted(f)
    broyden_solver(counted, z0, max_iter=steps, tol=0.0, LBFGS_thres=memory)
    return counted.points


def wild_map(a, w, c):
    """In sample 0, g is nearly flat in some places, from which the secant jumps far away; sample 1 contracts."""

    def f(z):
        return torch.stack([z[0] + torch.sin(z[0]) + a * torch.cos(w * z[0]) + c, 0.5 * torch.cos(z[1])])

    return f


@pytest.mark.parametrize("memory", [None, 1, 3])
@pytest.mark.parametrize("batch", [1, 4])
def test_iterates_equal_torchdeq(batch, memory):
    f, z0 = expansive_map(batch), torch.zeros(batch, 10, dtype=DTYPE)
    *_, last = plain(f, z0, max_iter=60, tol=0)
    assert (last.z.norm(dim=1) > 1e6).all()
    expected = torchdeq_points(f, z0, 14, memory)
    steps = list(broyden(f, z0, max_iter=14, tol=0, memory=memory, safeguard=False))
    assert [step.index for step in steps] == list(range(15))
    assert len(expected) == 15
    for step, point in zip(steps, expected, strict=True):
        assert (step.z - point).norm() <= 1e-5 * point.norm()


def test_memory_matters_on_that_map():
    # Otherwise the test above would pass for a solver that ignored `memory`.
    z0 = torch.zeros(4, 10, dtype=DTYPE)
    full, few = (
        [s.z for s in broyden(expansive_map(4), z0, max_iter=8, tol=0, memory=m, safeguard=False)] for m in (None, 3)
    )
    for a, b in zip(full[:5], few[:5], strict=True):
        torch.testing.assert_close(a, b)
    assert (full[6] - few[6]).norm() > 1e-3 * full[6].norm()


def test_step_length_changes_the_update_as_defined():
    f, z0 = tanh_map(1, 6, 0.8), torch.zeros(1, 6, dtype=DTYPE)
    steps = list(broyden(f, z0, max_iter=6, tol=0, alpha=0.6, safeguard=False))
    # Good Broyden on the full inverse Jacobian, written out with a matrix.
    b, z, g = -torch.eye(6, dtype=DTYPE), z0[0], (f(z0) - z0)[0]
    for step in steps:
        torch.testing.assert_close(step.z[0], z, rtol=1e-9, atol=1e-12)
        new = z - 0.6 * b @ g
        new_g = (f(new[None]) - new[None])[0]
        dz, dg = new - z, new_g - g
        b = b + torch.outer(dz - b @ dg, dz @ b) / (dz @ b @ dg)
        z, g = new, new_g


def test_linear_problem_ends_in_twice_its_dimension():
    f, a, _, truth = linear_map(1, 12, 1.5)
    assert torch.linalg.eigvals(a).abs().max() > 1
    z0 = torch.zeros(1, 12, dtype=DTYPE)
    errors = [float((s.z - truth).norm() / truth.norm()) for s in broyden(f, z0, max_iter=24, tol=0, safeguard=False)]
    assert min(errors) < 1e-10
    assert errors[0] == 1


@pytest.mark.parametrize("options", [{}, {"stop_on": "relative_step", "tol": 0.0}, {"memory": 2}])
def test_each_next_costs_one_evaluation(options):
    f = Counted(tanh_map(2, 5, 0.9))
    solver = broyden(f, torch.zeros(2, 5, dtype=DTYPE), max_iter=6, **{"tol": 0.0, **options})
    assert not f.points
    for count, step in enumerate(solver, start=1):
        assert len(f.points) == count == step.evaluations == step.index + 1
        assert torch.equal(f.points[-1], step.z)
        assert torch.equal(step.f_z, f.f(step.z))
    assert len(f.points) == 7


def test_first_step_goes_to_f_of_the_start():
    f, z0 = tanh_map(3, 5, 2.0), torch.randn(3, 5, generator=torch.Generator().manual_seed(1), dtype=DTYPE)
    solver = broyden(f, z0, max_iter=2, tol=0)
    assert torch.equal(next(solver).z, z0)
    torch.testing.assert_close(next(solver).z, f(z0))


@pytest.mark.parametrize("shape", [(3,), (2, 3, 4, 5)])
def test_keeps_the_shape_and_type_of_the_start(shape):
    steps = list(broyden(lambda z: 0.5 * torch.cos(z), torch.zeros(shape), max_iter=17, tol=1e-5))
    assert steps[-1].stop_reason == "converged"
    for step in steps:
        assert step.z.shape == step.f_z.shape == shape and step.z.dtype == step.f_z.dtype == torch.float32
        assert step.residual.shape == shape[:1] and step.residual.dtype == torch.float64
    torch.testing.assert_close(steps[-1].z, torch.full(shape, 0.450184), rtol=1e-4, atol=0)


def test_low_precision_inside_f_leaves_the_algebra_in_the_type_of_z():
    steps = list(broyden(lambda z: 0.5 * torch.cos(z).bfloat16(), torch.zeros(2, 4), max_iter=5, tol=0))
    assert all(step.z.dtype == step.f_z.dtype == torch.float32 for step in steps)


@pytest.mark.parametrize("memory", [None, 2])
def test_records_never_change_afterwards(memory):
    kept = []
    for step in broyden(wild_map(0.5, 3, 0.2), torch.zeros(2, 1, dtype=DTYPE), max_iter=17, tol=0, memory=memory):
        kept.append((step, [x.clone() for x in (step.z, step.f_z, step.residual)]))
    assert len(kept) == 18
    for step, copies in kept:
        for now, then in zip((step.z, step.f_z, step.residual), copies, strict=True):
            assert torch.equal(now, then)


def test_samples_do_not_see_each_other():
    base = tanh_map(4, 8, 1.5, seed=5)
    constant = torch.ones(8, dtype=DTYPE)

    def f(z):  # sample 2 is constant and at its fixed point from iterate 1 on
        return torch.cat([base(z)[:2], constant[None], base(z)[3:]])

    def alone(index):
        def f_one(z):
            return f(z.expand(4, -1))[index : index + 1]

        return f_one

    z0 = torch.zeros(4, 8, dtype=DTYPE)
    together = list(broyden(f, z0, max_iter=12, tol=0))
    assert len(together) == 13
    for index in range(4):
        for step, single in zip(together, broyden(alone(index), z0[:1], max_iter=12, tol=0), strict=True):
            torch.testing.assert_close(step.z[index], single.z[0], rtol=1e-10, atol=1e-10)
    assert torch.equal(together[-1].z[2], constant)
    assert together[-1].residual[2] == 0


def test_wild_step_is_dropped_and_the_run_goes_on_from_the_best():
    f, z0 = wild_map(0.2, 5, 0.4), torch.zeros(2, 1, dtype=DTYPE)
    pure = list(broyden(f, z0, max_iter=17, tol=0, safeguard=False))
    expected = torchdeq_points(f, z0, 17, None)
    for step, point in zip(pure, expected, strict=True):
        assert not step.restarted
        torch.testing.assert_close(step.z, point, rtol=1e-5, atol=1e-12)

    safe = list(broyden(f, z0, max_iter=17, tol=0))
    at = next(step.index for step in safe if step.restarted)
    assert at > 2
    assert safe[at].residual[0] > 2 * safe[at - 1].residual[0]
    assert safe[at].restarted == (True, False) and bool(safe[at].restarted)
    assert all(torch.equal(a.z, b.z) for a, b in zip(safe[: at + 1], pure, strict=False))

    best = min(safe[: at + 1], key=lambda step: float(step.residual[0]))
    assert best.index < at - 1  # not just the previous iterate
    torch.testing.assert_close(safe[at + 1].z[0], best.f_z[0])
    step_size = (safe[at + 1].z - safe[at].z).norm(dim=1) / safe[at].z.norm(dim=1)
    torch.testing.assert_close(safe[at].relative_step, step_size)
    torch.testing.assert_close(safe[at + 1].z[1], pure[at + 1].z[1])  # the other sample is not affected
    # From there on the sample behaves like a run that starts at its best iterate.
    fresh = list(broyden(f, best.z, max_iter=3, tol=0, safeguard=False))
    for later in (1, 2, 3):
        torch.testing.assert_close(safe[at + later].z[0], fresh[later].z[0])
    assert safe[-1].residual.max() < 1e-6


@pytest.mark.parametrize("memory", [1, 2])
def test_restart_with_a_full_ring_leaves_nothing_behind(memory):
    f, z0 = wild_map(0.5, 3, 0.2), torch.zeros(2, 1, dtype=DTYPE)
    safe = list(broyden(f, z0, max_iter=17, tol=0, memory=memory))
    at = next(step.index for step in safe if step.restarted)
    assert at > memory + 1  # the ring buffer has wrapped by then
    best = min(safe[: at + 1], key=lambda step: float(step.residual[0]))
    fresh = list(broyden(f, best.z, max_iter=3, tol=0, memory=memory, safeguard=False))
    for later in (1, 2, 3):
        torch.testing.assert_close(safe[at + later].z[0], fresh[later].z[0])


def scripted(*residuals):
    """A map that gives sample 0 these residuals, whatever the iterate; sample 1 never converges."""
    script = iter(residuals)

    def f(z):
        return torch.stack([z[0] / (1 - next(script)), z[1] + 1])

    return f


def test_doubling_within_the_tolerance_is_no_wild_step():
    f = scripted(0.5, 1e-2, 1e-5, 9e-5, 1e-5)
    steps = list(broyden(f, torch.ones(2, 1, dtype=DTYPE), max_iter=4, tol=1e-3))
    torch.testing.assert_close(steps[3].residual[0], torch.tensor(9e-5, dtype=DTYPE))
    assert steps[-1].index == 4
    assert not any(step.restarted for step in steps)


@pytest.mark.parametrize(
    ("residuals", "restarts"),
    [
        ((0.10, 0.12, 0.30, 0.12, 0.13, 0.14), []),  # iterate 2 may still be wild
        ((0.10, 0.12, 0.13, 0.27, 0.13, 0.14), [3]),
        ((0.10, 0.12, 0.13, 0.25, 0.13, 0.14), []),
        ((0.10, 0.12, 0.13, 0.14, 0.13, 0.30), []),  # no step is left to drop
    ],
)
def test_safeguard_acts_on_a_doubled_residual_after_iterate_2(residuals, restarts):
    steps = list(broyden(scripted(*residuals), torch.ones(2, 1, dtype=DTYPE), max_iter=5, tol=0))
    assert [round(float(step.residual[0]), 9) for step in steps] == list(residuals)
    assert [step.index for step in steps if step.restarted] == restarts


def test_holds_no_more_tensors_as_the_run_goes_on():
    size = 5003  # marks the vectors of this run among all existing tensors
    held = []

    def f(z):
        tensors = [x for x in gc.get_objects() if type(x) is torch.Tensor]
        vectors = {x.data_ptr() for x in tensors if x.untyped_storage().nbytes() == 4 * size}
        held.append(len(vectors))
        return 0.9 * torch.sin(z) + 0.1

    for _ in broyden(f, torch.zeros(1, size), max_iter=8, tol=0):
        pass
    # z, the step's origin (z, g) and the record that the loop above still holds (z, f_z); the best iterate may differ.
    assert max(held) <= 7
    assert held[-1] <= held[3]


@pytest.mark.parametrize("options", [{"memory": 0}, {"alpha": 0.0}])
def test_refuses_impossible_options_at_once(options):
    with pytest.raises(ValueError, match="Broyden"):
        broyden(torch.cos, torch.zeros(1, 1), max_iter=3, tol=0, **options)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_cuda_equals_cpu():
    f, z0 = tanh_map(3, 8, 0.9), torch.zeros(3, 8, dtype=DTYPE)
    on_cuda = broyden(lambda z: f(z.cpu()).cuda(), z0.cuda(), max_iter=10, tol=0)
    for step, reference in zip(on_cuda, broyden(f, z0, max_iter=10, tol=0), strict=True):
        torch.testing.assert_close(step.z.cpu(), reference.z, rtol=1e-8, atol=1e-10)
        assert step.z.is_cuda and not step.residual.is_cuda


def test_finds_the_fixed_point_of_cosine():
    *_, last = broyden(torch.cos, torch.zeros(1, 1, dtype=DTYPE), max_iter=17, tol=1e-12)
    assert math.isclose(last.z.item(), 0.7390851332151607, rel_tol=1e-11)


def test_a_tolerance_on_another_measure_leaves_the_safeguard_on():
    f, z0 = scripted(0.010, 0.012, 0.013, 0.027, 0.013), torch.ones(2, 1, dtype=DTYPE)
    steps = list(broyden(f, z0, max_iter=4, tol=0.2, stop_on="relative_step"))
    assert [step.index for step in steps if step.restarted] == [3]


@pytest.mark.parametrize("memory", [None, 3])
@pytest.mark.parametrize(("dtype", "error"), [(torch.float16, 2e-3), (torch.float8_e5m2, 0.2)])
def test_pairs_in_fewer_bits_lead_to_the_same_residuals(memory, dtype, error):
    a, b = torch.linspace(-40, 40, 2000), 1e5  # which float16 cannot hold
    f, z0 = lambda z: a * torch.sin(z / 50) + b, torch.zeros(2, 2000)
    options = {"max_iter": 14, "tol": 0, "memory": memory}
    exact, kept = ([s.residual for s in broyden(f, z0, **options, pair_dtype=d)] for d in (None, dtype))
    assert exact[-1].max() < 1e-2
    for one, other in zip(exact, kept, strict=True):
        torch.testing.assert_close(one, other, rtol=error, atol=1e-6)
    assert any(not torch.equal(one, other) for one, other in zip(exact, kept, strict=True))
