"""Training of a network with level input."""

import dataclasses

import numpy as np
import pytest
import torch
from tiny_training import TINY, assert_same_state, make, smooth_pictures, snapshot

from nerd_gui.training import RECIPES, train
from nerd_gui.training.camera_chain import CameraChain
from nerd_gui.training.grain import NoisyPatches
from nerd_gui.training.noise_models import NoiseRange, noise_from_json, noise_to_json
from nerd_gui.training.train import validate

MODEL = dataclasses.replace(TINY.model, level_input=True)
TOLD = dataclasses.replace(TINY, model=MODEL)


def denoised(net, noisy, level=None):
    net = net.eval()
    with torch.no_grad():
        s = net.inject(noisy, level)
        return net.estimate(noisy, net.implicit(net.implicit(net.initial(s), s), s))[0]


def test_grown_from_a_blind_state_it_does_what_that_network_does_to_the_bit():
    blind, told = make(), make(TOLD)
    for _ in range(3):
        blind.step()
    told.restore(blind.state().with_level_input())
    noisy = blind.sampler.batch(2, 16).noisy
    assert torch.equal(denoised(told.net, noisy, 20.0), denoised(blind.net, noisy))
    assert torch.equal(denoised(told.averaged(1), noisy, 20.0), denoised(blind.averaged(1), noisy))
    assert (told.samples, told.steps, told.warm_from) == (blind.samples, blind.steps, blind.samples)
    told.step()
    assert float(told.net.f_inject.level_in.detach().abs().min()) > 0
    assert told.state().with_level_input().tensors.keys() == told.state().tensors.keys()


def test_fork_grows_it(source, tmp_path):
    blind = train(TINY, source, tmp_path / "blind", minutes=0)
    told = train(TOLD, source, tmp_path / "told", minutes=0, fork=tmp_path / "blind" / "state.safetensors")
    assert told.samples == blind.samples + 2
    again = make(TOLD)
    again.restore(told.state())
    assert_same_state(snapshot(again), snapshot(told))


def test_it_is_told_the_true_level_more_or_less():
    trainer, told, true = make(TOLD, level_jitter=1.5), [], []
    batch, inject = trainer.sampler.batch, trainer.net.inject

    def watched(*args):
        patches = batch(*args)
        true.extend(255 * np.std((patches.noisy - patches.target).numpy(), axis=(1, 2, 3), ddof=1))
        return patches

    trainer.sampler.batch = watched
    trainer.net.inject = lambda y, level: told.extend(level.tolist()) or inject(y, level)
    for _ in range(20):
        trainer.step()
    factors = np.array(told) / true
    assert 1 / 1.5 <= factors.min() < 0.75 and 1.33 < factors.max() <= 1.5
    assert abs(np.log(factors).mean()) < 0.15


def test_validation_tells_the_true_level_times_a_factor():
    clean = smooth_pictures(2, 12, 12)[:, None].float() / 255
    patches = NoiseRange(20, 20).draw(clean, torch.Generator().manual_seed(0))
    net, told = make(TOLD).averaged(1), []
    inject = net.inject
    net.inject = lambda y, level: told.append(level) or inject(y, level)
    validate(net, patches, 2)
    validate(net, patches, 2, told=0.5)
    expected = 255 * (patches.noisy - clean).flatten(1).std(1)
    torch.testing.assert_close(told[0], expected)
    torch.testing.assert_close(told[1], expected / 2)


def test_a_part_of_the_patches_has_white_noise_of_the_level_it_says():
    noise = CameraChain(30, 40, gaussian=0.5)
    assert noise_from_json(noise_to_json(noise)) == noise
    side = noise.side(16)
    clean = torch.full((8, 3, side, side), 0.4)
    patches = noise.draw(clean, torch.Generator().manual_seed(0))
    assert patches.noisy.shape == patches.target.shape == (8, 3, 16, 16)
    plain = (patches.target == clean[0, 0, 0, 0]).all((1, 2, 3))
    assert int(plain.sum()) == 4
    white = NoisyPatches(*(tensor[plain] for tensor in patches))
    assert ((white.sigma >= 30) & (white.sigma <= 40)).all()
    torch.testing.assert_close(white.level, white.sigma, rtol=0.1, atol=0)  # of 768 values
    residual = white.noisy - white.target
    assert abs(float((residual[..., 1:] * residual[..., :-1]).mean() / residual.square().mean())) < 0.1


def test_without_such_a_part_the_chain_draws_what_it_drew():
    noise = CameraChain(0, 40, gaussian=0.25)
    clean = torch.rand(4, 3, noise.side(16), noise.side(16), generator=torch.Generator().manual_seed(1))
    plain = dataclasses.replace(noise, gaussian=0.0)
    for one, other in zip(noise.for_validation(clean), plain.for_validation(clean), strict=True):
        assert torch.equal(one, other)


@pytest.mark.parametrize("name", [name for name, recipe in RECIPES.items() if recipe.model.level_input])
def test_each_recipe_for_photos_is_told_the_level(name):
    recipe = RECIPES[name]
    assert name in ("nerd-lite-photo", "nerd-lite-photo-colour")
    assert dataclasses.replace(recipe.model, level_input=False, channels=1) == RECIPES["nerd-lite"].model
    assert isinstance(recipe.noise, CameraChain) and recipe.noise.gaussian == 0.25
