"""Evaluation: its figures equal those of an independent computation, from Pillow's grey to the last mean."""

import hashlib
import json
from pathlib import Path
from statistics import fmean

import numpy as np
import pytest
import torch
from PIL import Image
from skimage.metrics import structural_similarity

from nerd_gui.cli import main
from nerd_gui.denoising import RunSettings, estimate_bytes, memory_plan
from nerd_gui.equilibrium import anderson, broyden
from nerd_gui.evaluation.evaluate import evaluate
from nerd_gui.evaluation.figures import SETTINGS, EvaluationError
from nerd_gui.evaluation.tables import image_line, summary
from nerd_gui.imaging import PhotoError
from nerd_gui.nerd import NERD, NerdConfig, load_model, save_model

MEANS = ["psnr", "ssim", "residual_best", "residual_last", "noise_level", "psnr_last", "psnr_noisy", "ssim_noisy"]
STEPS = 4


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def network(path, channels=1, seed=0):
    torch.manual_seed(seed)
    save_model(path, NERD(NerdConfig(channels=channels, features=8, window=5)).eval(), {})
    return str(path)


@pytest.fixture
def folder(tmp_path):
    """A grey and a colour picture, one taller and one wider than a patch."""
    made = tmp_path / "pictures"
    made.mkdir()
    random = np.random.default_rng(0)
    Image.fromarray(random.integers(0, 256, (40, 33, 3), np.uint8)).save(made / "b.png")
    Image.fromarray(random.integers(0, 256, (21, 47), np.uint8)).save(made / "a.bmp")
    (made / "notes.txt").write_text("no picture")
    return made


def independent(clean, noisy, model, solver=broyden, *, of_each_channel=False):
    """Compute a picture's (C, rows, cols) figures in the order of MEANS, and its result, without the tested code."""
    net = load_model(model)
    y = torch.from_numpy(noisy).float()
    y = y[:, None] if net.config.channels == 1 else y[None]
    s = net.inject(y)
    steps = list(solver(lambda z: net.implicit(z, s), torch.zeros_like(s), max_iter=STEPS, tol=0))
    residuals = [float(max(_norms(step.f_z - step.z) / _norms(step.f_z))) for step in steps]
    best = int(np.argmin(residuals))
    n_hats = [net.decode(step.z).numpy().reshape(noisy.shape) for step in steps]
    rows, cols = (min(32, side) for side in noisy.shape[1:])  # one whole patch fits each of the pictures
    planes = n_hats[best]
    if len(noisy) == 3 and not of_each_channel:
        planes = np.einsum("c,crk->rk", [0.299, 0.587, 0.114], planes)[None]
    level = 255 * planes[:, :rows, :cols].std(axis=(1, 2)).mean()
    (score, likeness), (last, _), before = (scores(clean, y) for y in (noisy + n_hats[best], noisy + n_hats[-1], noisy))
    return [score, likeness, residuals[best], residuals[-1], level, last, *before], noisy + n_hats[best]


def _norms(batch):
    return batch.flatten(1).norm(dim=1)


def scores(clean, estimate):
    one, other = (np.clip(np.rint(255 * picture), 0, 255).astype(np.uint8) for picture in (clean, estimate))
    protocol = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False, "data_range": 255}
    error = np.mean((one.astype(float) - other) ** 2)
    return 10 * np.log10(255**2 / error), structural_similarity(one, other, channel_axis=0, **protocol)


def read(path, mode="RGB"):
    picture = np.asarray(Image.open(path).convert(mode)) / 255
    return picture.transpose(2, 0, 1) if mode == "RGB" else picture[None]


def truth(path, seed, sigma, model, mode="L"):
    clean = read(path, mode)
    noise = np.random.default_rng(seed).standard_normal(clean.shape)
    return independent(clean, clean + sigma / 255 * noise, model, of_each_channel=True)[0]


def test_figures_equal_an_independent_computation(folder, tmp_path, capsys):
    models = [network(tmp_path / "one.safetensors"), network(tmp_path / "two.safetensors", seed=1)]
    other = tmp_path / "other"
    other.mkdir()
    Image.open(folder / "b.png").save(other / "c.png")
    out = tmp_path / "figures.json"
    command = ["evaluate", folder, other, "--sigma", 25, "7.5", "--model", *models, "--json", out, "--tol", 0]
    assert main([*map(str, command), "--max-iter", str(STEPS)]) == 0

    entries = json.loads(out.read_text())
    files = {"pictures": ["a.bmp", "b.png"], "other": ["c.png"]}
    asked = [(name, model, sigma) for name in files for model in models for sigma in (25, 7.5)]
    assert [(entry["folder"], entry["model"], entry["sigma"]) for entry in entries] == asked
    for entry in entries:
        names = files[entry["folder"]]
        assert [(image["name"], image["seed"]) for image in entry["images"]] == [(n[0], i) for i, n in enumerate(names)]
        for image, name in zip(entry["images"], names, strict=True):
            path = tmp_path / entry["folder"] / name
            figures = truth(path, image["seed"], entry["sigma"], entry["model"])
            assert [image[key] for key in MEANS] == pytest.approx(figures, rel=2e-4)
            assert image["iterations"] == STEPS and image["seconds"] > 0
        for key in MEANS:
            assert entry[key] == pytest.approx(fmean(image[key] for image in entry["images"]), rel=1e-12)
        assert entry["weights"] == hashlib.sha256(Path(entry["model"]).read_bytes()).hexdigest()
        assert entry["settings"]["max_iter"] == STEPS and not entry["partial"]
    said = capsys.readouterr()
    assert len(said.err.splitlines()) == 12
    assert f"one, sigma 25, pictures 2/2 b: {entries[0]['images'][1]['psnr_noisy']:.2f} -> " in said.err
    assert [line.split()[:6] for line in said.out.splitlines()[1:]] == [
        [*cells, f"{entry['psnr_noisy']:.2f}", f"{entry['psnr']:.2f}"]
        for entry in entries
        for cells in [[entry["model"][-15:-12], entry["folder"], str(len(entry["images"])), f"{entry['sigma']:g}"]]
    ]


def test_colour_networks_see_colours(folder, tmp_path):
    model = network(tmp_path / "colour.safetensors", channels=3)
    (folder / "a.bmp").unlink()
    [entry] = evaluate([folder], [20], [model], RunSettings(max_iter=STEPS, tol=0))
    figures = truth(folder / "b.png", 0, 20, model, "RGB")
    assert [entry["images"][0][key] for key in MEANS] == pytest.approx(figures, rel=2e-4)


@pytest.fixture
def pairs(tmp_path):
    """A real photo beside its clean picture, in colour, and their names."""
    made = tmp_path / "nam"
    made.mkdir()
    clean = np.random.default_rng(1).integers(40, 200, (36, 33, 3))
    Image.fromarray(clean.astype(np.uint8)).save(made / "x_mean.png")
    noise = np.random.default_rng(2).integers(-30, 31, clean.shape)
    Image.fromarray((clean + noise).astype(np.uint8)).save(made / "x_real.png")
    return made


def test_real_pairs_get_no_noise_and_are_compared_with_the_mean(pairs, tmp_path):
    model = network(tmp_path / "one.safetensors")
    settings = RunSettings(max_iter=STEPS, tol=0)
    [entry] = evaluate([pairs], [], [model], settings, other_solver="anderson")
    assert entry["sigma"] is None and entry["folder"] == "nam"
    [image] = entry["images"]
    clean, noisy = read(pairs / "x_mean.png"), read(pairs / "x_real.png")
    figures, result = independent(clean, noisy, model)
    assert (image["name"], image["seed"]) == ("x", None)
    assert [image[key] for key in MEANS] == pytest.approx(figures, rel=2e-4)
    difference = np.clip(result, 0, 1) - np.clip(independent(clean, noisy, model, anderson)[1], 0, 1)
    assert image["agreement"] == pytest.approx(-10 * np.log10(np.mean(difference**2)), abs=0.05)


def test_an_entry_names_what_was_not_as_usual(folder, tmp_path):
    model = network(tmp_path / "one.safetensors")
    usual, other = (
        evaluate([folder], [15], [model], RunSettings(max_iter=1, **changes), limit=1)[0]["settings"]
        for changes in ({}, {"safeguard": False, "start": "random", "start_seed": 2})
    )
    assert usual.keys() == {*SETTINGS, "limit"}
    assert other == {**usual, "safeguard": False, "start": "random", "start_seed": 2}


def test_pairs_and_clean_pictures_in_one_call(pairs, folder, tmp_path):
    model = network(tmp_path / "one.safetensors")
    entries = evaluate([pairs, folder], [15], [model], RunSettings(max_iter=1))
    assert [(entry["folder"], entry["sigma"], len(entry["images"])) for entry in entries] == [
        ("nam", None, 1),
        ("pictures", 15.0, 2),
    ]


def test_folders_and_noise_levels_that_do_not_go_together(pairs, folder, tmp_path):
    model, settings = network(tmp_path / "one.safetensors"), RunSettings(max_iter=1)
    with pytest.raises(EvaluationError, match=r"“.*pictures” holds clean pictures; say with --sigma"):
        evaluate([pairs, folder], [], [model], settings)
    with pytest.raises(EvaluationError, match="leave out --sigma"):
        evaluate([pairs], [25], [model], settings)
    twin = tmp_path / "elsewhere" / "pictures"
    twin.mkdir(parents=True)
    Image.open(folder / "b.png").save(twin / "b.png")
    with pytest.raises(EvaluationError, match="Two folders are named “pictures”"):
        evaluate([folder, twin], [25], [model], settings)
    (pairs / "y_real.png").write_bytes((pairs / "x_real.png").read_bytes())
    with pytest.raises(EvaluationError, match=r"“y_real\.png” .* has no partner"):
        evaluate([pairs], [], [model], settings)


def test_a_broken_off_evaluation_leaves_what_it_measured(folder, tmp_path, monkeypatch, capsys):
    model, out = network(tmp_path / "one.safetensors"), tmp_path / "figures.json"
    command = ["evaluate", folder, "--sigma", 25, 15, "--model", model, "--max-iter", 1, "--json", out]
    lines = []

    def interrupted(*arguments):
        lines.append(image_line(*arguments))
        if len(lines) == 4:
            raise KeyboardInterrupt
        return lines[-1]

    monkeypatch.setattr("nerd_gui.cli.evaluate.image_line", interrupted)
    assert main(list(map(str, command))) == 130
    entries = json.loads(out.read_text())
    assert [(entry["partial"], len(entry["images"])) for entry in entries] == [(False, 2), (True, 1)]
    assert entries[1]["psnr"] == entries[1]["images"][0]["psnr"]


def test_what_is_given_up_for_memory_is_said_once(folder, tmp_path, monkeypatch):
    model, said = network(tmp_path / "one.safetensors"), []
    settings = RunSettings(max_iter=6)
    config = load_model(model).config
    needed = estimate_bytes(config, settings, 1, 40, 33, torch.float8_e5m2)
    needed += memory_plan.uncertain_bytes(config, settings, 1, 40, 33)
    monkeypatch.setattr(memory_plan, "budget_bytes", lambda settings: needed)
    (folder / "a.bmp").write_bytes((folder / "b.png").read_bytes())
    [one, two] = evaluate([folder], [20, 30], [model], settings, announce=said.append)
    assert said == one["plan"] == two["plan"] == ["Broyden's pairs are kept in 8 bits instead of 16."]


def test_limit_takes_the_first_pictures(folder, tmp_path):
    model = network(tmp_path / "one.safetensors")
    [entry] = evaluate([folder], [20], [model], RunSettings(max_iter=1), limit=1)
    assert [image["name"] for image in entry["images"]] == ["a"]


def test_undefined_figures_are_null(tmp_path):
    """SSIM is not defined for pictures smaller than its window, nor is a mean that includes one."""
    model = network(tmp_path / "one.safetensors")
    for name, side in (("small", 8), ("large", 16)):
        Image.fromarray(np.full((side, side), 99, np.uint8)).save(tmp_path / f"{name}.png")
    [entry] = evaluate([tmp_path], [20], [model], RunSettings(max_iter=1))
    assert [image["ssim"] is None for image in entry["images"]] == [False, True]
    assert entry["ssim"] is None and entry["psnr"] is not None
    assert summary([entry])[1][6] == "-"


def test_a_spoilt_picture_is_found_before_the_first_run(folder, tmp_path):
    model = network(tmp_path / "one.safetensors")
    (folder / "z.png").write_bytes(b"")
    seen = []
    with pytest.raises(ValueError, match=r"z\.png"):
        evaluate([folder], [20], [model], RunSettings(max_iter=1), watch=lambda *figures: seen.append(figures))
    assert seen == []
    with pytest.raises(PhotoError, match="missing"):
        evaluate([tmp_path / "missing"], [20], [model], RunSettings())


def test_several_windows_are_measured_one_after_another(folder, tmp_path, capsys):
    model, found = network(tmp_path / "net.safetensors"), tmp_path / "found.json"
    words = ["evaluate", str(folder), "--sigma", "25", "--model", model, "--window", "3", "9", "--max-iter", "2"]
    assert main([*words, "--tol", "0", "--limit", "1", "--json", str(found)]) == 0
    three, nine = json.loads(found.read_text())
    assert (three["settings"]["window"], nine["settings"]["window"]) == (3, 9)
    assert three["psnr"] != nine["psnr"]
    shown = capsys.readouterr()
    assert shown.out.splitlines()[0].split()[4] == "q" and "q = 9" in shown.err
    alone = evaluate([folder], [25], [model], RunSettings(max_iter=2, tol=0, window=9), limit=1)
    assert nine["psnr"] == pytest.approx(alone[0]["psnr"])
