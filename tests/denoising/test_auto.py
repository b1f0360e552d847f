"""Auto's choice of a network, from catalogues of tiny networks whose records say what they were trained for."""

import numpy as np
import pytest
import torch

from nerd_gui.denoising import RunError, auto, choose
from nerd_gui.imaging import Photo
from nerd_gui.nerd import NERD, NerdConfig, save_model, weights

CAMERA = {"kind": "camera chain", "low": 0, "high": 45}
ANY, AT_25 = {"kind": "white", "low": 0, "high": 55}, {"kind": "white", "low": 25, "high": 25}
#: name: noise, channels, validation PSNR, and other properties of the model
KNOWN = {
    "grey": (ANY, 1, 29.0, {}),
    "grey-25": (AT_25, 1, 29.1, {}),
    "grey-25-ablation": (AT_25, 1, 29.2, {"post_normalization": False}),
    "grey-large": (ANY, 1, 29.3, {"features": 128}),
    "colour": (ANY, 3, 30.9, {}),
    "grey-photo": (CAMERA, 1, 33.1, {}),
    "colour-photo": (CAMERA, 3, 33.3, {}),
}


@pytest.fixture
def catalogue(tmp_path, monkeypatch):
    """Replace the program's own networks by these."""
    torch.manual_seed(0)
    monkeypatch.setattr(weights, "data_folder", lambda _: tmp_path)

    def make(*names, **changes):
        for name in names:
            noise, channels, psnr, model = KNOWN[name]
            described = {"features": 64, "post_normalization": True, "non_local": True, "transformation": True}
            record = {
                "recipe": {"noise": noise, "model": described | {"channels": channels} | model},
                "samples": 1000,
                "validation_psnr": psnr,
            }
            net = NERD(NerdConfig(channels=channels, features=8, heads=2, groups=2, window=3))
            save_model(tmp_path / f"{name}.safetensors", net, record | changes)

    return make


def photo(channels):
    return Photo(np.random.default_rng(0).random((channels, 40, 50), np.float32))


@pytest.mark.parametrize(
    ("channels", "adds_noise", "sigma", "chosen"),
    [
        (3, False, None, "colour-photo"),
        (1, False, None, "grey-photo"),
        (3, True, None, "colour"),
        (1, True, None, "grey"),
        (1, True, 25, "grey-25"),
        (3, True, 25, "colour"),
        (1, True, 24.9, "grey"),
        (1, True, 55, "grey"),
    ],
)
def test_photos_get_networks_for_photos_and_added_noise_those_for_it(catalogue, channels, adds_noise, sigma, chosen):
    catalogue(*KNOWN)
    choice = choose(photo(channels), adds_noise=adds_noise, device="cpu", sigma=sigma)
    assert choice.model == chosen
    assert chosen in choice.reason and choice.reason.endswith(".")
    assert ("exactly σ 25" in choice.reason) == (chosen == "grey-25")


def test_the_larger_network_is_for_accelerators(catalogue):
    catalogue("grey", "grey-large", "grey-25")
    assert choose(photo(1), adds_noise=True, device="cpu", sigma=30).model == "grey"
    assert choose(photo(1), adds_noise=True, device="cuda", sigma=30).model == "grey-large"


def test_a_network_for_one_level_must_be_better_there(catalogue):
    catalogue("grey", "colour")
    catalogue("grey-25", validation_psnr=28.9)
    choice = choose(photo(1), adds_noise=True, device="cpu", sigma=25)
    assert choice.model == "grey" and "any strength" in choice.reason


@pytest.mark.parametrize(
    ("there", "channels", "adds_noise", "sigma", "chosen", "reason"),
    [
        (["grey", "grey-photo", "colour"], 3, False, None, "grey-photo", "for colour photos is missing"),
        (["grey", "colour", "colour-photo"], 1, False, None, "colour-photo", "for grey photos is missing"),
        (["grey", "colour"], 3, False, None, "colour", "made for camera noise"),
        (["grey", "grey-photo"], 3, True, 30, "grey", "in colour photos is missing"),
        (["grey", "grey-photo"], 1, True, 70, "grey", "made for added noise of σ 70"),
        (["grey-photo"], 1, True, 25, "grey-photo", "made for added noise of σ 25"),
        (["grey-25-ablation"], 1, True, 25, "grey-25-ablation", "exactly σ 25"),
    ],
)
def test_where_the_right_network_is_missing_the_next_best_is_taken_and_said(
    catalogue, there, channels, adds_noise, sigma, chosen, reason
):
    catalogue(*there)
    choice = choose(photo(channels), adds_noise=adds_noise, device="cpu", sigma=sigma)
    assert choice.model == chosen
    assert reason in choice.reason and chosen in choice.reason


def test_random_weights_and_silent_files_are_never_chosen(catalogue, tmp_path, tiny_net):
    catalogue("grey", "colour-photo")
    catalogue("grey-photo", samples=0)
    save_model(tmp_path / "another-trainers.safetensors", tiny_net, {"epochs": 3})
    (tmp_path / "damaged.safetensors").write_bytes(b"no network")
    assert [one.name for one in auto.trained_networks()] == ["colour-photo", "grey"]
    assert choose(photo(1), adds_noise=False, device="cpu").model == "colour-photo"


def test_without_any_network_there_is_a_sentence(catalogue):
    catalogue()
    with pytest.raises(RunError, match=r"no trained network; reinstall"):
        choose(photo(1), adds_noise=True, device="cpu", sigma=25)


def test_the_networks_that_come_with_the_program():
    """Those that the cards recommend, and the one for σ 25 where its card has better figures."""
    grey, colour = photo(1), photo(3)
    assert choose(grey, adds_noise=False, device="cpu").model == "nerd-lite-photo"
    assert choose(colour, adds_noise=False, device="cpu").model == "nerd-lite-photo-colour"
    assert choose(grey, adds_noise=True, device="cpu", sigma=15).model == "nerd-lite"
    assert choose(grey, adds_noise=True, device="cpu", sigma=25).model == "nerd-lite-25"
    assert choose(colour, adds_noise=True, device="cpu", sigma=25).model == "nerd-lite-colour"
