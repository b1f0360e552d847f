"""What analyses of 256 x 256 pixels cost compared with the solve: in evaluations and in processor seconds."""

import time

import numpy as np
import pytest
import torch

from nerd_gui.analysis import Linearised, heads_off, influence, risk, spectrum
from nerd_gui.analysis.solving import map_of, solved
from nerd_gui.imaging import open_sample
from nerd_gui.nerd import NERD, load_model

pytestmark = [pytest.mark.soak, pytest.mark.timeout(3600)]


@pytest.fixture(scope="module")
def net():
    return load_model("nerd-lite")


@pytest.fixture(scope="module")
def y():
    clean = torch.from_numpy(open_sample("camera 256").pixels[None].copy())
    return clean + torch.from_numpy(np.random.default_rng(0).standard_normal(clean.shape).astype(np.float32)) * 25 / 255


@pytest.fixture
def counted(monkeypatch):
    """Count the evaluations of f, and the products with its transposed Jacobian, for pictures of this size."""
    counts = {"f": 0, "transposed": 0}
    implicit, pulled_back = NERD.implicit, Linearised._pulled_back

    def evaluated(self, z, s, **keywords):
        counts["f"] += z.shape[3] == 256
        return implicit(self, z, s, **keywords)

    def multiplied(self, v):
        counts["transposed"] += v.shape[3] == 256
        return pulled_back(self, v)

    monkeypatch.setattr(NERD, "implicit", evaluated)
    monkeypatch.setattr(Linearised, "_pulled_back", multiplied)
    return counts


def test_none_takes_much_longer_than_a_solve(net, y, counted):
    def cost(name, work):
        counted.update(f=0, transposed=0)
        began, wall = time.process_time(), time.perf_counter()
        found = work()
        spent, passed = time.process_time() - began, time.perf_counter() - wall
        print(
            f"{name}: {counted['f']} evaluations, {counted['transposed']} products, {spent:.1f} s of a processor, "
            f"{passed:.1f} s",
            flush=True,
        )
        return found, spent, dict(counted)

    f, s = map_of(net, y, None, None, None)
    f(torch.zeros_like(s))
    at = Linearised(net, y, s)
    at.transposed(s)  # both have been compiled before
    run, solve, evaluations = cost("a solve", lambda: solved(f, torch.zeros_like(s), max_iter=17, tol=1e-3))
    _, row, products = cost("a pixel's row", lambda: influence(net, y, run.z, 128, 128))
    assert products["f"] == 1 and products["transposed"] <= 4 and row < 0.65 * solve
    _, stein, counts = cost("Stein's estimate", lambda: risk(net, y, run.z, 25))
    assert counts["f"] < evaluations["f"] and stein < 1.2 * solve
    found, eigen, counts = cost("the leading eigenvalue", lambda: spectrum(net, y, run.z, 1, vectors=0))
    assert counts["transposed"] <= 34 and found.errors[0] < 0.05 and eigen < 5 * solve
    off = [cost(f"without head {head + 1}", lambda head=head: heads_off(net, y, run.z, [head])) for head in range(4)]
    assert all(counts["f"] < evaluations["f"] for _, _, counts in off)
