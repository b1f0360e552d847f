import math

import numpy as np
import pytest
from tiny_runs import make_photo

from nerd_gui.denoising import RunError, Subject
from nerd_gui.imaging import add_noise


def test_noise_is_added_and_can_be_repeated():
    photo = make_photo(3)
    subject = Subject.of(photo, sigma=25, seed=7)
    np.testing.assert_array_equal(subject.noisy, add_noise(photo.pixels, 25, 7))
    np.testing.assert_array_equal(subject.noisy, Subject.of(photo, sigma=25, seed=7).noisy)
    assert not np.array_equal(subject.noisy, Subject.of(photo, sigma=25, seed=8).noisy)
    np.testing.assert_array_equal(subject.clean, photo.pixels)
    assert (subject.channels, subject.rows, subject.cols) == (3, 24, 20)
    assert (subject.sigma, subject.seed) == (25.0, 7)


def test_a_noisy_photo_is_taken_as_it_is():
    photo, clean = make_photo(seed=1), make_photo(seed=2)
    subject = Subject.of(photo)
    np.testing.assert_array_equal(subject.noisy, photo.pixels)
    assert subject.clean is None
    assert subject.sigma is None
    np.testing.assert_array_equal(Subject.of(photo, clean=clean).clean, clean.pixels)
    part = Subject.of(photo, clean=clean, region=(1, 2, 3, 4))
    np.testing.assert_array_equal(part.noisy, photo.pixels[:, 1:4, 2:6])
    np.testing.assert_array_equal(part.clean, clean.pixels[:, 1:4, 2:6])


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"sigma": -1}, "noise level sigma is -1"),
        ({"sigma": math.nan}, "noise level sigma is nan"),
        ({"sigma": 256}, "from 0 to 255"),
        ({"sigma": 25, "seed": -1}, "seed of the noise must be 0 or more"),
        ({"region": (0, 0, 25, 20)}, "does not lie inside"),
        ({"region": (-1, 0, 5, 5)}, "does not lie inside"),
        ({"sigma": 25, "region": (0, 0, 0, 5)}, "does not lie inside"),
        ({"clean": make_photo(rows=23)}, r"has 20 x 23 pixels and 1 channel\(s\), but the photo has 20 x 24"),
        ({"clean": make_photo(3)}, r"and 3 channel\(s\)"),
        ({"clean": make_photo(), "sigma": 25}, "do not name another one"),
    ],
)
def test_impossible_subjects_are_sentences(arguments, sentence):
    with pytest.raises(RunError, match=sentence):
        Subject.of(make_photo(), **arguments)
