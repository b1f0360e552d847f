"""The spread of attention and its rollout, compared with dense attention matrices."""

import itertools

import pytest
import torch
from equilibria import make_net, picture
from torch.utils._python_dispatch import TorchDispatchMode

from nerd_gui.analysis import rollout, spread
from nerd_gui.denoising.features import Features

SIDE = 12


def dense_attention(net, z, s, window):
    """Compute (heads, pixels, pixels): the softmax of Eq. 7 for each pixel separately."""
    block = net.non_local
    pixels = block.norm(s + z)[0].flatten(1).T
    places = torch.tensor(list(itertools.product(range(z.shape[2]), range(z.shape[3]))))
    offset = places[None] - places[:, None]
    first = -(window // 2)
    seen = ((offset >= first) & (offset < first + window)).all(-1)
    maps = []
    for theta, psi in zip(block.theta.weight.chunk(2), block.psi.weight.chunk(2), strict=True):
        scores = (pixels @ theta.T) @ (pixels @ psi.T).T / theta.shape[0] ** 0.5
        maps.append(scores.masked_fill(~seen, -torch.inf).softmax(-1))
    return torch.stack(maps), offset.square().sum(-1)


@pytest.fixture
def iterates(net, y):
    """s and z_0 ... z_3 of the plain iteration."""
    s = net.inject(y)
    found = [torch.zeros_like(s)]
    for _ in range(3):
        found.append(net.implicit(found[-1], s))
    return s, found


@pytest.mark.parametrize("window", [5, 4, 30])
def test_spread_is_that_of_the_dense_maps(net, iterates, window):
    s, zs = iterates
    found = spread(net, zs[3], s, window=window)
    maps, squared = dense_attention(net, zs[3], s, window)
    entropy = -(maps * maps.clamp_min(1e-300).log2()).sum(-1)
    radius = (maps * squared).sum(-1).sqrt()
    torch.testing.assert_close(found.entropy[0].flatten(1), entropy, rtol=0, atol=1e-9)
    torch.testing.assert_close(found.radius[0].flatten(1), radius, rtol=0, atol=1e-9)
    assert float(radius.std()) > 0.01, "pixels differ"
    one = spread(net, zs[3], s, [1], window=window)
    torch.testing.assert_close(one.radius[:, 0], found.radius[:, 1])


def test_rollout_is_the_row_of_the_product_of_dense_matrices(net, iterates):
    s, zs = iterates
    identity, dense = torch.eye(SIDE * SIDE, dtype=s.dtype), []
    for z in zs:
        dense.append((identity + dense_attention(net, z, s, 5)[0].mean(0)) / 2)
    features = [Features(z, s, net.attention_statistics(z, s)) for z in zs]
    for row, col in ((6, 7), (0, 11)):
        product, steps = identity, rollout(net, features[::-1], row, col)
        for matrix, found in zip(reversed(dense), steps, strict=True):
            product = product @ matrix
            expected = product[row * SIDE + col].view(1, SIDE, SIDE)
            torch.testing.assert_close(found.double(), expected, rtol=0, atol=1e-6)
        assert float(found.sum()) == pytest.approx(1, abs=1e-6)
        assert int((expected > 0).sum()) > 25, "it goes beyond one window"


def test_the_first_step_of_a_rollout_is_half_the_mean_of_the_clicked_maps(net, iterates):
    s, zs = iterates
    maps = net.attention_maps(zs[2], s, 6, 7)
    found = next(rollout(net, [Features(zs[2], s, net.attention_statistics(zs[2], s))], 6, 7))
    expected = torch.zeros(SIDE, SIDE)
    expected[6, 7] = 0.5
    expected[maps.top : maps.top + 5, maps.left : maps.left + 5] += maps.weights[0].mean(0) / 2
    torch.testing.assert_close(found[0].float(), expected, rtol=0, atol=1e-6)


def test_what_has_no_answer_is_said(net, iterates):
    s, zs = iterates
    lone = make_net(non_local=False)
    with pytest.raises(ValueError, match="non-local block"):
        spread(lone, zs[0], s)
    with pytest.raises(ValueError, match="outside"):
        next(rollout(net, [Features(zs[0], s, net.attention_statistics(zs[0], s))], 12, 0))


class _Largest(TorchDispatchMode):
    """Records the size of the largest tensor that any operation creates."""

    values = 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        made = function(*args, **(kwargs or {}))
        for each in made if isinstance(made, tuple | list) else [made]:
            if isinstance(each, torch.Tensor):
                self.values = max(self.values, each.numel())
        return made


def test_no_tensor_is_larger_than_the_features():
    net = make_net(dtype=torch.float32)
    s = net.inject(picture(rows=400, cols=380, dtype=torch.float32))
    z = net.implicit(torch.zeros_like(s), s)
    with _Largest() as watch:
        spread(net, z, s)
    assert watch.values <= z.numel()
