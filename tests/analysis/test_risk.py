"""Stein's estimate, compared with the dense divergence and the true error; whiteness of the removed noise."""

import math

import numpy as np
import pytest
import torch
from equilibria import make_net, picture, settle

from nerd_gui.analysis import risk, whiteness
from nerd_gui.analysis.risk import psnr_error
from nerd_gui.analysis.solving import map_of, solved
from nerd_gui.imaging import open_sample
from nerd_gui.nerd import load_model

_BAR = 0.15  # dB


def test_the_divergence_is_the_trace_of_the_dense_jacobian(net, y, z, solution_jacobian):
    exact = float(solution_jacobian.trace())
    found = risk(net, y, z, 25, probes=24, tol=1e-2)
    variance = (25 / 255) ** 2
    assert abs(found.divergence - exact) < 4 * found.divergence_error < 1.2 * abs(exact)
    removed = float((net.estimate(y, z)[0] - y).square().mean())
    assert found.mse == pytest.approx(removed - variance + 2 * variance * found.divergence / y.numel())


def test_it_is_unbiased_and_errs_by_as_much_as_it_says():
    """Averaged over many noises, the estimate equals the mean true error, for any network."""
    net, clean = make_net(dtype=torch.float64), picture(rows=16, cols=20)
    errors, stated = [], []
    for seed in range(24):
        noise = torch.randn(clean.shape, generator=torch.Generator().manual_seed(seed), dtype=clean.dtype)
        y = clean + noise * 25 / 255
        z = settle(net, y, 20)
        truth = float((net.estimate(y, z)[0] - clean).square().mean())
        found = risk(net, y, z, 25, probes=2, seed=seed, tol=1e-2)
        errors.append(found.mse - truth)
        stated.append(found.standard_error)
    assert abs(np.mean(errors)) < 4 * np.std(errors) / math.sqrt(len(errors))
    assert 0.6 < np.std(errors) / np.mean(stated) < 1.5
    assert np.std(errors) < 0.2 * (25 / 255) ** 2


def estimated_and_true(network, name, size, seed=0):
    """Stein's estimate for the middle of a sample picture at sigma 25, and the true mean squared error and PSNR."""
    clean = open_sample(name).pixels.mean(0, keepdims=True, dtype=np.float32)
    top, left = (max(0, (length - size) // 2) for length in clean.shape[1:])
    clean = torch.from_numpy(clean[None, :, top : top + size, left : left + size].copy())
    noise = np.random.default_rng(seed).standard_normal(clean.shape).astype(np.float32) * 25 / 255
    y = clean + torch.from_numpy(noise)
    f, s = map_of(network, y, None, None, None)
    z = solved(f, torch.zeros_like(s), max_iter=17, tol=1e-3).z
    truth = float((network.estimate(y, z)[0] - clean).square().mean())
    return risk(network, y, z, 25), truth, -10 * math.log10(truth)


def test_it_is_right_about_a_trained_network():
    found, truth, psnr = estimated_and_true(load_model("nerd-lite-25").requires_grad_(False), "grass", 112)
    assert abs(found.mse - truth) < 3 * found.standard_error
    assert abs(found.psnr - psnr) < 0.4 and psnr_error(found.mse, found.standard_error) < 0.3


def test_the_equations_are_solved_accurately_enough_for_a_smooth_picture():
    network = load_model("nerd-lite-25").requires_grad_(False)
    clean = torch.from_numpy(open_sample("brick").pixels[None, :, 200:264, 200:264].copy())
    y = clean + torch.randn(clean.shape, generator=torch.Generator().manual_seed(2)) * 25 / 255
    f, s = map_of(network, y, None, None, None)
    z = solved(f, torch.zeros_like(s), max_iter=30, tol=1e-3).z
    found, exact = risk(network, y, z, 25), risk(network, y, z, 25, tol=2e-3)
    assert abs(psnr_error(exact.mse, found.mse - exact.mse)) < 0.15


@pytest.mark.soak
@pytest.mark.timeout(6 * 3600)
def test_it_is_right_about_ten_pictures():
    """For each of ten pictures, noise is drawn until the error bar of the estimate is small.

    For the first picture one draw gives a bar of 0.15 dB; smooth or small pictures need more draws. The number of
    draws depends only on the bar, not on the true error.
    """
    network = load_model("nerd-lite-25").requires_grad_(False)
    names = ["camera", "astronaut", "coffee", "chelsea", "coins", "brick", "grass", "gravel", "hubble", "tissue"]
    apart, bars = [], []
    for number, name in enumerate(names):
        draws = [estimated_and_true(network, name, 512, number)]
        stated = psnr_error(draws[0][0].mse, draws[0][0].standard_error)
        wanted = math.ceil((stated / _BAR) ** 2)
        draws += [estimated_and_true(network, name, 512, number + len(names) * more) for more in range(1, wanted)]
        estimated, true = (
            np.mean(values) for values in zip(*((found.mse, truth) for found, truth, _ in draws), strict=True)
        )
        apart.append(10 * math.log10(true / estimated))
        bars += [(found.mse - truth) / found.standard_error for found, truth, _ in draws]
        psnr, off = -10 * math.log10(true), f"{apart[-1]:+.2f} dB off"
        print(f"{name}: {psnr:.2f} dB, estimated {off}, bar {stated:.2f} dB for each of {wanted} draws", flush=True)
        print([f"{bar:+.2f}" for bar in bars[-wanted:]], flush=True)
    assert abs(np.mean(apart)) < 0.1
    assert np.abs(apart).max() < 0.4
    assert 0.6 < np.sqrt(np.mean(np.square(bars))) < 1.4  # the true error is about as large as the bar


def test_its_map_has_the_mean_of_all_blocks():
    net, y = make_net(3), picture(3, 40, 70)
    found = risk(net, y, settle(net, y, 20), 25, probes=1)
    assert found.map.shape == (2, 3) and found.standard_error > 0
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
