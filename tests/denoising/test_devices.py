import importlib

import pytest
import torch
from tiny_runs import make_net, make_photo

from nerd_gui.denoising import (
    DenoisingRun,
    RunError,
    RunSettings,
    Subject,
    check_device,
    default_device,
    default_model,
    devices,
    fast_precision,
)

MODULE = importlib.import_module("nerd_gui.denoising.devices")  # its name in the package is also that of the function


@pytest.mark.parametrize("device", ["tpu", "cuda:99", ""])
def test_a_missing_device_is_a_sentence(device):
    with pytest.raises(RunError, match=f"no device “{device}”; choose one of cpu"):
        DenoisingRun(Subject.of(make_photo()), RunSettings(device=device), make_net())


def test_devices():
    assert devices()[0] == "cpu"
    assert check_device("cpu") == "cpu"
    assert default_device() in devices()
    assert ("cuda" in "".join(devices())) == torch.cuda.is_available()


@pytest.mark.parametrize(
    ("device", "names", "expected"),
    [
        ("cpu", ["nerd", "nerd-lite", "x"], "nerd-lite"),
        ("cuda", ["nerd", "nerd-lite", "x"], "nerd"),
        ("cpu", ["nerd", "x"], "nerd"),
        ("cuda", ["nerd-lite-25"], "nerd-lite-25"),
    ],
)
def test_the_default_network_suits_the_device(monkeypatch, device, names, expected):
    monkeypatch.setattr(MODULE, "model_names", lambda: names)
    assert default_model(device) == expected


def test_no_network_at_all_is_a_sentence(monkeypatch):
    monkeypatch.setattr(MODULE, "model_names", list)
    with pytest.raises(RunError, match="no trained network"):
        default_model("cpu")


@pytest.mark.parametrize(
    ("features", "expected"),
    [
        ({"avx512bf16"}, "bfloat16"),
        ({"avx512f", "amx-bf16"}, "bfloat16"),
        ({"avx512f", "avx2"}, "float32"),
        (set(), "float32"),
    ],
)
def test_bfloat16_is_for_processors_that_compute_in_it(monkeypatch, features, expected):
    monkeypatch.setattr(MODULE, "available", lambda: True)
    monkeypatch.setattr("nerd_gui.compiled.compiler.has", features.__contains__)
    assert fast_precision("cpu") == expected
    monkeypatch.setattr(MODULE, "available", lambda: False)  # so that it is unknown
    assert fast_precision("cpu") == "float32"


@pytest.mark.parametrize(("capability", "expected"), [((7, 5), "float32"), ((8, 0), "bfloat16"), ((9, 0), "bfloat16")])
def test_and_for_the_gpus_that_do(monkeypatch, capability, expected):
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: capability)
    assert fast_precision("cuda:0") == expected and fast_precision("mps") == "float32"
