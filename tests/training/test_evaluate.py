"""Evaluation: the figures are those of a computation of their own, from Pillow's grey to the last mean."""

import json
from statistics import fmean

import numpy as np
import pytest
import torch
from PIL import Image
from skimage.metrics import structural_similarity

from nerd_gui.cli import main
from nerd_gui.denoising import RunSettings
from nerd_gui.equilibrium import broyden
from nerd_gui.nerd import NERD, NerdConfig, load_model, save_model
from nerd_gui.training.data import DataError
from nerd_gui.training.evaluate import evaluate

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


def independent(path, seed, sigma, model, colour=False):
    """PSNR, SSIM, least and last residual, and noise level of one picture, without the code under test."""
    net = load_model(model)
    clean = np.asarray(Image.open(path).convert("RGB" if colour else "L"))
    planes = clean.transpose(2, 0, 1) if colour else clean[None]
    noise = np.random.default_rng(seed).standard_normal(planes.shape)
    noisy = torch.from_numpy(planes / 255 + sigma / 255 * noise).float()[None]
    s = net.inject(noisy)
    steps = list(broyden(lambda z: net.implicit(z, s), torch.zeros_like(s), max_iter=STEPS, tol=0))
    residuals = [float((step.f_z - step.z).norm() / step.f_z.norm()) for step in steps]
    n_hat = net.decode(steps[int(np.argmin(residuals))].z)[0].numpy()
    estimate = np.clip(np.rint(255 * (noisy[0].numpy() + n_hat)), 0, 255).astype(np.uint8)
    psnr = 10 * np.log10(255**2 / np.mean((estimate - planes.astype(float)) ** 2))
    protocol = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False, "data_range": 255}
    ssim = structural_similarity(planes, estimate, channel_axis=0, **protocol)
    luma = np.array([0.299, 0.587, 0.114]) @ n_hat.reshape(3, -1) if colour else n_hat
    rows, cols = (min(32, side) for side in planes.shape[1:])
    patch = luma.reshape(planes.shape[1:])[:rows, :cols]  # one whole patch fits each of the pictures
    return psnr, ssim, min(residuals), residuals[-1], 255 * patch.std()


def test_figures_equal_an_independent_computation(folder, tmp_path, capsys):
    models = [network(tmp_path / "one.safetensors"), network(tmp_path / "two.safetensors", seed=1)]
    out = tmp_path / "figures.json"
    command = ["evaluate", folder, "--sigma", 25, "7.5", "--model", *models, "--json", out, "--tol", 0]
    assert main([*map(str, command), "--max-iter", str(STEPS)]) == 0

    entries = json.loads(out.read_text())
    assert [(entry["model"], entry["sigma"]) for entry in entries] == [(m, s) for m in models for s in (25, 7.5)]
    for entry in entries:
        assert list(entry) == KEYS
        assert [(image["name"], image["seed"]) for image in entry["images"]] == [("a", 0), ("b", 1)]
        for image, name in zip(entry["images"], ("a.bmp", "b.png"), strict=True):
            assert list(image) == IMAGE_KEYS
            truth = independent(folder / name, image["seed"], entry["sigma"], entry["model"])
            assert [image[key] for key in IMAGE_KEYS[2:7]] == pytest.approx(truth, rel=2e-4)
            assert image["iterations"] == STEPS and image["seconds"] > 0
        for key in KEYS[2:7]:
            assert entry[key] == pytest.approx(fmean(image[key] for image in entry["images"]), rel=1e-12)
    said = capsys.readouterr()
    assert len(said.err.splitlines()) == 8
    assert f"one, sigma 25, 2/2 b: {entries[0]['images'][1]['psnr']:.2f} dB" in said.err
    assert [line.split()[:4] for line in said.out.splitlines()[1:]] == [
        [entry["model"][-15:-12], f"{entry['sigma']:g}", "2", f"{entry['psnr']:.2f}"] for entry in entries
    ]


def test_colour_networks_see_colours(folder, tmp_path):
    model = network(tmp_path / "colour.safetensors", channels=3)
    (folder / "a.bmp").unlink()
    [entry] = evaluate(folder, [20], [model], RunSettings(max_iter=STEPS, tol=0))
    truth = independent(folder / "b.png", 0, 20, model, colour=True)
    assert [entry["images"][0][key] for key in IMAGE_KEYS[2:7]] == pytest.approx(truth, rel=2e-4)


def test_limit_takes_the_first_pictures(folder, tmp_path):
    model = network(tmp_path / "one.safetensors")
    [entry] = evaluate(folder, [20], [model], RunSettings(max_iter=1), limit=1)
    assert [image["name"] for image in entry["images"]] == ["a"]


def test_undefined_figures_are_null(tmp_path):
    """SSIM does not exist for pictures smaller than its window, nor a mean over such."""
    model = network(tmp_path / "one.safetensors")
    for name, side in (("small", 8), ("large", 16)):
        Image.fromarray(np.full((side, side), 99, np.uint8)).save(tmp_path / f"{name}.png")
    [entry] = evaluate(tmp_path, [20], [model], RunSettings(max_iter=1))
    assert [image["ssim"] is None for image in entry["images"]] == [False, True]
    assert entry["ssim"] is None and entry["psnr"] is not None
    assert summary([entry], tmp_path)[1][4] == "-"


def test_a_spoilt_picture_is_found_before_the_first_run(folder, tmp_path):
    model = network(tmp_path / "one.safetensors")
    (folder / "z.png").write_bytes(b"")
    seen = []
    with pytest.raises(ValueError, match=r"z\.png"):
        evaluate(folder, [20], [model], RunSettings(max_iter=1), watch=lambda *figures: seen.append(figures))
    assert seen == []
    with pytest.raises(DataError, match="missing"):
        evaluate(tmp_path / "missing", [20], [model], RunSettings())


def entry_of(sigma, count):
    image = {"name": "x", "seed": 0, **dict.fromkeys(KEYS[2:7], 1.0), "iterations": 17, "seconds": 2.0}
    return {"model": "nerd-lite", "sigma": sigma, **dict.fromkeys(KEYS[2:7], 1.0), "images": [image] * count}


@pytest.mark.parametrize(
    ("folder", "sigma", "count", "figures"),
    [
        ("Set12", 25.0, 12, ("30.44 / 0.8622", "30.84 / 0.8736")),
        ("bsd68", 50.0, 68, ("26.23 / 0.7189", "26.49 / 0.7389")),
        ("set12", 25.0, 11, None),  # a part of the set cannot be compared
        ("set12", 30.0, 12, None),
        ("other", 25.0, 12, None),
    ],
)
def test_figures_of_the_paper(tmp_path, folder, sigma, count, figures):
    entry = entry_of(sigma, count)
    assert paper_figures(tmp_path / folder, entry) == figures
    table = summary([entry, entry_of(1.0, count)], tmp_path / folder)
    assert len({len(row) for row in table}) == 1
    assert tuple(table[1][-2:]) == figures if figures else not any("Table I" in cell for cell in table[0])


def test_tables(folder, tmp_path):
    table = [["model", "dB"], ["a|b", "29.7"], ["longer", "9.1"]]
    assert as_text(table) == "model     dB\na|b     29.7\nlonger   9.1"
    assert as_markdown(table) == "| model | dB |\n| --- | --- |\n| a\\|b | 29.7 |\n| longer | 9.1 |"
    document = markdown([entry_of(25.0, 12)], folder.parent / "set12", RunSettings(window=9, tol=0))
    assert document.startswith("# set12\n") and "30.84 / 0.8736" in document
    assert document.count("| x | 0 | 1.00 / 1.0000 |") == 12
    assert "window 9" in document and "tolerance 0," in document


def test_markdown_file(folder, tmp_path):
    model = network(tmp_path / "one.safetensors")
    out = tmp_path / "figures.md"
    command = ["evaluate", folder, "--sigma", "25", "--model", model, "--markdown", out, "--max-iter", "1"]
    assert main([str(word) for word in command]) == 0
    assert "| a | 0 |" in out.read_text() and "| b | 1 |" in out.read_text()
