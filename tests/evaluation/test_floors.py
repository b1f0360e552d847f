"""Every released network still reaches its measured floor; a different network in its file would not."""

import json

import pytest
import torch

from nerd_gui.evaluation.floors import floor
from nerd_gui.nerd import load_nerd, model_names, save_model, weights_sha256
from nerd_gui.places import data_folder

FLOORS = json.loads((data_folder("weights") / "floors.json").read_text())
WITHIN = 0.3  # dB


def holds(found, name):
    return found["psnr"] >= FLOORS[name]["psnr"] - WITHIN


@pytest.mark.parametrize("name", model_names())
def test_each_network_denoises_as_well_as_it_did(name):
    again = "after a release: python -m nerd_gui.evaluation.floors"
    assert name in FLOORS and FLOORS[name]["weights"] == weights_sha256(name), again
    found = floor(name)
    assert holds(found, name), found
    assert found["psnr"] > found["noisy"] + 3, "a picture that need not be denoised is no floor"


def test_no_floor_is_of_a_network_that_is_not_there():
    assert sorted(FLOORS) == model_names()


def test_noise_in_place_of_weights_falls_through(tmp_path):
    """This includes noise with the standard deviation of the weights, in only one of them."""
    path = tmp_path / "net.safetensors"
    for changed in ("", "transformation.conv_in"):
        net = load_nerd("nerd-lite-25")
        generator = torch.Generator().manual_seed(0)
        with torch.no_grad():
            for key, weight in net.named_parameters():
                if key.startswith(changed):
                    weight.copy_(weight.std(correction=0) * torch.randn(weight.shape, generator=generator))
        save_model(path, net, {"recipe": {"noise": {"low": 25, "high": 25}}})
        assert not holds(floor(path), "nerd-lite-25")
