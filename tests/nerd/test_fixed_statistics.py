import composition
import pytest
import torch

from nerd_gui.nerd import NERD, NerdConfig
from nerd_gui.nerd.fixed_statistics import Counted, pooled_statistics, with_fixed_statistics, with_pooled_statistics

ABLATIONS = [{}, {"post_normalization": False}, {"non_local": False}, {"transformation": False}]


def make(**changes):
    torch.manual_seed(0)
    net = NERD(NerdConfig(features=16, heads=4, groups=4, window=5, **changes)).fold().eval()
    return composition.scramble(net).requires_grad_(False)


def features(batch, rows, cols):
    generator = torch.Generator().manual_seed(1)
    ramp = torch.linspace(-2, 3, cols)  # so that the statistics of parts differ from those of the whole
    return tuple(torch.randn(batch, 16, rows, cols, generator=generator) + ramp for _ in range(2))


@pytest.mark.parametrize("changes", ABLATIONS)
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_the_statistics_of_the_picture_held_fixed_give_the_same_f(changes, precision):
    net, (z, s) = make(**changes), features(1, 24, 28)
    pooled = with_pooled_statistics(net)
    expected, exact = net.implicit(z, s, precision=precision), net.implicit(z, s)
    tolerance = 1e-4 if precision == "float32" else 4 * float((expected - exact).abs().max())
    torch.testing.assert_close(pooled.implicit(z, s, precision=precision), expected, rtol=0, atol=tolerance)
    (statistics,) = pooled_statistics(pooled)
    fixed = with_fixed_statistics(net, statistics)
    torch.testing.assert_close(fixed.implicit(z, s, precision=precision), expected, rtol=0, atol=tolerance)


@pytest.mark.parametrize("changes", ABLATIONS)
def test_with_fixed_statistics_f_is_local(changes):
    net, (z, s) = make(**changes), features(1, 30, 40)
    pooled = with_pooled_statistics(net)
    pooled.implicit(z, s)
    fixed = with_fixed_statistics(net, pooled_statistics(pooled)[0])
    part = (..., slice(4, 26), slice(9, 33))
    reach = 2 + 2  # the reach of half the window and two convolutions
    inside = (..., slice(reach, -reach), slice(reach, -reach))
    whole, alone = fixed.implicit(z, s)[part][inside], fixed.implicit(z[part], s[part])[inside]
    torch.testing.assert_close(alone, whole, rtol=0, atol=1e-4)
    assert (net.implicit(z[part], s[part])[inside] - whole).abs().max() > 0.05  # GroupNorm alone does not do this


def test_parts_that_are_pooled_have_the_statistics_of_what_they_make_up():
    """Two pictures in two halves each; the margin around the counted pixels is not included."""
    net, (z, s) = make(non_local=False), features(2, 12, 20)
    pooled = with_pooled_statistics(net, 2, counted=[Counted(1, 1, 12, 10)] * 2)
    halves = [torch.nn.functional.pad(x, (1, 1, 1, 1), value=50.0) for x in (z, s)]
    batch = [torch.cat([x[..., :12], x[..., 10:]]) for x in halves]  # 10 columns of each, with a margin of 1
    pooled.implicit(*batch)
    for picture, found in enumerate(pooled_statistics(pooled)):
        u = (z + s)[picture].unflatten(0, (4, 4)).flatten(1)
        torch.testing.assert_close(found["transformation.norm_in"].mean[0], u.mean(1), rtol=1e-4, atol=1e-4)
        torch.testing.assert_close(
            found["transformation.norm_in"].variance[0], u.var(1, correction=0), rtol=1e-3, atol=1e-4
        )


def test_the_network_itself_stays_as_it_is():
    net, (z, s) = make(), features(1, 12, 12)
    before = net.implicit(z, s)
    pooled = with_pooled_statistics(net)
    pooled.implicit(z, s)
    with_fixed_statistics(net, pooled_statistics(pooled)[0])
    assert torch.equal(net.implicit(z, s), before)
