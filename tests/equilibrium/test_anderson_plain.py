import pytest
import torch
from fixed_point_maps import DTYPE, Counted, linear_map, tanh_map

from nerd_gui.equilibrium import anderson, broyden, plain


def naive_anderson(f, z0, steps, memory, beta):
    """Type II by its definition: the weights sum to one and minimise the combined residual."""
    zs, fs = [z0], [f(z0[None])[0]]
    for _ in range(steps):
        past = slice(-(memory + 1), None)
        z, f_z = torch.stack(zs[past]), torch.stack(fs[past])
        g = f_z - z
        # The last weight is one minus the others.
        others = (
            torch.linalg.lstsq((g[:-1] - g[-1]).T, -g[-1][:, None]).solution[:, 0] if len(g) > 1 else g.new_empty(0)
        )
        weights = torch.cat([others, 1 - others.sum(0, keepdim=True)])
        zs.append(weights @ (z + beta * g))
        fs.append(f(zs[-1][None])[0])
    return zs


@pytest.mark.parametrize(("memory", "beta"), [(1, 1.0), (3, 1.0), (3, 0.5)])
def test_anderson_equals_its_definition(memory, beta):
    f = tanh_map(1, 8, 0.9)
    expected = naive_anderson(f, torch.zeros(8, dtype=DTYPE), 8, memory, beta)
    steps = anderson(
        f,
        torch.zeros(1, 8, dtype=DTYPE),
        max_iter=8,
        tol=0,
        memory=memory,
        beta=beta,
        regularization=1e-13,
        safeguard=False,
    )
    for step, z in zip(steps, expected, strict=True):
        torch.testing.assert_close(step.z[0], z, rtol=1e-5, atol=1e-6)


def test_anderson_with_full_memory_solves_a_linear_problem_in_its_dimension():
    f, _, _, truth = linear_map(2, 6, 1.3, seed=1)
    start = torch.zeros(2, 6, dtype=DTYPE)
    steps = list(anderson(f, start, max_iter=7, tol=0, memory=None, regularization=1e-14, safeguard=False))
    assert (steps[-1].z - truth).norm() < 1e-6 * truth.norm()
    assert (steps[3].z - truth).norm() > 1e-3 * truth.norm()


def test_anderson_reaches_the_truth_before_plain():
    f, _, _, truth = linear_map(3, 12, 0.95)
    z0 = torch.zeros(3, 12, dtype=DTYPE)
    *_, fast = anderson(f, z0, max_iter=200, tol=1e-9)
    *_, slow = plain(f, z0, max_iter=2000, tol=1e-9)
    assert fast.stop_reason == slow.stop_reason == "converged"
    assert fast.index < slow.index / 4
    for step in (fast, slow):
        assert (step.z - truth).norm() < 1e-6 * truth.norm()


def test_anderson_and_broyden_agree():
    f, z0 = tanh_map(3, 20, 0.95, seed=4), torch.zeros(3, 20, dtype=DTYPE)
    *_, one = anderson(f, z0, max_iter=100, tol=1e-10)
    *_, other = broyden(f, z0, max_iter=100, tol=1e-10)
    assert one.stop_reason == other.stop_reason == "converged"
    torch.testing.assert_close(one.z, other.z, rtol=1e-7, atol=1e-8)


def test_anderson_samples_do_not_see_each_other():
    base, constant = tanh_map(3, 8, 0.9), torch.ones(8, dtype=DTYPE)

    def f(z):
        return torch.cat([base(z)[:2], constant[None]])

    z0 = torch.zeros(3, 8, dtype=DTYPE)
    together = list(anderson(f, z0, max_iter=12, tol=0))
    for index in range(3):
        alone = anderson(lambda z, i=index: f(z.expand(3, -1))[i : i + 1], z0[:1], max_iter=12, tol=0)
        for step, single in zip(together, alone, strict=True):
            torch.testing.assert_close(step.z[index], single.z[0], rtol=1e-8, atol=1e-10)
    assert torch.equal(together[-1].z[2], constant)


def test_anderson_drops_a_wild_step():
    f, z0 = tanh_map(2, 4, 1.5), torch.zeros(2, 4, dtype=DTYPE)
    steps, pure = (list(anderson(f, z0, max_iter=12, tol=0, memory=3, safeguard=on)) for on in (True, False))
    at = next(step.index for step in steps if step.restarted)
    assert at > 4  # the ring buffer has wrapped by then
    assert steps[at].restarted == (False, True)
    assert steps[at].residual[1] > 2 * steps[at - 1].residual[1]
    best = min(steps[: at + 1], key=lambda step: float(step.residual[1]))
    torch.testing.assert_close(steps[at + 1].z[1], best.f_z[1])
    # From there on the sample behaves like a run that starts at its best iterate; the other sample is not affected.
    fresh = list(anderson(f, best.z, max_iter=4, tol=0, memory=3))
    for later in (1, 2, 3, 4):
        torch.testing.assert_close(steps[at + later].z[1], fresh[later].z[1])
        torch.testing.assert_close(steps[at + later].z[0], pure[at + later].z[0])
    assert not any(step.restarted for step in pure)


@pytest.mark.parametrize("solver", [anderson, plain])
def test_each_next_costs_one_evaluation(solver):
    f = Counted(tanh_map(2, 5, 0.9))
    for count, step in enumerate(solver(f, torch.zeros(2, 5, dtype=DTYPE), max_iter=8, tol=0), start=1):
        assert len(f.points) == count == step.evaluations
        assert torch.equal(f.points[-1], step.z)
    assert count == 9


@pytest.mark.parametrize("damping", [1.0, 0.7])
def test_plain_is_damped_iteration(damping):
    f, z = tanh_map(2, 5, 1.5), torch.ones(2, 5, dtype=DTYPE)
    for step in plain(f, z, max_iter=10, tol=0, damping=damping):
        torch.testing.assert_close(step.z, z)
        z = damping * f(z) + (1 - damping) * z


@pytest.mark.parametrize(
    ("solver", "options", "message"),
    [
        (anderson, {"memory": 0}, "memory"),
        (anderson, {"beta": 0}, "beta"),
        (anderson, {"regularization": 0}, "regularization"),
        (plain, {"damping": 0}, "damping"),
    ],
)
def test_refuses_impossible_options(solver, options, message):
    with pytest.raises(ValueError, match=message):
        solver(torch.cos, torch.zeros(1, 1), max_iter=3, tol=0, **options)
