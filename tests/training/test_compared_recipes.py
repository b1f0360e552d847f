"""The recipes of the networks for comparisons, and the paper's recipes."""

import dataclasses
import math

import pytest
import torch
from tiny_training import TINY, make, smooth_pictures

from nerd_gui.nerd import NERD, NerdConfig, load_model, load_record
from nerd_gui.training import RECIPES, Recipe, Trainer, train
from nerd_gui.training.noise_models import NoiseRange
from nerd_gui.training.state import RunState

BASELINE = RECIPES["nerd-lite-25-ablation-baseline"]
COMPARED = [recipe for name, recipe in RECIPES.items() if "-ablation-" in name]


def test_one_thing_differs_from_the_baseline():
    """Networks compared at one noise level; they are trained as long as the pair of Fig. 8."""
    assert {recipe.name.partition("-ablation-")[2] for recipe in COMPARED if recipe.noise == BASELINE.noise} == {
        *("baseline", "no-penalty", "no-post", "image", "non-local-only", "transformation-only"),
        *("heads-1", "heads-8", "window-9", "window-25", "window-33", "seed-1"),
    }
    for recipe in COMPARED:
        sigma = int(recipe.name.split("-")[2])
        fair = RECIPES[f"nerd-lite-{sigma}-ablation-baseline"]
        changed = [
            field.name
            for part, other in ((recipe, fair), (recipe.model, fair.model))
            for field in dataclasses.fields(part)
            if field.name not in ("name", "model") and getattr(part, field.name) != getattr(other, field.name)
        ]
        assert len(changed) == (recipe is not fair), recipe.name
        assert fair.noise == NoiseRange(sigma, sigma)
        assert dataclasses.replace(fair, name="", noise=BASELINE.noise) == dataclasses.replace(BASELINE, name="")
    assert 17_052 + 2_316 == BASELINE.decay_at + BASELINE.decay_over == 19_368


@pytest.mark.parametrize("recipe", COMPARED, ids=lambda recipe: recipe.name)
def test_each_of_them_can_be_trained(recipe):
    """A plain step and a deep one on small patches; the loss has a gradient in every weight."""

    def small(stage):
        return dataclasses.replace(stage, patch=8, batch=2, precision="float32")

    plain, deep = map(small, recipe.stages)
    stages = (dataclasses.replace(plain, until=2), dataclasses.replace(deep, solver_steps=2))
    trainer = Trainer(
        dataclasses.replace(recipe, stages=stages, decay_stage=small(recipe.decay_stage), norms_fixed_from=None),
        smooth_pictures(),
    )
    for step in (plain, deep):
        assert trainer.stage.solver_steps == min(step.solver_steps, 2)
        record = trainer.step()
        assert math.isfinite(record.mse) and record.gradient_norm > 0
    assert all(bool(p.grad.abs().sum() > 0) for name, p in trainer.net.named_parameters()), recipe.name


def test_a_decay_that_the_recipe_holds_begins_and_ends_the_run_by_itself(source, tmp_path):
    recipe = dataclasses.replace(TINY, name="planned", decay_at=6, decay_over=4)
    release = tmp_path / "planned.safetensors"
    trainer = train(recipe, source, tmp_path / "run", minutes=5, release=release)
    assert (trainer.samples, trainer.decay_start, trainer.decay_finished) == (10, 6, True)
    before = RunState.load(tmp_path / "state" / "planned.safetensors", torch.device("cpu"))
    assert (before.numbers["samples"], before.numbers["decay_start"]) == (6, None)
    assert load_record(release)["samples"] == 10
    assert load_model(release).config == TINY.model
    again = train(recipe, source, tmp_path / "run", minutes=5, release=release)  # it was over
    assert again.samples == 10
    with pytest.raises(ValueError, match="needs its length"):
        Recipe.from_json({**recipe.to_json(), "decay_over": 0})


def test_the_papers_learning_rate_falls_with_the_cosine():
    recipe = RECIPES["nerd-paper-25"]
    trainer = make(decay_at=0, decay_over=recipe.decay_over, decay_shape="cosine", warm_up=1, learning_rate=1e-3)
    assert trainer.decay_due
    trainer.start_decay(recipe.decay_over)
    for part in (0.0, 0.25, 0.5, 0.9, 1.0):
        trainer.samples = round(part * 5_120_000)
        assert trainer.learning_rate() == pytest.approx(1e-3 * 0.5 * (1 + math.cos(math.pi * part)), abs=1e-9)


def test_the_recipe_of_the_paper_is_sec_vii_a_and_runs(source, tmp_path):
    for sigma in (15, 25, 50):
        recipe = RECIPES[f"nerd-paper-{sigma}"]
        assert recipe.noise == NoiseRange(sigma, sigma)
        assert dataclasses.replace(recipe, name="", noise=NoiseRange(25, 25)) == dataclasses.replace(
            RECIPES["nerd-paper-25"], name=""
        )
    assert dataclasses.replace(recipe.model, dropout=0.0) == NerdConfig()  # weight norm, 4 heads, d 128, q 65
    assert sum(p.numel() for p in NERD(recipe.model).fold().parameters()) == 1_397_507
    (stage,) = recipe.stages
    assert (stage.solver_steps, stage.unroll, stage.patch, stage.batch) == (17, 8, 64, 4)
    assert (recipe.damping, recipe.learning_rate, recipe.muon) == (0.8, 1e-3, False)
    assert recipe.model.dropout > 0
    assert recipe.decay_over == 100 * 128 * 400
    # Two small steps: the average is the network itself, and nothing is clipped.
    small = dataclasses.replace(stage, patch=8, batch=2, solver_steps=3, unroll=2)
    model = dataclasses.replace(recipe.model, features=8, window=5)
    tiny = dataclasses.replace(recipe, model=model, stages=(small,), decay_stage=small, decay_over=4)
    trainer = train(tiny, source, tmp_path / "run", minutes=5)
    assert (trainer.steps, trainer.decay_finished, set(trainer.optimizers)) == (2, True, {"adamw"})
    for name, value in trainer.net.named_parameters():
        assert torch.equal(trainer.ema[name], value), name
