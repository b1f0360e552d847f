import dataclasses

import composition
import pytest
import torch
from composition import scramble

from nerd_gui.nerd import NERD, NerdConfig

TINY = NerdConfig(features=8, heads=4, groups=4, window=5)

#: Small versions of the settings of Tables IV-VIII.
ABLATIONS = {
    "the paper's": {},
    "image as the equilibrium (Table IV)": {"equilibrium": "image"},
    "no post-normalization (Table V)": {"post_normalization": False},
    "1 head (Table VI)": {"heads": 1},
    "8 heads (Table VI)": {"heads": 8},
    "non-local block only (Table VII)": {"transformation": False},
    "non-local block only, no post-normalization": {"transformation": False, "post_normalization": False},
    "transformation block only (Table VII)": {"non_local": False},
    "q even (Table VIII)": {"window": 4},
    "q larger than the picture": {"window": 65},
    "no weight norm": {"weight_norm": False},
    "colour": {"channels": 3},
    "dropout": {"dropout": 0.3},
}


def make(dtype=torch.float64, seed=0, **changes):
    torch.manual_seed(seed)
    return scramble(NERD(dataclasses.replace(TINY, **changes))).to(dtype).eval()


def feature(net, *, batch=2, rows=7, cols=9, dtype=torch.float64, seed=1):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(batch, net.config.features, rows, cols, generator=generator, dtype=torch.float64).to(dtype)


def picture(net, *, batch=2, rows=7, cols=9, dtype=torch.float64, seed=2):
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(batch, net.config.channels, rows, cols, generator=generator, dtype=torch.float64).to(dtype)


def count(net):
    return sum(parameter.numel() for parameter in net.parameters())


@pytest.mark.parametrize(
    ("config", "expected"),
    [(NerdConfig(), 1_397_507), (NerdConfig(features=64, window=17), 350_595)],
    ids=["paper", "lite"],
)
def test_parameter_counts(config, expected):
    net = NERD(config)
    assert count(net) == expected + 5 * config.features  # weight norm: one length for each output of the convolutions
    assert net.fold() is net
    assert count(net) == expected


def test_folding_changes_nothing():
    net = make(torch.float32)
    with torch.no_grad():
        for name, value in net.named_parameters():
            if "original0" in name:
                value.mul_(1.7)  # otherwise dropping the lengths would not be noticed
        z, s, y = feature(net, dtype=torch.float32), feature(net, dtype=torch.float32, seed=3), picture(net)
        before = [net.inject(y.float()), net.implicit(z, s), net.decode(z)]
        net.fold()
        after = [net.inject(y.float()), net.implicit(z, s), net.decode(z)]
    for one, other in zip(before, after, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-6, atol=1e-6)
    assert not any("parametrizations" in name for name in net.state_dict())


@pytest.mark.parametrize("changes", ABLATIONS.values(), ids=ABLATIONS.keys())
def test_every_setting_is_what_its_equations_say(changes):
    net = make(**changes)
    y, z, s = picture(net), feature(net), feature(net, seed=3)
    torch.testing.assert_close(net.inject(y), composition.inject(net, y))
    expected, before = composition.implicit(net, z, s), (z.clone(), s.clone())
    torch.testing.assert_close(net.implicit(z, s), expected)
    with torch.no_grad():  # heads and groups one after another, in place
        torch.testing.assert_close(net.implicit(z, s), expected)
    assert torch.equal(z, before[0]) and torch.equal(s, before[1])
    for part in (z, z[..., :1, :], z[..., :2, :1]):
        torch.testing.assert_close(net.decode(part), composition.decode(net, part))
        with torch.no_grad():  # as one matrix product
            torch.testing.assert_close(net.decode(part), composition.decode(net, part))


@pytest.mark.parametrize("changes", ABLATIONS.values(), ids=ABLATIONS.keys())
def test_every_setting_learns(changes):
    net = make(torch.float32, **changes).train()
    y = picture(net, dtype=torch.float32)
    net.renew_dropout(len(y))
    s = net.inject(y)
    z = net.implicit(net.implicit(net.initial(s), s), s)
    x_hat, _ = net.estimate(y, z)
    x_hat.square().mean().backward()
    assert x_hat.shape == y.shape
    for name, parameter in net.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name
        assert parameter.grad.abs().max() > 0, name


@pytest.mark.parametrize("equilibrium", ["noise", "image"])
def test_estimate_keeps_to_the_papers_sign(equilibrium):
    net = make(equilibrium=equilibrium)
    y, z = picture(net), feature(net)
    x_hat, n_hat = net.estimate(y, z)
    decoded = composition.decode(net, z)
    torch.testing.assert_close(x_hat - n_hat, y)
    torch.testing.assert_close(n_hat if equilibrium == "noise" else x_hat, decoded)


def test_post_normalization_bounds_f():
    """After the last GN every group has mean 0 and variance 1 for any input (Table V)."""
    for post_normalization in (True, False):
        torch.manual_seed(0)
        net = NERD(dataclasses.replace(TINY, post_normalization=post_normalization)).double().eval()
        f_z = net.implicit(1e3 * feature(net), feature(net, seed=3)).unflatten(1, (4, 2)).flatten(2)
        normalised = torch.allclose(f_z.var(2, correction=0), torch.ones(1, dtype=f_z.dtype), atol=1e-2)
        assert normalised is post_normalization


def test_the_window_is_a_choice_of_inference():
    net = make()
    z, s = feature(net), feature(net, seed=3)
    own = net.implicit(z, s)
    for window in (1, 4, 9):
        found = net.implicit(z, s, window=window)
        torch.testing.assert_close(found, composition.implicit(net, z, s, window))
        assert not torch.allclose(found, own)
    assert torch.equal(net.implicit(z, s), own) and net.window == TINY.window
    for wrong in ({"window": 0}, {"precision": "float16"}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            net.implicit(z, s, **wrong)
    with pytest.raises(AttributeError):
        net.window = 4


def test_bfloat16_inside_f_is_near_and_comes_back_as_float32():
    net = make(torch.float32)
    z, s = feature(net, dtype=torch.float32), feature(net, dtype=torch.float32, seed=3)
    with torch.no_grad():
        exact = net.implicit(z, s)
        rough = net.implicit(z, s, precision="bfloat16")
    assert rough.dtype is torch.float32
    error = float((rough - exact).norm() / exact.norm())
    assert 1e-5 < error < 3e-2


def test_the_start_is_zero_and_at_least_float32():
    net = make(torch.float32)
    s = net.inject(picture(net, dtype=torch.float32))
    for start in (net.initial(s), net.initial(s.bfloat16())):
        assert start.dtype is torch.float32
        assert start.shape == s.shape
        assert not start.any()


def test_dropout_has_one_mask_for_a_whole_solve():
    net = make(dropout=0.4).train()
    z, s = feature(net), feature(net, seed=3)
    torch.manual_seed(0)
    net.renew_dropout(2)
    first, again = net.implicit(z, s), net.implicit(z, s)
    torch.testing.assert_close(first, again, rtol=0, atol=0)
    net.renew_dropout(2)
    assert not torch.allclose(net.implicit(z, s), first)
    torch.testing.assert_close(net.eval().implicit(z, s), composition.implicit(net, z, s))


def test_dropout_drops_whole_features_of_the_hidden_layer():
    net = make(features=64, dropout=0.25).train()
    seen = []
    net.transformation.conv_out.register_forward_pre_hook(lambda _, arguments: seen.append(arguments[0]))
    z, s = feature(net), feature(net, seed=3)
    torch.manual_seed(0)
    net.renew_dropout(2)
    net.implicit(z, s)
    net.eval().implicit(z, s)
    dropped, whole = (hidden.amax((2, 3)) for hidden in seen)  # after ReLU
    gone = (dropped == 0) & (whole > 0)
    assert 0.2 < float(gone.double().mean()) < 0.3
    assert not torch.equal(gone[0], gone[1])  # each sample has its own
    torch.testing.assert_close(seen[0][~gone], seen[1][~gone] / 0.75)


def test_a_picture_of_other_channels_is_refused():
    net = make()
    for shape in ((1, 3, 5, 5), (1, 5, 5)):
        with pytest.raises(ValueError, match="pictures of 1 channel"):
            net.inject(torch.zeros(shape, dtype=torch.float64))


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"features": 0}, "features must be"),
        ({"features": 10**9}, "features must be"),
        ({"features": 8.0}, "features must be"),
        ({"heads": 0}, "heads must be"),
        ({"heads": 3}, "cannot be split into 3 heads"),
        ({"groups": -4}, "groups must be"),
        ({"groups": 5}, "5 groups"),
        ({"expansion": 0}, "expansion must be"),
        ({"channels": True}, "channels must be"),
        ({"window": 0}, "window must be"),
        ({"window": float("inf")}, "window must be"),
        ({"equilibrium": "both"}, "'noise' or 'image'"),
        ({"non_local": False, "transformation": False}, "needs its non-local block"),
        ({"dropout": 1.0}, "dropout rate"),
        ({"dropout": float("nan")}, "dropout rate"),
    ],
)
def test_impossible_settings_are_refused(changes, sentence):
    with pytest.raises(ValueError, match=sentence):
        dataclasses.replace(TINY, **changes)
