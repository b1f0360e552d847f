"""The choices of `nerd-gui tune` change how a step is computed, but not its result."""

import dataclasses
import functools
import json

import pytest
import torch
from tiny_training import DEEP, SHALLOW, TINY, make, smooth_pictures

from nerd_gui.equilibrium import broyden_without_synchronisation
from nerd_gui.nerd import NerdConfig
from nerd_gui.training import DataError, Execution, Trainer, execution, trainer

CONTRACTING = dataclasses.replace(TINY, stages=(DEEP,), model=NerdConfig(features=8, window=5))


def gradients(recipe, chosen, steps=2):
    """Return the parameters after some steps."""
    made = Trainer(recipe, smooth_pictures(), execution=chosen)
    records = [made.step() for _ in range(steps)]
    return records, torch.cat([parameter.detach().flatten() for parameter in made.net.parameters()])


@pytest.fixture
def traced(monkeypatch):
    """Use `torch.compile` without its code generator, which would take a minute."""
    monkeypatch.setattr(torch, "compile", functools.partial(torch.compile, backend="aot_eager"))
    yield
    torch._dynamo.reset()


@pytest.mark.parametrize("stage", [SHALLOW, DEEP], ids=["shallow", "deep"])
def test_compiled_and_dense_steps_are_the_same_steps(traced, stage):
    recipe = dataclasses.replace(CONTRACTING, stages=(dataclasses.replace(stage, until=None),))
    records, weights = gradients(recipe, Execution())
    for chosen in (Execution("dense"), Execution("blocks"), Execution("dense", "compile")):
        others, other_weights = gradients(recipe, chosen)
        for one, other in zip(records, others, strict=True):
            assert other.mse == pytest.approx(one.mse, rel=1e-4)
            assert other.gradient_norm == pytest.approx(one.gradient_norm, rel=1e-3)
        torch.testing.assert_close(other_weights, weights, rtol=0, atol=1e-3)


def test_a_compiled_f_is_compiled_once_with_and_once_without_gradients(traced):
    from torch._dynamo.utils import counters

    counters.clear()
    made = Trainer(CONTRACTING, smooth_pictures(), execution=Execution("dense", "compile"))
    for _ in range(2):
        made.step()
    assert counters["stats"]["unique_graphs"] == 2
    assert not counters["graph_break"]


def test_the_solvers_evaluations_are_replayed_for_each_new_s(monkeypatch):
    """The CUDA graph is replaced by a plain evaluation with the graph's inputs."""
    made_graphs = []

    class Replayed:
        def __init__(self, f, z, s):
            self.f, self.s, self.calls = f, s.clone(), 0
            made_graphs.append(self)

        def __call__(self, z):
            assert not torch.is_grad_enabled()
            self.calls += 1
            return self.f(z, self.s)

    monkeypatch.setattr(execution, "_Graph", Replayed)
    monkeypatch.setattr(torch, "compile", lambda f, **_: f)
    records, weights = gradients(CONTRACTING, Execution())
    others, other_weights = gradients(CONTRACTING, Execution(mode="graphs"))
    assert others == records and torch.equal(weights, other_weights)
    assert [graph.calls for graph in made_graphs] == [2 * (DEEP.solver_steps + 1)]


def test_without_waiting_a_step_is_the_same(monkeypatch):
    records, weights = gradients(CONTRACTING, Execution())
    monkeypatch.setattr(
        trainer, "equilibrium", lambda f, z0, steps, tol: broyden_without_synchronisation(f, z0, steps=steps)
    )  # as on an accelerator
    others, other_weights = gradients(CONTRACTING, Execution())
    assert [record.mse for record in others] == pytest.approx([record.mse for record in records], rel=1e-4)
    torch.testing.assert_close(other_weights, weights, rtol=0, atol=1e-4)


def test_larger_batches_come_with_a_larger_rate():
    larger = Execution(batch_factor=4).applied_to(TINY)
    assert [stage.batch for stage in (*larger.stages, larger.decay_stage)] == [8, 8, 8]
    assert larger.learning_rate == pytest.approx(2 * TINY.learning_rate)
    assert larger.ema == pytest.approx(TINY.ema**4)
    assert Execution().applied_to(TINY) == TINY
    assert make(larger).sampler.batch(larger.stages[0].batch, 8)[0].shape[0] == 8


def test_a_choice_comes_from_its_file(tmp_path):
    path = tmp_path / "tune.json"
    chosen = Execution("flex", "graphs", 0.5)
    path.write_text(json.dumps({"speed": chosen.to_json(), "candidates": []}))
    assert Execution.read(path) == chosen
    path.write_text('{"speed": {"attention": "tiled", "mode": "eager", "batch_factor": 2.0}}')  # an older version
    assert Execution.read(path) == Execution("blocks", "eager", 2.0)
    for text in ("{}", "no", '{"speed": {"mode": "warp"}}', '{"speed": {"attention": 3}}', '{"speed": 1}'):
        path.write_text(text)
        with pytest.raises(DataError, match="is not a file of “nerd-gui tune”"):
            Execution.read(path)
    with pytest.raises(DataError):
        Execution.read(tmp_path / "missing.json")
    with pytest.raises(ValueError, match="factor"):
        Execution(batch_factor=0)
