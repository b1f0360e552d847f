"""A network as a folder for the Hugging Face Hub, read back by the Hub's own code."""

import json

import pytest
import torch
import yaml
from huggingface_hub import ModelCard, PyTorchModelHubMixin

from nerd_gui.cli import main
from nerd_gui.nerd import NERD, NerdConfig, load_model, save_model
from nerd_gui.places import data_folder


class HubNERD(NERD, PyTorchModelHubMixin):
    """The class in the exported README."""


@pytest.mark.parametrize("weight_norm", [False, True])
def test_the_hubs_mixin_loads_the_same_network(tmp_path, weight_norm, capsys):
    torch.manual_seed(0)
    config = NerdConfig(channels=3, features=8, heads=2, window=5, weight_norm=weight_norm, level_input=True)
    save_model(tmp_path / "mine.safetensors", NERD(config).eval(), {})
    folder = tmp_path / "hub"
    assert main(["export-hub", str(tmp_path / "mine.safetensors"), "-o", str(folder)]) == 0
    assert capsys.readouterr().out.split() == [
        str(folder / name) for name in ("model.safetensors", "config.json", "README.md")
    ]
    net = HubNERD.from_pretrained(folder).fold()
    ours = load_model(tmp_path / "mine.safetensors")
    y, level = torch.rand(1, 3, 12, 12), torch.tensor([20.0])
    with torch.no_grad():
        s = net.inject(y, level)
        assert torch.equal(s, ours.inject(y, level))
        assert torch.equal(net.implicit(s, s), ours.implicit(s, s))
    assert not net.training and net.window == 5
    assert torch.equal(load_model(folder / "model.safetensors").inject(y, level), s), "and the program loads it, too"


def test_the_card_says_what_the_hub_reads_and_nothing_leads_nowhere(tmp_path):
    assert main(["export-hub", "nerd-lite", "-o", str(tmp_path)]) == 0
    card = ModelCard.load(tmp_path / "README.md")
    assert yaml.safe_load((tmp_path / "README.md").read_text().split("---\n")[1])["license"] == "other"
    assert (card.data.license_link, card.data.library_name) == ("LICENSE", "nerd-gui")
    assert "denoising" in card.data.tags[0] and "## Licence and origin" in card.content
    assert (tmp_path / "LICENSE").read_text() == (data_folder("weights") / "LICENSE").read_text()
    for target in card.content.split("](")[1:]:
        place = target.split(")")[0]
        assert place.startswith("http") or (tmp_path / place).exists(), place
    assert json.loads((tmp_path / "config.json").read_text())["window"] == 17


def test_files_are_replaced_only_after_a_yes(tmp_path, capsys):
    (tmp_path / "README.md").write_text("mine")
    assert main(["export-hub", "nerd-lite", "-o", str(tmp_path)]) == 2
    assert (tmp_path / "README.md").read_text() == "mine" and "README.md" in capsys.readouterr().err
    assert main(["export-hub", "nerd-lite", "-o", str(tmp_path), "--overwrite"]) == 0
    assert (tmp_path / "README.md").read_text().startswith("---\n")
