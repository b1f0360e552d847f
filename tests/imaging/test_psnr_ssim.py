"""PSNR and SSIM, compared with scikit-image on pictures that are rounded here."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from nerd_gui.imaging import add_noise, open_sample, psnr, ssim, to_8_bit


@pytest.fixture(params=["coins", "coffee"])
def pair(request):
    clean = open_sample(request.param).crop(20, 30, 120, 150).pixels
    return clean, add_noise(clean, 40, 0)


def rounded(pixels):
    return np.rint(255 * np.clip(pixels.astype(np.float64), 0, 1)).astype(np.uint8)


def test_to_8_bit():
    pixels = np.array([-1, 0, 0.0019, 0.0021, 0.5, 0.9999, 1, np.inf], np.float32)
    assert np.array_equal(to_8_bit(pixels), [0, 0, 0, 1, 128, 255, 255, 255]) and to_8_bit(pixels).dtype == np.uint8
    every = np.arange(256, dtype=np.uint8)
    assert np.array_equal(to_8_bit(every.astype(np.float32) / np.float32(255)), every)


def test_psnr(pair):
    clean, noisy = pair
    assert psnr(clean, noisy) == pytest.approx(peak_signal_noise_ratio(rounded(clean), rounded(noisy)), abs=1e-9)
    assert psnr(clean[0], noisy[0]) == pytest.approx(
        peak_signal_noise_ratio(rounded(clean[0]), rounded(noisy[0])), abs=1e-9
    )


def test_psnr_clips_the_estimate_first(pair):
    clean, noisy = pair
    unclipped = 10 * np.log10(1 / np.mean((noisy - clean) ** 2))
    assert psnr(clean, noisy) > unclipped + 0.05
    assert psnr(clean, noisy) == psnr(clean, np.clip(noisy, 0, 1))


def test_identical_pictures(pair):
    clean, _ = pair
    assert psnr(clean, clean) == float("inf")
    assert ssim(clean, clean) == pytest.approx(1)


def test_ssim(pair):
    clean, noisy = pair
    options = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False, "data_range": 255}
    channels = [structural_similarity(rounded(a), rounded(b), **options) for a, b in zip(clean, noisy, strict=True)]
    assert ssim(clean, noisy) == pytest.approx(np.mean(channels), abs=1e-6)
    assert ssim(clean[0], noisy[0]) == pytest.approx(channels[0], abs=1e-6)


def test_ssim_needs_a_window():
    pixels = np.random.default_rng(0).random((3, 30, 30)).astype(np.float32)
    assert ssim(pixels[:, :10], pixels[:, :10]) is None
    assert ssim(pixels[..., :10], pixels[..., :10]) is None
    assert ssim(pixels[:, :11, :11], pixels[:, :11, :11]) == pytest.approx(1)


@pytest.mark.parametrize("figure", [psnr, ssim])
@pytest.mark.parametrize("shapes", [((20, 20), (1, 20, 20)), ((20, 20), (20, 21)), ((20,), (20,)), ((0, 20), (0, 20))])
def test_shapes_must_agree(figure, shapes):
    with pytest.raises(ValueError, match="shape"):
        figure(*(np.zeros(shape, np.float32) for shape in shapes))


@pytest.mark.parametrize("figure", [psnr, ssim])
def test_nan_has_no_figure(figure):
    clean = np.zeros((20, 20), np.float32)
    with pytest.raises(ValueError, match="NaN"):
        figure(clean, np.where(np.eye(20), np.nan, clean))


def test_training_needs_numpy_and_pillow_alone():
    """The room can be imported, and PSNR and noise work, without the image libraries."""
    script = """
import sys
for name in ("skimage", "scipy", "tifffile", "imagecodecs", "torch", "PySide6"):
    sys.modules[name] = None  # importing it raises ImportError
import numpy as np
from nerd_gui.imaging import add_noise, noise_level, psnr
clean = np.full((1, 64, 64), 0.5, np.float32)
noisy = add_noise(clean, 25, 0)
print(round(psnr(clean, noisy), 1), round(float(noise_level(noisy)[0])))
"""
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", script], cwd=root, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert [float(word) for word in done.stdout.split()] == pytest.approx([20.2, 25], abs=0.6)
