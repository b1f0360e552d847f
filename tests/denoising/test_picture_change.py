"""How much pictures change, compared with the formula."""

import numpy as np
import pytest

from nerd_gui.denoising.picture_change import picture_change


def noise(seed, *shape):
    return np.random.default_rng(seed).normal(0, 0.1, shape).astype(np.float16)


def written_out(before, after):
    return np.sqrt(np.mean((255 * (after.astype(np.float64) - before)) ** 2))


@pytest.mark.parametrize("shape", [(1, 24, 20), (3, 256, 256)])
def test_it_is_the_root_mean_square_in_grey_levels(shape):
    before, after = noise(0, *shape), noise(1, *shape)
    assert picture_change(before, after) == pytest.approx(written_out(before, after), rel=1e-5)
    assert picture_change(before, before) == 0
    assert picture_change(before, before + np.float16(0.25)) == pytest.approx(0.25 * 255, rel=1e-3)


def test_of_a_large_picture_rows_are_read_all_over_it():
    before, after = noise(0, 3, 1500, 1200), noise(1, 3, 1500, 1200)
    after[:, 1000:] *= 3  # not everywhere alike
    assert picture_change(before, after) == pytest.approx(written_out(before, after), rel=5e-3)


def test_what_has_no_noise_estimate_yet_does_not_count():
    before, after = noise(0, 1, 64, 64), noise(1, 1, 64, 64)
    expected = written_out(before[:, :20], after[:, :20])
    before[:, 20:] = after[:, 20:] = 0
    assert picture_change(before, after) == pytest.approx(expected, rel=1e-5)
    assert picture_change(np.zeros_like(before), np.zeros_like(before)) == 0


@pytest.mark.parametrize("value", [np.inf, -np.inf, np.nan])
def test_what_is_not_finite_has_changed_without_end(value):
    before, after = noise(0, 1, 8, 8), noise(1, 1, 8, 8)
    after[0, 3, 3] = value
    assert picture_change(before, after) == np.inf
    assert picture_change(after, after) == np.inf
