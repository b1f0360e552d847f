"""The paths for accelerators, as far as they can be tested on a processor: geometry, masks, gradients, fallback.

FlexAttention has no gradient on a processor. There, a masked softmax in float64 replaces its kernel, and uses the
same mask function.
"""

import pytest
import torch
import torch.nn.functional as F
from torch.nn.attention import flex_attention as flex

from nerd_gui.nerd import NERD, NerdConfig
from nerd_gui.nerd.attention import attention_path, dispatch, fused, neighbourhood_attention, reference_attention
from nerd_gui.nerd.attention.fused import block_mask, flex_unavailable, sees_all

#: (B, heads, rows, cols): of whole blocks, of partly filled blocks, and narrower than a block.
SHAPES = [(1, 2, 16, 32), (2, 1, 9, 19), (1, 1, 3, 40)]


def kernel_by_hand(query, key, value, mask):
    place = torch.arange(query.shape[2])
    allowed = mask.mask_mod(0, 0, place[:, None], place[None, :])
    return F.scaled_dot_product_attention(query, key, value, attn_mask=allowed)


def values_and_gradients(attend, tensors):
    leaves = [tensor.clone().requires_grad_() for tensor in tensors]
    out = attend(*leaves)
    direction = torch.linspace(-1, 1, out.numel(), dtype=out.dtype).view(out.shape)
    return [out.detach(), *torch.autograd.grad(out, leaves, direction)]


@pytest.mark.parametrize("path", ["dense", "flex"])
@pytest.mark.parametrize("window", [1, 4, 9, 65])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_values_and_gradients_are_those_of_the_formula(monkeypatch, shape, window, path):
    monkeypatch.setattr(fused, "_attend", kernel_by_hand)
    generator = torch.Generator().manual_seed(0)
    tensors = [torch.randn(*shape, d, dtype=torch.float64, generator=generator) for d in (4, 4, 3)]
    truth = values_and_gradients(lambda *qkv: reference_attention(*qkv, window), tensors)
    found = values_and_gradients(lambda *qkv: neighbourhood_attention(*qkv, window, path=path), tensors)
    for one, other in zip(found, truth, strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=1e-12)


@pytest.mark.filterwarnings("ignore:.*flex_attention called without torch.compile:UserWarning")
def test_flex_attention_itself_uncompiled(monkeypatch):
    monkeypatch.setattr(fused, "_compiled", lambda: flex.flex_attention)
    tensors = torch.randn(3, 1, 2, 20, 37, 16, generator=torch.Generator().manual_seed(0))
    found = neighbourhood_attention(*tensors, 9, path="flex")
    torch.testing.assert_close(found, reference_attention(*tensors, 9), rtol=0, atol=1e-5)


@pytest.mark.parametrize(("rows", "cols", "window"), [(32, 48, 17), (40, 33, 65), (11, 70, 6)])
def test_the_blocks_are_those_that_the_mask_demands(rows, cols, window):
    """Compared with PyTorch's own search through all pairs of pixels."""
    mask = block_mask(rows, cols, window, "cpu")
    pixels = mask.seq_lengths[0]
    truth = flex.create_block_mask(mask.mask_mod, None, None, pixels, pixels, device="cpu")
    for kind in ("kv", "full_kv", "q", "full_q"):
        counts, blocks = (getattr(mask, f"{kind}_{name}") for name in ("num_blocks", "indices"))
        true_counts, true_blocks = (getattr(truth, f"{kind}_{name}") for name in ("num_blocks", "indices"))
        assert torch.equal(counts, true_counts), kind
        for row, count in enumerate(counts[0, 0].tolist()):
            assert set(blocks[0, 0, row, :count].tolist()) == set(true_blocks[0, 0, row, :count].tolist()), kind


def test_a_whole_picture_costs_few_blocks_more_than_are_seen():
    """At 256 x 256 and q = 65, the blocks hold at most 1.4 times the pairs within windows, of 2^32 in total."""
    mask = block_mask(256, 256, 65, "cpu")
    computed = int(mask.kv_num_blocks.sum() + mask.full_kv_num_blocks.sum()) * 128 * 128
    seen = sum(min(at + 32, 255) - max(at - 32, 0) + 1 for at in range(256)) ** 2
    assert seen < computed < 1.4 * seen


def test_where_everything_is_seen_no_mask_is_needed():
    assert sees_all(33, 33, 65) and not sees_all(34, 33, 65) and not sees_all(33, 33, 64)


def test_masks_are_kept_and_the_oldest_go():
    first = block_mask(8, 16, 3, "cpu")
    assert block_mask(8, 16, 3, "cpu") is first
    for window in range(5, 30):
        block_mask(8, 16, window, "cpu")
    assert block_mask(8, 16, 3, "cpu") is not first


def test_what_does_not_work_is_announced_and_the_blocks_take_over(monkeypatch):
    assert flex_unavailable("mps") and flex_unavailable("cuda")  # not available here
    monkeypatch.setattr(dispatch, "flex_unavailable", lambda device: "it is off by 3")
    dispatch._tell.cache_clear()
    with pytest.warns(RuntimeWarning, match="slower than usual here: it is off by 3"):
        assert attention_path("cuda:0") == "blocks"
    monkeypatch.setattr(dispatch, "flex_unavailable", lambda device: None)
    assert attention_path("cuda") == "flex"
    assert attention_path("cuda", pixels=32 * 32) == "dense"
    assert attention_path("cuda", torch.float64) == attention_path("mps") == "blocks"
    with pytest.raises(ValueError, match="path of the attention"):
        neighbourhood_attention(*torch.zeros(3, 1, 1, 2, 2, 1), 3, path="other")


def test_the_path_of_a_network_can_be_chosen():
    torch.manual_seed(0)
    net = NERD(NerdConfig(features=8, window=5))
    s, z = torch.randn(2, 1, 8, 9, 12)
    truth = net.implicit(z, s)
    for path in ("blocks", "dense"):
        net.non_local.path = path
        torch.testing.assert_close(net.implicit(z, s), truth)
        with torch.no_grad():
            torch.testing.assert_close(net.eval().implicit(z, s), truth)
