import composition
import pytest
import torch

from nerd_gui.nerd import NERD, GroupStatistics, NerdConfig

ROWS, COLS = 11, 14
#: Corners, borders, and the inside.
PIXELS = [(0, 0), (0, COLS - 1), (ROWS - 1, 0), (ROWS - 1, COLS - 1), (0, 6), (5, 0), (ROWS - 1, 7), (5, 7), (4, 2)]


@pytest.fixture
def net():
    torch.manual_seed(0)
    net = NERD(NerdConfig(features=16, heads=4, groups=4, window=5)).fold().eval()
    return composition.scramble(net).requires_grad_(False)


@pytest.fixture
def features():
    """z and s, a batch of two."""
    generator = torch.Generator().manual_seed(0)
    return tuple(torch.randn(2, 16, ROWS, COLS, generator=generator) for _ in range(2))


def whole_picture_maps(maps):
    """The maps of a picture that is black elsewhere."""
    batch, heads, rows, cols = maps.weights.shape
    whole = torch.zeros(batch, heads, ROWS, COLS)
    whole[:, :, maps.top : maps.top + rows, maps.left : maps.left + cols] = maps.weights
    return whole


@pytest.mark.parametrize("window", [1, 4, 5, 9, 65])
@pytest.mark.parametrize("pixel", PIXELS, ids=str)
def test_maps_are_the_rows_of_the_softmax(net, features, pixel, window):
    z, s = features
    maps = net.attention_maps(z, s, *pixel, window=window)
    truth = composition.softmax_rows(net, s + z, window).unflatten(3, (ROWS, COLS)).unflatten(2, (ROWS, COLS))
    row, col = pixel
    torch.testing.assert_close(whole_picture_maps(maps), truth[:, :, row, col], rtol=1e-4, atol=1e-6)
    torch.testing.assert_close(maps.weights.sum((2, 3)), torch.ones(2, 4))
    assert (maps.row, maps.col) == pixel
    assert max(maps.weights.shape[2:]) <= window


def test_the_networks_own_window_is_the_default(net, features):
    torch.testing.assert_close(
        net.attention_maps(*features, 5, 7).weights, net.attention_maps(*features, 5, 7, window=5).weights
    )


@pytest.mark.parametrize("pixel", PIXELS[:6], ids=str)
def test_half_precision_and_kept_statistics_will_do(net, features, pixel):
    z, s = features
    exact = net.attention_maps(z, s, *pixel)
    kept = net.attention_statistics(z, s)
    rough = net.attention_maps(z.half(), s.half(), *pixel, statistics=kept)
    torch.testing.assert_close(rough.weights, exact.weights, rtol=2e-2, atol=1e-4)


def test_statistics_are_those_of_the_whole_picture(net, features):
    """With given statistics, the map of a pixel does not depend on the rest of the picture."""
    z, s = features
    kept = net.attention_statistics(z, s)
    grouped = (s + z).unflatten(1, (4, 4)).flatten(2)
    torch.testing.assert_close(kept.mean, grouped.mean(2))
    torch.testing.assert_close(kept.variance, grouped.var(2, correction=0))
    blank = z.clone()
    blank[:, :, 6:] = torch.nan
    torch.testing.assert_close(
        net.attention_maps(blank, s, 3, 3, statistics=kept).weights, net.attention_maps(z, s, 3, 3).weights
    )


def test_statistics_stand_in_for_group_norm(net, features):
    u = sum(features)
    part = GroupStatistics.of(u, 4).normalise(u[:, :, 2:5, 3:9], net.non_local.norm)
    torch.testing.assert_close(part, net.non_local.norm(u)[:, :, 2:5, 3:9], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("pixel", [(-1, 0), (0, -1), (ROWS, 0), (0, COLS)], ids=str)
def test_a_pixel_outside_is_refused(net, features, pixel):
    with pytest.raises(ValueError, match=f"outside the picture of {ROWS} x {COLS}"):
        net.attention_maps(*features, *pixel)


def test_a_network_without_attention_says_so(features):
    net = NERD(NerdConfig(features=16, non_local=False))
    with pytest.raises(ValueError, match="without the non-local block"):
        net.attention_maps(*features, 0, 0)
