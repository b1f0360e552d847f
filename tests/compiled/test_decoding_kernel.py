"""The compiled decoding computes what PyTorch does: sizes, borders, threads, other processors, failures."""

import threading

import pytest
import torch

from nerd_gui.compiled import decoding_kernel, plain_path, status
from nerd_gui.compiled.decoding_kernel import Decoder, decoder_for
from nerd_gui.nerd.layers import Decoding

pytest.importorskip("llvmlite")
from nerd_gui.compiled import compiler
from nerd_gui.compiled.decoding_code import PART_COLS, PART_ROWS, PIXELS

pytestmark = pytest.mark.usefixtures("compiled_code")
FEATURES = 32


def decoding(channels=3, features=FEATURES):
    """A decoding in evaluation mode, with numbers that differ for each feature and channel."""
    torch.manual_seed(6)
    made = Decoding(channels, features).eval()
    with torch.no_grad():
        for values in (made.norm.weight, made.norm.bias, made.norm.running_mean, made.conv.bias):
            values.normal_()
        made.norm.running_var.uniform_(0.5, 2)
        made.conv.weight.normal_()
    return made


def features_of(*size, batch=1):
    z = torch.randn(batch, FEATURES, *size, generator=torch.Generator().manual_seed(7))
    return z.contiguous(memory_format=torch.channels_last)


def in_float64(made, z):
    """The same by PyTorch's operations in double precision."""
    with torch.no_grad():
        return made.double()(z.double())


@torch.no_grad()
def assert_right(made, z):
    found = made(z)
    assert found.dtype is torch.float32
    torch.testing.assert_close(found.double(), in_float64(made, z), atol=2e-5, rtol=1e-5)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(
    "size",
    [(1, PIXELS), (PART_ROWS, PART_COLS), (PART_ROWS + 1, PART_COLS + 1), (2 * PART_ROWS - 1, 2 * PART_COLS + 7)],
)
def test_every_pixel_of_pictures_of_any_size_is_right(channels, size):
    assert decoder_for(features_of(*size), channels) is not None
    assert_right(decoding(channels), features_of(*size, batch=2))


def test_other_memory_formats_are_read_rightly():
    assert_right(decoding(), features_of(9, 20).contiguous())
    assert_right(decoding(), features_of(20, 9).transpose(2, 3))
    assert_right(decoding(), features_of(20, 20)[:, :, 3:17, 2:13])


def test_where_there_is_no_compiled_code_pytorch_computes_it():
    assert decoder_for(features_of(9, PIXELS - 1), 3) is None
    assert decoder_for(features_of(9, 9).double(), 3) is None
    assert decoder_for(features_of(9, 9)[:, :5], 3) is None
    assert_right(decoding(), features_of(9, PIXELS - 1))
    assert_right(decoding(features=5), features_of(9, 9)[:, :5])
    assert status().compiled


def test_gradients_are_pytorchs_own():
    made, z = decoding(), features_of(6, 7).requires_grad_()
    (found,) = torch.autograd.grad(made(z).square().sum(), z)
    (truth,) = torch.autograd.grad(made.double()(z.double()).square().sum(), z)
    torch.testing.assert_close(found, truth, atol=1e-3, rtol=1e-4)


def test_in_training_the_norm_has_the_batchs_own_statistics():
    made, z = decoding().train(), features_of(6, 7)
    with torch.no_grad():
        assert made(z).std() == pytest.approx(float(made.double()(z.double()).std()), rel=1e-4)


def test_what_is_not_a_number_stays_so():
    z = features_of(9, 20)
    z[0, 3, 4, 5] = torch.nan
    with torch.no_grad():
        found = decoding()(z).isnan()
    assert found[0, :, 3:6, 4:7].all() and found.sum() == 3 * 9


def test_threads_share_the_work_and_change_nothing():
    made, z, before = decoding(), features_of(70, 150), torch.get_num_threads()
    try:
        results = []
        for count in (1, 3):
            torch.set_num_threads(count)
            with torch.no_grad():
                results.append(made(z))
    finally:
        torch.set_num_threads(before)
    assert torch.equal(*results)
    assert not any(thread.name.startswith("compiled") for thread in threading.enumerate())


@pytest.mark.parametrize("lanes", [4, 8, 16])
def test_the_code_for_other_registers_does_the_same(unasked, lanes):
    unasked.setattr(compiler, "registers", lambda: (lanes, 16))
    assert_right(decoding(), features_of(19, 70))


def test_code_that_computes_something_else_is_not_used(unasked):
    unasked.setattr(Decoder, "__call__", lambda self, z, *_: torch.zeros(len(z), 3, *z.shape[2:]))
    assert_right(decoding(), features_of(9, 20))
    assert "the decoded picture is off by" in status().reason


def test_the_plain_path_agrees():
    made, z = decoding(), features_of(20, 70)
    with torch.no_grad():
        found = made(z)
        with plain_path():
            assert decoding_kernel.decoder_for(z, 3) is None
            torch.testing.assert_close(made(z), found, atol=2e-5, rtol=1e-5)
