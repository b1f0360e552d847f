"""A small network and a photo for the tests of the commands."""

import pytest
import torch
from command_line import make_photo

from nerd_gui.nerd import NERD, NerdConfig, save_model


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(autouse=True)
def own_folder(tmp_path, monkeypatch):
    """Run each test in a folder of its own: what the checkout's folder holds changes as other tests run."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def model(tmp_path):
    torch.manual_seed(0)
    path = tmp_path / "tiny.safetensors"
    save_model(path, NERD(NerdConfig(features=8, window=5)).eval(), {})
    return str(path)


@pytest.fixture
def photo(tmp_path):
    return make_photo(tmp_path / "photo.png")
