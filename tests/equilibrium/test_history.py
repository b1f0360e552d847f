"""The passes over a solver's vectors: the compiled ones, compared with double precision."""

import pytest
import torch

from nerd_gui.compiled import history_kernel
from nerd_gui.equilibrium import history
from nerd_gui.equilibrium.history import History, comparison

PART = 1 << 16
DIM = PART + 64 * 5  # more than one task, the last one short


@pytest.fixture(autouse=True)
def small_tasks(monkeypatch):
    monkeypatch.setattr(history_kernel, "_PART", PART)


def random(*shape, seed):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@pytest.fixture(params=["compiled", "by torch"])
def path(request, monkeypatch):
    if request.param == "by torch":
        monkeypatch.setattr(history, "passes_over", lambda _: None)
    else:
        request.getfixturevalue("compiled_code")
        assert history_kernel.passes_over(torch.zeros(2, DIM)) is not None


@pytest.mark.parametrize("count", [1, 4])
def test_products_and_combinations_are_those_of_the_kept_vectors(path, count):
    x, other = random(2, DIM, seed=0), random(2, DIM, seed=1)
    ring, kept = History(x, 3, torch.float16), [random(2, DIM, seed=2 + index) * 10**index for index in range(count)]
    for vector in kept:
        ring.push(vector)
    if count > 3:  # the fourth replaces the first
        kept = [kept[3], kept[1], kept[2]]
    stack = torch.stack(kept, dim=1).double()
    for found, one in zip(ring.products(x, other), (x, other), strict=True):
        truth = (stack @ one.double()[:, :, None])[:, :, 0]
        torch.testing.assert_close(found.double(), truth, rtol=0, atol=float(1e-3 * stack.norm(dim=2).max()))
    coefficients = random(2, len(kept), seed=9)
    truth = 0.3 * x.double() + (coefficients.double()[:, None] @ stack)[:, 0]
    found = ring.combination(x, 0.3, coefficients)
    torch.testing.assert_close(found.double(), truth, rtol=0, atol=float(1e-2 * stack.abs().max() / 4))


def test_the_norms_and_g_come_from_one_pass(path):
    z, f_z, before = (random(2, DIM, seed=seed) for seed in range(3))
    g, norms = comparison(z, f_z, before)
    assert torch.equal(g, f_z - z)
    for found, x in zip(norms, (z, f_z, g, g - before), strict=True):
        torch.testing.assert_close(found, x.double().norm(dim=1).float())


@pytest.mark.parametrize("count", [1, 4])
def test_the_comparison_gives_the_products_of_the_newest_vector_and_g(path, count):
    z, f_z, before = (random(2, DIM, seed=seed) for seed in range(3))
    ring, kept = History(z, 5, torch.float16), [random(2, DIM, seed=3 + index) * 10**index for index in range(count)]
    for vector in kept:
        ring.push(vector)
    g, norms, (with_newest, with_g) = ring.compare(z, f_z, before)
    assert torch.equal(g, f_z - z)
    for found, x in zip(norms, (z, f_z, g, g - before), strict=True):
        torch.testing.assert_close(found, x.double().norm(dim=1).float())
    stack = torch.stack(kept, dim=1).double()
    sizes = stack.norm(dim=2)
    for found, x in ((with_newest, kept[-1]), (with_g, g)):
        truth = (stack @ x.double()[:, :, None])[:, :, 0]
        bound = 1e-3 * sizes * x.double().norm(dim=1, keepdim=True)
        assert ((found - truth).abs() < bound).all()
    torch.testing.assert_close(with_newest[:, -1].double(), sizes[:, -1] ** 2, rtol=1e-3, atol=0)


@pytest.mark.parametrize("keep", [True, False])
@pytest.mark.parametrize("count", [0, 3])
def test_a_step_is_taken_and_kept_in_one_pass(path, count, keep):
    z, g = random(2, DIM, seed=0), random(2, DIM, seed=1)
    ring, kept = History(z, 4, torch.float16), [random(2, DIM, seed=2 + index) for index in range(count)]
    for vector in kept:
        ring.push(vector)
    factor, coefficients = torch.tensor([[0.3], [2.0]]), random(2, count, seed=9)
    step = factor * g + sum(
        (coefficients[:, index, None] * vector for index, vector in enumerate(kept)), torch.zeros(1)
    )
    z_next, norm = ring.advance(z, g, factor, coefficients, about=2 * step.norm(dim=1, keepdim=True), keep=keep)
    torch.testing.assert_close(z_next, z + step, rtol=0, atol=1e-2)
    torch.testing.assert_close(norm, (z_next - z).norm(dim=1))
    assert ring.used == count + keep
    if keep:  # as exact as float16, whatever the scale
        probe = torch.zeros(2, DIM)
        probe[:, 70] = 1
        (found,) = ring.products(probe)
        torch.testing.assert_close(found[:, -1], (z_next - z)[:, 70], rtol=1e-3, atol=0)


def test_another_vector_takes_the_place_of_the_newest(path):
    x = random(2, DIM, seed=0)
    ring = History(x, 3, torch.float16)
    for seed in (1, 2):
        ring.push(random(2, DIM, seed=seed))
    before = ring.products(x)[0]
    ring.replace(torch.tensor([False, True]), 1e6 * x)
    (after,) = ring.products(x)
    assert torch.equal(before[0], after[0]) and before[1, 0] == after[1, 0]
    torch.testing.assert_close(after[1, 1], 1e6 * x[1].norm() ** 2, rtol=1e-3, atol=0)


def test_what_is_not_finite_shows_in_the_norms(path):
    z = random(2, DIM, seed=0)
    f_z = z.clone()
    f_z[0, 70], f_z[1, -1] = torch.nan, torch.inf
    _, norms = comparison(z, f_z, z)
    assert norms[0].isfinite().all() and not any(norm.isfinite().any() for norm in norms[1:])


def test_threads_change_nothing():
    x, before = random(2, DIM, seed=0), torch.get_num_threads()
    ring = History(x, 2, torch.float16)
    ring.push(x.flip(1))
    results = []
    try:
        for threads in (1, 3):
            torch.set_num_threads(threads)
            results.append([*ring.products(x, x.flip(0)), ring.combination(x, 2.0, torch.ones(2, 1))])
    finally:
        torch.set_num_threads(before)
    assert all(torch.equal(one, other) for one, other in zip(*results, strict=True))
