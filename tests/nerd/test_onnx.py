"""A network as ONNX graphs, run by onnxruntime and compared with itself; and the solver in the documents."""

import hashlib
import importlib.util
import json
import runpy
import sys
from functools import partial
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from PIL import Image

from nerd_gui.cli import main
from nerd_gui.equilibrium import broyden
from nerd_gui.nerd import NERD, NerdConfig, save_model
from nerd_gui.nerd.attention import neighbourhood_attention, reference_attention
from nerd_gui.nerd.onnx import ExportError, export_onnx

SOLVER = Path(__file__).resolve().parents[2] / "docs" / "onnx_solver.py"


WINDOW = 2  # not the network's own; a larger one makes the export slower


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """A colour network with level input, and the folder to which the command has exported it."""
    torch.manual_seed(0)
    net = NERD(NerdConfig(channels=3, features=8, heads=2, groups=2, expansion=2, window=5, level_input=True))
    net.f_inject.level_in.data.normal_()
    net.f_inject.conv_out.weight.data.mul_(5)
    net.transformation.norm_post.weight.data.fill_(0.2)  # it contracts
    net.f_decode.conv.weight.data.mul_(5)
    net = net.fold().eval().requires_grad_(False)
    folder = tmp_path_factory.mktemp("onnx")
    save_model(folder / "told.safetensors", net, {})
    assert main(["export-onnx", str(folder / "told.safetensors"), "-o", str(folder), "--window", str(WINDOW)]) == 0
    return net, folder


def run(path, *inputs):
    graph = onnxruntime.InferenceSession(path)
    names = [one.name for one in graph.get_inputs()]
    (found,) = graph.run(None, dict(zip(names, (x.numpy() for x in inputs), strict=True)))
    return torch.from_numpy(found)


@pytest.mark.parametrize("window", [1, 4, 5, 12])
@pytest.mark.parametrize("shape", [(1, 2, 9, 7, 4), (2, 1, 3, 12, 2), (1, 1, 1, 1, 3)])
def test_the_attention_that_is_exported_is_that_of_the_equation(window, shape):
    query, key, value = torch.randn(3, *shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    found = neighbourhood_attention(query, key, value, window, path="rows")
    torch.testing.assert_close(found, reference_attention(query, key, value, window))


@pytest.mark.parametrize("shape", [(1, 24, 20), (3, 6, 31)])
def test_each_graph_is_the_network_at_any_size(exported, shape):
    net, folder = exported
    batch, rows, cols = shape
    y, level = torch.rand(batch, 3, rows, cols), torch.linspace(10, 40, batch)
    z = torch.randn(batch, 8, rows, cols)
    s = net.inject(y, level)
    torch.testing.assert_close(run(folder / "inject.onnx", y, level), s, rtol=0, atol=1e-4)
    torch.testing.assert_close(run(folder / "f.onnx", z, s), net.implicit(z, s, window=WINDOW), rtol=0, atol=1e-4)
    torch.testing.assert_close(run(folder / "decode.onnx", z), net.decode(z), rtol=0, atol=1e-4)


def test_the_files_tell_what_they_hold(exported):
    net, folder = exported
    for name in ("inject", "f", "decode"):
        graph = onnxruntime.InferenceSession(folder / f"{name}.onnx")
        told = json.loads(graph.get_modelmeta().custom_metadata_map["nerd"])
        assert told["window"] == WINDOW and told["name"].endswith("told.safetensors")
        assert told["sha256"] == hashlib.sha256((folder / "told.safetensors").read_bytes()).hexdigest()
        assert NerdConfig(**told["config"]) == net.config


def test_the_solver_of_the_documents_denoises_as_the_program_does(exported, tmp_path, monkeypatch, capsys):
    net, folder = exported
    pixels = np.random.default_rng(0).integers(0, 256, (21, 26, 3), dtype=np.uint8)
    noisy, denoised = tmp_path / "noisy.png", tmp_path / "denoised.png"
    Image.fromarray(pixels).save(noisy)
    y = torch.from_numpy(pixels.astype(np.float32) / 255).permute(2, 0, 1)[None]
    s = net.inject(y, 30.0)
    f = partial(net.implicit, s=s, window=WINDOW)
    steps = list(broyden(f, torch.zeros_like(s), max_iter=17, tol=1e-3, safeguard=False))
    picture = net.estimate(y, min(steps, key=lambda step: float(step.residual)).z)[0]
    solver = runpy.run_path(str(SOLVER))
    found, residual, evaluations = solver["denoise"](solver["Network"](folder), y.numpy(), 30)
    np.testing.assert_allclose(found, picture, rtol=0, atol=1e-4)
    assert evaluations == steps[-1].evaluations and residual < 1e-3
    monkeypatch.setattr(sys, "argv", ["onnx_solver.py", str(folder), str(noisy), str(denoised), "30"])
    runpy.run_path(str(SOLVER), run_name="__main__")
    assert "residual" in capsys.readouterr().out
    expected = np.rint(255 * picture[0].clamp(0, 1).numpy().transpose(1, 2, 0))
    assert np.abs(np.asarray(Image.open(denoised), float) - expected).max() <= 1


def test_files_that_are_there_are_not_replaced_unasked(exported, monkeypatch, capsys):
    _, folder = exported
    monkeypatch.setattr("nerd_gui.nerd.onnx._graph", lambda *_: b"another")
    before = (folder / "f.onnx").read_bytes()
    command = ["export-onnx", str(folder / "told.safetensors"), "-o", str(folder)]
    assert main(command) == 2 and "exists" in capsys.readouterr().err
    assert (folder / "f.onnx").read_bytes() == before


def test_what_is_missing_is_said(monkeypatch, tmp_path, tiny_net):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ExportError, match=r"onnx and onnxscript.*pip install nerd-gui\[onnx\]"):
        export_onnx(tiny_net, tmp_path, "small")
