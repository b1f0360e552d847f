"""Stein's estimate against the divergence by dense matrices and the true error; whiteness of the removed noise."""

import math

import numpy as np
import pytest
import torch
from equilibria import dense_solution_jacobian, make_net, picture, settle

from nerd_gui.analysis import risk, whiteness


def test_the_divergence_is_the_trace_of_the_dense_jacobian(net, y, z):
    exact = float(dense_solution_jacobian(net, y, z).trace())
    found = risk(net, y, z, 25, probes=24, tol=1e-2)
    variance = (25 / 255) ** 2
    error = found.standard_error * y.numel() / (2 * variance)
    assert abs(found.divergence - exact) < 4 * error and error < 0.3 * abs(exact)
    removed = float((net.estimate(y, z)[0] - y).square().mean())
    assert found.mse == pytest.approx(removed - variance + 2 * variance * found.divergence / y.numel())


def test_it_is_unbiased():
    """The mean over many noises is the mean true error, for whatever a network does."""
    net, clean = make_net(dtype=torch.float64), picture(rows=16, cols=20)
    errors = []
    for seed in range(12):
        noise = torch.randn(clean.shape, generator=torch.Generator().manual_seed(seed), dtype=clean.dtype)
        y = clean + noise * 25 / 255
        z = settle(net, y, 20)
        truth = float((net.estimate(y, z)[0] - clean).square().mean())
        errors.append(risk(net, y, z, 25, probes=4, seed=seed, tol=1e-2).mse - truth)
    assert abs(np.mean(errors)) < 4 * np.std(errors) / math.sqrt(len(errors))
    assert np.std(errors) < 0.2 * (25 / 255) ** 2


def test_its_map_has_the_mean_of_all_blocks():
    net, y = make_net(3), picture(3, 40, 70)
    found = risk(net, y, settle(net, y, 20), 25, probes=1)
    assert found.map.shape == (2, 3) and math.isnan(found.standard_error)
    pixels = torch.tensor([[32.0 * 32, 32 * 32, 32 * 6], [8 * 32, 8 * 32, 8 * 6]], dtype=torch.float64)
    assert float((found.map * pixels).sum() / pixels.sum()) == pytest.approx(found.mse)


def test_no_probe_and_no_noise_are_refused(net, y, z):
    with pytest.raises(ValueError, match="at least 1 probe"):
        risk(net, y, z, 25, probes=0)
    with pytest.raises(ValueError, match="above 0"):
        risk(net, y, z, 0)


def test_white_noise_is_white_and_blurred_noise_is_not():
    noise = torch.randn(3, 80, 90, generator=torch.Generator().manual_seed(0))
    assert whiteness(noise).white
    blurred = whiteness((noise + noise.roll(1, 2)) / 2)
    assert not blurred.white and float(blurred.correlation[3, 4]) == pytest.approx(0.5, abs=0.03)
    naive = (noise[0] - noise[0].mean()).numpy()
    expected = (naive[:-2, 1:] * naive[2:, :-1]).sum() / (naive**2).sum()
    assert float(whiteness(noise[:1]).correlation[3 + 2, 3 - 1]) == pytest.approx(expected, abs=1e-6)
    with pytest.raises(ValueError, match="too small"):
        whiteness(noise[:, :6])
