"""The compiled attention: the code for other processors, threads, and Stop.

That its values and gradients are right on this processor is tested with the other paths in `tests/nerd`.
"""

import threading

import pytest
import torch

from nerd_gui.compiled import attention_kernel
from nerd_gui.compiled.attention_shape import Shape
from nerd_gui.nerd.attention import neighbourhood_attention, reference_attention
from nerd_gui.nerd.attention.compiled import compiled_attention

pytest.importorskip("llvmlite")
from nerd_gui.compiled import compiler, vector_code

pytestmark = pytest.mark.usefixtures("compiled_code")


def inputs(shape=(2, 2, 13, 22), depth=8, value_depth=6, dtype=torch.float32):
    generator = torch.Generator().manual_seed(3)
    return [torch.randn(*shape, d, generator=generator).to(dtype) for d in (depth, depth, value_depth)]


def test_a_window_of_thousands_of_pixels_rounds_no_more_than_its_rows_do():
    """Summed in one pass, 65 x 65 nearly equal weights would lose one more digit."""
    generator = torch.Generator().manual_seed(5)
    query, key, value = (torch.randn(1, 1, 70, 75, 16, generator=generator) for _ in range(3))
    value = 10 * value + 10
    found = compiled_attention(0.3 * query, key, value, 65)
    truth = neighbourhood_attention(0.3 * query.double(), key.double(), value.double(), 65)
    assert (found - truth).abs().max() < 1e-6 * truth.abs().max()


def test_it_passes_its_check_inside_of_autocast_too(unasked):
    with torch.autocast("cpu", dtype=torch.bfloat16), torch.no_grad():
        found = compiled_attention(*inputs(), 7)
    torch.testing.assert_close(found, reference_attention(*inputs(), 7), atol=2e-6, rtol=1e-5)


@pytest.mark.parametrize(("lanes", "vectors", "passing"), [(8, 2, 4), (16, 1, 8), (4, 2, 2)])
def test_the_code_for_other_registers_does_the_same(unasked, lanes, vectors, passing):
    unasked.setattr(
        attention_kernel,
        "Shape",
        lambda d_k, d_v, **_: Shape(d_k, d_v, lanes=lanes, vectors=vectors, passing=passing),
    )
    tensors = [tensor.requires_grad_() for tensor in inputs()]
    direction = torch.randn(2, 2, 13, 22, 6, generator=torch.Generator().manual_seed(4))
    truth = reference_attention(*tensors, 7)
    found = compiled_attention(*tensors, 7)
    torch.testing.assert_close(found, truth, atol=2e-6, rtol=1e-5)
    gradients = torch.autograd.grad(found, tensors, direction)
    for one, other in zip(gradients, torch.autograd.grad(truth, tensors, direction), strict=True):
        torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-4)


def test_threads_share_the_work_and_change_nothing():
    tensors = inputs((1, 3, 40, 30))
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        alone, workers = compiled_attention(*tensors, 9), []
        torch.set_num_threads(3)
        together = compiled_attention(*tensors, 9, lambda: workers.append(threading.get_ident()))
    finally:
        torch.set_num_threads(before)
    assert torch.equal(alone, together)
    assert len(workers) == 30  # each row of blocks of each plane, once
    assert not any(thread.name.startswith("compiled") for thread in threading.enumerate())


def test_what_the_interrupt_raises_ends_it():
    class Enough(Exception):
        pass

    calls = []

    def interrupt():
        calls.append(None)
        if len(calls) > 3:
            raise Enough

    with pytest.raises(Enough):
        compiled_attention(*inputs((4, 8, 64, 8)), 5, interrupt)
    assert len(calls) < 20


def test_a_second_derivative_is_that_of_the_reference():
    results = []
    for attend in (compiled_attention, reference_attention):
        tensors = [tensor.requires_grad_() for tensor in inputs((1, 1, 5, 6), depth=3, value_depth=2)]
        first = torch.autograd.grad(attend(*tensors, 3).square().sum(), tensors, create_graph=True)
        results.append(torch.autograd.grad(sum(one.square().sum() for one in first), tensors))
    for one, other in zip(*results, strict=True):
        torch.testing.assert_close(one, other, atol=1e-4, rtol=1e-4)


def test_half_precision_inputs_give_their_own_type_back():
    tensors = inputs(dtype=torch.bfloat16)
    found = neighbourhood_attention(*tensors, 5, "bfloat16")
    truth = reference_attention(*(tensor.double() for tensor in tensors), 5)
    assert found.dtype is torch.bfloat16
    torch.testing.assert_close(found.double(), truth, atol=2e-2, rtol=1e-2)


needs_pairs = pytest.mark.skipif(
    not compiler.multiplies_pairs(), reason="this processor does not multiply pairs of bfloat16"
)


@needs_pairs
@pytest.mark.parametrize(("size", "window"), [((13, 22), 7), ((11, 21), 8), ((4, 37), 33), ((9, 1), 5)])
def test_pairs_of_bfloat16_do_the_same_to_their_precision(size, window):
    tensors = inputs((2, 3, *size), dtype=torch.bfloat16)
    found = compiled_attention(*tensors, window, precision="bfloat16")
    truth = reference_attention(*(tensor.double() for tensor in tensors), window)
    assert not torch.equal(found, compiled_attention(*tensors, window))  # the paths that were used
    torch.testing.assert_close(found.double(), truth, atol=1.5e-2, rtol=1e-2)
    assert abs(float((found - truth).mean())) < 1e-4  # rounding has no bias


@needs_pairs
def test_where_a_gradient_is_asked_for_no_pairs_are_used():
    tensors = [tensor.requires_grad_() for tensor in inputs()]
    torch.testing.assert_close(
        compiled_attention(*tensors, 7, precision="bfloat16"), reference_attention(*tensors, 7), atol=2e-6, rtol=1e-5
    )


def test_what_lies_behind_the_window_is_not_even_looked_at():
    query, key, value = inputs((1, 1, 3, 40), depth=4, value_depth=4)
    value[..., 25:, :] = 1e30
    assert neighbourhood_attention(query, key, value, 9)[..., :21, :].abs().max() < 1e3


def test_the_code_for_processors_without_the_newest_instructions_does_the_same(unasked):
    unasked.setattr(vector_code, "has", lambda _: False)
    tensors = inputs()
    torch.testing.assert_close(compiled_attention(*tensors, 7), reference_attention(*tensors, 7), atol=2e-6, rtol=1e-5)
