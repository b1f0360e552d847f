import dataclasses
import math

import numpy as np
import pytest
import torch
from tiny_runs import grey_photos, make_net, make_photo

from nerd_gui.denoising import DenoisingRun, RunError, RunSettings, Subject, denoise
from nerd_gui.equilibrium import MEASURES, SOLVERS, StopReason, broyden, spectral_radius
from nerd_gui.imaging import Photo, add_noise, psnr, ssim
from nerd_gui.nerd import ModelError

SETTINGS = RunSettings(model="tiny", max_iter=6, tol=0.0)


@pytest.fixture
def net():
    return make_net()


def solve(net, noisy, **options):
    """Return the solver's own records, computed without the code under test."""
    s = net.inject(noisy)
    window = options.pop("window", None)
    options = {"max_iter": 6, "tol": 0.0, "pair_dtype": torch.float16, **options}
    return s, list(broyden(lambda z: net.implicit(z, s, window=window), net.initial(s), **options))


def assert_half(found, truth):
    """Check equality up to rounding to half precision."""
    np.testing.assert_allclose(found.astype(np.float32), truth, rtol=1e-3, atol=1e-6)


def test_every_number_is_that_of_its_iterate(net):
    photo = make_photo(rows=40, cols=70)
    trajectory = denoise(Subject.of(photo, sigma=30, seed=3), SETTINGS, net)
    noisy = add_noise(photo.pixels, 30, 3)
    s, steps = solve(net, torch.from_numpy(noisy)[None])
    assert len(trajectory) == len(steps) == 7
    assert trajectory.stop_reason is StopReason.STEP_LIMIT
    for i, (iterate, step) in enumerate(zip(trajectory.iterates, steps, strict=True)):
        n_hat = net.decode(step.z)[0].numpy()
        with torch.no_grad():  # sums in the same order
            z, f_z = step.z.double(), net.implicit(step.z, s).double()
        assert iterate.index == i
        assert iterate.evaluations == i + 1
        assert_half(iterate.n_hat, n_hat)
        assert_half(iterate.features.z.numpy(), step.z.numpy())
        np.testing.assert_array_equal(trajectory.picture(i), noisy + iterate.n_hat.astype(np.float32))
        assert iterate.residual == pytest.approx(float((f_z - z).norm() / f_z.norm()), rel=1e-4)
        assert iterate.psnr == pytest.approx(psnr(photo.pixels, noisy + n_hat), abs=1e-6)
        assert iterate.ssim == pytest.approx(ssim(photo.pixels, noisy + n_hat), abs=1e-6)
        patches = [n_hat[0, :32, :32], n_hat[0, :32, 32:64]]  # the whole ones
        level = 255 * np.mean([patch.std() for patch in patches])
        assert iterate.noise_level == pytest.approx(level, rel=1e-5)
        assert iterate.noise_levels == (iterate.noise_level,)
        if i:
            step_size = float((step.z - steps[i - 1].z).norm() / steps[i - 1].z.norm()) if i > 1 else None
            assert trajectory[i - 1].relative_step == (None if i == 1 else pytest.approx(step_size, rel=1e-4))
            g, g_before = step.f_z - step.z, steps[i - 1].f_z - steps[i - 1].z
            change = float((g - g_before).norm() / g_before.norm())
            assert iterate.residual_change == pytest.approx(change, rel=1e-4)
    assert trajectory[0].residual_change is None
    seconds = [iterate.seconds for iterate in trajectory.iterates]
    assert seconds == sorted(seconds)


def test_iterate_0_is_the_start_and_iterate_1_its_image(net):
    photo = make_photo()
    trajectory = denoise(Subject.of(photo, sigma=25), SETTINGS, net)
    y = torch.from_numpy(trajectory.subject.noisy)[None]
    s = net.inject(y)
    zero = torch.zeros_like(s)
    assert not trajectory[0].features.z.any()
    assert trajectory[0].residual == pytest.approx(1.0)
    assert_half(trajectory[0].n_hat, net.decode(zero)[0].numpy())
    assert_half(trajectory[1].features.z.numpy(), net.implicit(zero, s).numpy())


def test_the_result_is_the_iterate_of_least_residual(net):
    trajectory = denoise(Subject.of(make_photo(), sigma=25), dataclasses.replace(SETTINGS, max_iter=12), net)
    residuals = trajectory.curve("residual")
    assert residuals[trajectory.result] == min(residuals) < 1e-3
    assert trajectory.result != 0
    with pytest.raises(ValueError, match="no curve"):
        trajectory.curve("loss")


def test_convergence_ends_a_run(net):
    trajectory = denoise(Subject.of(make_photo()), dataclasses.replace(SETTINGS, tol=1e-2, max_iter=17), net)
    assert trajectory.stop_reason is StopReason.CONVERGED
    assert trajectory[-1].residual <= 1e-2 < trajectory[-2].residual


@pytest.mark.parametrize("solver", SOLVERS)
def test_every_solver_reaches_the_same_equilibrium(net, solver):
    settings = dataclasses.replace(SETTINGS, solver=solver, tol=1e-5, max_iter=60, memory=5)
    trajectory = denoise(Subject.of(make_photo()), settings, net)
    assert trajectory.stop_reason is StopReason.CONVERGED
    truth = denoise(Subject.of(make_photo()), dataclasses.replace(SETTINGS, max_iter=30), net)
    np.testing.assert_allclose(trajectory[-1].n_hat, truth[truth.result].n_hat, atol=2e-3)


def test_damping_is_that_of_the_plain_iteration(net):
    subject, settings = Subject.of(make_photo()), dataclasses.replace(SETTINGS, damping=0.6)
    s = net.inject(torch.from_numpy(subject.noisy)[None])
    z = net.initial(s)
    for iterate in denoise(subject, dataclasses.replace(settings, solver="plain"), net).iterates:
        np.testing.assert_allclose(iterate.features.z.float(), z, rtol=2e-3, atol=1e-5)
        z = 0.6 * net.implicit(z, s) + 0.4 * z
    for solver in ("broyden", "anderson"):
        undamped, damped = (
            denoise(subject, dataclasses.replace(one, solver=solver), net) for one in (SETTINGS, settings)
        )
        np.testing.assert_array_equal(undamped[-1].n_hat, damped[-1].n_hat)


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("measure", MEASURES)
def test_a_run_stops_on_the_measure_that_is_asked_for(net, solver, measure):
    subject, settings = Subject.of(make_photo()), dataclasses.replace(SETTINGS, solver=solver, max_iter=10)
    curve = denoise(subject, settings, net).curve(measure)
    tol = min(value for value in curve[:6] if value is not None)
    stopped = denoise(subject, dataclasses.replace(settings, stop_on=measure, tol=tol), net)
    assert stopped.stop_reason is StopReason.CONVERGED
    assert len(stopped) == 1 + next(i for i, value in enumerate(curve) if value is not None and value <= tol)


def test_the_equilibrium_does_not_depend_on_the_start(net):
    subject = Subject.of(make_photo())
    s = net.inject(torch.from_numpy(subject.noisy)[None])
    settings = dataclasses.replace(SETTINGS, tol=1e-5, max_iter=60)
    zero = denoise(subject, settings, net)
    random = dataclasses.replace(settings, start="random", start_seed=4)
    found, again = (denoise(subject, random, net) for _ in range(2))
    other = denoise(subject, dataclasses.replace(random, start_seed=5), net)
    z_star = zero[-1].features.z.float()
    assert spectral_radius(lambda z: net.implicit(z, s), z_star, generator=torch.Generator().manual_seed(0)) < 1
    for trajectory in (found, other):
        np.testing.assert_allclose(trajectory[-1].n_hat, zero[-1].n_hat, atol=2e-3)
    start = found[0].features.z
    assert float(start.float().std()) == pytest.approx(1, abs=0.05)
    assert torch.equal(start, again[0].features.z)
    assert not torch.equal(start, other[0].features.z)


def test_a_grey_network_takes_the_channels_of_a_colour_photo_one_by_one(net):
    photo, clean = make_photo(3, seed=1), make_photo(3, seed=2)
    together = denoise(Subject.of(photo, clean=clean), SETTINGS, net)
    apart = [
        denoise(Subject.of(one, clean=other), SETTINGS, net)
        for one, other in zip(grey_photos(photo), grey_photos(clean), strict=True)
    ]
    for i, iterate in enumerate(together.iterates):
        single = [trajectory[i] for trajectory in apart]
        np.testing.assert_allclose(iterate.n_hat, np.concatenate([one.n_hat for one in single]), rtol=2e-3, atol=1e-5)
        assert iterate.residual == pytest.approx(max(one.residual for one in single), rel=1e-3, abs=1e-6)
        assert iterate.noise_levels == pytest.approx([one.noise_level for one in single], rel=1e-3)
        assert iterate.features.z.shape == (3, 8, 24, 20)
    r, g, b = (trajectory[-1].n_hat[0].astype(np.float32) for trajectory in apart)
    luma = 0.299 * r + 0.587 * g + 0.114 * b
    assert together[-1].noise_level == pytest.approx(255 * luma.std(), rel=1e-2)


def test_a_colour_network_takes_grey_and_colour():
    net = make_net(channels=3)
    for channels in (1, 3):
        photo = make_photo(channels)
        trajectory = denoise(Subject.of(photo, sigma=25), SETTINGS, net)
        y = torch.from_numpy(trajectory.subject.noisy).expand(3, -1, -1)[None]
        truth = net.decode(net.initial(net.inject(y)))[0].numpy()
        assert_half(trajectory[0].n_hat, truth if channels == 3 else truth.mean(0, keepdims=True))
        assert trajectory.picture(0).shape == photo.pixels.shape
        assert trajectory[0].features.z.shape[0] == 1


def test_a_network_of_two_channels_is_refused():
    with pytest.raises(RunError, match="takes 2 channels"):
        DenoisingRun(Subject.of(make_photo()), SETTINGS, make_net(channels=2))


def test_with_the_image_as_the_equilibrium_z_decodes_to_the_picture():
    net = make_net(equilibrium="image")
    trajectory = denoise(Subject.of(make_photo(), sigma=25), SETTINGS, net)
    decoded = net.decode(trajectory[3].features.z.float())[0].numpy()
    np.testing.assert_allclose(trajectory.picture(3), decoded, atol=2e-3)


def test_a_region_is_the_photo_cut_first(net):
    photo = make_photo(3)
    region = (4, 3, 12, 15)
    inside = denoise(Subject.of(photo, sigma=25, seed=1, region=region), SETTINGS, net)
    cut = denoise(Subject.of(photo.crop(*region), sigma=25, seed=1), SETTINGS, net)
    assert inside.picture(2).shape == (3, 12, 15)
    for i in range(len(cut)):
        np.testing.assert_array_equal(inside.picture(i), cut.picture(i))
    assert inside.report()["photo"]["region"] == region


def test_the_window_of_the_run(net):
    subject = Subject.of(make_photo())
    own, narrow = denoise(subject, SETTINGS, net), denoise(subject, dataclasses.replace(SETTINGS, window=1), net)
    assert (own.window, narrow.window) == (5, 1)
    assert not np.array_equal(own[2].n_hat, narrow[2].n_hat)
    _, steps = solve(net, torch.from_numpy(subject.noisy)[None], window=1)
    assert_half(narrow[2].n_hat, net.decode(steps[2].z)[0].numpy())
    np.testing.assert_array_equal(denoise(subject, SETTINGS, net)[2].n_hat, own[2].n_hat)  # it uses its own again


def test_runs_in_turns_on_one_network_are_what_each_is_alone(net):
    """q and the precision belong to each evaluation, so that a run does not change those of another."""
    subject = Subject.of(make_photo())
    ways = [SETTINGS, dataclasses.replace(SETTINGS, window=3), dataclasses.replace(SETTINGS, precision="bfloat16")]
    alone = [list(DenoisingRun(subject, settings, net).iterates()) for settings in ways]
    in_turns = list(zip(*(DenoisingRun(subject, settings, net).iterates() for settings in ways), strict=True))
    for one, other in zip(alone, zip(*in_turns, strict=True), strict=True):
        assert [iterate.residual for iterate in one] == [iterate.residual for iterate in other]
        for iterate, again in zip(one, other, strict=True):
            np.testing.assert_array_equal(iterate.n_hat, again.n_hat)
    assert len({iterates[-1].residual for iterates in alone}) == len(ways)


def test_bfloat16_runs(net):
    subject = Subject.of(make_photo())
    exact, rough = (
        denoise(subject, SETTINGS, net),
        denoise(subject, dataclasses.replace(SETTINGS, precision="bfloat16"), net),
    )
    error = np.abs(exact[-1].n_hat - rough[-1].n_hat).max() / np.abs(exact[-1].n_hat).max()
    assert 0 < error < 5e-2


def test_a_run_can_be_stopped(net):
    asked = []

    def should_stop():
        asked.append(True)
        return len(asked) > allowed

    allowed = math.inf
    whole = denoise(Subject.of(make_photo()), SETTINGS, net, should_stop)
    allowed = len(asked) // 2
    asked.clear()
    trajectory = denoise(Subject.of(make_photo()), SETTINGS, net, should_stop)
    assert 1 <= len(trajectory) < len(whole)
    assert len(asked) == allowed + 1  # nothing continues after the first yes
    assert trajectory.stop_reason is StopReason.CANCELLED
    nothing = denoise(Subject.of(make_photo()), SETTINGS, net, lambda: True)
    assert len(nothing) == 0
    assert nothing.stop_reason is StopReason.CANCELLED
    with pytest.raises(ValueError, match="no iterate"):
        _ = nothing.result


def test_a_stop_leaves_an_evaluation_under_way(net):
    """The request comes many times within one evaluation of f, which ends early."""
    entered, left, asked = [], [], []
    handles = [
        net.non_local.register_forward_pre_hook(lambda *_: entered.append(True)),
        net.transformation.register_forward_hook(lambda *_: left.append(True)),
    ]
    photo = make_photo(rows=64, cols=64)

    def should_stop():
        asked.append((len(entered), len(left)))
        return len(entered) == 3 and asked.count((3, 2)) == 4

    trajectory = denoise(Subject.of(photo), SETTINGS, net, should_stop)
    assert (len(entered), len(left)) == (3, 2)
    assert len(trajectory) == 2
    assert trajectory.stop_reason is StopReason.CANCELLED
    for handle in handles:
        handle.remove()


def test_iterates_come_one_by_one(net):
    run = DenoisingRun(Subject.of(make_photo()), SETTINGS, net)
    calls = []
    handle = net.transformation.register_forward_hook(lambda *_: calls.append(True))
    for count, iterate in enumerate(run.iterates(), start=1):
        assert len(calls) == count == iterate.evaluations
    handle.remove()


def test_gradients_stay_on_outside_a_run(net):
    iterates = DenoisingRun(Subject.of(make_photo()), SETTINGS, net).iterates()
    next(iterates)
    assert torch.is_grad_enabled()


def test_a_run_that_diverges_keeps_its_last_finite_iterate_and_finite_pictures():
    net = make_net(post_normalization=False)
    net.transformation.conv_out.weight.mul_(1e38)
    net.f_decode.conv.weight.fill_(1e38)
    trajectory = denoise(Subject.of(make_photo(), sigma=25), SETTINGS, net)
    assert trajectory.stop_reason is StopReason.DIVERGED
    assert trajectory[-1].features.z.isfinite().all()
    assert np.isfinite(trajectory.picture(len(trajectory) - 1)).all()
    assert trajectory.curve("residual")[-1] is None


def test_the_network_is_loaded_by_name_or_path(tiny_model_path, tiny_net):
    subject = Subject.of(make_photo())
    by_path = denoise(subject, dataclasses.replace(SETTINGS, model=str(tiny_model_path)))
    given = denoise(subject, SETTINGS, tiny_net)
    np.testing.assert_array_equal(by_path[-1].n_hat, given[-1].n_hat)
    with pytest.raises(ModelError, match="no network named"):
        DenoisingRun(subject, dataclasses.replace(SETTINGS, model="none such"))


def test_iterates_are_added_in_order(net):
    trajectory = denoise(Subject.of(make_photo()), SETTINGS, net)
    with pytest.raises(ValueError, match="Iterate 2 was added, but the next one must be 7"):
        trajectory.add(trajectory[2])


def test_what_least_squares_would_leave_of_sigma(net):
    photo = make_photo()
    trajectory = denoise(Subject.of(photo, sigma=25), SETTINGS, net)
    error = 255 * (trajectory.picture(trajectory.result) - photo.pixels).astype(np.float64)
    expected = np.sqrt(max(625 - np.mean(error**2), 0))
    assert trajectory.attainable_noise_level() == pytest.approx(expected, rel=1e-4)
    assert denoise(Subject.of(photo), SETTINGS, net).attainable_noise_level() is None


def test_the_lumas_noise_level_lines_are_those_of_weighted_channels(tiny_net):
    """The level of the luma's noise, for unit noise in three channels: measured, not derived."""
    photo = Photo(np.full((3, 200, 200), 0.5, np.float32), name="flat")
    subject = Subject.of(photo, sigma=25)
    trajectory = denoise(subject, RunSettings(max_iter=1), tiny_net)
    measured = (np.array([0.299, 0.587, 0.114])[:, None, None] * (subject.noisy - subject.clean)).sum(0).std() * 255
    assert trajectory.true_noise_level() == pytest.approx(measured, rel=0.01)
    assert trajectory.true_noise_level(1) == 25
    left = 255 * (trajectory.picture(trajectory.result) - subject.clean)[1]
    assert trajectory.attainable_noise_level(1) == pytest.approx(np.sqrt(max(0, 25**2 - np.mean(left**2))), rel=1e-3)
