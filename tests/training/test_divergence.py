"""A run that diverges is noticed, and continues from a good state."""

import dataclasses
import math

import numpy as np
import pytest
import torch
from tiny_training import TINY, assert_same_state, make, snapshot

from nerd_gui.training import DataError, Trainer, train
from nerd_gui.training.guard import DivergenceGuard
from nerd_gui.training.state import RunState


def noticed(losses, norm=1.0):
    """Return the number of steps after which the guard notices a divergence; None if it does not."""
    guard = DivergenceGuard()
    for count, loss in enumerate(losses, 1):
        guard.watch(float(loss), norm)
        if guard.diverged:
            return count
    return None


def usual(count, seed=0):
    """Losses of a run that fall from 30 to 1 and then stay, with the variation of small batches."""
    scatter = np.random.default_rng(seed).lognormal(0, 0.4, count)
    return (1 + 29 * np.exp(-np.arange(count) / 100)) * scatter


def test_a_usual_run_is_left_alone():
    assert noticed(usual(20_000)) is None
    wild = usual(3000)
    wild[::10] *= 1e6  # single wild steps
    assert noticed(wild) is None
    assert noticed(usual(3000) * np.linspace(1, 8, 3000)) is None  # a slow rise
    assert noticed(usual(3000) * (1 + (np.arange(3000) > 2000))) is None  # twice the level is not wild


@pytest.mark.parametrize("times", [6, 100, 1e30])
def test_a_loss_that_stays_far_above_its_level_is_a_divergence(times):
    risen = usual(3500)
    risen[3000:] *= times
    assert 3020 <= noticed(risen) <= 3040
    risen[3005::10] /= times  # single good steps do not hide it
    assert 3020 <= noticed(risen) <= 3040


def test_steps_in_a_row_that_are_not_finite_are_a_divergence():
    guard = DivergenceGuard()
    pattern = [math.nan, math.inf, math.nan, math.nan, 1.0] * 3 + [math.nan] * 5
    seen = []
    for norm in pattern:
        guard.watch(1.0 if math.isfinite(norm) else math.nan, norm)
        seen.append(guard.diverged)
        assert guard.alarmed is not math.isfinite(norm)
    assert seen == [False] * 19 + [True]
    assert math.isfinite(guard.level)


def test_going_back_is_to_the_bit_with_other_patches_and_half_the_rate():
    trainer = make(norms_fixed_from=6, decay_stage=dataclasses.replace(TINY.decay_stage, solver_steps=1))
    trainer.step()
    good, before = trainer.moment(), snapshot(trainer)
    first = trainer.sampler.batch(2, 8)[0]
    for factor in (0.5, 0.25):
        for _ in range(3):
            trainer.step()
        assert trainer.norms_fixed
        now = torch.get_rng_state(), trainer.generator.get_state()
        trainer.go_back(good)
        after = trainer.state()
        for name, value in before.tensors.items():
            assert torch.equal(after.tensors[name], value) is not name.startswith("random."), name
        assert torch.equal(after.tensors["random.global"], now[0])
        assert torch.equal(after.tensors["random.sampler"], now[1])
        assert after.numbers == {**before.numbers, "rate_factor": factor}
        assert trainer.learning_rate() == pytest.approx(factor * TINY.learning_rate * 3 / 8)
        assert not trainer.norms_fixed and all(module.training for module in trainer.net.modules())
        assert not torch.equal(trainer.sampler.batch(2, 8)[0], first)


SLOW = dataclasses.replace(TINY, stages=TINY.stages[1:], deep_part=0.0, ema=0.9)


def spoil(monkeypatch, how, at):
    """Spoil every run at the full rate when it has seen this many samples; return a list of the times."""
    step, done = Trainer.step, []

    def spoiled(self):
        if self.samples == at and self.rate_factor == 1:
            done.append(self.samples)
            with torch.no_grad():
                how(self)
        return step(self)

    monkeypatch.setattr(Trainer, "step", spoiled)
    return done


@pytest.mark.parametrize(("weight", "noticed_at"), [(50.0, 30), (math.nan, 28)])
def test_a_run_that_diverges_goes_back_and_on_and_ends_the_same_when_killed(
    source, tmp_path, monkeypatch, capsys, weight, noticed_at
):
    monkeypatch.setattr("nerd_gui.training.guard._SETTLED", 5)
    monkeypatch.setattr("nerd_gui.training.guard._STEPS", 6)
    run = {"minutes": 5, "validate_every": 5, "decay": 40}
    done = spoil(monkeypatch, lambda trainer: trainer.net.f_decode.conv.weight.fill_(weight), at=18)
    whole = train(SLOW, source, tmp_path / "whole", **run)
    assert done == [18]
    assert (whole.samples, whole.rate_factor) == (40, 0.5)
    assert all(value.isfinite().all() for value in whole.averaged(batches=2).state_dict().values())
    said = capsys.readouterr().err
    assert f"diverged at {noticed_at} samples. It continues from 0 samples with other patches and 0.5 times" in said
    # Killed after the spoiling, and resumed from the beginning, the only saved state.
    killed = RuntimeError("killed")
    spoiled = Trainer.step

    def dying(self):
        if self.samples == 22:
            raise killed
        return spoiled(self)

    folder = tmp_path / "killed"
    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "step", dying)
        with pytest.raises(RuntimeError, match="killed"):
            train(SLOW, source, folder, **run)
    assert done == [18, 18]
    again = train(SLOW, source, folder, **run)
    assert done == [18, 18, 18]
    one, other = again.state(), whole.state()
    one.numbers["seconds"] = other.numbers["seconds"]
    assert_same_state(one, other)


def test_a_validation_that_is_not_finite_leaves_the_good_state(source, tmp_path, monkeypatch, capsys):
    folder = tmp_path / "run"
    train(SLOW, source, folder, minutes=0)
    good = (folder / "state.safetensors").read_bytes()
    rows = (folder / "curve.csv").read_text()

    def lose_the_average(trainer):
        for value in trainer.ema.values():
            value.fill_(math.nan)

    with monkeypatch.context() as patch:
        assert spoil(patch, lose_the_average, at=2) == []
        with pytest.raises(DataError, match=r"run in .* has diverged; its last good state is kept"):
            train(SLOW, source, folder, minutes=0, release=tmp_path / "net.safetensors")
    assert (folder / "state.safetensors").read_bytes() == good
    assert (folder / "curve.csv").read_text() == rows
    assert not (tmp_path / "net.safetensors").exists()
    # If time is left it continues from the beginning of the session, and saves once it is good again.
    spoil(monkeypatch, lose_the_average, at=8)
    trainer = train(SLOW, source, folder, minutes=5, decay=8)
    assert (trainer.samples, trainer.rate_factor, trainer.decay_start) == (10, 0.5, 2)
    assert "diverged at 10 samples. It continues from 2 samples" in capsys.readouterr().err
    assert RunState.load(folder / "state.safetensors", torch.device("cpu")).numbers["samples"] == 10


def test_another_recipe_or_run_starts_with_the_full_rate(source, tmp_path):
    folder = tmp_path / "run"
    train(SLOW, source, folder, minutes=0)
    trainer = make(SLOW)
    trainer.go_back(trainer.moment())
    trainer.guard.watch(1.0, 1.0)
    trainer.state().save(folder / "state.safetensors")
    assert train(SLOW, source, folder, minutes=0).rate_factor == 0.5
    fork = train(SLOW, source, tmp_path / "fork", minutes=0, fork=folder / "state.safetensors")
    assert (fork.rate_factor, fork.guard.seen) == (1.0, 1)
    other = train(dataclasses.replace(SLOW, learning_rate=1e-4), source, folder, minutes=0)
    assert (other.rate_factor, other.guard.seen) == (1.0, 1)


def test_every_stage_has_its_own_level():
    trainer = make()
    seen = []
    for _ in range(4):
        trainer.step()
        seen.append(trainer.guard.seen)
    assert seen == [1, 0, 1, 2]  # two shallow steps, then deep ones
