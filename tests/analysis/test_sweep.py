"""A sweep, compared with equilibria that are found separately, by plain iteration from zero."""

import numpy as np
import pytest
import torch
from equilibria import make_net, picture, settle
from skimage.metrics import peak_signal_noise_ratio

from nerd_gui.analysis import sweep
from nerd_gui.analysis.catalogue import CATALOGUE

SIGMA = 25.0


@pytest.fixture(scope="module")
def clean():
    return picture(rows=40, cols=36)


@pytest.fixture(scope="module")
def noise(clean):
    return torch.randn(clean.shape, generator=torch.Generator().manual_seed(2), dtype=clean.dtype) / 255


def score(clean, estimate):
    eight_bit = np.rint(255 * estimate.clamp(0, 1).numpy()).astype(np.uint8)
    return peak_signal_noise_ratio(np.rint(255 * clean.numpy()).astype(np.uint8), eight_bit)


def test_over_sigma_each_is_the_equilibrium_of_its_own_noise(net, clean, noise):
    y = clean + SIGMA * noise
    z, values = settle(net, y), [40.0, 10.0, SIGMA]
    found = sweep(net, y, z, "sigma", values, clean=clean[0], sigma=SIGMA, max_iter=60, tol=1e-9)
    assert [each.value for each in found] == values
    for each in found:
        noisy = clean + each.value * noise
        exact = settle(net, noisy, 60)
        torch.testing.assert_close(each.x_hat, net.estimate(noisy, exact)[0][0], rtol=0, atol=1e-6)
        assert each.moved == pytest.approx(float((exact - z).norm() / z.norm()), abs=1e-6)
        assert each.psnr == pytest.approx(score(clean, each.x_hat[None]), abs=0.02) and each.residual < 1e-8
        n_hat = 255 * net.estimate(noisy, exact)[1][0, 0, :32, :32]
        assert each.noise_level == pytest.approx(float(n_hat.std(correction=0)), rel=1e-3)
    assert found[2].evaluations == 1 and found[0].moved > 1e-3, "its own is there already"


def test_a_network_that_is_told_the_level_is_told_each(clean, noise):
    told = make_net(level_input=True)
    told.f_inject.level_in.fill_(1.0)
    y = clean + SIGMA * noise
    z = settle(told, y, 60, SIGMA)
    keywords = {"clean": clean[0], "sigma": SIGMA, "level": SIGMA, "max_iter": 60, "tol": 1e-9}
    (found,) = sweep(told, y, z, "sigma", [50.0], **keywords)
    noisy = clean + 50 * noise
    exact = told.estimate(noisy, settle(told, noisy, 60, 50.0))[0][0]
    torch.testing.assert_close(found.x_hat, exact, rtol=0, atol=1e-6)


def test_over_the_window_each_is_the_equilibrium_of_that_window(net, clean, noise):
    y = clean + SIGMA * noise
    z, s = settle(net, y), net.inject(y)
    for each in sweep(net, y, z, "window", [1, 5, 8], max_iter=60, tol=1e-9):
        exact = torch.zeros_like(s)
        for _ in range(60):
            exact = net.implicit(exact, s, window=each.value)
        torch.testing.assert_close(each.x_hat, net.estimate(y, exact)[0][0], rtol=0, atol=1e-6)
        assert (each.moved > 1e-4) == (each.value != 5) and np.isnan(each.psnr)


def test_over_the_arithmetic_and_the_amount(clean, noise):
    net, clean, y = make_net(dtype=torch.float32), clean.float(), (clean + SIGMA * noise).float()
    z = settle(net, y)
    exact, rough = sweep(net, y, z, "precision", ["float32", "bfloat16"])
    assert exact.moved < 1e-3 < rough.moved < 0.1
    x_hat = net.estimate(y, z)[0][0]
    for each in sweep(net, y, z, "amount", [0, 0.5, 1], clean=clean[0]):
        mixed = y[0] + each.value * (x_hat - y[0])
        torch.testing.assert_close(each.x_hat, mixed)
        assert each.psnr == pytest.approx(score(clean, mixed[None]), abs=0.02) and each.moved == 0


def test_neighbours_are_begun_from(net, clean, noise):
    y = clean + SIGMA * noise
    z, values = settle(net, y), [26.0, 27.0, 28.0]
    near = sweep(net, y, z, "sigma", values, clean=clean[0], sigma=SIGMA, tol=1e-6)
    far = [sweep(net, y, 0 * z, "sigma", [value], clean=clean[0], sigma=SIGMA, tol=1e-6)[0] for value in values]
    assert all(one.evaluations < other.evaluations for one, other in zip(near, far, strict=True))


def test_what_cannot_be_swept_over_is_refused(net, y, z):
    with pytest.raises(ValueError, match="at least one value"):
        sweep(net, y, z, "window", [])
    with pytest.raises(ValueError, match="the clean picture"):
        sweep(net, y, z, "sigma", [10.0], sigma=SIGMA)


def test_the_catalogue_shows_a_plot_of_each():
    numbers = {
        over: {"values": values, "evaluations": [1, 2], "moved": [0.0, 0.1], "residual": [1e-3, 1e-4], **scores}
        for over, values, scores in (
            ("sigma", [10, 25], {"psnr": [30.0, 28.0], "noise_level": [9.0, 24.0]}),
            ("precision", ["float32", "bfloat16"], {"psnr": [None, None], "noise_level": [9.0, 24.0]}),
        )
    }
    shown = CATALOGUE["sweep"].show(type("Found", (), {"numbers": numbers, "arrays": {}}))
    assert [plot.name for plot in shown.plots] == ["sigma_psnr", "sigma_moved", "sigma_noise_level"]
    assert shown.plots[0].curves[0].y == (30.0, 28.0) and shown.plots[0].x.label == "noise σ"
    assert shown.table.rows[1] == ("noise σ 25", "28.00 dB", "24.00", "10.0 %", "1.0e-4")
    assert "10 % with the noise" in shown.says
