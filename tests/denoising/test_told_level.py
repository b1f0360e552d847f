"""The noise level that a network is told, and its effect."""

import dataclasses

import numpy as np
import pytest
import torch
from tiny_runs import make_net, make_photo

from nerd_gui.denoising import DenoisingRun, RunError, RunSettings, Subject, denoise
from nerd_gui.denoising.strength import BOLDNESS
from nerd_gui.equilibrium import broyden
from nerd_gui.imaging import Photo

SETTINGS = RunSettings(model="tiny", max_iter=3, tol=0.0)


def told_net(**changes):
    net = make_net(level_input=True, **changes)
    net.f_inject.level_in.copy_(torch.linspace(-1, 1, 8)[:, None, None])
    return net


def solved(net, noisy, level):
    """Compute the last iterate's noise with the network's own functions."""
    y = torch.from_numpy(noisy)[None]
    s = net.inject(y, level)
    (*_, last) = broyden(lambda z: net.implicit(z, s), net.initial(s), max_iter=3, tol=0)
    return net.decode(last.z)[0].numpy()


def test_the_strength_reaches_the_network():
    net, subject = told_net(), Subject.of(make_photo())
    run = DenoisingRun(subject, dataclasses.replace(SETTINGS, strength=30.0), net)
    expected = solved(net, subject.noisy, 30.0)
    assert np.abs(expected - solved(net, subject.noisy, 31.0)).max() > 1e-4
    *_, last = run.iterates()
    np.testing.assert_allclose(last.n_hat, expected, atol=1e-3)


@pytest.mark.parametrize("channels", [1, 3])
def test_without_one_it_is_the_noise_that_was_added_or_follows_that_of_the_whole_photo(channels):
    random = np.random.default_rng(0)
    flat = Photo(np.full((channels, 128, 160), 0.5, np.float32), name="flat")
    noise = random.normal(0, 8 / 255, (128, 160)).astype(np.float32)  # the same in all channels, so in luma as well
    noisy, net = Photo(flat.pixels + noise, name="noisy"), told_net(channels=channels)
    added = denoise(Subject.of(flat, sigma=12), SETTINGS, net)
    assert added.settings.strength == 12
    part = denoise(Subject.of(noisy, region=(0, 0, 16, 16)), SETTINGS, net)
    assert part.settings.strength == pytest.approx(BOLDNESS[channels] * 8, rel=0.05)
    assert part.report()["settings"]["strength"] == part.settings.strength
    again = denoise(Subject.of(noisy, region=(0, 0, 16, 16)), part.settings, net)
    np.testing.assert_array_equal(again[3].n_hat, part[3].n_hat)


def test_a_network_that_takes_none_is_told_none():
    subject = Subject.of(make_photo())
    assert DenoisingRun(subject, SETTINGS, make_net()).settings == SETTINGS
    with pytest.raises(RunError, match="“tiny” estimates the noise level itself; leave the strength out, or choose"):
        DenoisingRun(subject, dataclasses.replace(SETTINGS, strength=5.0), make_net())


def test_where_noise_is_far_stronger_at_some_brightness_that_level_is_told():
    random = np.random.default_rng(0)
    bright, dark = np.full((1, 256, 256), 0.7), np.full((1, 256, 160), 0.2)
    bright, dark = bright + random.normal(0, 2 / 255, bright.shape), dark + random.normal(0, 9 / 255, dark.shape)
    photo = Photo(np.concatenate([bright, dark], axis=2).astype(np.float32), name="dark part")
    run = DenoisingRun(Subject.of(photo, region=(0, 0, 16, 16)), SETTINGS, told_net())
    assert run.settings.strength == pytest.approx(9, rel=0.1)
