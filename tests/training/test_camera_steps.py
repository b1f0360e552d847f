"""The steps from a sensor's light to a file, compared with loops, Pillow and known results."""

import numpy as np
import pytest
import torch
from PIL import Image
from skimage import data as samples

from nerd_gui.imaging import psnr
from nerd_gui.training.camera_steps import (
    BILINEAR,
    CORRECTED,
    DIRECTED,
    Mosaic,
    blurred,
    demosaicked,
    lit,
    mixed,
    resampling,
    sensor_matrix,
    slope_of_tone,
    smoothed,
    to_ycc,
    toned,
)

KINDS = [BILINEAR, CORRECTED, DIRECTED]


def astronaut(scale=1):
    """A colour sample, (1, 3, 512, 512) in [0, 1], or reduced by a whole factor."""
    image = Image.fromarray(samples.astronaut()).reduce(scale)
    return torch.from_numpy(np.asarray(image).transpose(2, 0, 1).copy()).float()[None] / 255


def every(value):
    return torch.tensor([value])


def test_the_tone_curve_is_nearly_srgbs_and_goes_back():
    light = torch.linspace(0, 1, 101).view(1, 1, 1, -1)
    srgb = torch.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    np.testing.assert_allclose(toned(light, every(2.4), every(1.0)), srgb, atol=0.03)
    for gamma, contrast in ((1.8, 1.0), (2.2, 1.5)):
        there = toned(light, every(gamma), every(contrast))
        assert (there.diff() > 0).all()
        back = lit(there, every(gamma), every(contrast))
        np.testing.assert_allclose(back, light, atol=1e-5)
        assert back.min() >= 0 and back.max() <= 1  # noise has its square root


@pytest.mark.parametrize("contrast", [1.0, 1.4])
def test_the_slope_at_mid_grey_is_that_of_the_curve(contrast):
    middle, slope = slope_of_tone(every(2.2), every(contrast))
    around = middle.double() + torch.tensor([-1e-4, 0, 1e-4]).double()
    value = toned(around.view(1, 1, 1, 3), every(2.2).double(), every(contrast).double()).flatten()
    assert float(value[1]) == pytest.approx(0.5, abs=1e-5)
    assert float((value[2] - value[0]) / 2e-4) == pytest.approx(float(slope), rel=1e-3)


def test_a_sensor_sees_grey_as_grey_and_other_colours_weaker():
    matrix = sensor_matrix(torch.eye(4))
    np.testing.assert_allclose(matrix.sum(2), 1, atol=1e-5)
    red, blue = torch.tensor([1.0, 0, 0]), torch.tensor([0, 0, 1.0])
    for colour in (red, blue):
        seen = mixed(colour.view(1, 3, 1, 1).expand(4, -1, -1, -1), matrix).flatten(1)
        assert (seen.amax(1) < 0.9).all()


def test_luma_and_colour_are_those_of_pillow():
    picture = samples.astronaut()[::16, ::16]
    expected = np.asarray(Image.fromarray(picture).convert("YCbCr")).astype(float) - [0, 128, 128]
    ours = 255 * to_ycc(torch.from_numpy(picture).permute(2, 0, 1)[None].float() / 255)[0].permute(1, 2, 0).numpy()
    assert np.abs(ours - expected).max() < 1


def mosaic_by_hand(pictures, phase):
    """Red where row and column match, blue where neither does, green elsewhere."""
    down, across = np.mgrid[: pictures.shape[1], : pictures.shape[2]]
    by_row, by_col = (down - phase[0]) % 2, (across - phase[1]) % 2
    channel = np.where(by_row != by_col, 1, np.where(by_row == 0, 0, 2))
    return channel, np.take_along_axis(pictures, channel[None], 0)[0]


@pytest.mark.parametrize("phase", [(0, 0), (0, 1), (1, 0), (1, 1)])
def test_bilinear_demosaicking_takes_the_mean_of_the_nearest(phase):
    picture = astronaut(32)
    mosaic = Mosaic(torch.tensor(phase)[:, None], 16, 16)
    seen = mosaic.seen(picture)
    channel, expected = mosaic_by_hand(picture[0].numpy(), phase)
    np.testing.assert_array_equal(seen[0, 0], expected)
    ours = demosaicked(seen, mosaic, every(BILINEAR))[0].numpy()
    for row in range(2, 14):
        for col in range(2, 14):
            for colour in range(3):
                near = [
                    (abs(down) + abs(across), expected[row + down, col + across])
                    for down in (-1, 0, 1)
                    for across in (-1, 0, 1)
                    if channel[row + down, col + across] == colour
                ]
                least = min(distance for distance, _ in near)
                mean = np.mean([value for distance, value in near if distance == least])
                assert ours[colour, row, col] == pytest.approx(mean, abs=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_demosaicking_gives_even_colours_and_grey_slopes_back(kind):
    mosaic = Mosaic(torch.tensor([[0], [1]]), 20, 24)
    even = torch.tensor([0.2, 0.5, 0.9]).view(1, 3, 1, 1).expand(1, 3, 20, 24)
    slope = (torch.arange(20)[:, None] / 60 + torch.arange(24) / 50).expand(1, 3, 20, 24)
    for picture in (even, slope):
        ours = demosaicked(mosaic.seen(picture), mosaic, every(kind))
        np.testing.assert_allclose(ours[..., 3:-3, 3:-3], picture[..., 3:-3, 3:-3], atol=1e-5)


def test_an_edge_is_kept_by_demosaicking_along_it():
    edge = (torch.arange(24) >= 12).float().expand(1, 3, 20, 24)
    for picture in (edge, edge[..., :20].mT):
        mosaic = Mosaic(torch.zeros(2, 1), *picture.shape[2:])
        seen = mosaic.seen(picture)
        errors = [(demosaicked(seen, mosaic, every(kind)) - picture)[0, 1, 3:-3, 3:-3].abs().max() for kind in KINDS]
        assert errors[DIRECTED] < 1e-6
        assert errors[BILINEAR] > 0.2


def test_corrected_and_directed_demosaicking_are_better_than_bilinear():
    """By some decibels on photos, as in the articles."""
    picture = astronaut(2)
    mosaic = Mosaic(torch.zeros(2, 1), *picture.shape[2:])
    both = [demosaicked(mosaic.seen(picture), mosaic, every(kind))[0, :, 3:-3, 3:-3].numpy() for kind in KINDS]
    scores = [psnr(picture[0, :, 3:-3, 3:-3].numpy(), one) for one in both]
    assert scores[CORRECTED] > scores[BILINEAR] + 3
    assert scores[DIRECTED] > scores[BILINEAR] + 3


def test_each_picture_has_its_own_phase_and_kind():
    pictures = astronaut(16).expand(3, -1, -1, -1)
    phases, kinds = torch.tensor([[0, 1, 1], [0, 0, 1]]), torch.tensor(KINDS)
    mosaic = Mosaic(phases, 32, 32)
    together = demosaicked(mosaic.seen(pictures), mosaic, kinds)
    for index in range(3):
        alone = Mosaic(phases[:, index : index + 1], 32, 32)
        one = demosaicked(alone.seen(pictures[:1]), alone, kinds[index : index + 1])
        np.testing.assert_allclose(together[index], one[0], atol=1e-6)
    np.testing.assert_array_equal(mosaic.twice().red[3:], mosaic.red)


def test_smoothing_takes_noise_away_and_leaves_edges():
    edge = (torch.arange(64) >= 32).float().expand(1, 2, 64, 64)
    grain = 0.02 * torch.randn(edge.shape, generator=torch.Generator().manual_seed(0))
    noisy = edge + grain
    assert torch.equal(smoothed(noisy, every(0.0), every(0.05), (1, 2)), noisy)
    left = smoothed(noisy, every(1.0), every(0.08), (1, 2)) - edge
    assert float(left[..., 8:24].std()) < 0.4 * float(grain.std())
    beside_the_edge = left[..., 30:34].mean((0, 1, 2)).abs()
    assert float(beside_the_edge.max()) < 0.03
    even = torch.full((1, 1, 8, 8), 0.3)
    np.testing.assert_allclose(smoothed(even, every(1.0), every(0.1), (1, 2, 3)), even, atol=1e-6)


def test_blur_spreads_a_point_by_its_width():
    point = torch.zeros(2, 1, 15, 15)
    point[:, :, 7, 7] = 1
    spread = blurred(point, torch.tensor([0.7, 0.9]))
    offsets = np.arange(-7, 8)
    for one, width in zip(spread[:, 0].numpy(), (0.7, 0.9), strict=True):
        assert one.sum() == pytest.approx(1, abs=1e-5)
        assert (one.sum(0) * offsets**2).sum() == pytest.approx(width**2, rel=0.05)
        np.testing.assert_allclose(one, one.T, atol=1e-7)


@pytest.mark.parametrize(("soft", "kernel"), [(0.0, Image.Resampling.BICUBIC), (1.0, Image.Resampling.BILINEAR)])
@pytest.mark.parametrize("factor", [0.5, 1.25])
def test_another_size_is_that_of_pillow(soft, kernel, factor):
    row = np.asarray(Image.fromarray(samples.camera()).convert("F"))[200, 100:200]
    size = int(100 * factor)
    expected = np.asarray(Image.fromarray(np.tile(row, (8, 1))).resize((size, 8), kernel))[4]
    ours = (resampling(every(factor), every(soft), 100, size)[0] @ torch.from_numpy(row.copy())).numpy()
    np.testing.assert_allclose(ours[4:-4], expected[4:-4], atol=0.01)


def test_the_same_size_takes_the_middle():
    matrix = resampling(torch.tensor([1.0, 1.0]), torch.tensor([0.0, 1.0]), 21, 10)
    expected = torch.eye(21)[5:15].expand(2, -1, -1)
    np.testing.assert_allclose(matrix, expected, atol=1e-6)
