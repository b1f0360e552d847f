"""Pictures that are made when they are first looked at, and whose frames are kept."""

import numpy as np
import pytest

from nerd_gui.window.picture import layers as module
from nerd_gui.window.picture.layers import LaterPicture, Layer, PictureLayers


class Maker:
    """Makes pictures of one grey level each, and counts."""

    def __init__(self):
        self.made = []

    def __call__(self, key, level=None):
        def make():
            self.made.append(key)
            return np.full((1, 6, 8), (key if level is None else level) / 255, np.float32)

        return LaterPicture(key, (6, 8), make)


@pytest.fixture
def later():
    return Maker()


@pytest.fixture
def layers():
    return PictureLayers()


def test_nothing_is_made_before_it_is_looked_at(layers, later):
    layers.set(Layer.ITERATE, later(7))
    assert layers.shape == (6, 8) and Layer.ITERATE in layers and not later.made
    assert layers.frame(Layer.ITERATE).pixels.tolist() == [[7] * 8] * 6
    assert layers.value(Layer.ITERATE, 2, 3) == pytest.approx((7,))
    assert later.made == [7]


def test_a_picture_seen_before_is_not_made_again(layers, later):
    for key in (1, 2, 3, 2, 1):
        layers.set(Layer.ITERATE, later(key))
        assert layers.frame(Layer.ITERATE).pixels[0, 0] == key
    assert later.made == [1, 2, 3]
    layers.set(Layer.RESULT, later(3))
    assert layers.frame(Layer.RESULT).pixels[0, 0] == 3
    assert later.made == [1, 2, 3]


def test_values_and_differences_are_those_of_the_present_picture(layers, later):
    for key in (10, 20, 10):
        layers.set(Layer.ITERATE, later(key))
        layers.frame(Layer.ITERATE)
    layers.set(Layer.NOISY, np.full((6, 8), 4, np.uint8))
    assert layers.value(Layer.ITERATE, 0, 0) == pytest.approx((10,))
    layers.gain = 2
    assert layers.difference(Layer.NOISY, Layer.ITERATE).pixels[0, 0] == round(127.5 + 2 * 6)


def test_the_noise_is_made_anew_for_another_gain(layers, later):
    for gain in (1.0, 3.0, 1.0):
        layers.gain = gain
        layers.set(Layer.NOISE, later("n", level=5))
        assert layers.frame(Layer.NOISE).pixels[0, 0] == round(127.5 + 5 * gain)
    assert later.made == ["n", "n"]


def test_the_oldest_frames_go_when_there_are_too_many(layers, later, monkeypatch):
    monkeypatch.setattr(module, "_KEPT_BYTES", 3 * 8 * 6 * 8)
    for key in (1, 2, 3, 1, 4, 1, 3, 2):
        layers.set(Layer.ITERATE, later(key))
        layers.frame(Layer.ITERATE)
    assert later.made == [1, 2, 3, 4, 2]


def test_a_picture_of_another_size_starts_over(layers, later):
    layers.set(Layer.ITERATE, later(1))
    layers.frame(Layer.ITERATE)
    layers.set(Layer.NOISY, np.zeros((3, 3), np.uint8))
    assert layers.available() == [Layer.NOISY]
    layers.set(Layer.ITERATE, later(1))
    layers.frame(Layer.ITERATE)
    assert later.made == [1, 1]


def test_what_is_no_picture_is_refused_when_it_is_made(layers):
    layers.set(Layer.ITERATE, LaterPicture("x", (6, 8), lambda: np.full((6, 8), np.nan, np.float32)))
    with pytest.raises(ValueError, match="NaN"):
        layers.frame(Layer.ITERATE)
