"""Statistics of noise with known level, kernel, intensity dependence and distribution."""

import json

import numpy as np
import pytest
from skimage import data as samples
from skimage.restoration import estimate_sigma

from nerd_gui.imaging.noise_statistics import LAGS, NoiseStatisticsError, noise_statistics


def grain(shape, down=0.0, across=0.0, seed=0):
    """Make noise of unit variance, smoothed by a Gaussian kernel of these widths in the frequency domain."""
    white = np.random.default_rng(seed).standard_normal(shape)
    by_row, by_col = np.fft.fftfreq(shape[0])[:, None], np.fft.fftfreq(shape[1])[None]
    response = np.exp(-2 * np.pi**2 * ((down * by_row) ** 2 + (across * by_col) ** 2))
    noise = np.fft.ifft2(np.fft.fft2(white) * response).real
    return noise / noise.std()


def correlation(width):
    """Return the correlation of noise under a Gaussian kernel, at lags 1 ... 6."""
    lags = np.arange(1, LAGS + 1)
    return np.exp(-(lags**2) / (4 * width**2)) if width else np.zeros(LAGS)


def even(noise, value=128):
    return ((value + noise) / 255)[None]


@pytest.mark.parametrize("level", [0.7, 4.2, 20.0])
def test_the_level_of_white_noise(level):
    statistics = noise_statistics(even(level * grain((320, 320))))
    assert statistics.level == pytest.approx(level, rel=0.03)
    np.testing.assert_allclose(statistics.planes[0].mean, 0, atol=0.02)
    assert statistics.planes[0].kurtosis == pytest.approx(0, abs=0.05)


@pytest.mark.parametrize("width", [0.7, 1.5, 2.0, 3.0])
def test_the_level_and_the_correlation_of_grains(width):
    statistics = noise_statistics(even(8 * grain((512, 512), width, width)))
    # A block contains only few of the widest grains, so that the median over blocks is low.
    assert statistics.level == pytest.approx(8, rel=0.05 if width < 3 else 0.1)
    for measured in (statistics.planes[0].horizontal, statistics.planes[0].vertical, statistics.planes[0].mean):
        np.testing.assert_allclose(measured, correlation(width), atol=0.04 if width < 3 else 0.08)


def test_down_and_across_are_told_apart():
    (plane,) = noise_statistics(even(6 * grain((400, 400), down=2.0, across=0.7))).planes
    np.testing.assert_allclose(plane.vertical, correlation(2.0), atol=0.04)
    np.testing.assert_allclose(plane.horizontal, correlation(0.7), atol=0.04)
    np.testing.assert_allclose(plane.mean, (correlation(2.0) + correlation(0.7)) / 2, atol=0.04)


def test_grains_that_the_finest_scale_does_not_see():
    """For such grains, the estimate for white noise is far too low."""
    pixels = even(4.2 * grain((320, 320), 1.2, 1.2))
    assert 255 * estimate_sigma(pixels[0]) < 1
    assert noise_statistics(pixels).level == pytest.approx(4.2, rel=0.05)


def test_each_plane_has_its_own_noise():
    levels, widths = (6.0, 3.0, 2.0), (0.7, 2.0, 1.5)
    y, cb, cr = (
        level * grain((512, 512), width, width, seed)
        for seed, (level, width) in enumerate(zip(levels, widths, strict=True))
    )
    rgb = np.stack([y + 1.402 * cr, y - 0.344136 * cb - 0.714136 * cr, y + 1.772 * cb])
    statistics = noise_statistics((120 + rgb) / 255)
    assert [plane.name for plane in statistics.planes] == ["Y", "Cb", "Cr"]
    for plane, level, width in zip(statistics.planes, levels, widths, strict=True):
        assert plane.level == pytest.approx(level, rel=0.06)
        np.testing.assert_allclose(plane.mean, correlation(width), atol=0.05)


def test_the_level_at_each_intensity():
    """The variance is a linear function of the value, in bands of seven values."""
    values = np.repeat(np.arange(20, 230, 32), 96)[:, None] * np.ones((1, 400))
    noise = np.sqrt(1 + 0.2 * values) * grain(values.shape)
    statistics = noise_statistics(((values + noise) / 255)[None])
    assert len(statistics.bins) == 7
    for one in statistics.bins:
        assert one.levels[0] == pytest.approx(np.sqrt(1 + 0.2 * one.intensity), rel=0.06)
        assert one.share == pytest.approx(1 / 7, abs=0.06)
    assert [one.intensity for one in statistics.bins] == sorted(one.intensity for one in statistics.bins)
    assert statistics.level == pytest.approx(np.sqrt(1 + 0.2 * 116), rel=0.05)


def test_kurtosis_tells_how_heavy_the_tails_are():
    random = np.random.default_rng(0)
    heavy, light = random.laplace(0, 5, (400, 400)), random.uniform(-8, 8, (400, 400))
    assert noise_statistics(even(heavy)).planes[0].kurtosis == pytest.approx(3, abs=0.4)
    assert noise_statistics(even(light)).planes[0].kurtosis == pytest.approx(-1.2, abs=0.1)


@pytest.mark.parametrize("width", [0.0, 0.8])
def test_texture_and_slopes_are_not_noise(width):
    """In a photo that is half smooth, the measured noise is the added noise."""
    photo = samples.astronaut()[..., 1].astype(float)
    down, across = np.mgrid[:512, :512]
    picture = np.where(across < 256, 60 + 0.2 * down + 0.1 * across, photo)
    statistics = noise_statistics(((picture + 5 * grain((512, 512), width, width)) / 255)[None])
    assert statistics.level == pytest.approx(5, rel=0.15)
    np.testing.assert_allclose(statistics.planes[0].mean, correlation(width), atol=0.12)


def test_black_and_white_parts_are_left_out():
    pixels = even(6 * grain((320, 320)))
    pixels[:, :160] = 0
    pixels[:, :, :100] = 1
    statistics = noise_statistics(pixels)
    assert statistics.level == pytest.approx(6, rel=0.05)
    assert 100 < statistics.bins[0].intensity < 140


def test_a_photo_without_noise_has_none():
    down, across = np.mgrid[:200, :300]
    slope = np.stack([down / 400, across / 400, (down + across) / 900]).astype(np.float32)
    statistics = noise_statistics(slope)
    assert all(plane.level < 1e-3 for plane in statistics.planes)
    assert all(np.isfinite(plane.mean).all() for plane in statistics.planes)


def test_numbers_go_through_json():
    statistics = noise_statistics(even(6 * grain((128, 128))))
    read = json.loads(json.dumps(statistics.to_json(), allow_nan=False))
    assert read["planes"][0]["level"] == statistics.level
    assert read["bins"][0]["levels"] == list(statistics.bins[0].levels)


def test_what_cannot_be_measured_is_a_sentence():
    with pytest.raises(NoiseStatisticsError, match=r"too small .*\(95 x 200 pixels\); .* at least 96 x 96"):
        noise_statistics(np.zeros((1, 200, 95)))
    with pytest.raises(NoiseStatisticsError, match="neither black nor white"):
        noise_statistics(np.ones((3, 200, 200)))
