"""What Auto does about a photo's own noise: little noise is left alone, coarse noise gets the larger grain size."""

import io
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from skimage import data as samples

from nerd_gui.denoising import choose
from nerd_gui.imaging import Photo, PhotoNoise, photo_noise

PHOTO = "nerd-lite-photo-colour"
BICUBIC, LANCZOS = Image.Resampling.BICUBIC, Image.Resampling.LANCZOS


def clean(name):
    """Return a sample at half its size, which has hardly any noise; in colour, (rows, cols, 3), 0-255."""
    whole = Image.fromarray(getattr(samples, name)()).convert("RGB")
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


@pytest.mark.parametrize("name", ["rocket", "camera", "clock"])
def test_a_clean_photo_is_said_to_have_hardly_any_noise_and_a_noisy_one_is_not(name):
    picture = clean(name)
    choice = chosen(with_noise(picture, 0))
    assert choice.model is None and choice.grain == 1
    assert "hardly any noise" in choice.reason and choice.reason.endswith("is best left unchanged.")
    for level in (3, 10, 30):
        assert chosen(with_noise(picture, level)).model == PHOTO
        assert chosen(compressed(with_noise(picture, 2 * level), 85)).model == PHOTO


def test_noise_in_a_part_of_a_photo_that_is_less_than_elsewhere_is_not_overlooked():
    """The noise of most cameras is lowest in the shadows."""
    shadows = np.full((300, 200, 3), 25.0)
    lights = with_noise(np.full((300, 100, 3), 150.0), 5)
    both = np.concatenate([np.asarray(with_noise(shadows, 0.7)), np.asarray(lights)], axis=1)
    assert photo_noise(both.transpose(2, 0, 1) / 255).level == pytest.approx(0.7, rel=0.2)
    assert chosen(Image.fromarray(both)).model == PHOTO


def test_added_noise_is_never_said_to_be_too_little():
    clean_photo = Photo(np.full((1, 100, 100), 0.4, np.float32))
    assert choose(clean_photo, adds_noise=True, device="cpu", sigma=1.0).model == "nerd-lite"


def test_noise_that_has_been_measured_is_not_measured_again():
    noisy = Photo(np.random.default_rng(0).random((3, 64, 64), np.float32))
    measured = replace(photo_noise(noisy.pixels), strongest=2.6)
    for level, confidence, chosen in ((1.9, 0.8, None), (2.1, 0.8, PHOTO), (1.2, 0.2, None), (1.3, 0.2, PHOTO)):
        noise = replace(measured, level=level, confidence=confidence)
        assert choose(noisy, adds_noise=False, device="cpu", noise=noise).model == chosen


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


@pytest.mark.parametrize(("luma", "chroma", "grain"), [(0.7, 0.1, 2), (0.5, 0.7, 2), (0.5, 0.5, 1), (0.4, 0.9, 1)])
def test_colour_that_is_coarse_tells_of_coarse_noise_too(luma, chroma, grain):
    even = Photo(np.full((3, 64, 64), 0.5, np.float32))
    noise = PhotoNoise(8, 8, 7, 4, (luma, 0, 0, 0), (chroma, 0, 0, 0), detail=1.5, confidence=0.9)
    assert choose(even, adds_noise=False, device="cpu", noise=noise).grain == grain
    for change in ({"detail": 2.5}, {"confidence": 0.45}):
        assert choose(even, adds_noise=False, device="cpu", noise=replace(noise, **change)).grain == 1


def test_coarse_noise_in_a_photo_with_fine_detail_keeps_grain_size_1():
    """Half the size would lose the detail of a checked cloth beside a plain wall."""
    cloth = np.full((300, 400, 3), 120.0)
    cloth[:, 200:] += 25 * ((np.add(*np.mgrid[:300, :200]) % 2) * 2 - 1)[..., None]
    coarse = np.asarray(enlarged(with_noise(np.full((150, 200, 3), 128.0), 12), 2), float) - 128
    assert chosen(with_noise(cloth + coarse, 0)).grain == 1
    assert chosen(with_noise(120 + coarse, 0)).grain == 2
