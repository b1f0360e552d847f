"""The useful operations of f, compared with a count of all pairs and with PyTorch's own count."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.utils.flop_counter import FlopCounterMode

from nerd_gui.benchmarks.flops import useful_flops, visible_pairs
from nerd_gui.nerd import NERD, NerdConfig


@settings(deadline=None, max_examples=40)
@given(st.integers(1, 9), st.integers(1, 9), st.integers(1, 12))
def test_pairs_equal_a_count_of_each(rows, cols, window):
    first = -(window // 2)
    seen = range(first, first + window)
    pixels = [(row, col) for row in range(rows) for col in range(cols)]
    count = sum(there[0] - row in seen and there[1] - col in seen for row, col in pixels for there in pixels)
    assert visible_pairs(rows, cols, window) == count


@pytest.fixture
def config():
    return NerdConfig(features=8, heads=2, expansion=3, window=5)


def counted(module, *inputs):
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        module(*inputs)
    return counter.get_total_flops()


def test_convolutions_and_projections_equal_pytorchs_count(config):
    net, u = NERD(config).fold(), torch.randn(1, 8, 6, 7)
    flops = useful_flops(config, 6, 7, 5)
    assert flops["convolutions"] == counted(net.transformation, u)
    pixels = torch.randn(42, 8)
    block = net.non_local
    projections = (block.theta, block.psi, block.g, block.out)
    assert flops["projections"] == sum(counted(linear, pixels) for linear in projections)


def test_attention_equals_pytorchs_count_where_every_pixel_sees_all(config):
    query, key, value = torch.randn(3, 2, 42, 4)  # heads, pixels, depth

    def attend():
        return torch.bmm(torch.bmm(query, key.transpose(1, 2)), value)

    assert useful_flops(config, 6, 7, 13)["attention"] == counted(attend)


def test_the_papers_network_on_256_pixels():
    """The figures that the design states: 155 GFLOP of convolutions, 124 of attention, 142 without clipping."""
    config = NerdConfig()
    flops = useful_flops(config, 256, 256, 65)
    assert [round(flops[part] / 1e9) for part in ("convolutions", "attention")] == [155, 124]
    assert round(4 * config.features * 256**2 * 65**2 / 1e9) == 142


def test_what_a_network_lacks_costs_nothing():
    lone = useful_flops(NerdConfig(non_local=False), 8, 8, 5)
    assert lone["projections"] == lone["attention"] == 0 < lone["convolutions"]
    assert useful_flops(NerdConfig(transformation=False), 8, 8, 5)["convolutions"] == 0
