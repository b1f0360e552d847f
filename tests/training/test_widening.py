"""A state is widened to a network with more features that computes the same picture."""

import dataclasses

import pytest
import torch
from tiny_training import TINY, make

from nerd_gui.equilibrium import broyden
from nerd_gui.training import DataError, train
from nerd_gui.training.widening import widened

NARROW = dataclasses.replace(TINY, model=dataclasses.replace(TINY.model, weight_norm=False))
WIDE = dataclasses.replace(NARROW, model=dataclasses.replace(NARROW.model, features=3 * TINY.model.features))


def denoised(net, noisy, steps=6):
    with torch.no_grad():
        s = net.inject(noisy)
        *_, last = broyden(lambda z: net.implicit(z, s, precision="float32"), net.initial(s), max_iter=steps, tol=0)
        return net.estimate(noisy, last.z)[0]


@pytest.fixture
def trained():
    trainer = make(NARROW, warm_up=1)
    for _ in range(4):
        trainer.step()
    # The decoder begins with small weights; larger ones make differences of features visible in the picture.
    with torch.no_grad():
        trainer.net.f_decode.conv.weight.mul_(20)
    return trainer


def test_it_denoises_as_before(trained):
    wide = make(WIDE)
    wide.restore(widened(trained.state(), WIDE.model.features))
    noisy = trained.sampler.batch(2, 16).noisy
    before = denoised(trained.net.eval(), noisy)
    assert float((before - noisy).abs().max()) > 0.05
    torch.testing.assert_close(denoised(wide.net.eval(), noisy), before, rtol=0, atol=1e-4)
    torch.testing.assert_close(
        denoised(wide.averaged(1), noisy), denoised(trained.averaged(1), noisy), rtol=0, atol=1e-4
    )
    assert (wide.samples, wide.steps, wide.warm_from) == (trained.samples, 0, trained.samples)


def test_a_step_makes_the_copies_of_a_feature_different(trained):
    wide = make(WIDE, warm_up=1)
    wide.restore(widened(trained.state(), WIDE.model.features))

    def differences():
        yield from (wide.net.f_inject.conv_in.weight, wide.net.transformation.conv_in.weight)
        yield from (wide.net.non_local.g.weight, wide.net.non_local.theta.weight)

    copies = [weight.detach().unflatten(0, (-1, 3)) for weight in differences()]
    # Of the first layer, copies are equal; of others, their sums over the copies of each input are.
    assert torch.equal(copies[0][:, 0], copies[0][:, 1])
    wide.step()
    copies = [weight.detach().unflatten(0, (-1, 3)) for weight in differences()]
    assert all((copy[:, 0] - copy[:, 1]).abs().flatten(1).amax(1).min() > 0 for copy in copies)


def test_another_number_than_a_multiple_is_refused(trained):
    with pytest.raises(DataError, match=rf"of {TINY.model.features} features cannot be widened to"):
        widened(trained.state(), TINY.model.features + 1)
    with pytest.raises(DataError, match="with weight norm cannot be widened"):
        widened(make().state(), WIDE.model.features)


def test_a_run_is_forked_widened_and_goes_on(source, tmp_path):
    small = train(NARROW, source, tmp_path / "small", minutes=0)
    state = tmp_path / "small" / "state.safetensors"
    with pytest.raises(DataError, match="another network"):
        train(WIDE, source, tmp_path / "refused", minutes=0, fork=state)
    wide = train(WIDE, source, tmp_path / "wide", minutes=0, fork=state, widen=True)
    again = train(WIDE, source, tmp_path / "wide", minutes=0, fork=state, widen=True)
    assert small.samples < wide.samples < again.samples


def test_a_stage_has_a_window_of_its_own():
    trainer, seen = make(stages=(dataclasses.replace(TINY.stages[0], window=3),)), []
    implicit = trainer.net.implicit
    trainer.net.implicit = lambda z, s, **how: seen.append(how["window"]) or implicit(z, s, **how)
    trainer.step()
    assert seen and set(seen) == {3}
