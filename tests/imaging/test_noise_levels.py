"""Noise: its statistics, and its measurement compared with a plain double loop."""

import numpy as np
import pytest

from nerd_gui.imaging import add_noise, noise_level


def test_noise_is_that_of_numpys_generator():
    pixels = np.random.default_rng(0).random((3, 20, 30), np.float32)
    expected = pixels + 25 / 255 * np.random.default_rng(7).standard_normal((3, 20, 30))
    noisy = add_noise(pixels, 25, 7)
    assert noisy.dtype == np.float32 and np.allclose(noisy, expected, atol=1e-6)
    assert np.array_equal(noisy, add_noise(pixels, 25, 7))
    assert not np.allclose(noisy, add_noise(pixels, 25, 8), atol=0.01)


def test_noise_is_neither_clipped_nor_rounded():
    noisy = add_noise(np.zeros((1, 300, 300), np.float32), 50, 0)
    assert abs(noisy.std() * 255 - 50) < 0.5 and abs(noisy.mean() * 255) < 0.5
    assert noisy.min() < -0.5 and len(np.unique(noisy)) > 80_000


def test_no_noise_leaves_the_pixels():
    pixels = np.random.default_rng(0).random((1, 20, 30), np.float32)
    assert np.array_equal(add_noise(pixels, 0, 1), pixels)


@pytest.mark.parametrize("sigma", [-1, -1e-9, 255.1, float("nan"), float("inf")])
def test_impossible_sigma(sigma):
    with pytest.raises(ValueError, match="from 0 to 255"):
        add_noise(np.zeros((1, 4, 4), np.float32), sigma, 0)


def naive_noise_level(channel, size=32):
    rows, cols = channel.shape
    height, width = min(size, rows), min(size, cols)
    levels = []
    for row in range(0, rows - height + 1, height):
        for col in range(0, cols - width + 1, width):
            patch = channel[row : row + height, col : col + width].astype(np.float64)
            levels.append(np.sqrt(np.mean((patch - patch.mean()) ** 2)))
    return 255 * sum(levels) / len(levels)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("shape", [(32, 32), (64, 96), (100, 75), (63, 31), (20, 90), (5, 7), (1, 1)])
def test_noise_level_is_that_of_a_double_loop(shape, dtype):
    # The level differs between patches, so that a mean over other patches would be noticed.
    n_hat = (np.random.default_rng(0).normal(0.02, 0.1, shape) * np.linspace(0.2, 1, shape[1])).astype(dtype)
    level = noise_level(n_hat)
    assert isinstance(level, float) and level == pytest.approx(naive_noise_level(n_hat), rel=1e-5, abs=1e-4)


def test_noise_level_by_channel():
    n_hat = np.random.default_rng(0).normal(0, 0.1, (3, 100, 75)).astype(np.float32)
    n_hat *= np.array([0.5, 1, 2], np.float32)[:, None, None]
    levels = noise_level(n_hat)
    assert levels.shape == (3,)
    assert np.allclose(levels, [naive_noise_level(channel) for channel in n_hat], rtol=1e-5)


def test_noise_level_of_half_precision_does_not_overflow():
    n_hat = np.where(np.arange(128 * 128).reshape(128, 128) % 2, 200, -200).astype(np.float16)
    assert noise_level(n_hat) == pytest.approx(200 * 255)
