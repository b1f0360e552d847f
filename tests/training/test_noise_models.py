"""Noise for training: its measured statistics, and its JPEG compression compared with Pillow."""

import io
import json

import numpy as np
import pytest
import torch
from PIL import Image

from nerd_gui.imaging import add_noise
from nerd_gui.training.camera_chain import CameraChain
from nerd_gui.training.data import PatchSampler
from nerd_gui.training.grain import correlated, exposed, tinted
from nerd_gui.training.jpeg import compressed, steps
from nerd_gui.training.noise_models import CameraNoise, NoiseRange, noise_from_json, noise_to_json


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def photo(rows, cols, seed=0):
    """A picture with waves, an edge and grain, (rows, cols) uint8."""
    random = np.random.default_rng(seed)
    down, across = np.mgrid[:rows, :cols]
    waves = 128 + 40 * np.sin(down / 9) * np.cos(across / 7) + 40 * (across > cols / 2)
    return np.clip(waves + random.normal(0, 12, (rows, cols)), 0, 255).astype(np.uint8)


def through_pillow(picture, quality):
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "JPEG", quality=quality)
    with Image.open(file) as image:
        return np.asarray(image)


def through_ours(pictures, qualities, corners):
    stack = torch.from_numpy(np.stack(pictures)).float()[:, None] / 255
    result = compressed(stack, torch.tensor(qualities), torch.tensor(corners).T)
    levels = result[:, 0].numpy() * 255
    np.testing.assert_allclose(levels, np.rint(levels), atol=1e-4)
    return np.rint(levels).astype(int)


def blocks_alike(ours, pillow):
    """Return the share of 8x8 blocks that agree to one level; in others libjpeg's integers round differently."""
    difference = np.abs(ours - pillow.astype(int))
    rows, cols = (length // 8 * 8 for length in difference.shape)
    return (difference[:rows, :cols].reshape(rows // 8, 8, cols // 8, 8).max((1, 3)) <= 1).mean()


def test_compression_is_that_of_pillow():
    qualities = [1, 10, 35, 49, 50, 51, 75, 90, 95, 100]
    pictures = [photo(160, 240, seed) for seed in range(len(qualities))]
    ours = through_ours(pictures, qualities, [(0, 0)] * len(qualities))
    for picture, quality, one in zip(pictures, qualities, ours, strict=True):
        pillow = through_pillow(picture, quality)
        assert blocks_alike(one, pillow) > 0.9
        assert np.abs(one - pillow.astype(int)).mean() < 0.2


def test_the_tables_are_those_of_pillow():
    for quality in (1, 20, 50, 77, 99, 100):
        file = io.BytesIO()
        Image.fromarray(photo(8, 8)).convert("RGB").save(file, "JPEG", quality=quality)
        with Image.open(file) as image:
            assert steps(torch.tensor([quality]))[0, 1].flatten().tolist() == image.quantization[1]
            assert steps(torch.tensor([quality]))[0, 0].flatten().tolist() == image.quantization[0]


def test_blocks_of_halved_colour_may_begin_anywhere():
    random = np.random.default_rng(0)
    tint = np.array([0.9, 0.6, 0.3]) + 0.2 * np.sin(np.arange(100) / 20)[:, None]
    picture = np.clip(photo(70, 100)[..., None] * tint + random.normal(0, 6, (70, 100, 3)), 0, 255).astype(np.uint8)
    clean = torch.from_numpy(picture).movedim(2, 0)[None].float() / 255
    for top, left in ((15, 9), (8, 0), (3, 14)):
        file = io.BytesIO()
        padded = np.pad(picture, ((top, 0), (left, 0), (0, 0)), mode="edge")
        Image.fromarray(padded).save(file, "JPEG", quality=60, subsampling="4:2:0")
        with Image.open(file) as image:
            pillow = np.asarray(image).astype(int)[top:, left:]
        ours = compressed(clean, torch.tensor([60]), torch.tensor([[top], [left]]), torch.tensor([True]))
        ours = ours[0].movedim(0, 2).numpy() * 255
        assert np.abs(ours - pillow)[:48, :80].mean() < 0.35


def test_the_blocks_may_begin_anywhere():
    corners = [(0, 0), (7, 7), (3, 0), (0, 5), (4, 6)]
    pictures = [photo(149, 234, seed) for seed in range(len(corners))]
    ours = through_ours(pictures, [60] * len(corners), corners)
    for picture, (top, left), one in zip(pictures, corners, ours, strict=True):
        shifted = through_pillow(np.pad(picture, ((top, 0), (left, 0)), mode="edge"), 60)
        assert blocks_alike(np.pad(one, ((top, 0), (left, 0)), mode="edge")[8:, 8:], shifted[8:, 8:]) > 0.95
        assert np.abs(one - shifted[top:, left:].astype(int)).mean() < 0.1


@pytest.mark.parametrize("halved", [False, True])
@pytest.mark.parametrize("quality", [30, 75, 92, 100])
def test_colour_is_compressed_as_pillow_does(quality, halved):
    random = np.random.default_rng(quality)
    tint = np.array([0.9, 0.6, 0.3]) + 0.2 * np.sin(np.arange(160) / 20)[:, None]
    picture = np.clip(photo(80, 160)[..., None] * tint + random.normal(0, 6, (80, 160, 3)), 0, 255).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "JPEG", quality=quality, subsampling="4:2:0" if halved else "4:4:4")
    with Image.open(file) as image:
        pillow = np.asarray(image).astype(int)
    clean = torch.from_numpy(picture).movedim(2, 0)[None].float() / 255
    corner = torch.zeros(2, 1, dtype=torch.long)
    ours = compressed(clean, torch.tensor([quality]), corner, torch.tensor([halved]))[0].movedim(0, 2).numpy() * 255
    np.testing.assert_allclose(ours, np.rint(ours), atol=1e-4)
    # If libjpeg rounds Y, Cb or Cr differently by one level, blue changes by up to two; see also `blocks_alike`.
    assert (np.abs(ours - pillow) < 2.5).mean() > 0.95
    assert np.abs(ours - pillow).mean() < 0.35
    assert np.abs(ours - pillow).mean() < 0.5 * np.abs(picture - pillow).mean()


@pytest.mark.parametrize("read", [0.0, 0.3])
def test_variance_is_a_straight_line_of_the_light(read):
    """Var = a x + b in linear light; the nominal level is the level in the file at mid-grey."""
    values = np.array([0.35, 0.5, 0.65, 0.8])
    clean = torch.from_numpy(values).float()[:, None, None, None].expand(4, 1, 200, 200)
    sigma = torch.full((4,), 6.0)
    grain = torch.randn(clean.shape, generator=generator())
    noisy = exposed(clean, grain, sigma, torch.full((4,), read)).numpy().astype(float)
    light = noisy**2.2
    np.testing.assert_allclose(light.mean((1, 2, 3)), values**2.2, rtol=2e-3)
    slope, offset = np.polyfit(values**2.2, light.var((1, 2, 3)), 1)
    at_middle = slope * 0.5**2.2 + offset
    assert offset / at_middle == pytest.approx(read, abs=0.02)
    np.testing.assert_allclose(light.var((1, 2, 3)), slope * values**2.2 + offset, rtol=0.03)
    assert 255 * noisy[1].std() == pytest.approx(6, rel=0.02)


def test_light_below_black_and_above_white_is_lost():
    clean = torch.tensor([0.0, 1.0]).view(2, 1, 1, 1).expand(2, 1, 50, 50)
    grain = torch.randn(clean.shape, generator=generator())
    noisy = exposed(clean, grain, torch.full((2,), 20.0), torch.full((2,), 0.2))
    assert noisy.min() == 0 and noisy.max() == 1
    assert float((noisy[0] == 0).float().mean()) == pytest.approx(0.5, abs=0.03)
    assert float((noisy[1] == 1).float().mean()) == pytest.approx(0.5, abs=0.03)


def autocorrelation(field, lag, axis):
    """Return the correlation of a plane with itself, shifted by this many pixels."""
    one, other = np.roll(field, lag, axis), field
    return float((one * other).mean() / other.var())


def test_grain_has_unit_variance_and_the_kernels_autocorrelation():
    widths = [(0.0, 0.0), (0.5, 1.0), (1.0, 0.3)]
    down, across = torch.tensor(widths).T[:, :, None].expand(2, 3, 2)
    white = torch.randn(3, 2, 406, 406, generator=generator())
    grain = correlated(white, down, across).numpy()
    assert grain.shape == (3, 2, 400, 400)
    np.testing.assert_allclose(grain.var((2, 3)), 1, rtol=0.03)
    np.testing.assert_array_equal(grain[0], white[0, :, 3:-3, 3:-3].numpy())
    offsets = np.arange(-3, 4)
    for planes, both in zip(grain, widths, strict=True):
        for axis, width in enumerate(both):
            kernel = np.exp(-0.5 * (offsets / max(width, 1e-3)) ** 2)
            full = np.correlate(kernel, kernel, "full") / (kernel**2).sum()
            for lag in (1, 2, 3):
                for plane in planes:
                    assert autocorrelation(plane, lag, axis) == pytest.approx(full[6 + lag], abs=0.02)
    assert abs(np.corrcoef(grain[1, 0].ravel(), grain[1, 1].ravel())[0, 1]) < 0.02


def test_each_channel_has_a_kernel_of_its_own():
    white = torch.randn(1, 2, 206, 206, generator=generator())
    grain = correlated(white, torch.tensor([[0.0, 1.0]]), torch.tensor([[1.0, 0.0]]))[0].numpy()
    narrow, wide = 0, np.exp(-1 / 4)  # of a Gaussian kernel of width 1
    for plane, (down, across) in zip(grain, ((narrow, wide), (wide, narrow)), strict=True):
        assert autocorrelation(plane, 1, 0) == pytest.approx(down, abs=0.03)
        assert autocorrelation(plane, 1, 1) == pytest.approx(across, abs=0.03)


def in_ycc(noise):
    """Convert noise (B, 3, rows, cols) to Y, Cb, Cr with Pillow's matrix, in float."""
    y = noise[:, 0] * 0.299 + noise[:, 1] * 0.587 + noise[:, 2] * 0.114
    return y, (noise[:, 2] - y) / 1.772, (noise[:, 0] - y) / 1.402


def test_tinted_noise_has_mean_variance_1_and_the_share_of_colour_asked_for():
    planes = torch.randn(3, 3, 300, 300, generator=generator())
    share = torch.tensor([0.0, 0.3, 1.2])
    noise = tinted(planes, share).numpy()
    np.testing.assert_allclose(noise.var((2, 3)).mean(1), 1, rtol=0.02)
    np.testing.assert_allclose(noise[0, 0], noise[0, 2], atol=1e-6)  # grey noise
    y, cb, cr = in_ycc(noise)
    for one in (cb, cr):
        np.testing.assert_allclose(one.std((1, 2)) / y.std((1, 2)), share, rtol=0.02, atol=1e-5)
    assert abs(np.corrcoef(y[2].ravel(), cb[2].ravel())[0, 1]) < 0.02


def test_a_camera_blurs_colour_more_than_luma():
    noise = CameraNoise(8, 8, blur=0, quality=100, colour_blur=2.0, colour=1.0)
    clean = torch.full((300, 3, 48, 48), 0.5)
    noisy = noise.draw(clean, generator()).noisy
    measured = 255 * (noisy - clean)
    assert float(measured.square().mean((1, 2, 3)).sqrt().median()) == pytest.approx(8, rel=0.03)
    y, cb, cr = in_ycc(measured.numpy())
    assert np.abs([autocorrelation(one, 1, 0) for one in y]).max() < 0.15
    ratios = np.concatenate([one.std((1, 2)) / y.std((1, 2)) for one in (cb, cr)])
    assert ratios.min() < 0.1 and 0.9 < ratios.max() < 1.1
    plain = ratios[:300] > 0.4  # where rounding to 8 bits does not matter
    lag = np.array([autocorrelation(one, 1, 0) for one in cb[plain]])
    assert np.quantile(lag, 0.05) < 0.15 and 0.8 < np.quantile(lag, 0.95) < 0.98
    none = CameraNoise(8, 8, blur=0, quality=100, colour=0.0).draw(clean[:4], generator()).noisy
    assert 255 * float((none[:, 0] - none[:, 2]).abs().max()) <= 2


def test_a_camera_draws_levels_sizes_of_grain_and_qualities():
    noise = CameraNoise(4, 10, read=0.2, blur=1.0, quality=60)
    clean = torch.full((400, 1, 48, 48), 0.5)
    noisy, target, sigma = noise.draw(clean, generator())
    assert target is clean
    assert 4 <= float(sigma.min()) < 4.2 and 9.8 < float(sigma.max()) <= 10
    assert noisy.shape == clean.shape
    levels = noisy.numpy() * 255
    assert levels.min() >= 0 and levels.max() <= 255
    np.testing.assert_allclose(levels, np.rint(levels), atol=1e-4)  # a file of 8 bits
    measured = 255 * noisy.std((1, 2, 3))
    assert float((measured / sigma).median()) == pytest.approx(1, abs=0.05)
    grain = (noisy - noisy.mean((2, 3), keepdim=True)).numpy()[:, 0]
    lag = np.array([autocorrelation(plane, 1, 0) for plane in grain])
    assert np.quantile(lag, 0.05) < 0.1 and 0.6 < np.quantile(lag, 0.95) < 0.85
    again, other = (noise.draw(clean, generator(seed)).noisy for seed in (0, 1))
    assert torch.equal(noisy, again) and not torch.equal(noisy, other)


def test_a_camera_of_level_0_leaves_the_compression_alone():
    picture = photo(48, 48)
    clean = torch.from_numpy(picture).float()[None, None].expand(8, 1, 48, 48) / 255
    noisy = CameraNoise(0, 0, quality=100).draw(clean, generator()).noisy
    difference = np.abs(noisy.numpy() * 255 - picture)
    assert difference.max() <= 2 and difference.mean() < 0.5


def test_validation_sees_the_same_noise_every_time():
    clean = torch.from_numpy(np.stack([photo(96, 96, seed) for seed in range(3)]))[:, None].float() / 255
    for low, high, sigma in ((0, 55, 25), (25, 25, 25), (5, 15, 15)):
        noisy, target, told = NoiseRange(low, high).for_validation(clean)
        assert target is clean and told.tolist() == [sigma] * 3
        for seed, (one, picture) in enumerate(zip(noisy, clean, strict=True)):
            np.testing.assert_array_equal(one, add_noise(picture.numpy(), sigma, seed))
    camera = CameraNoise(10, 30)
    noisy = camera.for_validation(clean).noisy
    assert torch.equal(noisy, camera.for_validation(clean).noisy)
    assert 8 < 255 * float((noisy - clean).std()) < 35


def test_a_sampler_gives_patches_the_noise_of_a_camera():
    pictures = torch.full((2, 3, 60, 60), 128, dtype=torch.uint8)
    noisy, clean, sigma = PatchSampler(pictures, CameraNoise(10, 10, blur=0), generator()).batch(6, 40)
    assert noisy.shape == clean.shape == (6, 3, 40, 40)
    assert torch.equal(sigma, torch.full((6,), 10.0))
    assert 255 * float((noisy - clean).std()) == pytest.approx(10, rel=0.1)


@pytest.mark.parametrize(
    "noise",
    [NoiseRange(0, 55), CameraNoise(1, 20, read=0.3, blur=0.5, quality=80, colour=0.5), CameraChain(1, 30, halved=0.2)],
)
def test_noise_goes_through_json(noise):
    assert noise_from_json(json.loads(json.dumps(noise_to_json(noise)))) == noise


def test_noise_without_a_kind_is_white_and_an_unknown_kind_is_refused():
    assert noise_from_json({"low": 1, "high": 2}) == NoiseRange(1, 2)
    with pytest.raises(KeyError, match="film"):
        noise_from_json({"kind": "film", "low": 1, "high": 2})
    with pytest.raises(TypeError):
        noise_from_json({"kind": "camera", "low": 1})
