"""Thousands of damaged networks, states, sessions, recipes and other files: read, or refused with one sentence."""

import json
import random
import zipfile
from dataclasses import asdict
from pathlib import Path

import pytest
import torch
from figures import Costs, figure, mutated, odd_json
from safetensors import safe_open
from safetensors.torch import load_file, save
from tiny_session import ENTRY, session_file

from nerd_gui.denoising.session_file import SessionFileError, read_session
from nerd_gui.evaluation.cards import Card
from nerd_gui.evaluation.figures import EvaluationError, read_entries
from nerd_gui.nerd import ModelError, load_model, load_record
from nerd_gui.training import find_recipe
from nerd_gui.training.data import DataError
from nerd_gui.training.execution import Execution
from nerd_gui.training.recipe import RECIPES, Recipe
from nerd_gui.training.state import RunState

Y = torch.zeros(1, 1, 9, 8)


def outcome(read, error, kind, seed, costs):
    """Return whether a file was read; otherwise the error must be one sentence that names it."""
    what = f"{kind}, seed {seed}"
    with costs.of(what):
        try:
            read()
        except error as caught:
            sentence = str(caught)
            named = "damaged" in sentence or kind == "sessions"  # some of its sentences are about the photo
            assert named and sentence.endswith(".") and "\n" not in sentence, f"{what}: {sentence}"
            assert len(sentence) < 2000, what
            return False
        except Exception as caught:
            raise AssertionError(f"{what}: {type(caught).__name__}: {caught}") from caught
    return True


def tell(kind, count, read, costs):
    print(f"\n{count} damaged {kind}: {read} read, the others refused; {costs}")
    assert costs.seconds < 5 and costs.megabytes < 1000
    assert read < count


@figure(5_000)
def test_damaged_networks(in_memory, tiny_model_path, count):
    whole, tensors = tiny_model_path.read_bytes(), load_file(tiny_model_path)
    with safe_open(tiny_model_path, framework="pt") as file:
        metadata = file.metadata()
    path, costs, read = in_memory / "damaged.safetensors", Costs(), 0

    def use():
        load_record(path)
        net = load_model(path)
        if net.config.channels == 1 and not net.config.level_input:
            s = net.inject(Y)
            assert net.estimate(Y, net.implicit(torch.zeros_like(s), s))[0].shape == Y.shape

    path.write_bytes(whole)
    use()  # so that everything has been compiled
    for seed in range(count):
        chance = random.Random(seed)
        if seed % 2:
            path.write_bytes(mutated(whole, whole, seed))
        else:
            name = chance.choice(("config", "record"))
            text = json.dumps(odd_json(json.loads(metadata[name]), chance))
            path.write_bytes(save(tensors, {**metadata, name: text}))
        read += outcome(use, ModelError, "networks", seed, costs)
    tell("networks", count, read, costs)


@figure(5_000)
def test_damaged_training_states(in_memory, tiny_model_path, count):
    numbers = {"samples": 8, "steps": 2, "seconds": 1.5, "decay_start": None, "decay_samples": 0, "guard": {}}
    tensors = {f"model.{name}": value for name, value in load_file(tiny_model_path).items()}
    whole, path, costs, read = save(tensors, {"numbers": json.dumps(numbers)}), in_memory / "damaged.bin", Costs(), 0
    for seed in range(count):
        text = json.dumps(odd_json(numbers, random.Random(seed)))
        path.write_bytes(mutated(whole, whole, seed) if seed % 2 else save(tensors, {"numbers": text}))
        read += outcome(lambda: RunState.load(path, torch.device("cpu")), DataError, "training states", seed, costs)
    tell("training states", count, read, costs)


@figure(5_000)
def test_damaged_sessions(in_memory, tmp_path, count):
    source = session_file(tmp_path)
    with zipfile.ZipFile(source) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    whole, described = source.read_bytes(), json.loads(members["session.json"])
    path, costs, read = in_memory / "damaged.nerd", Costs(), 0
    for seed in range(count):
        chance = random.Random(seed)
        if seed % 4 == 0:
            path.write_bytes(mutated(whole, whole, seed))
        else:
            changed = dict(members)
            name = "session.json" if seed % 4 < 3 else chance.choice(sorted(members))
            if name == "session.json":
                changed[name] = json.dumps(odd_json(described, chance)).encode()
            else:
                changed[name] = mutated(members[name], whole, seed)
            with zipfile.ZipFile(path, "w") as archive:
                for member, content in changed.items():
                    archive.writestr(member, content)
        photo = source.with_suffix(".png")
        read += outcome(lambda: read_session(path, photo=photo), SessionFileError, "sessions", seed, costs)  # noqa: B023
    tell("sessions", count, read, costs)


def recipe_of(path):
    recipe = find_recipe(str(path))
    assert isinstance(recipe, Recipe) and recipe.stage(0).batch >= 1 and recipe.to_json()


def card(path):
    return Card(path.with_suffix(".md")).figures()


KINDS = {
    "recipes": (json.loads(json.dumps(RECIPES["nerd-lite-photo-colour"].to_json())), recipe_of, ValueError),
    "tuning files": ({"speed": asdict(Execution())}, Execution.read, DataError),
    "figures": ([ENTRY, ENTRY], read_entries, EvaluationError),
    "cards": ({"weights": "0" * 64, "figures": [ENTRY]}, card, EvaluationError),
}


@figure(5_000)
@pytest.mark.parametrize("kind", KINDS)
def test_damaged_json(in_memory, tiny_model_path, monkeypatch, count, kind):
    value, read_file, error = KINDS[kind]
    monkeypatch.setattr("nerd_gui.evaluation.cards.weights_sha256", lambda _: "0" * 64)
    whole, path, costs, read = json.dumps(value).encode(), Path(in_memory / "damaged.json"), Costs(), 0
    for seed in range(count):
        odd = json.dumps(odd_json(value, random.Random(seed))).encode()
        path.write_bytes(mutated(whole, whole, seed) if seed % 3 == 0 else odd)
        read += outcome(lambda: read_file(path), error, kind, seed, costs)
    tell(kind, count, read, costs)
