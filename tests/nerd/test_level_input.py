"""A network with the noise level as an input."""

import dataclasses

import composition
import pytest
import torch
import torch.nn.functional as F

from nerd_gui.nerd import NERD, NerdConfig, load_model, save_model

TOLD = NerdConfig(channels=3, features=8, heads=4, groups=4, window=5, level_input=True)


def make(config=TOLD, dtype=torch.float64):
    torch.manual_seed(0)
    net = composition.scramble(NERD(config).to(dtype)).eval()
    if config.level_input:
        with torch.no_grad():
            net.f_inject.level_in.copy_(torch.linspace(-1, 1, 8, dtype=dtype)[:, None, None])
    return net


def picture(count=2, dtype=torch.float64):
    return torch.rand(count, 3, 6, 7, generator=torch.Generator().manual_seed(1), dtype=dtype)


def written_out(net, y, level):
    """Eq. 2 with level: BN of the picture, convolution, plus a tenth of the level times a weight per feature, …."""
    block = net.f_inject
    hidden = F.conv2d(composition.batch_norm(y, block.norm_in), block.conv_in.weight, block.conv_in.bias, padding=1)
    hidden = F.relu(hidden + block.level_in * level / 10)
    return F.conv2d(
        composition.batch_norm(hidden, block.norm_out), block.conv_out.weight, block.conv_out.bias, padding=1
    )


def test_the_level_enters_the_first_convolution():
    net, y = make(), picture()
    of_each = torch.tensor([5.0, 30.0], dtype=y.dtype)
    of_pixels = 40 * torch.rand(2, 1, 6, 7, generator=torch.Generator().manual_seed(2), dtype=y.dtype)
    torch.testing.assert_close(net.inject(y, 12), written_out(net, y, 12))
    torch.testing.assert_close(net.inject(y, of_each), written_out(net, y, of_each[:, None, None, None]))
    torch.testing.assert_close(net.inject(y, of_pixels), written_out(net, y, of_pixels))
    assert not torch.equal(net.inject(y, 12), net.inject(y, 13))


def test_with_weights_of_zero_it_is_the_network_without_to_the_bit():
    blind = make(dataclasses.replace(TOLD, level_input=False), torch.float32)
    told = NERD(TOLD).eval()
    missing = told.load_state_dict(blind.state_dict(), strict=False)
    assert missing.missing_keys == ["f_inject.level_in"] and not missing.unexpected_keys
    y = picture(dtype=torch.float32)
    assert torch.equal(told.inject(y, 33.0), blind.inject(y))


def test_who_must_be_told_says_so_and_who_need_not_be_too():
    with pytest.raises(ValueError, match="needs the noise level"):
        make().inject(picture())
    with pytest.raises(ValueError, match="call it without a level"):
        make(dataclasses.replace(TOLD, level_input=False)).inject(picture(), 10.0)
    for shape in ((3,), (2, 1, 6, 6), (2, 3, 6, 7), (1, 1)):
        with pytest.raises(ValueError, match=r"a number, \(B,\) or \(B, 1, rows, cols\)"):
            make().inject(picture(), torch.zeros(shape))
    with pytest.raises(ValueError, match="level_input must be true or false"):
        dataclasses.replace(TOLD, level_input=1)


def test_a_file_keeps_it(tmp_path):
    net, y = make(dtype=torch.float32).fold(), picture(dtype=torch.float32)
    save_model(tmp_path / "told.safetensors", net, {})
    again = load_model(tmp_path / "told.safetensors")
    assert again.config.level_input
    assert torch.equal(again.inject(y, 7.0), net.inject(y, 7.0))
