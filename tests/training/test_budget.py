"""A session's time limit includes writing all files; the tests' clock advances only with the work."""

import csv
import dataclasses
import sys
import types

import pytest
import torch
from tiny_training import DEEP, TINY, as_committed, assert_same_state, make, snapshot

from nerd_gui.nerd import load_record
from nerd_gui.training import DataError, Trainer, budget, find_recipe, train
from nerd_gui.training.state import RunState

# The package's `train` is the function; its module has the same name.
train_module = sys.modules["nerd_gui.training.train"]
STEP, DEEP_STEP, VALIDATION, BATCH_OF_AVERAGE, SAVE = 10.0, 15.0, 6.0, 2.0, 4.0


@pytest.fixture
def clock(monkeypatch):
    """A clock in seconds: a step, a validation, a release and a saved state each take a fixed time."""
    now = types.SimpleNamespace(seconds=1000.0)
    fake = types.SimpleNamespace(monotonic=lambda: now.seconds)

    def takes(owner, name, seconds):
        real = getattr(owner, name)

        def slow(*args, **options):
            now.seconds += seconds(*args) if callable(seconds) else seconds
            return real(*args, **options)

        monkeypatch.setattr(owner, name, slow)

    monkeypatch.setattr(train_module, "time", fake)
    monkeypatch.setattr(budget, "time", fake)
    takes(Trainer, "step", lambda trainer: DEEP_STEP if trainer.stage.solver_steps == 4 else STEP)
    takes(train_module, "validate", VALIDATION)
    takes(Trainer, "averaged", lambda trainer, batches: BATCH_OF_AVERAGE * batches)
    takes(RunState, "save", SAVE)
    return now


def stretch(source, folder, **options):
    return train(TINY, source, folder, **options)


@pytest.mark.parametrize("release", [False, True])
def test_all_is_written_before_the_minutes_are_over(source, tmp_path, clock, release):
    options = {"release": tmp_path / "net.safetensors"} if release else {}
    trainer = stretch(source, tmp_path / "run", minutes=9.3, validate_every=4, keep=tmp_path / "out", **options)
    took = clock.seconds - 1000
    assert 9.3 * 60 - 45 < took <= 9.3 * 60
    kept = RunState.load(tmp_path / "out" / "state.safetensors", torch.device("cpu"))
    assert_same_state(kept, as_committed(trainer.small_state()))
    rows = list(csv.DictReader((tmp_path / "out" / "curve.csv").read_text().splitlines()))
    assert int(rows[-1]["samples"]) == trainer.samples
    assert (tmp_path / "out" / "recipe.json").exists()
    assert not release or load_record(tmp_path / "net.safetensors")["samples"] == trainer.samples


def test_the_start_may_lie_before_the_call(source, tmp_path, clock):
    stretch(source, tmp_path / "run", minutes=9.3, began=1000 - 200)
    assert clock.seconds - 800 <= 9.3 * 60


def test_a_stretch_shorter_than_the_time_between_validations_keeps_its_minutes(source, tmp_path, clock):
    stretch(source, tmp_path / "run", minutes=3, validate_every=60)
    assert 120 < clock.seconds - 1000 <= 180


def test_a_validation_that_takes_all_that_is_left_is_the_last_one(source, tmp_path, clock):
    stretch(source, tmp_path / "run", minutes=0.6)  # a step or two, and 16 s of validation
    assert len((tmp_path / "run" / "curve.csv").read_text().splitlines()) == 2


def test_the_first_step_of_a_stage_is_given_as_long_as_the_longest(clock):
    kept = budget.Budget(began=1000, minutes=5)
    for seconds in (40.0, 2.0):
        with kept.timing("step"):
            clock.seconds += seconds
    assert kept.left() == pytest.approx(300 - 42 - 1.25 * 2)
    assert kept.left(new_stage=True) == pytest.approx(300 - 42 - 1.25 * 40)


def test_a_fitted_decay_ends_with_the_stretch(source, tmp_path, clock):
    first = stretch(source, tmp_path / "run", minutes=1)
    began = clock.seconds
    trainer = stretch(source, tmp_path / "run", minutes=15, decay="fit", validate_every=5)
    assert trainer.decay_finished
    assert 0.85 * 15 * 60 < clock.seconds - began <= 15 * 60
    assert trainer.decay_start == first.samples


def test_a_rehearsal_leaves_the_run_as_it_was():
    trainer = make()
    for _ in range(3):
        trainer.step()
    before = snapshot(trainer)
    assert budget.rehearse(trainer, dataclasses.replace(DEEP, solver_steps=2)) > 0
    assert_same_state(trainer.state(), before)
    fresh = make()
    before = snapshot(fresh)
    budget.rehearse(fresh, DEEP)
    assert_same_state(fresh.state(), before)  # no moments among it


def test_a_folder_that_cannot_be_kept_in_is_a_sentence(source, tmp_path):
    (tmp_path / "taken").write_text("")
    with pytest.raises(DataError, match="cannot be written"):
        stretch(source, tmp_path / "run", minutes=0, keep=tmp_path / "taken")


def test_a_kept_state_goes_on_by_a_fork(source, tmp_path):
    first = stretch(source, tmp_path / "run", minutes=0, keep=tmp_path / "out")
    again = train(TINY, source, tmp_path / "next", minutes=0, fork=tmp_path / "out" / "state.safetensors")
    assert again.samples == first.samples + TINY.stages[0].batch


def test_what_travels_of_the_papers_network_fits_into_16_mib(tmp_path):
    made = Trainer(find_recipe("nerd"), torch.zeros(1, 8, 8, dtype=torch.uint8))
    made.small_state().save(tmp_path / "state.safetensors")
    assert (tmp_path / "state.safetensors").stat().st_size < 12 << 20
