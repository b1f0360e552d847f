"""What Auto makes of a photo's own noise: hardly any is left alone, coarse noise gets the larger grain size."""

import io
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from skimage import data as samples

from nerd_gui.denoising import choose
from nerd_gui.denoising.auto import HARDLY_ANY
from nerd_gui.imaging import Photo, photo_noise

BICUBIC, LANCZOS = Image.Resampling.BICUBIC, Image.Resampling.LANCZOS


def clean(name):
    """A sample at half its size, so that it has hardly any noise of its own; (rows, cols, C), 0-255."""
    whole = Image.fromarray(getattr(samples, name)())
    return np.atleast_3d(whole.resize((whole.width // 2, whole.height // 2), LANCZOS)).astype(float)


def with_noise(values, level, seed=0):
    noisy = values + level * np.random.default_rng(seed).standard_normal(values.shape)
    return Image.fromarray(noisy.round().clip(0, 255).astype(np.uint8))


def enlarged(image, factor):
    return image.resize((round(factor * image.width), round(factor * image.height)), BICUBIC)


def compressed(image, quality):
    file = io.BytesIO()
    image.save(file, "JPEG", quality=quality)
    return Image.open(file)


def chosen(image):
    photo = Photo(np.atleast_3d(np.asarray(image, np.float32)).transpose(2, 0, 1) / 255)
    return choose(photo, adds_noise=False, device="cpu")


@pytest.mark.parametrize("name", ["astronaut", "coffee", "rocket"])
def test_a_clean_photo_is_said_to_have_hardly_any_noise_and_a_noisy_one_is_not(name):
    picture = clean(name)
    choice = chosen(with_noise(picture, 0))
    assert choice.model is None and choice.grain == 1
    assert "hardly any noise" in choice.reason and choice.reason.endswith("is best left as it is.")
    for level in (3, 10, 30):
        assert chosen(with_noise(picture, level)).model == "nerd-lite-photo-colour"
        assert chosen(compressed(with_noise(picture, 2 * level), 85)).model == "nerd-lite-photo-colour"


def test_added_noise_is_never_said_to_be_too_little():
    clean_photo = Photo(np.full((1, 100, 100), 0.4, np.float32))
    assert choose(clean_photo, adds_noise=True, device="cpu", sigma=1.0).model == "nerd-lite"


def test_noise_that_has_been_measured_is_not_measured_again():
    noisy = Photo(np.random.default_rng(0).random((3, 64, 64), np.float32))
    measured = photo_noise(noisy.pixels)
    for level, model in ((HARDLY_ANY - 0.1, None), (HARDLY_ANY + 0.1, "nerd-lite-photo-colour")):
        noise = replace(measured, level=level)
        assert choose(noisy, adds_noise=False, device="cpu", noise=noise).model == model


@pytest.mark.parametrize("name", ["astronaut", "coffee", "rocket"])
def test_noise_that_was_enlarged_with_the_photo_gets_grain_size_2(name):
    choice = chosen(enlarged(with_noise(clean(name), 12), 2))
    assert choice.grain == 2 and choice.reason.endswith("(grain size 2).")


@pytest.mark.parametrize("name", ["astronaut", "coffee", "rocket"])
def test_fine_noise_and_noise_as_coarse_as_the_photo_is_detailed_keep_grain_size_1(name):
    picture = clean(name)
    assert chosen(with_noise(picture, 12)).grain == 1
    assert chosen(compressed(with_noise(picture, 12), 90)).grain == 1
    assert "grain size" not in chosen(with_noise(picture, 12)).reason


def test_coarse_noise_in_a_photo_with_fine_detail_keeps_grain_size_1():
    """Half the size would lose the detail: a checked cloth beside an even wall."""
    cloth = np.full((300, 400, 3), 120.0)
    cloth[:, 200:] += 25 * ((np.add(*np.mgrid[:300, :200]) % 2) * 2 - 1)[..., None]
    coarse = np.asarray(enlarged(with_noise(np.full((150, 200, 3), 128.0), 12), 2), float) - 128
    assert chosen(with_noise(cloth + coarse, 0)).grain == 1
    assert chosen(with_noise(120 + coarse, 0)).grain == 2
