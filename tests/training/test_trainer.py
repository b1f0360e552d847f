"""The trainer: an interruption does not change a bit, and the gradient is right."""

import copy
import dataclasses
import math

import numpy as np
import pytest
import torch
from tiny_training import DEEP, SHALLOW, TINY, assert_same_state, make, smooth_pictures, snapshot

from nerd_gui.equilibrium import broyden
from nerd_gui.nerd import NerdConfig
from nerd_gui.training import DataError, Stage, Trainer
from nerd_gui.training import trainer as trainer_module
from nerd_gui.training.noise_models import NoiseRange
from nerd_gui.training.state import RunState


@pytest.mark.parametrize("decaying", [False, True])
def test_killed_and_resumed_is_never_killed(tmp_path, decaying):
    def begin():
        trainer = make()  # seeds the process, so that the runs must be made one after the other
        if decaying:
            trainer.start_decay(20)
        return trainer

    whole = begin()
    records = [whole.step() for _ in range(6)]
    first = begin()
    parts = [first.step() for _ in range(3)]
    first.state().save(tmp_path / "state.safetensors")
    second = make(seed=99)  # another process has other random numbers
    second.restore(RunState.load(tmp_path / "state.safetensors", torch.device("cpu")))
    parts += [second.step() for _ in range(3)]
    assert parts == records
    assert_same_state(second.state(), whole.state())
    names = whole.state().tensors
    assert {name.split(".")[0] for name in names} == {"model", "ema", "adamw", "muon", "random"}
    assert any(name.endswith("exp_avg_sq") for name in names)


def test_a_small_state_goes_on_with_a_new_warm_up_and_new_patches():
    trainer = make()
    for _ in range(6):
        trainer.step()
    small = trainer.small_state()
    assert {name.split(".")[0] for name in small.tensors} == {"model", "ema"}
    again = make()
    again.restore(small)
    assert again.samples == 12
    assert again.learning_rate() == pytest.approx(TINY.learning_rate / 8)
    assert trainer.learning_rate() == TINY.learning_rate
    fresh = make().sampler.batch(2, 8)[0]
    assert not torch.equal(again.sampler.batch(2, 8)[0], fresh)
    again.step()
    third = make()
    third.restore(again.state())  # the warm-up continues
    assert third.learning_rate() == again.learning_rate() == pytest.approx(TINY.learning_rate * 3 / 8)


def test_the_state_of_another_network_is_a_sentence():
    other = make(model=NerdConfig(features=16, window=5))
    with pytest.raises(DataError, match="to another network"):
        make().restore(other.state())


def test_the_learning_rate_warms_up_stays_and_decays():
    trainer = make(warm_up=100, learning_rate=0.01)
    expected = {0: 0.0001, 49: 0.005, 99: 0.01, 5000: 0.01}
    for samples, rate in expected.items():
        trainer.samples = samples
        assert trainer.learning_rate() == pytest.approx(rate)
    trainer.start_decay(400)
    for samples, rate in {5000: 0.01, 5100: 0.005, 5400: 0.0, 5500: 0.0}.items():
        trainer.samples = samples
        assert trainer.learning_rate() == pytest.approx(rate)
        assert trainer.decay_finished is (samples >= 5400)
    slow = make(warm_up=1, learning_rate=0.01, stages=(SHALLOW, dataclasses.replace(DEEP, rate=0.5)))
    assert slow.learning_rate() == pytest.approx(0.01)
    slow.samples = 4
    assert slow.learning_rate() == pytest.approx(0.005)
    trainer.start_decay(100_000)  # one that is in progress continues
    assert (trainer.decay_start, trainer.decay_samples) == (5000, 400)


def test_stages_follow_the_samples():
    trainer = make()
    for samples, stage in {0: SHALLOW, 3: SHALLOW, 4: DEEP, 10**6: DEEP}.items():
        trainer.samples = samples
        assert trainer.stage == stage
    trainer.start_decay(1000)
    for seen, stage in {0: DEEP, 740: DEEP, 750: TINY.decay_stage, 1000: TINY.decay_stage}.items():
        trainer.samples = 10**6 + seen
        assert trainer.stage == stage


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_every_kind_of_step_counts_and_reports(precision):
    stages = tuple(dataclasses.replace(stage, precision=precision) for stage in (SHALLOW, DEEP))
    trainer = make(stages=stages)
    before = snapshot(trainer)
    for _ in range(3):
        record = trainer.step()
        assert math.isfinite(record.mse) and record.mse > 0
        assert 0 < record.residual < math.inf
        assert 0 < record.gradient_norm < math.inf
    assert (trainer.samples, trainer.steps) == (6, 3)
    after = trainer.state()
    for name in dict(trainer.net.named_parameters()):
        assert not torch.equal(after.tensors[f"model.{name}"], before.tensors[f"model.{name}"]), name


def test_the_average_does_not_change_the_run():
    trainer = make()
    for _ in range(3):
        trainer.step()
    before = snapshot(trainer)
    net = trainer.averaged(batches=2)
    assert_same_state(trainer.state(), before)
    assert trainer.net.training
    net.fold()  # nor does what is done with it
    trainer.step()
    undisturbed = make()
    for _ in range(4):
        undisturbed.step()
    assert_same_state(trainer.state(), undisturbed.state())


def test_the_average_is_that_of_the_weights():
    """The average of the first weights and those after the first step: the memory is 1/10 at first."""
    trainer = make()
    start = {name: value.detach().clone() for name, value in trainer.net.named_parameters()}
    trainer.step()
    net = trainer.averaged(batches=1)
    assert not net.training
    for name, value in net.named_parameters():
        now = dict(trainer.net.named_parameters())[name]
        torch.testing.assert_close(value, 0.1 * start[name] + 0.9 * now)


def test_the_averages_statistics_are_those_of_the_data():
    pictures = torch.full((2, 16, 16), 51, dtype=torch.uint8)  # 0.2
    recipe = dataclasses.replace(TINY, noise=NoiseRange(25.5, 25.5))
    trainer = Trainer(recipe, pictures)
    trainer.net.f_inject.norm_in.running_mean.fill_(7.0)  # what the run has accumulated is ignored
    net = trainer.averaged(batches=40)
    norm = net.f_inject.norm_in
    assert float(norm.running_mean) == pytest.approx(0.2, abs=0.01)
    assert float(norm.running_var) == pytest.approx(0.01, rel=0.1)
    generator = torch.Generator().manual_seed(0)
    noisy = 0.2 + 0.1 * torch.randn(100, 1, 8, 8, generator=generator)
    s = net.inject(noisy).detach()
    *_, last = broyden(lambda z: net.implicit(z, s), net.initial(s), max_iter=4, tol=1e-3)
    seen = last.z.mean((0, 2, 3))
    torch.testing.assert_close(net.f_decode.norm.running_mean, seen, atol=0.1, rtol=0.1)


def test_fixed_norms_see_each_sample_alone_and_stay_as_they_are(tmp_path, monkeypatch):
    """From `norms_fixed_from` on, the statistics are those of the whole set: for any batch, and after a resumption."""
    monkeypatch.setattr(trainer_module, "_SEEN_BY_NORMS", 0)  # as few batches as possible: ten
    trainer = make(norms_fixed_from=4)
    for _ in range(2):
        trainer.step()
    assert not trainer.norms_fixed
    expected = trainer.averaged(batches=10).state_dict()
    trainer.step()
    assert trainer.norms_fixed and trainer.net.training
    statistics = [name for name in expected if name.endswith(("running_mean", "running_var"))]
    assert len(statistics) == 6
    trainer.step()
    trainer.state().save(tmp_path / "state.safetensors")
    trainer.step()
    again = make(norms_fixed_from=4)
    again.restore(RunState.load(tmp_path / "state.safetensors", torch.device("cpu")))
    again.step()
    assert_same_state(again.state(), trainer.state())
    for net in (again.net, again.averaged(batches=2)):
        assert all(torch.equal(net.state_dict()[name], expected[name]) for name in statistics)
    noisy, _, _ = again.sampler.batch(2, 8)
    with torch.no_grad():
        torch.testing.assert_close(again.net.inject(noisy)[:1], again.net.inject(noisy[:1]))


def test_deep_steps_have_the_exact_implicit_gradient(monkeypatch):
    """Compared with (I - J)^-T by linear algebra in float64, for a network that contracts."""
    stage = Stage(until=None, solver_steps=40, unroll=60, patch=6, batch=1, precision="float32")
    trainer = make(stages=(stage,), clip=math.inf, model=NerdConfig(features=8, window=5))
    net = trainer.net.double()
    trainer.ema = {name: value.double() for name, value in trainer.ema.items()}
    with torch.no_grad():
        net.f_inject.conv_out.weight.mul_(10)
        net.transformation.norm_post.weight.mul_(0.1)
    generator = torch.Generator().manual_seed(0)
    clean = torch.rand(1, 1, 6, 6, generator=generator, dtype=torch.float64)
    noisy = clean + 0.1 * torch.randn(1, 1, 6, 6, generator=generator, dtype=torch.float64)
    sigma = torch.tensor([50.0], dtype=torch.float64)
    monkeypatch.setattr(trainer.sampler, "batch", lambda size, patch: (noisy, clean, sigma))

    twin = copy.deepcopy(net)
    s = twin.inject(noisy)
    *_, last = broyden(lambda z: twin.implicit(z, s), torch.zeros_like(s), max_iter=80, tol=1e-12)
    z_star = last.z.requires_grad_()
    jacobian = torch.autograd.functional.jacobian(lambda z: twin.implicit(z, s.detach()), last.z)
    jacobian = jacobian.reshape(z_star.numel(), z_star.numel())
    n_hat = twin.decode(z_star)
    error = float((noisy + n_hat - clean).detach().square().mean())
    loss = 100 * (25 / 50) * (noisy + n_hat - clean).square().mean()
    decoder = list(twin.f_decode.parameters())
    d_z, *d_decoder = torch.autograd.grad(loss, [z_star, *decoder])
    adjoint = torch.linalg.solve(torch.eye(z_star.numel(), dtype=torch.float64) - jacobian.T, d_z.flatten())
    twin.implicit(z_star.detach(), s).backward(adjoint.view_as(z_star))
    for parameter, gradient in zip(decoder, d_decoder, strict=True):
        parameter.grad = gradient

    record = trainer.step()
    exact = {name: parameter.grad for name, parameter in twin.named_parameters()}
    total = math.sqrt(sum(float(value.square().sum()) for value in exact.values()))
    assert record.gradient_norm == pytest.approx(total, rel=1e-2)
    for name, parameter in net.named_parameters():
        assert float((parameter.grad - exact[name]).norm()) < 1e-2 * float(exact[name].norm()) + 1e-6 * total, name
    assert record.mse == pytest.approx(255**2 * error, rel=1e-3)


def test_errors_are_weighed_by_their_noise(monkeypatch):
    """(25
    max(sigma, 5)) ** noise_weight; the gradient of a single sample is scaled by it.
    """
    norms = {}
    for sigma in (1.0, 5.0, 25.0, 50.0):
        trainer = make(clip=math.inf)
        batch = trainer.sampler.batch
        monkeypatch.setattr(trainer.sampler, "batch", lambda *a, b=batch, s=sigma: (*b(*a)[:2], torch.full((2,), s)))
        norms[sigma] = trainer.step().gradient_norm
    assert norms[1.0] == pytest.approx(norms[5.0])
    assert norms[5.0] == pytest.approx(5 * norms[25.0], rel=1e-4)
    assert norms[50.0] == pytest.approx(norms[25.0] / 2, rel=1e-4)


@pytest.mark.parametrize("samples", [0, 10])
def test_a_step_that_is_not_finite_is_dropped(monkeypatch, samples):
    trainer = make()
    trainer.step()
    trainer.samples = samples  # shallow, deep
    before = snapshot(trainer)
    bad = torch.full((2, 1, 8, 8), torch.nan)
    with monkeypatch.context() as patch:
        patch.setattr(trainer.sampler, "batch", lambda *_: (bad, bad, torch.tensor([25.0, 25.0])))
        record = trainer.step()
    assert math.isnan(record.gradient_norm)
    after = trainer.state()
    parameters = [f"model.{name}" for name, _ in trainer.net.named_parameters()]
    for name in [*parameters, *(name for name in after.tensors if name.startswith(("ema.", "adamw.", "muon.")))]:
        assert torch.equal(after.tensors[name], before.tensors[name]), name
    assert math.isfinite(trainer.step().gradient_norm)
    assert all(value.isfinite().all() for value in trainer.averaged(batches=2).state_dict().values())


def test_the_decoder_learns_at_its_own_rate():
    trainer = make(muon=False, decoder_rate=0.25, weight_decay=0.0, warm_up=1, learning_rate=1e-3)
    before = snapshot(trainer)
    trainer.step()
    for name, value in trainer.net.named_parameters():
        moved = float(
            (value.detach() - before.tensors[f"model.{name}"]).abs().max()
        )  # AdamW's first step equals the rate
        assert moved == pytest.approx(2.5e-4 if name.startswith("f_decode.") else 1e-3, rel=0.02), name


def test_training_lowers_the_error():
    recipe = dataclasses.replace(
        TINY,
        model=NerdConfig(features=8, window=5),
        noise=NoiseRange(25, 25),
        stages=(dataclasses.replace(SHALLOW, until=None, patch=16, batch=4),),
        learning_rate=1e-2,
        warm_up=40,
    )
    trainer = Trainer(recipe, smooth_pictures(count=1))
    errors = [trainer.step().mse for _ in range(70)]
    assert np.mean(errors[:10]) > 0.6 * 25**2
    assert np.mean(errors[-10:]) < 0.2 * 25**2  # most of the noise is removed
