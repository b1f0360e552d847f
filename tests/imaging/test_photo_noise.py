"""The estimate of a photo's noise, with noise of known level and kernel, with and without texture."""

import io
import time

import numpy as np
import pytest
from PIL import Image
from skimage import data as samples
from skimage.transform import downscale_local_mean

from nerd_gui.imaging.photo_noise import REACH, photo_noise


def grain(shape, width=0.0, seed=0):
    """Make noise of unit variance, smoothed by a Gaussian kernel of this width in the frequency domain."""
    white = np.random.default_rng(seed).standard_normal(shape)
    frequencies = np.fft.fftfreq(shape[-2])[:, None] ** 2 + np.fft.fftfreq(shape[-1])[None] ** 2
    noise = np.fft.ifft2(np.fft.fft2(white) * np.exp(-2 * (np.pi * width) ** 2 * frequencies)).real
    return noise / noise.std(axis=(-2, -1), keepdims=True)


def correlation(width):
    """Return the correlation of noise under a Gaussian kernel, at lags 1 ... 4."""
    lags = np.arange(1, REACH + 1)
    return np.exp(-(lags**2) / (4 * width**2)) if width else np.zeros(REACH)


def clean(name):
    """Return a sample at half its size, 0-255, (C, rows, cols), which has hardly any noise of its own."""
    picture = np.atleast_3d(getattr(samples, name)()).astype(float).transpose(2, 0, 1)
    return downscale_local_mean(picture, (1, 2, 2))


def saved(values):
    """Round values 0-255 as an 8-bit file does."""
    return (np.rint(values).clip(0, 255) / 255).astype(np.float32)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("width", [0.0, 0.7, 1.2])
@pytest.mark.parametrize("level", [0.5, 4.0, 30.0])
def test_level_and_correlation_in_an_even_picture(level, width, channels):
    noise = photo_noise((128 + level * grain((channels, 400, 500), width)) / 255)
    assert noise.level == pytest.approx(level, rel=0.05)
    np.testing.assert_allclose(noise.luma_correlation, correlation(width), atol=0.08)
    assert noise.confidence >= 0.8
    if channels == 3:  # independent in the channels: the weights of T.871 give its level in luma and chroma
        assert noise.luma == pytest.approx(level * np.sqrt(0.299**2 + 0.587**2 + 0.114**2), rel=0.1)
        np.testing.assert_allclose(noise.chroma_correlation, correlation(width), atol=0.08)
    else:
        assert noise.luma == noise.level and noise.chroma == 0


def test_the_level_is_that_of_most_of_the_photo_and_the_strongest_is_told():
    """Four bands of intensity, a quarter of the photo each; the noise increases with intensity."""
    values = np.repeat([40.0, 95.0, 150.0, 205.0], 120)[:, None] * np.ones((1, 500))
    levels = np.repeat([4.0, 5.0, 6.0, 7.0], 120)[:, None]
    noise = photo_noise((values + levels * grain(values.shape))[None] / 255)
    assert 4.8 < noise.level < 6.2
    assert noise.strongest == pytest.approx(7, rel=0.05)


def test_detail_is_what_half_the_size_would_lose():
    """Half of the picture is random dots; three quarters of their variance is in the upper half of the frequencies."""
    dots = np.full((256, 512), 120.0)
    dots[:, 256:] += 20 * grain((256, 256), seed=1)
    noise = photo_noise((dots + 5 * grain(dots.shape))[None] / 255)
    assert noise.level == pytest.approx(5, rel=0.1)
    assert noise.detail == pytest.approx(20 * np.sqrt(3 / 4 / 2), rel=0.06)
    assert photo_noise((120 + 5 * grain((1, 256, 512))) / 255).detail < 1


def test_luma_and_chroma_have_their_own_noise():
    y, cb, cr = 6 * grain((512, 512), 0.7, 0), 3 * grain((512, 512), 1.5, 1), 2 * grain((512, 512), 1.5, 2)
    rgb = np.stack([y + 1.402 * cr, y - 0.344136 * cb - 0.714136 * cr, y + 1.772 * cb])
    noise = photo_noise((120 + rgb) / 255)
    assert noise.luma == pytest.approx(6, rel=0.05)
    assert noise.chroma == pytest.approx(np.sqrt((3**2 + 2**2) / 2), rel=0.1)
    assert noise.level == pytest.approx(np.sqrt((rgb**2).mean()), rel=0.06)
    np.testing.assert_allclose(noise.luma_correlation, correlation(0.7), atol=0.06)
    np.testing.assert_allclose(noise.chroma_correlation, correlation(1.5), atol=0.1)


@pytest.mark.parametrize("name", ["astronaut", "camera", "rocket"])
@pytest.mark.parametrize("width", [0.0, 1.2])
def test_the_texture_of_a_photo_is_hardly_counted(name, width):
    picture = clean(name)
    for level in (6, 15):
        noise = photo_noise(saved(picture + level * grain(picture.shape, width)))
        assert noise.level == pytest.approx(level, rel=0.3)
        assert abs(noise.luma_correlation[0] - correlation(width)[0]) < 0.2


@pytest.mark.parametrize("name", ["astronaut", "camera", "rocket", "clock"])
def test_a_clean_photo_has_hardly_any(name):
    assert photo_noise(saved(clean(name))).level < 2.5


def test_a_texture_without_flat_parts_is_not_trusted():
    texture = photo_noise((128 + 12 * grain((400, 500), 4.0) * np.linspace(0.3, 3, 500))[None] / 255)
    assert texture.confidence < 0.6


def test_a_slope_is_no_noise():
    down, across = np.mgrid[:300, :400]
    slope = np.stack([down / 400, across / 500, (down + across) / 900])
    assert photo_noise(slope).level < 0.1
    assert photo_noise(slope + 5 * grain(slope.shape) / 255).level == pytest.approx(5, rel=0.06)


def test_black_and_white_parts_are_left_out():
    values = 128 + 6 * grain((1, 320, 400))
    values[:, :160] = 0
    values[:, :, :100] = 255
    assert photo_noise(saved(values)).level == pytest.approx(6, rel=0.06)


def test_a_channel_that_is_clipped_everywhere_leaves_the_others():
    """In a flower of pure orange, blue is 0 everywhere."""
    values = np.array([200.0, 120.0, -40.0])[:, None, None] + 12 * grain((3, 300, 300))
    assert photo_noise(saved(values)).level == pytest.approx(12 * np.sqrt(2 / 3), rel=0.06)


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_black_or_white_alone_says_nothing(value):
    noise = photo_noise(np.full((3, 200, 200), value))
    assert noise.level == 0 and noise.confidence == 0 and noise.luma_correlation == (0, 0, 0, 0)


def test_an_even_picture_has_none():
    noise = photo_noise(np.full((1, 200, 200), 0.4))
    assert noise.level < 0.01 and np.isfinite(noise.luma_correlation).all()


@pytest.mark.parametrize("shape", [(1, 40, 40), (3, 12, 60), (1, 7, 9), (1, 1, 1)])
def test_a_small_picture_is_no_error_and_not_trusted(shape):
    noise = photo_noise((128 + 10 * np.random.default_rng(0).standard_normal(shape)) / 255)
    assert noise.confidence < 0.3
    if shape[1] * shape[2] > 500:
        assert noise.level == pytest.approx(10, rel=0.25)


def test_jpeg_of_high_quality_keeps_the_noise_and_a_larger_size_makes_it_coarse():
    picture = clean("astronaut")
    noisy = Image.fromarray((255 * saved(picture + 10 * grain(picture.shape))).astype(np.uint8).transpose(1, 2, 0))
    file = io.BytesIO()
    noisy.save(file, "JPEG", quality=95, subsampling=0)

    def noise_of(image):
        return photo_noise(np.asarray(image, np.float32).transpose(2, 0, 1) / 255)

    assert noise_of(Image.open(file)).level == pytest.approx(10, rel=0.2)
    larger = noise_of(noisy.resize((2 * noisy.width, 2 * noisy.height), Image.Resampling.BICUBIC))
    assert noise_of(noisy).luma_correlation[0] < 0.2 and larger.luma_correlation[0] > 0.6


def test_a_photo_of_24_megapixels_takes_less_than_a_second():
    rows = np.random.default_rng(0).random((3, 1, 6000), np.float32)
    pixels = np.broadcast_to(rows, (3, 4000, 6000))  # one row in memory, so that making them takes no time
    seconds = []
    for _ in range(2):
        begin = time.process_time()
        photo_noise(pixels)
        seconds.append(time.process_time() - begin)
    assert min(seconds) < 1  # of all cores: wall time would include other programs; the first call includes loading
