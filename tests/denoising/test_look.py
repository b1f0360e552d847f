"""The look of a result: amount, luma and chroma, restored detail; parts are the same, to the bit, as in the whole."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nerd_gui.denoising import PLAIN, Look, NoiseProfile, RunError, look_picture
from nerd_gui.denoising.look import LOOK_HALO, look_part

LOOKS = st.builds(Look, *[st.sampled_from([0.0, 0.37, 0.8, 1.0, 1.5])] * 2, st.sampled_from([0.0, 0.5, 1.0]))


def noise_estimate(channels=3, rows=40, cols=36, level=0.06, seed=0):
    """Return a noisy picture, its noise estimate as runs keep it, and the brightness, a slope from left to right."""
    random = np.random.default_rng(seed)
    noise = random.normal(0, level, (channels, rows, cols)).astype(np.float32)
    slope = np.broadcast_to(np.linspace(0.2, 0.8, cols, dtype=np.float32), noise.shape)
    return slope + noise, (-noise).astype(np.float16)


@pytest.mark.parametrize("channels", [1, 3])
def test_the_plain_look_is_the_iterates_picture_to_the_bit(channels):
    noisy, n_hat = noise_estimate(channels)
    assert PLAIN.plain and not Look(chroma=0.9).plain and not Look(detail=0.1).plain
    np.testing.assert_array_equal(look_picture(PLAIN, noisy, n_hat), noisy + n_hat.astype(np.float32))


@pytest.mark.parametrize(("luma", "chroma"), [(0, 0), (1.5, 1.5), (0.5, 1.2), (1, 0)])
def test_luma_and_chroma_of_the_noise_estimate_are_taken_away_in_their_parts(luma, chroma):
    noisy, n_hat = noise_estimate()
    wide = n_hat.astype(np.float64)
    brightness = 0.299 * wide[0] + 0.587 * wide[1] + 0.114 * wide[2]
    expected = noisy + luma * brightness + chroma * (wide - brightness)
    np.testing.assert_allclose(look_picture(Look(luma, chroma), noisy, n_hat), expected, atol=1e-6)


def test_a_grey_photo_has_luma_alone():
    noisy, n_hat = noise_estimate(1)
    expected = noisy + 0.25 * n_hat.astype(np.float64)
    np.testing.assert_allclose(look_picture(Look(0.25, 1.5), noisy, n_hat), expected, atol=1e-6)


@pytest.mark.parametrize("channels", [1, 3])
def test_structure_in_the_residual_is_given_back_and_noise_is_not(channels):
    noisy, n_hat = noise_estimate(channels, 120, 120, level=0.03)
    lines = np.zeros((120, 120), np.float32)
    lines[40:80, 40:80] = 0.2 * np.sin(np.arange(40))[:, None]  # a texture that a denoiser took for noise
    noisy, n_hat = noisy + lines, (n_hat - lines).astype(np.float16)
    profile = NoiseProfile.of(noisy, n_hat)
    back = look_picture(Look(detail=1.0), noisy, n_hat, profile) - look_picture(PLAIN, noisy, n_hat)
    texture, elsewhere = np.s_[44:76, 44:76], np.s_[:, :30]
    assert np.corrcoef(back[0][texture].ravel(), lines[texture].ravel())[0, 1] > 0.9
    assert back[0][texture].std() > 0.8 * lines[texture].std()
    assert back[0][elsewhere].std() < 0.2 * 0.03
    half = look_picture(Look(detail=0.5), noisy, n_hat, profile) - look_picture(PLAIN, noisy, n_hat)
    np.testing.assert_allclose(half, back / 2, atol=1e-6)
    np.testing.assert_allclose(back, np.broadcast_to(back[:1], back.shape), atol=1e-6)  # colour noise is not restored


def test_the_profile_follows_noise_that_grows_with_brightness_and_overlooks_structure():
    random = np.random.default_rng(0)
    brightness = np.broadcast_to(np.linspace(0.1, 0.9, 400, dtype=np.float32), (1, 400, 400))
    level = 0.01 + 0.05 * brightness
    n_hat = (level * random.normal(size=brightness.shape)).astype(np.float32)
    n_hat[:, 100:160, :] += 0.3  # more than noise of that level would do, on 15 % of the picture
    profile = NoiseProfile.of(brightness - n_hat, n_hat)
    for grey in (0.2, 0.5, 0.8):
        measured = float(profile.at(np.array([[grey]], np.float32))[0, 0]) ** 0.5
        assert measured == pytest.approx(0.01 + 0.05 * grey, rel=0.15)


def test_the_profile_takes_no_notice_of_what_is_not_finished():
    noisy, n_hat = noise_estimate(3, 400, 400)
    some = n_hat.copy()
    some[:, 120:] = 0
    whole, part = NoiseProfile.of(noisy, n_hat).variance, NoiseProfile.of(noisy, some).variance
    np.testing.assert_allclose(part, whole, rtol=0.3)
    assert NoiseProfile.of(noisy, np.zeros_like(n_hat)).variance.max() <= (0.25 / 255) ** 2


@settings(deadline=None, max_examples=60)
@given(look=LOOKS, channels=st.sampled_from([1, 3]), data=st.data())
def test_a_part_is_to_the_bit_that_part_of_the_whole(look, channels, data):
    rows, cols = data.draw(st.integers(1, 40)), data.draw(st.integers(1, 40))
    noisy, n_hat = noise_estimate(channels, rows, cols)
    profile = NoiseProfile.of(noisy, n_hat)
    row, col = data.draw(st.integers(0, rows - 1)), data.draw(st.integers(0, cols - 1))
    tall, wide = data.draw(st.integers(1, rows - row)), data.draw(st.integers(1, cols - col))
    whole = look_picture(look, noisy, n_hat, profile)
    part = look_part(look, noisy, n_hat, (row, col, tall, wide), profile)
    np.testing.assert_array_equal(part, whole[:, row : row + tall, col : col + wide])


def test_the_whole_is_made_in_bands_that_cannot_be_told():
    noisy, n_hat = noise_estimate(3, 600, 20)
    look, profile = Look(0.9, 1.1, 0.7), NoiseProfile.of(noisy, n_hat)
    np.testing.assert_array_equal(
        look_part(look, noisy, n_hat, None, profile), look_picture(look, noisy, n_hat, profile)
    )


def test_no_pixel_beyond_the_halo_counts():
    noisy, n_hat = noise_estimate()
    look, profile = Look(detail=1.0), NoiseProfile.of(noisy, n_hat)
    before = look_picture(look, noisy, n_hat, profile)
    n_hat = n_hat.copy()
    n_hat[:, 20, 18] = 1
    changed = (look_picture(look, noisy, n_hat, profile) != before).any(axis=0)
    rows, cols = np.nonzero(changed)
    assert abs(rows - 20).max() <= LOOK_HALO and abs(cols - 18).max() <= LOOK_HALO and changed.sum() > 1


@pytest.mark.parametrize("wrong", [{"luma": -0.1}, {"chroma": 1.6}, {"detail": 1.1}, {"luma": float("nan")}])
def test_an_impossible_look_is_refused(wrong):
    (name,) = wrong
    with pytest.raises(RunError, match=f"look's {name} must lie between 0 and"):
        Look(**wrong)


def test_a_look_says_in_words_what_it_is():
    assert str(PLAIN) == "amount 100%"
    assert str(Look(0.8, 1.2, 0.3)) == "luma 80%, chroma 120%, detail 30%"


def test_detail_without_a_profile_is_refused():
    with pytest.raises(ValueError, match="profile"):
        look_picture(Look(detail=0.5), *noise_estimate())
