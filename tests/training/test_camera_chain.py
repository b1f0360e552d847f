"""Measurements of what `CameraChain` draws: levels, targets, colours and grain of the noise."""

import json

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors import safe_open
from skimage import data as samples

from nerd_gui.places import data_folder
from nerd_gui.training.camera_chain import CameraChain, _Draws
from nerd_gui.training.camera_steps import lit
from nerd_gui.training.data import PatchSampler
from nerd_gui.training.noise_models import CameraNoise, noise_from_json

#: Only light and grain: the rest of the chain does not change a picture without noise.
PLAIN = {"grains": 1.0, "white": 0.0, "denoised": 0.0, "sharpened": 0.0, "resized": 0.0, "quality": 98, "halved": 0.0}


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def squares(noise, patch, count=1, channels=3):
    """Cut squares out of the astronaut for patches of this side."""
    side = noise.side(patch)
    picture = np.pad(samples.astronaut(), ((40, 40), (40, 40), (0, 0)), mode="reflect")[
        100 : 100 + side, 150 : 150 + side
    ]
    pixels = torch.from_numpy(picture.transpose(2, 0, 1).copy()).float()[None, :channels] / 255
    return pixels.expand(count, -1, -1, -1)


def even(noise, patch, value=0.5, count=40, channels=3):
    side = noise.side(patch)
    return torch.full((count, channels, side, side), value)


def lag(planes, distance=1):
    """Return the correlation of planes (B, rows, cols) with themselves, shifted by some columns."""
    planes = planes - planes.mean((1, 2), keepdims=True)
    return (planes[..., distance:] * planes[..., :-distance]).mean((1, 2)) / planes.var((1, 2))


def in_ycc(noise):
    y = noise[:, 0] * 0.299 + noise[:, 1] * 0.587 + noise[:, 2] * 0.114
    return y, (noise[:, 2] - y) / 1.772, (noise[:, 0] - y) / 1.402


@pytest.mark.parametrize("patch", [8, 31, 48, 96])
@pytest.mark.parametrize("smallest", [0.5, 0.7, 1.0])
def test_patches_have_the_size_asked_for(patch, smallest):
    noise = CameraChain(0, 20, smallest=smallest)
    noisy, target, sigma = noise.draw(even(noise, patch, count=3), generator())
    assert noisy.shape == target.shape == (3, 3, patch, patch)
    assert sigma.shape == (3,)
    assert len(noise.draw(even(noise, patch, count=1), generator()).sigma) == 1


def test_the_target_of_a_plain_chain_is_the_middle_of_the_square():
    noise = CameraChain(20, 20, **PLAIN)
    clean = squares(noise, 40, count=4)
    target = noise.draw(clean, generator()).target
    first = (clean.shape[2] - 40) // 2
    np.testing.assert_allclose(target, clean[:, :, first : first + 40, first : first + 40], atol=2e-3)


def test_the_target_of_another_size_is_the_picture_at_that_size():
    noise = CameraChain(10, 10, **{**PLAIN, "resized": 1.0}, smallest=0.5, largest=0.5)
    clean = squares(noise, 48, count=3)
    targets = noise.draw(clean, generator()).target
    levels = (clean[0].permute(1, 2, 0).numpy() * 255).astype(np.uint8)
    half = np.asarray(Image.fromarray(levels).reduce(2)).astype(float) / 255
    first = (half.shape[0] - 48) // 2
    for target in targets.permute(0, 2, 3, 1).numpy():
        assert np.abs(target - half[first : first + 48, first : first + 48]).mean() < 0.015


def test_the_target_has_neither_noise_nor_jpeg():
    noise = CameraChain(30, 30, denoised=1.0, sharpened=1.0, resized=0.5)
    noisy, target, sigma = noise.draw(even(noise, 32), generator())
    assert (target - 0.5).abs().max() < 5e-3
    assert (sigma > 5).all() and (noisy - target).std() > 0.05
    levels = 255 * noisy.numpy()
    np.testing.assert_allclose(levels, np.rint(levels), atol=1e-4)  # a file of 8 bits


def test_a_sensors_target_is_demosaicked():
    """The network is not asked to undo the demosaicking: its target is as soft as the patch."""
    noise = CameraChain(0, 0, **{**PLAIN, "grains": 0.0})
    noisy, target, _ = noise.draw(squares(noise, 64, count=6), generator())
    clean = CameraChain(0, 0, **PLAIN).draw(squares(noise, 64), generator()).target
    assert 255 * (noisy - target).abs().mean() < 2  # JPEG
    assert 255 * (target - clean).abs().mean() > 3


def test_sigma_is_what_luma_has_in_the_file():
    noise = CameraChain(2, 30)
    noisy, target, sigma = noise.draw(squares(noise, 48, count=20), generator())
    y, _, _ = in_ycc((noisy - target).numpy())
    np.testing.assert_allclose(sigma, 255 * y.std((1, 2)), rtol=1e-3)


@pytest.mark.parametrize("grains", [0.0, 1.0])
def test_levels_at_mid_grey_are_those_asked_for(grains):
    noise = CameraChain(8, 8, **{**PLAIN, "grains": grains}, colour=0.3, read=0.1)
    _, _, sigma = noise.draw(even(noise, 40), generator())
    assert float(sigma.median()) == pytest.approx(8, rel=0.15)
    assert float(sigma.std()) < 2


@pytest.mark.parametrize("value", [0.0, 1.0])
@pytest.mark.parametrize("grains", [0.0, 1.0])
def test_black_and_white_have_numbers_without_a_noise_of_read_out(value, grains):
    noise = CameraChain(8, 8, read=0.0, grains=grains)
    for made in noise.draw(even(noise, 16, value, count=24), generator()):
        assert made.isfinite().all()


def test_a_targets_light_is_the_mean_of_many_shots():
    """The mean of the light; because the tone curve bends, the mean of the files is darker."""
    noise = CameraChain(8, 8, **{**PLAIN, "grains": 0.0}, read=0.1)
    tone = torch.full((60,), 2.0), torch.full((60,), 1.2)
    light = lit(even(noise, 40, count=60), *tone)
    noisy, seen = noise._sensed(light, torch.full((60,), 8.0), tone, _Draws(60, generator(), light.device))
    inside = (slice(None), slice(None), slice(12, -12), slice(12, -12))
    assert float((noisy - seen)[inside].mean() / noisy[inside].std()) == pytest.approx(0, abs=0.01)
    noisy, target, _ = noise.draw(even(noise, 40), generator())
    assert -1.5 < 255 * float((noisy - target).mean()) < -0.2


def test_weak_noise_is_drawn_more_often():
    noise = CameraChain(0, 40, **PLAIN, colour=0)
    _, _, sigma = noise.draw(even(noise, 16, count=300), generator())
    expected = 40 * np.array([0.25, 0.5, 0.75, 0.95]) ** 2.5
    np.testing.assert_allclose(np.quantile(sigma, [0.25, 0.5, 0.75, 0.95]), expected, rtol=0.25, atol=0.5)


def test_noise_grows_with_the_light_of_a_sensor():
    """In linear light its variance is a linear function; without read-out noise it starts at zero."""
    noise = CameraChain(3, 3, **{**PLAIN, "grains": 0.0}, read=0.0)
    levels = {}
    for value in (0.3, 0.5, 0.7):
        _, _, sigma = noise.draw(even(noise, 40, value), generator())
        levels[value] = float(sigma.mean())
    # d value / d light falls as value ** -1.2 for gamma 2.2, the root of light rises as value ** 1.1.
    for value, level in levels.items():
        assert level / levels[0.5] == pytest.approx((value / 0.5) ** -0.1, rel=0.25)


def test_a_sensors_colour_is_coarser_than_its_luma():
    noise = CameraChain(10, 10, **{**PLAIN, "grains": 0.0})
    noisy, target, _ = noise.draw(even(noise, 64), generator())
    y, cb, cr = in_ycc((noisy - target).numpy())
    assert 0.2 < np.median(lag(y)) < 0.55
    for plane in (cb, cr):
        assert 0.5 < np.median(lag(plane)) < 0.85
        assert 0.3 < np.median(plane.std((1, 2)) / y.std((1, 2))) < 2


def test_a_cameras_denoising_makes_colour_coarse_and_weak():
    of_colour = {}
    for part in (0.0, 1.0):
        noise = CameraChain(10, 10, **{**PLAIN, "grains": 0.0, "denoised": part})
        noisy, target, _ = noise.draw(even(noise, 64), generator())
        _, cb, _ = in_ycc((noisy - target).numpy())
        of_colour[part] = np.median(cb.std((1, 2))), np.median(lag(cb, 3))
    assert of_colour[1.0][0] < 0.8 * of_colour[0.0][0]
    assert of_colour[1.0][1] > of_colour[0.0][1] + 0.1


def test_a_part_is_white():
    """The noise stays white: the camera neither denoises it nor subsamples its colour."""
    noise = CameraChain(20, 20, **{**PLAIN, "white": 1.0, "denoised": 1.0, "halved": 1.0})
    noisy, target, sigma = noise.draw(even(noise, 64, count=20), generator())
    assert float(sigma.median()) == pytest.approx(20, rel=0.1)
    y, cb, _ = in_ycc((noisy - target).numpy())
    assert np.abs(lag(y)).max() < 0.1 and np.abs(lag(cb)).max() < 0.15
    red, green = (noisy - target)[:, 0].flatten(), (noisy - target)[:, 1].flatten()
    assert abs(float(torch.corrcoef(torch.stack([red, green]))[0, 1])) < 0.05


def test_sharpening_makes_noise_stronger_and_edges_too():
    clean = torch.full((20, 3, 104, 104), 0.3)
    clean[..., 52:] = 0.6
    overshoots, levels = [], []
    for part in (0.0, 1.0):
        noise = CameraChain(5, 5, **{**PLAIN, "sharpened": part})
        _, target, sigma = noise.draw(clean, generator())
        overshoots.append(float(target.amax((1, 2, 3)).median()))
        levels.append(float(sigma.median()))
    assert overshoots[0] < 0.61 < 0.62 < overshoots[1]
    assert levels[1] > 1.1 * levels[0]


def test_a_seed_decides_everything_and_validation_is_always_the_same():
    noise = CameraChain(0, 30)
    clean = squares(noise, 32, count=4)
    for one, again, other in zip(*(noise.draw(clean, generator(seed)) for seed in (0, 0, 1)), strict=True):
        assert torch.equal(one, again) and not torch.equal(one, other)
    for one, again in zip(noise.for_validation(clean), noise.for_validation(clean), strict=True):
        assert torch.equal(one, again)


def test_a_grey_network_sees_every_channel_and_luma():
    noise = CameraChain(10, 10, **{**PLAIN, "grains": 0.0})
    clean = even(noise, 48, count=80, channels=1)
    noisy, target, sigma = noise.draw(clean, generator())
    assert noisy.shape == target.shape == (80, 1, 48, 48)
    np.testing.assert_allclose(sigma, 255 * (noisy - target).numpy().std((1, 2, 3)), rtol=1e-3)
    # Luma has the requested level, red and blue much more.
    assert np.quantile(sigma, 0.1) < 11 and np.quantile(sigma, 0.9) > 13


def test_a_sampler_cuts_larger_squares():
    pictures = torch.randint(0, 256, (2, 3, 130, 140), dtype=torch.uint8, generator=generator())
    noisy, target, sigma = PatchSampler(pictures, CameraChain(5, 20), generator()).batch(4, 48)
    assert noisy.shape == target.shape == (4, 3, 48, 48) and (sigma > 0).all()
    with pytest.raises(ValueError, match="Patches of 60 pixels, which are made from squares of 144, do not fit"):
        PatchSampler(pictures, CameraChain(5, 20), generator()).batch(4, 60)


@pytest.mark.parametrize("name", ["nerd-lite-photo", "nerd-lite-photo-colour"])
def test_the_noise_of_released_networks_is_still_read(name):
    with safe_open(data_folder("weights") / f"{name}.safetensors", framework="np") as file:
        record = json.loads(file.metadata()["record"])
    assert isinstance(noise_from_json(record["recipe"]["noise"]), CameraNoise | CameraChain)
