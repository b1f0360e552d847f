"""Users' own models: the total variation example, compared with its energy and dense matrices."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from scipy.optimize import minimize
from torch import nn

from nerd_gui.analysis import heads_off, influence, race, risk, spectrum, starts
from nerd_gui.analysis.solving import map_of, solved
from nerd_gui.cli import main
from nerd_gui.denoising import PhotoRun, RunError, RunSettings, Subject, denoise
from nerd_gui.imaging import Photo
from nerd_gui.nerd import ModelError, OwnModelError, load_config, load_model, own, register, register_object

EXAMPLE = f"{Path(__file__).resolve().parents[2] / 'docs' / 'total_variation.py'}:TotalVariation"
FIDELITY, ROUNDING = 9.0, 0.05


@pytest.fixture(autouse=True)
def forgotten(monkeypatch):
    """Unregister the test's models afterwards."""
    monkeypatch.setattr(own, "_own", {})


@pytest.fixture
def model():
    return load_model(register_object(EXAMPLE))


@pytest.fixture(scope="module")
def noisy():
    rows, cols = np.mgrid[:12, :10]
    clean = 0.3 + 0.4 * (cols > 4) + 0.02 * rows
    return clean + 0.1 * np.random.default_rng(0).standard_normal(clean.shape)


def equilibrium(model, noisy):
    y = torch.from_numpy(noisy)[None, None]
    f, s = map_of(model, y, None, None, None)
    return y, solved(f, model.initial(s), max_iter=80, tol=1e-10).z


def energy(z, y):
    z = z.reshape(y.shape)
    down, across = np.zeros_like(z), np.zeros_like(z)
    down[:-1], across[:, :-1] = z[1:] - z[:-1], z[:, 1:] - z[:, :-1]
    return FIDELITY / 2 * ((z - y) ** 2).sum() + np.sqrt(down**2 + across**2 + ROUNDING**2).sum()


def test_the_equilibrium_is_the_picture_of_least_energy(model, noisy):
    y, z = equilibrium(model, noisy)
    picture = model.estimate(y, z)[0][0, 0].numpy()
    least = minimize(energy, noisy.ravel(), args=(noisy,), method="L-BFGS-B", options={"maxfun": 10**6, "ftol": 1e-14})
    assert energy(picture, noisy) <= least.fun + 1e-9
    np.testing.assert_allclose(picture, least.x.reshape(noisy.shape), atol=2e-3)


def test_analyses_take_it_as_they_take_a_network(model, noisy):
    y, z = equilibrium(model, noisy)
    size = y.numel()
    of = torch.autograd.functional.jacobian
    by_z = of(lambda z: model.implicit(z, y), z).reshape(size, size)
    by_y = of(lambda y: model.implicit(z, y), y).reshape(size, size)
    exact = torch.linalg.solve(torch.eye(size, dtype=y.dtype) - by_z, by_y)
    row = influence(model, y, z, 5, 6, tol=1e-7)
    torch.testing.assert_close(row.flatten(), exact[5 * 10 + 6], rtol=0, atol=1e-6)
    values = torch.linalg.eigvals(by_z).abs().max()
    assert spectrum(model, y, z, 1, vectors=0).radius == pytest.approx(float(values), abs=1e-3)
    estimate = risk(model, y, z, 25, probes=16, tol=1e-3)
    assert abs(estimate.divergence - float(exact.trace())) < 4 * estimate.divergence_error
    broyden, anderson, plain, _ = race(model, y, max_iter=200)
    assert broyden.reaches(1e-3) < plain.reaches(1e-3) and anderson.reaches(1e-3) < plain.reaches(1e-3)
    assert starts(model, y, z, max_iter=80, tol=1e-9).disagreement.max() < 1e-3
    with pytest.raises(ValueError, match="has 0 heads"):
        heads_off(model, y, z, [0])


def test_it_runs_on_a_colour_photo_channel_by_channel(model, noisy):
    photo = Photo(np.stack([noisy, noisy[::-1], 1 - noisy]).astype(np.float32), name="three")
    run = denoise(Subject.of(photo), RunSettings(model=EXAMPLE, device="cpu", max_iter=40, tol=1e-5))
    assert run.stop_reason == "converged" and run[run.result].residual < 1e-5
    for index, channel in enumerate(photo.pixels):
        y, z = equilibrium(model, channel.astype(np.float64))
        np.testing.assert_allclose(run.picture(run.result)[index], model.estimate(y, z)[0][0, 0], atol=1e-3)
    with pytest.raises(RunError, match="Explore a region"):
        PhotoRun(Subject.of(photo), RunSettings(model=EXAMPLE, device="cpu"))


def test_the_commands_take_it_by_its_place(noisy, tmp_path, capsys):
    photo, out = tmp_path / "photo.png", tmp_path / "about"
    Image.fromarray(np.rint(255 * np.tile(noisy, (2, 2)).clip(0, 1)).astype(np.uint8)).save(photo)
    command = ["analyse", str(photo), "--model", EXAMPLE, "-o", str(out), "--add-noise", "10"]
    assert main([*command, "--only", "influence", "heads", "settling"]) == 0
    numbers = json.loads((out / "analysis.json").read_text())
    assert numbers["residual"] < 1e-3 and numbers["influence"]["sum"] == pytest.approx(1, abs=0.02)
    assert main(["denoise", str(photo), "-o", str(tmp_path / "out.png"), "--model", EXAMPLE]) == 0
    capsys.readouterr()
    for wrong in ("nowhere_at_all:Model", "json:Nothing", f"{tmp_path}/none.py:Model", "json:dumps"):
        assert main(["denoise", str(photo), "-o", str(tmp_path / "no.png"), "--model", wrong]) == 2
        assert wrong in capsys.readouterr().err


class Diagonal(nn.Module):
    """f(z) = a z + x for two features; the equilibrium x
    (1 - a) represents the noise.
    """

    decodes, channels, heads = "noise", 3, 1

    def __init__(self):
        super().__init__()
        self.a = nn.Parameter(torch.tensor([0.5, -0.25])[:, None, None])

    def inject(self, y):
        return y[:, :2]

    def f(self, z, x):
        return self.a * z + x

    def decode(self, z):
        return torch.cat([z, z[:, :1]], dim=1)

    def attention_maps(self, z, x, row, col):
        maps = z.new_zeros(len(z), 1, *z.shape[2:])
        maps[:, 0, row, col] = 1
        return maps


def test_a_module_for_colour_that_decodes_to_the_noise_and_has_maps():
    network = register("diagonal", Diagonal())
    assert load_config("diagonal").features == 2 and network.heads == 1 and not network.model.a.requires_grad
    y = torch.rand(1, 3, 7, 9)
    f, s = map_of(network, y, None, None, None)
    z = solved(f, network.initial(s), max_iter=30, tol=1e-7).z
    torch.testing.assert_close(z, y[:, :2] / torch.tensor([0.5, 1.25])[:, None, None])
    picture, noise = network.estimate(y, z)
    torch.testing.assert_close(picture, y + noise)
    maps = network.attention_maps(z.half(), s.half(), 3, 4)
    assert maps.weights.shape == (1, 1, 7, 9) and maps.weights[0, 0, 3, 4] == 1
    np.testing.assert_allclose(spectrum(network, y, z, 1).eigenvalues, [0.5], atol=1e-3)


def test_what_is_no_model_is_refused():
    class Wrong(Diagonal):
        def f(self, z, x):
            return self.a[:1] * z[:, :1]

    with pytest.raises(
        OwnModelError, match=r"f of “wrong” returns shape \(1, 1, 16, 12\); it must return \(1, 2, 16, 12\)"
    ):
        register("wrong", Wrong())
    with pytest.raises(OwnModelError, match="has no inject and no f and no decode"):
        register("nothing", object())
    Wrong.start = lambda self, x: x.mean(dim=(2, 3))
    with pytest.raises(OwnModelError, match=r"must be \(B, d, rows, cols\)"):
        register("wrong", Wrong())


def test_a_name_that_nobody_registered_is_never_imported(tmp_path):
    (tmp_path / "harm.py").write_text("raise SystemExit")
    with pytest.raises(ModelError, match="start the program with --model"):
        load_model(f"{tmp_path}/harm.py:Model")
