import itertools

import pytest
import torch

from nerd_gui.nerd.attention import blocks, neighbourhood_attention, reference_attention
from nerd_gui.nerd.attention.blocks import attention_by_blocks

#: (B, heads, rows, cols): odd sizes, a batch, sizes below and above the windows, pictures one pixel wide or high.
SHAPES = [(2, 2, 9, 13), (1, 1, 5, 4), (1, 3, 23, 1), (1, 3, 1, 19), (2, 1, 1, 1), (1, 1, 67, 3)]


def naive_pixel(query, key, value, window, row, col):
    """Compute Eq. 7 and 8 for one pixel, (B, heads, d_v), in the type of the arguments."""
    before, after = window // 2, (window - 1) // 2
    down = slice(max(row - before, 0), row + after + 1)
    across = slice(max(col - before, 0), col + after + 1)
    keys, values = key[:, :, down, across].flatten(2, 3), value[:, :, down, across].flatten(2, 3)
    exponentials = torch.exp((query[:, :, row, col, None] * keys).sum(-1) / query.shape[-1] ** 0.5)
    weights = exponentials / exponentials.sum(-1, keepdim=True)
    return (weights[..., None] * values).sum(2)


def naive(query, key, value, window):
    """Do the same for all pixels; differentiable."""
    rows, cols = query.shape[2:4]
    pixels = [naive_pixel(query, key, value, window, row, col) for row in range(rows) for col in range(cols)]
    return torch.stack(pixels, dim=2).unflatten(2, (rows, cols))


def inputs(shape, depth=4, value_depth=4, dtype=torch.float64, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return [
        torch.randn(*shape, d, generator=generator, dtype=torch.float64).to(dtype) for d in (depth, depth, value_depth)
    ]


def relative_error(found, truth):
    return float((found.double() - truth).abs().max() / truth.abs().max())


def values_and_gradients(attend, tensors, direction):
    leaves = [tensor.detach().clone().requires_grad_() for tensor in tensors]
    out = attend(*leaves)
    return [out.detach(), *torch.autograd.grad(out, leaves, direction.to(out.dtype))]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("window", [1, 2, 3, 8, 9, 33, 65])
def test_values_and_gradients_are_those_of_a_naive_loop(shape, window):
    truth_inputs = inputs(shape, depth=4, value_depth=3)
    direction = torch.randn(*shape, 3, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    truth = values_and_gradients(lambda q, k, v: naive(q, k, v, window), truth_inputs, direction)
    assert relative_error(reference_attention(*truth_inputs, window), truth[0]) < 1e-12
    for attend, dtype, tolerance in (
        (neighbourhood_attention, torch.float32, 1e-5),
        (neighbourhood_attention, torch.float64, 1e-12),
        (attention_by_blocks, torch.float32, 1e-5),
    ):
        tensors = [tensor.to(dtype) for tensor in truth_inputs]
        found = values_and_gradients(lambda q, k, v, attend=attend: attend(q, k, v, window), tensors, direction)
        for name, one, other in zip(("value", "d query", "d key", "d value"), found, truth, strict=True):
            assert one.dtype is dtype
            # With a single key the weights are constant: the true gradient of query and key is zero, computed as the
            # difference of two numbers of size 1.
            scale = max(float(other.abs().max()), 1e-1)
            error = float((one.double() - other).abs().max()) / scale
            assert error < tolerance, (name, dtype, error)


@pytest.mark.parametrize("window", [33, 65])
def test_pictures_larger_than_the_window(window):
    tensors = inputs((1, 2, 95, 101))
    found = neighbourhood_attention(*(tensor.float() for tensor in tensors), window)
    for row, col in itertools.product((0, 7, 8, 30, 47, 64, 94), (0, 15, 16, 33, 50, 70, 100)):
        truth = naive_pixel(*tensors, window, row, col)
        assert relative_error(found[:, :, row, col], truth) < 1e-5, (row, col)


@pytest.mark.parametrize(("window", "first", "last"), [(1, 0, 0), (2, -1, 0), (8, -4, 3), (9, -4, 4), (65, -32, 32)])
def test_a_window_reaches_from_minus_half_of_it(window, first, last):
    """With equal scores a query gets the mean over its window, so a single bright key shows which queries see it."""
    size = 81
    score = torch.zeros(1, 1, 1, size, 1)
    value = torch.zeros(1, 1, 1, size, 1)
    bright = size // 2
    value[..., bright, :] = 1
    seen_by = neighbourhood_attention(score, score, value, window)[0, 0, 0, :, 0].nonzero().flatten()
    assert seen_by.tolist() == list(range(bright - last, bright - first + 1))


def test_border_pixels_see_what_lies_inside_and_no_padding():
    value = torch.full((1, 1, 9, 9, 1), 5.0)
    score = torch.zeros(1, 1, 9, 9, 1)
    torch.testing.assert_close(neighbourhood_attention(score, score, value, 7), value)


@pytest.mark.parametrize("window", [9, 16])
@pytest.mark.parametrize("shape", [(2, 2, 13, 17), (1, 4, 20, 20)], ids=str)
def test_bfloat16_is_near(window, shape):
    tensors = inputs(shape, depth=8, value_depth=8)
    direction = torch.randn(*shape, 8, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    truth = values_and_gradients(lambda q, k, v: reference_attention(q, k, v, window), tensors, direction)
    for attend in (
        lambda q, k, v: neighbourhood_attention(q, k, v, window, "bfloat16"),
        lambda q, k, v: attention_by_blocks(q.bfloat16(), k.bfloat16(), v.bfloat16(), window).float(),
    ):
        found = values_and_gradients(attend, [t.float() for t in tensors], direction)
        assert all(one.dtype is torch.float32 for one in found)
        assert max(relative_error(one, other) for one, other in zip(found, truth, strict=True)) < 2e-2


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_the_number_of_blocks_in_a_call_does_not_matter(monkeypatch, dtype):
    tensors = inputs((2, 2, 37, 41), dtype=dtype)
    direction = torch.ones(2, 2, 37, 41, 4)
    results = []
    for elements in (1, 1 << 40):
        monkeypatch.setitem(blocks._CALL_ELEMENTS, "cpu", elements)
        results.append(values_and_gradients(lambda q, k, v: attention_by_blocks(q, k, v, 9), tensors, direction))
    for one, other in zip(*results, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-5 if dtype is torch.float32 else 2e-2, atol=1e-5)


@pytest.mark.parametrize("grad", [False, True], ids=["value", "gradient"])
def test_the_plain_path_can_be_interrupted_between_its_calls(monkeypatch, grad):
    monkeypatch.setitem(blocks._CALL_ELEMENTS, "cpu", 1)
    calls = []

    class Enough(Exception):
        pass

    def interrupt():
        calls.append(None)
        if len(calls) == limit:
            raise Enough

    tensors = [tensor.requires_grad_(grad) for tensor in inputs((1, 1, 24, 24), dtype=torch.float32)]
    limit = 0
    out = attention_by_blocks(*tensors, 5, interrupt)
    assert len(calls) == 9  # blocks of 8 x 8
    limit = 9 + 4
    with pytest.raises(Enough):
        out.sum().backward() if grad else attention_by_blocks(*tensors, 5, interrupt)
    assert len(calls) == limit


def test_large_scores_do_not_overflow():
    query, key, value = inputs((1, 1, 9, 9), dtype=torch.float32)
    assert neighbourhood_attention(1e4 * query, 1e4 * key, value, 5).isfinite().all()


def test_memory_layout_does_not_matter():
    tensors = inputs((2, 3, 11, 9), dtype=torch.float32)
    turned = [tensor.permute(4, 0, 3, 1, 2).contiguous().permute(1, 3, 4, 2, 0) for tensor in tensors]
    assert not any(tensor.is_contiguous() for tensor in turned)
    torch.testing.assert_close(neighbourhood_attention(*turned, 5), neighbourhood_attention(*tensors, 5))


def test_it_is_twice_differentiable():
    tensors = [tensor.requires_grad_() for tensor in inputs((1, 1, 2, 3), depth=2, value_depth=1)]
    assert torch.autograd.gradgradcheck(lambda q, k, v: neighbourhood_attention(q, k, v, 3), tensors)


def test_bad_arguments_are_refused():
    query, key, value = inputs((1, 2, 5, 5), dtype=torch.float32)
    for window in (0, -3, 2.5):
        with pytest.raises(ValueError, match="window must be a whole number of at least 1 pixel"):
            neighbourhood_attention(query, key, value, window)
    with pytest.raises(ValueError, match="precision"):
        neighbourhood_attention(query, key, value, 3, "float16")
    for wrong in ((query[:, :1], key, value), (query, key, value[:, :, 1:]), (query[0], key[0], value[0])):
        with pytest.raises(ValueError, match="equal leading sizes"):
            neighbourhood_attention(*wrong, 3)
