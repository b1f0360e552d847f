"""Heads switched off, several starts and the race: compared with zeroed weights and the solvers' own records."""

import math

import numpy as np
import pytest
import torch
from equilibria import make_net, settle

from nerd_gui.analysis import heads_off, load_race, race, save_race, starts
from nerd_gui.equilibrium import SOLVERS


def test_heads_off_is_the_network_with_those_weights_zeroed(net, y, z):
    for heads in ([0], [1], [0, 1]):
        found = heads_off(net, y, z, heads, max_iter=60, tol=1e-9, accuracy=0)
        zeroed = make_net()
        for head in heads:
            zeroed.non_local.g.weight[4 * head : 4 * head + 4] = 0  # zeroes the value, where the tested code zeroes W_O
        exact = zeroed.estimate(y, settle(zeroed, y, 300))[0][0]
        torch.testing.assert_close(found.x_hat, exact, rtol=0, atol=1e-6)
        change = 255 * float((exact - net.estimate(y, z)[0][0]).square().mean().sqrt())
        assert found.change == pytest.approx(change, rel=1e-3) and change > 0.01
    assert heads_off(net, y, z, []).evaluations == 1, "it is there already"
    assert not torch.equal(net.non_local.out.weight, torch.zeros(8, 8)), "the network itself is left alone"


def test_the_change_without_a_head_is_known_to_its_accuracy(net, y, z):
    exact = heads_off(net, y, z, [0], max_iter=60, tol=1e-9, accuracy=0)
    at_first = heads_off(net, y, z, [0], max_iter=0).residual
    evaluations = []
    for accuracy in (0.3, 0.01):
        found = heads_off(net, y, z, [0], max_iter=60, tol=0, accuracy=accuracy)
        assert found.residual <= accuracy * at_first
        assert float((found.z - exact.z).norm()) < 3 * accuracy * float((z - exact.z).norm())
        evaluations.append(found.evaluations)
    assert evaluations[0] < evaluations[1] < exact.evaluations


def test_a_head_that_is_not_there_is_refused(net, y, z):
    with pytest.raises(ValueError, match="has 2 heads"):
        heads_off(net, y, z, [2])


def test_all_starts_of_a_contraction_end_in_one_equilibrium(net, y, z):
    found = starts(net, y, z, max_iter=60, tol=1e-9)
    assert found.names[:2] == ("the run's", "zero") and len(found.names) == len(found.residuals) == 5
    assert max(found.residuals) < 1e-8
    beside = found.distances[~torch.eye(5, dtype=torch.bool)]
    assert float(beside.min()) > 120 and float(found.disagreement.max()) < 1e-3
    assert torch.isinf(found.distances.diagonal()).all()


def test_starts_that_end_apart_are_seen(net, y, z):
    far = z + 3 * torch.randn(z.shape, generator=torch.Generator().manual_seed(5), dtype=z.dtype)
    found = starts(net, y, z, {"stopped at once": far}, max_iter=1, tol=0)
    apart = (found.pictures[0] - found.pictures[1]).square().mean()
    assert float(found.distances[0, 1]) == pytest.approx(-10 * math.log10(float(apart)))
    assert float(found.disagreement.max()) > 1
    spread = np.std(found.pictures.numpy(), axis=0).max(axis=0) * 255
    np.testing.assert_allclose(found.disagreement, spread)


def test_the_race_is_what_the_solvers_themselves_say(net, y, tmp_path):
    found = race(net, y, max_iter=8, tol=0)
    assert [racer.name for racer in found] == ["Broyden", "Anderson", "plain", "damped 0.8"]
    s = net.inject(y)
    for racer, (solver, own) in zip(
        found, (("broyden", {}), ("anderson", {}), ("plain", {}), ("plain", {"damping": 0.8})), strict=True
    ):
        steps = SOLVERS[solver](
            lambda z: net.implicit(z, s), torch.zeros_like(s), max_iter=8, tol=0, safeguard=False, **own
        )
        assert racer.residual == tuple(float(step.residual) for step in steps)
        assert racer.evaluations == tuple(range(1, 10))
    first = found[0]
    reached = first.residual[4]
    assert first.reaches(reached) <= 5 and first.reaches(0) is None
    save_race(tmp_path / "race.npz", found)
    again = load_race(tmp_path / "race.npz")
    assert [racer.name for racer in again] == [racer.name for racer in found]
    np.testing.assert_equal(again[1].relative_step, found[1].relative_step)
    with pytest.raises(FileExistsError):
        save_race(tmp_path / "race.npz", found)
