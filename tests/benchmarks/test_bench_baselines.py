"""The baselines of the benchmark do the same work as the program."""

import pytest
import torch

from nerd_gui import allocator
from nerd_gui.benchmarks.baselines import SOLVERS, non_local_means, sdpa_by_blocks
from nerd_gui.benchmarks.machine import convolutions, matrix_product, processor_name
from nerd_gui.benchmarks.peak import peak_of_solve, resident_peak
from nerd_gui.benchmarks.workload import SIGMA, Workload, find_network, pictures
from nerd_gui.imaging import open_sample, psnr
from nerd_gui.nerd import NERD, NerdConfig, save_model
from nerd_gui.nerd.attention import reference_attention


@pytest.mark.parametrize(("rows", "cols"), [(16, 24), (13, 9), (3, 5), (1, 1)])
@pytest.mark.parametrize("window", [1, 4, 7, 40])
@pytest.mark.parametrize("side", [4, 8])
def test_sdpa_by_blocks_is_exact(rows, cols, window, side):
    torch.manual_seed(0)
    query, key, value = torch.randn(3, 2, 3, rows, cols, 4)
    expected = reference_attention(query, key, value, window)
    torch.testing.assert_close(sdpa_by_blocks(query, key, value, window, side), expected, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("solver", SOLVERS)
def test_solvers_spend_one_evaluation_more_than_steps(solver):
    torch.manual_seed(0)
    weights = torch.randn(20, 20) / 20
    found = []

    def f(z):
        found.append(torch.tanh(z @ weights + 1))
        return found[-1]

    SOLVERS[solver](f, torch.zeros(1, 20), 12)
    assert len(found) == 13
    fixed = found[-1]
    torch.testing.assert_close(torch.tanh(fixed @ weights + 1), fixed, atol=1e-5, rtol=1e-5)


def test_non_local_means_denoises():
    clean, noisy = pictures(64)
    assert psnr(clean, non_local_means(noisy, SIGMA)) > psnr(clean, noisy) + 5


def test_pictures_of_any_size():
    whole = open_sample("camera").pixels[0]
    small, _ = pictures(40)
    assert (small == whole[236:276, 236:276]).all()
    large, noisy = pictures(600)
    assert large.shape == noisy.shape == (600, 600)
    assert (large[:512, :512] == whole).all()
    assert (large[512:, :512] == whole[:-89:-1]).all()
    assert abs((noisy - large).std() * 255 - SIGMA) < 0.2


def test_attention_is_measured_on_what_the_network_gives_it(tiny_model_path):
    work = Workload.of(str(tiny_model_path), 12, "cpu")
    block, u = work.net.non_local, work.s + work.z
    attended = reference_attention(*work.attention_inputs(), work.net.window)
    mixed = block.out(attended.permute(0, 2, 3, 1, 4).flatten(3)).permute(0, 3, 1, 2) + u
    torch.testing.assert_close(mixed, block(u, work.net.window, "float32"), atol=1e-5, rtol=1e-5)


def test_the_papers_network_is_made_up_alike_each_time_and_chance_goes_on():
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    (one, trained), (two, _) = (find_network("nerd", "cpu") for _ in range(2))
    assert torch.rand(1) == expected
    assert not trained
    assert sum(value.numel() for value in one.parameters()) == 1_397_507
    assert all(torch.equal(*pair) for pair in zip(one.parameters(), two.parameters(), strict=True))


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_ceilings_count_their_operations(precision):
    from torch.utils.flop_counter import FlopCounterMode

    for make in (convolutions, matrix_product):
        function, flops = make(8, 32, 10, precision, "cpu")
        with FlopCounterMode(display=False) as counter:
            out = function()
        assert counter.get_total_flops() == flops
        assert out.dtype == getattr(torch, precision)


def test_the_processor_has_a_name():
    assert processor_name()


def test_resident_peak_sees_what_is_freed_again():
    size = 64 << 20

    def work():
        held = torch.ones(size // 4)
        for _ in range(20):
            held.mul_(1)

    resident_peak(work)  # memory that the first call allocates permanently
    allocator.return_freed()  # other tests may have asked to keep it
    allocator.trim()
    assert 0.9 * size < resident_peak(work) < 1.3 * size


def test_peak_of_a_solve_holds_its_pairs(tiny_model_path):
    size, steps = 160, 9
    feature = 4 * 8 * size**2
    peak = peak_of_solve(str(tiny_model_path), size, "float32", "here", "cpu", steps)
    assert 2 * (steps - 1) * feature < peak < 300e6


def test_a_network_with_level_input_is_told_the_level_of_the_noise(tmp_path):
    net = NERD(NerdConfig(features=8, window=5, level_input=True)).eval()
    net.f_inject.level_in.data.fill_(1.0)
    save_model(tmp_path / "told.safetensors", net, {})
    work = Workload.of(str(tmp_path / "told.safetensors"), 16, "cpu")
    torch.testing.assert_close(work.s, net.inject(work.y, 25.0).detach())
