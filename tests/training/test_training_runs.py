"""Training sessions: their files, their time limit, how they end, and that nothing is lost."""

import csv
import dataclasses
import itertools
import json
import math
import sys
import types

import numpy as np
import pytest
import torch
from PIL import Image
from tiny_training import TINY, as_committed, assert_same_state, make, smooth_pictures

from nerd_gui.equilibrium import broyden
from nerd_gui.imaging import add_noise, psnr
from nerd_gui.nerd import NERD, NerdConfig, load_model, load_record
from nerd_gui.training import RECIPES, DataError, Recipe, budget, find_recipe, train
from nerd_gui.training.camera_chain import CameraChain
from nerd_gui.training.grain import NoisyPatches
from nerd_gui.training.noise_models import CameraNoise, NoiseRange
from nerd_gui.training.state import RunState
from nerd_gui.training.train import validate, validation_batch

# The package's `train` is the function; its module has the same name.
train_module = sys.modules["nerd_gui.training.train"]


def run(source, folder, recipe=TINY, **options):
    return train(recipe, source, folder, **{"minutes": 0, **options})


def curve(folder):
    with open(folder / "curve.csv", newline="") as file:
        return list(csv.DictReader(file))


def test_a_stretch_ends_with_its_budget_and_the_next_goes_on(source, tmp_path, capsys, monkeypatch):
    folder = tmp_path / "runs" / "tiny"
    looks = itertools.count()
    clock = types.SimpleNamespace(monotonic=lambda: 0.5 * next(looks))  # test_budget.py tests this more closely
    with monkeypatch.context() as patch:
        patch.setattr(train_module, "time", clock)
        patch.setattr(budget, "time", clock)
        trainer = run(source, folder, minutes=20 / 60, validate_every=3 / 60)
    assert 10 < clock.monotonic() <= 24
    assert trainer.steps > 1
    assert sorted(path.name for path in folder.iterdir()) == ["curve.csv", "recipe.json", "state.safetensors"]
    assert find_recipe(str(folder / "recipe.json")) == TINY
    rows = curve(folder)
    assert len(rows) > 1
    assert [int(row["samples"]) for row in rows] == sorted(int(row["samples"]) for row in rows)
    assert int(rows[-1]["samples"]) == trainer.samples
    assert all(0 < float(row[name]) < math.inf for row in rows for name in row)
    assert f"{trainer.samples} samples" in capsys.readouterr().err
    assert_same_state(RunState.load(folder / "state.safetensors", torch.device("cpu")), trainer.state())
    again = run(source, folder)
    assert again.samples == trainer.samples + 2
    assert len(curve(folder)) == len(rows) + 1


def test_a_decay_ends_a_run_and_releases_a_network(source, tmp_path):
    release = tmp_path / "tiny.safetensors"
    trainer = run(source, tmp_path / "run", minutes=5, decay=6, release=release)
    assert (trainer.samples, trainer.decay_finished, trainer.learning_rate()) == (6, True, 0.0)
    net, record = load_model(release), load_record(release)
    assert net.config == TINY.model
    averaged = trainer.averaged().fold().state_dict()
    assert all(torch.equal(value, averaged[name]) for name, value in net.state_dict().items())
    assert Recipe.from_json(record["recipe"]) == TINY
    assert (record["samples"], record["steps"], record["decayed"], record["device"]) == (6, 3, True, "cpu")
    last = curve(tmp_path / "run")[-1]
    assert record["validation_psnr"] == float(last["validation_psnr"])
    assert record["validation_residual"] == float(last["validation_residual"])
    before_the_decay = RunState.load(tmp_path / "state" / "tiny.safetensors", torch.device("cpu"))
    assert_same_state(before_the_decay, as_committed(make().small_state()))


def test_a_fork_begins_where_another_run_is_and_leaves_it_alone(source, tmp_path):
    first = run(source, tmp_path / "first", minutes=5, decay=4)
    before = (tmp_path / "first" / "state.safetensors").read_bytes()
    fork = run(source, tmp_path / "second", fork=tmp_path / "first" / "state.safetensors")
    assert fork.samples == first.samples + 2
    assert fork.decayed == 0
    assert (tmp_path / "first" / "state.safetensors").read_bytes() == before
    on = run(source, tmp_path / "second", fork=tmp_path / "first" / "state.safetensors")
    assert on.samples == first.samples + 4  # a run in progress continues from its own state


def test_validation_is_psnr_of_the_equilibrium_on_fixed_noise():
    pictures = [picture.numpy() for picture in smooth_pictures(7, 100, 97)]
    patches = validation_batch(pictures, NoiseRange(0, 55), torch.device("cpu"))
    noisy, clean, _ = patches
    crops = [picture[2:98, 0:96].astype(np.float32) / 255 for picture in pictures[:6]]
    np.testing.assert_array_equal(clean[:, 0], np.stack(crops))
    for seed, crop in enumerate(crops):
        np.testing.assert_array_equal(noisy[seed], add_noise(crop[None], 25, seed))
    torch.manual_seed(0)
    net = NERD(NerdConfig(features=8, window=5)).eval()
    score, residual = validate(net, NoisyPatches(*(one[:2] for one in patches)), steps=4)
    with torch.no_grad():
        s = net.inject(noisy[:2])
        steps = list(broyden(lambda z: net.implicit(z, s), net.initial(s), max_iter=4, tol=0))
        residuals = torch.stack([step.residual for step in steps])
        best = [steps[int(index)].z[i] for i, index in enumerate(residuals.argmin(0))]
        x_hat = (noisy[:2] + net.decode(torch.stack(best))).numpy()
    expected = [psnr(crops[i], x_hat[i, 0]) for i in range(2)]
    assert score == pytest.approx(np.mean(expected), abs=1e-3)
    assert residual == pytest.approx(float(residuals.amin(0).mean()), rel=1e-3)


@pytest.mark.parametrize(
    ("changes", "channels"),
    [({"model": NerdConfig(channels=3, features=8, window=5)}, 3), ({"noise": CameraNoise(0, 30)}, 1)],
)
def test_colour_and_camera_noise_are_trained_on(source, tmp_path, changes, channels):
    recipe = dataclasses.replace(TINY, **changes)
    trainer = run(source, tmp_path / "run", recipe, minutes=5, decay=8)
    assert trainer.samples == 8
    assert trainer.sampler.pictures.shape == (2, channels, 96, 100)
    assert all(math.isfinite(float(value)) for value in curve(tmp_path / "run")[-1].values())
    assert find_recipe(str(tmp_path / "run" / "recipe.json")) == recipe


def test_what_cannot_be_used_is_a_sentence_and_the_last_state_survives(source, tmp_path, monkeypatch):
    folder = tmp_path / "run"
    run(source, folder)
    state = folder / "state.safetensors"
    good = state.read_bytes()

    def full(_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", full)
        with pytest.raises(DataError, match="No space left"):
            run(source, folder)
        with pytest.raises(DataError, match=r"state .* cannot be written .*; the last one is kept"):
            make().state().save(state)
    assert state.read_bytes() == good
    assert not list(folder.glob("*.part"))

    with pytest.raises(DataError, match="trains another network"):
        run(source, folder, dataclasses.replace(TINY, model=NerdConfig(features=16)))
    (tmp_path / "file").touch()
    with pytest.raises(DataError, match="cannot be written"):
        run(source, tmp_path / "file" / "run")
    with pytest.raises(DataError, match=r"network .* cannot be written .*; the run's own state is kept"):
        run(source, folder, release=tmp_path / "nowhere" / "tiny.safetensors")
    good = state.read_bytes()
    for content in (b"", good[:100], good[: len(good) // 2]):
        state.write_bytes(content)
        with pytest.raises(
            DataError, match=r"state\.safetensors” cannot be read .*; remove it to start from the beginning"
        ):
            run(source, folder)
        assert state.read_bytes() == content
    state.unlink()
    for content in ("{", "[]", '{"name": "x"}', json.dumps(TINY.to_json()).replace('"heads": 4', '"heads": 0')):
        (folder / "recipe.json").write_text(content)
        with pytest.raises(DataError, match=r"is invalid|heads must be"):
            run(source, folder)
    for path in source.glob("[0-9]*.png"):
        Image.fromarray(np.zeros((90, 100), np.uint8)).save(path)
    with pytest.raises(DataError, match="validation pictures must be at least 96 pixels"):
        run(source, tmp_path / "other")


@pytest.mark.parametrize("recipe", [TINY, *RECIPES.values()], ids=lambda recipe: recipe.name)
def test_a_recipe_goes_through_json(recipe, tmp_path):
    assert Recipe.from_json(json.loads(json.dumps(recipe.to_json(), allow_nan=False))) == recipe
    path = tmp_path / "own.json"
    path.write_text(json.dumps(recipe.to_json()))
    assert find_recipe(str(path)) == recipe


def test_recipes_are_found_by_name(tmp_path):
    lite = find_recipe("nerd-lite")
    assert sum(p.numel() for p in NERD(lite.model).fold().parameters()) == 350_595
    assert (lite.noise.low, lite.noise.high) == (0, 55)
    assert find_recipe("nerd-lite-25").noise == NoiseRange(25, 25)
    no_post, full = find_recipe("nerd-lite-25-no-post"), find_recipe("nerd-lite-25")
    assert NERD(no_post.model).transformation.norm_post.__class__ is torch.nn.Identity
    assert dataclasses.replace(no_post, name=full.name, model=full.model) == full
    assert NERD(find_recipe("nerd-lite-colour").model).inject(torch.rand(1, 3, 4, 4)).shape == (1, 64, 4, 4)
    for name, channels in (("nerd-lite-photo", 1), ("nerd-lite-photo-colour", 3)):
        assert isinstance(find_recipe(name).noise, CameraChain)
        assert find_recipe(name).model.channels == channels
    nerd = find_recipe("nerd")
    assert sum(p.numel() for p in NERD(nerd.model).fold().parameters()) == 1_397_507
    assert dataclasses.replace(nerd.model, weight_norm=True) == NerdConfig()
    assert find_recipe("nerd-50").noise == NoiseRange(50, 50)
    with pytest.raises(ValueError, match="no recipe “nerd-x”; choose one of nerd, nerd-15"):
        find_recipe("nerd-x")
    (tmp_path / "bad.json").write_bytes(b"\xff\xfe")
    with pytest.raises(ValueError, match="is invalid"):
        find_recipe(str(tmp_path / "bad.json"))
