"""`nerd-gui tune`: what it measures with tiny sizes on the processor, what it chooses, and what happens on failure."""

import dataclasses
import json
import time

import pytest
import torch

from nerd_gui.benchmarks import device_checks, device_jobs, tuning
from nerd_gui.benchmarks.device_checks import checks, relative_error
from nerd_gui.benchmarks.device_process import results
from nerd_gui.benchmarks.flops import step_flops, useful_flops
from nerd_gui.benchmarks.tuning import TuningRequest, choose, tune
from nerd_gui.benchmarks.tuning_words import line
from nerd_gui.cli import main
from nerd_gui.nerd import NerdConfig
from nerd_gui.training import Execution, Recipe, Stage, find_recipe
from nerd_gui.training.noise_models import NoiseRange

SHALLOW = Stage(until=4, solver_steps=0, unroll=2, patch=12, batch=4)
DEEP = dataclasses.replace(SHALLOW, until=None, solver_steps=2, batch=2)
TINY = Recipe(
    name="tiny",
    model=NerdConfig(features=16, window=5, weight_norm=False),
    noise=NoiseRange(25, 25),
    stages=(SHALLOW,),
    decay_stage=DEEP,
)


@pytest.fixture
def recipe(tmp_path):
    path = tmp_path / "recipe.json"
    path.write_text(json.dumps(TINY.to_json()))
    return str(path)


@pytest.fixture
def small(monkeypatch):
    """Settings with few checks, no compilation, and all jobs in this process."""
    monkeypatch.setattr(device_checks, "ATTENTION_CASES", [((1, 2, 9, 20, 16), 5)])
    monkeypatch.setattr(device_checks, "paths", lambda device: ["blocks", "dense"])
    monkeypatch.setattr(tuning, "ways", lambda device: [("blocks", "eager"), ("dense", "eager")])
    stage = dataclasses.replace(device_checks._STAGE, patch=12, batch=2)
    monkeypatch.setattr(device_checks, "_STAGE", stage)
    monkeypatch.setattr(
        device_checks,
        "_RECIPE",
        dataclasses.replace(device_checks._RECIPE, model=TINY.model, stages=(stage,), decay_stage=stage),
    )
    at_leisure = device_jobs.seconds_of
    monkeypatch.setattr(device_jobs, "seconds_of", lambda f, device, **_: at_leisure(f, device, least=1, seconds=0.02))

    def here(task, limit, idle):
        assert 0 < idle <= 150 and 0 < limit <= 150
        yield from device_jobs.job(**json.loads(json.dumps(task)))()

    monkeypatch.setattr(tuning, "results", here)


def row(attention, mode, stage, batch, rate, mse=100.0, **others):
    figures = {"samples_per_second": rate, "mse": mse, "gradient_norm": 1.0}
    return {"kind": "step", "attention": attention, "mode": mode, "stage": stage, "batch": batch, **figures, **others}


def test_everything_is_measured_and_the_choice_trains(small, recipe, tmp_path, capsys):
    out = tmp_path / "tune.json"
    command = ["tune", "--device", "cpu", "--config", recipe, "--seconds", "100", "--size", "16", "--out", str(out)]
    assert main([*command, "--batch-factor", "1", "2"]) == 0
    report = json.loads(out.read_text())
    rows = report["results"]
    assert not [one for one in rows if "failed" in one]
    kinds = [one["kind"] for one in rows]
    assert (kinds.count("rate"), kinds.count("step"), kinds.count("solve"), kinds.count("profile")) == (3, 6, 2, 1)
    passed = [one for one in rows if one["kind"] == "check"]
    assert len(passed) == 2 * 2 * 2 + 1 + 2 * 2 and all(one["passed"] for one in passed)
    for one in rows:
        if one["kind"] == "step":
            stage = dataclasses.replace([SHALLOW, DEEP][one["stage"]], batch=one["batch"])
            assert one["flops_per_second"] * one["seconds"] == pytest.approx(step_flops(TINY, stage))
            assert one["samples_per_second"] == pytest.approx(stage.batch / one["seconds"])
        elif one["kind"] == "solve":
            flops = 18 * sum(useful_flops(TINY.model, 16, 16, 5).values())
            assert one["flops_per_second"] * one["seconds"] == pytest.approx(flops)
    chosen = Execution.read(out)
    assert chosen.attention in ("blocks", "dense") and chosen.mode == "eager"
    printed = capsys.readouterr().out
    assert f"Chosen: attention {chosen.attention}, f eager" in printed
    assert "of bfloat16's peak" in printed and "passed: attention dense, 9x20" in printed


def test_a_wrong_result_does_not_pass_and_is_not_chosen(small, monkeypatch, recipe):
    right = device_checks.neighbourhood_attention
    monkeypatch.setattr(
        device_checks,
        "neighbourhood_attention",
        lambda *a, path, **k: right(*a, path=path, **k) * (1.01 if path == "dense" else 1),
    )
    rows = [one for one in checks("cpu") if one["what"].startswith("attention")]
    assert {one["path"] for one in rows if not one["passed"]} == {"dense"}
    fast = [row("dense", "eager", stage, batch, 99.0) for stage, batch in ((0, 4), (1, 2))]
    slow = [row("blocks", "eager", stage, batch, 1.0) for stage, batch in ((0, 4), (1, 2))]
    assert choose(slow + fast, TINY).attention == "dense"
    assert choose(rows + slow + fast, TINY).attention == "blocks"
    assert relative_error(torch.tensor([torch.nan]), torch.ones(1, dtype=torch.float64)) != 0


def test_the_fastest_sound_way_that_has_every_stage_is_chosen():
    base = [row("dense", "eager", 0, 4, 10.0), row("dense", "eager", 1, 2, 5.0)]
    assert choose([], TINY) is None and choose(base[:1], TINY) is None
    assert choose(base, TINY) == Execution("dense", "eager")
    compiled = [row("dense", "compile", 0, 4, 40.0), row("dense", "compile", 1, 2, 20.0)]
    assert choose(base + compiled, TINY) == Execution("dense", "compile")
    assert choose(base + compiled[:1], TINY) == Execution("dense", "eager")
    other = [{**one, "mse": 120.0} for one in compiled]  # a different loss with the same weights and patches
    assert choose(base + other, TINY) == Execution("dense", "eager")
    broken = [{"kind": "step", "attention": "flex", "mode": "compile", "stage": 0, "batch": 4, "failed": "no"}]
    graphs = [row("dense", "graphs", 1, 2, 25.0)]
    assert choose(base + compiled + broken + graphs, TINY) == Execution("dense", "graphs")
    larger = [row("dense", "compile", 0, 8, 43.0), row("dense", "compile", 0, 16, 50.0)]
    assert choose(base + compiled + larger, TINY) == Execution("dense", "compile", 4)
    larger[-1]["samples_per_second"] = 41.0  # at most the batch of 4
    assert choose(base + compiled + larger, TINY) == Execution("dense", "compile")
    small = [row("dense", "compile", 0, 2, 39.0)]
    assert choose(base + compiled + small, TINY) == Execution("dense", "compile", 0.5)


def test_one_case_that_fails_does_not_end_the_others(recipe, monkeypatch):
    real = device_jobs._measured

    def failing(trainer, whole, stage, *others):
        if stage.batch == 4:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 3 GB")
        return real(trainer, whole, stage, *others)

    monkeypatch.setattr(device_jobs, "_measured", failing)
    cases = [[0, 4], [1, 2]]
    one, other = device_jobs.steps("cpu", recipe, "blocks", "eager", cases, 0.01)
    assert "out of memory" in one["failed"] and line(one, [one, other]).startswith("blocks, eager: 4 of 12x12")
    assert other["samples_per_second"] > 0 and "failed" not in other


def test_a_job_runs_in_a_process_and_what_ends_it_is_a_row(recipe):
    began = time.monotonic()
    rows = list(results({"name": "steps", "device": "nowhere", "recipe": recipe}, 60, 60))
    assert len(rows) == 1 and "TypeError" in rows[0]["failed"]
    (late,) = results({"name": "rates", "device": "cpu"}, 0.5, 60)
    assert "ended, because it gave no result" in late["failed"]
    assert list(results({"name": "rates", "device": "cpu"}, 0, 60)) == [{"failed": "no time was left"}]
    assert time.monotonic() - began < 60


def test_a_report_is_saved_after_every_job(small, recipe, monkeypatch):
    saved = []
    request = TuningRequest("cpu", recipe, seconds=60.0, factors=(1.0,), sizes=(8,), turn=0.05)
    monkeypatch.setattr(tuning, "ways", lambda device: [("dense", "eager")])
    report = tune(request, find_recipe(recipe), lambda row: None, lambda report: saved.append(json.dumps(report)))
    assert [json.loads(one)["speed"] is None for one in saved] == [True, True, False, False, False]
    assert json.loads(saved[-1]) == json.loads(json.dumps(report))


def test_without_time_nothing_is_chosen_and_that_is_said(recipe, tmp_path, capsys):
    out = tmp_path / "tune.json"
    assert main(["tune", "--device", "cpu", "--config", recipe, "--seconds", "0.001", "--out", str(out)]) == 1
    assert json.loads(out.read_text())["speed"] is None
    assert "Train without --tuned" in capsys.readouterr().out
