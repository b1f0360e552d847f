"""A colour network started from a grey one, and a grey one from colour."""

import dataclasses

import pytest
import torch
from tiny_training import TINY, make, smooth_pictures

from nerd_gui.nerd import NERD
from nerd_gui.training import DataError, Trainer

COLOUR = dataclasses.replace(TINY, model=dataclasses.replace(TINY.model, channels=3))


def denoised(net: NERD, y):
    net = net.eval()
    s = net.inject(y)
    z = net.implicit(net.implicit(net.initial(s), s), s)
    return net.estimate(y, z)[0]


def test_it_denoises_equal_channels_as_the_grey_network_does():
    grey = make()
    for _ in range(3):
        grey.step()
    colour = Trainer(COLOUR, smooth_pictures()[:, None].repeat(1, 3, 1, 1))
    colour.restore(grey.state().in_channels(3))
    noisy, _, _ = grey.sampler.batch(2, 16)

    with torch.no_grad():
        expected = denoised(grey.net, noisy)
        torch.testing.assert_close(denoised(colour.net, noisy.repeat(1, 3, 1, 1)), expected.repeat(1, 3, 1, 1))
    assert colour.samples == grey.samples
    colour.step()


def test_the_average_of_its_weights_keeps_up_with_them():
    grey = make()
    for _ in range(3):
        grey.step()
    state = grey.state()
    state.numbers["steps"] = 100_000  # a network trained for long
    colour = Trainer(COLOUR, smooth_pictures()[:, None].repeat(1, 3, 1, 1))
    colour.restore(state.in_channels(3))
    begun = {name: value.clone() for name, value in colour.ema.items()}
    for _ in range(8):
        colour.step()
    way = sum(float((value.detach() - begun[name]).norm()) for name, value in colour.net.named_parameters())
    averaged = sum(float((value - begun[name]).norm()) for name, value in colour.ema.items())
    assert averaged > 0.5 * way


def test_a_state_of_as_many_channels_stays_whole():
    state = make().state()
    assert state.in_channels(1) is state


def test_a_grey_network_denoises_as_the_colour_network_does_equal_channels():
    colour = Trainer(COLOUR, smooth_pictures()[:, None].repeat(1, 3, 1, 1))
    for _ in range(3):
        colour.step()
    state = colour.state()
    # Equal statistics in the channels: then the conversion is exact.
    for name, value in state.tensors.items():
        if "f_inject.norm_in." in name and value.dim():
            value.copy_(value.mean(0, keepdim=True).expand_as(value))
    colour.restore(state)
    grey = make()
    grey.restore(state.in_channels(1))
    noisy, _, _ = grey.sampler.batch(2, 16)

    with torch.no_grad():
        expected = denoised(colour.net, noisy.repeat(1, 3, 1, 1)).mean(1, keepdim=True)
        torch.testing.assert_close(denoised(grey.net, noisy), expected)
    assert (grey.samples, grey.steps) == (colour.samples, 0)
    grey.step()


def test_a_state_of_two_channels_is_none_of_a_colour_network():
    with pytest.raises(DataError, match="start from a grey one"):
        make().state().in_channels(2).in_channels(3)
