"""`nerd-gui analyse`: its files and numbers equal those of the library."""

import json
import sys

import numpy as np
import pytest
import torch
from command_line import make_photo, refused
from PIL import Image

from nerd_gui.analysis import NotSolved, influence, load_race, risk
from nerd_gui.analysis.catalogue import CATALOGUE
from nerd_gui.analysis.of_run import equilibrium_of
from nerd_gui.cli import main
from nerd_gui.denoising import RunError, RunSettings, Subject, denoise
from nerd_gui.imaging import open_photo
from nerd_gui.nerd import NERD, NerdConfig, load_model, save_model


@pytest.fixture
def model(tmp_path):
    """A network that contracts."""
    torch.manual_seed(0)
    net = NERD(NerdConfig(features=8, heads=2, groups=2, expansion=2, window=5)).eval()
    net.transformation.norm_post.weight.data.fill_(0.2)
    net.f_inject.conv_out.weight.data.mul_(3)
    save_model(tmp_path / "tiny.safetensors", net, {})
    return str(tmp_path / "tiny.safetensors")


def test_numbers_arrays_and_pictures(tmp_path, model, capsys):
    photo, out = make_photo(tmp_path / "photo.png", shape=(24, 20)), tmp_path / "about"
    arguments = ["analyse", photo, "-o", out, "--model", model, "--add-noise", 25, "--pixel", 5, 7, "--seed", 3]
    assert main([str(argument) for argument in arguments]) == 0
    assert capsys.readouterr().out.strip() == str(out / "analysis.json")
    numbers = json.loads((out / "analysis.json").read_text())
    net, subject = load_model(model), Subject.of(open_photo(photo), sigma=25, seed=3)
    at = equilibrium_of(denoise(subject, RunSettings(model=model, device="cpu"), net), net)
    assert numbers["residual"] == pytest.approx(at.residual) and at.residual < 1e-3
    row = influence(net, at.y, at.z, 5, 7).numpy()
    np.testing.assert_allclose(np.load(out / "influence.npz")["influence"], row, atol=1e-6)
    assert numbers["influence"]["sum"] == pytest.approx(row.sum(), abs=1e-4)
    assert Image.open(out / "influence.png").size == (40, 48)
    assert numbers["risk"]["psnr"] == pytest.approx(risk(net, at.y, at.z, 25, seed=3).psnr, rel=1e-3)
    assert numbers["risk"]["true_psnr"] is not None and numbers["spectrum"]["attracts"] is True
    assert set(numbers["heads"]) == {"head 1", "head 2", "all"}
    assert [racer.name for racer in load_race(out / "race.npz")] == list(numbers["race"])
    for name in numbers.keys() & CATALOGUE.keys():
        title = CATALOGUE[name].title
        assert title in (out / f"{name}_figure.svg").read_text("utf-8")
        figure = np.asarray(Image.open(out / f"{name}_figure.png").convert("L"))
        assert figure.shape[1] == 1440 and figure[0].min() == 255 and figure.min() < 60, "ink on white paper"
    assert min(start["decibels_from_the_run"] for start in numbers["starts"].values()) > 60


def test_files_that_are_there_and_pixels_beside_the_photo_are_refused(tmp_path, model, capsys):
    photo, out = make_photo(tmp_path / "photo.png"), tmp_path / "about"
    asked = ["analyse", photo, "-o", out, "--model", model, "--add-noise", 25, "--only", "whiteness"]
    assert "row 30" in refused(capsys, *asked, "--pixel", 30, 0)
    assert main([str(argument) for argument in asked]) == 0
    before = (out / "analysis.json").read_bytes()
    assert main([str(argument) for argument in asked]) == 2
    assert (out / "analysis.json").read_bytes() == before
    assert main([str(argument) for argument in [*asked, "--overwrite"]]) == 0


def test_what_cannot_be_solved_is_said_and_the_rest_is_done(tmp_path, model, capsys, monkeypatch):
    def unsolved(*_, **__):
        raise NotSolved("The equation was not solved.")

    monkeypatch.setattr("nerd_gui.analysis.catalogue.pixel.influence", unsolved)
    photo, out = make_photo(tmp_path / "photo.png"), tmp_path / "about"
    asked = ["analyse", photo, "-o", out, "--model", model, "--add-noise", 25, "--only", "influence", "whiteness"]
    assert main([str(argument) for argument in asked]) == 0
    numbers = json.loads((out / "analysis.json").read_text())
    assert numbers["influence"] == {"not_solved": "The equation was not solved."} and "bound" in numbers["whiteness"]
    assert "nerd-gui: The equation was not solved." in capsys.readouterr().err


def test_without_qt_there_is_all_but_the_figures(tmp_path, model, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "nerd_gui.window.analyses.without_window", None)
    photo, out = make_photo(tmp_path / "photo.png"), tmp_path / "about"
    asked = ["analyse", photo, "-o", out, "--model", model, "--add-noise", 25, "--only", "whiteness"]
    assert main([str(argument) for argument in asked]) == 0
    assert "figures are not drawn" in capsys.readouterr().err
    assert sorted(path.name for path in out.iterdir()) == ["analysis.json", "whiteness.npz", "whiteness.png"]


def test_a_run_without_features_says_so(tmp_path, model):
    net, subject = load_model(model), Subject.of(open_photo(make_photo(tmp_path / "photo.png")), sigma=25)
    trajectory = denoise(subject, RunSettings(model=model, device="cpu"), net, keep_features=False)
    with pytest.raises(RunError, match="kept no features"):
        equilibrium_of(trajectory, net)
