"""A run that starts from the last equilibrium: where it begins, what it saves, and its message if it cannot."""

import dataclasses
import json

import numpy as np
import pytest
import torch
from tiny_runs import make_net, make_photo, settings_of

from nerd_gui.denoising import RunError, RunSettings, Saving, Subject, denoise
from nerd_gui.imaging import add_noise

ZERO = RunSettings(model="tiny", max_iter=40, tol=1e-4)
LAST = dataclasses.replace(ZERO, start="last")


@pytest.fixture
def net():
    return make_net()


def noisy_photo(**options):
    photo = make_photo(**options)
    return dataclasses.replace(photo, pixels=add_noise(photo.pixels, 25, 0))


def start_of(trajectory):
    return trajectory[0].features.z.float().numpy()


def result_of(trajectory):
    return trajectory[trajectory.result].features.z.float().numpy()


@pytest.mark.parametrize("change", [{}, {"window": 4}, {"precision": "bfloat16", "tol": 1e-2}])
@pytest.mark.parametrize("sigma", [25, 24])
def test_it_begins_at_the_result_and_needs_fewer_evaluations_to_the_same_equilibrium(net, change, sigma):
    first = denoise(Subject.of(make_photo(), sigma=25), ZERO, net)
    subject, settings = Subject.of(make_photo(), sigma=sigma), dataclasses.replace(LAST, **change)
    warm = denoise(subject, settings, net, start_from=first.equilibrium())
    cold = denoise(subject, dataclasses.replace(settings, start="zero"), net)
    np.testing.assert_array_equal(start_of(warm), result_of(first))
    assert warm[-1].residual <= settings.tol
    assert warm[-1].evaluations < cold[-1].evaluations
    # Both are within about tol / (1 - rate) of the same equilibrium, relative to its size.
    np.testing.assert_allclose(warm[-1].n_hat, cold[-1].n_hat, atol=10 * settings.tol * np.abs(cold[-1].n_hat).max())
    assert warm.notice is None


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ((2, 3, 14, 12), (5, 1, 14, 12)),
        ((5, 1, 14, 12), (2, 3, 14, 12)),
        ((2, 3, 14, 12), (4, 4, 9, 8)),
        ((4, 4, 9, 8), None),
        (None, (4, 4, 9, 8)),
    ],
)
def test_the_overlap_of_a_moved_region_stays_where_it_lies_in_the_photo(net, old, new):
    photo = noisy_photo()
    first = denoise(Subject.of(photo, region=old), ZERO, net)
    moved = denoise(Subject.of(photo, region=new), LAST, net, start_from=first.equilibrium())
    # Pixel by pixel, without computing the overlap of two rectangles.
    canvas = np.zeros((1, 8, photo.rows, photo.cols), np.float32)
    row, col, rows, cols = old or (0, 0, photo.rows, photo.cols)
    canvas[:, :, row : row + rows, col : col + cols] = result_of(first)
    row, col, rows, cols = new or (0, 0, photo.rows, photo.cols)
    np.testing.assert_array_equal(start_of(moved), canvas[:, :, row : row + rows, col : col + cols])


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"settings": dataclasses.replace(LAST, model="other")}, "another network"),
        ({"net": make_net(features=16)}, "another network"),
        ({"subject": Subject.of(make_photo(3))}, "another number of channels"),
        ({"subject": Subject.of(make_photo(rows=25))}, "another size"),
        ({"subject": Subject.of(make_photo(), region=(12, 0, 12, 20))}, "another part of the photo"),
        ({"start_from": None}, "There is no last equilibrium"),
    ],
)
def test_where_none_fits_it_starts_from_zero_and_says_so(net, changed, sentence):
    first = denoise(Subject.of(make_photo(), region=(0, 0, 12, 20)), ZERO, net)
    asked = {
        "subject": Subject.of(make_photo()),
        "settings": LAST,
        "net": net,
        "start_from": first.equilibrium(),
        **changed,
    }
    trajectory = denoise(**asked)
    assert sentence in trajectory.notice
    assert trajectory.notice.endswith(", so the run starts from zero.")
    assert not start_of(trajectory).any()
    report = trajectory.report()
    assert (report["settings"]["start"], report["notice"]) == ("zero", trajectory.notice)
    assert report["earlier_runs"] == [] and report["evaluations_saved"] is None


def test_there_is_no_equilibrium_without_features_without_iterates_or_beyond_all_numbers(net):
    subject = Subject.of(make_photo())
    assert denoise(subject, ZERO, net, keep_features=False).equilibrium() is None
    assert denoise(subject, ZERO, net, lambda: True).equilibrium() is None
    lost = denoise(subject, dataclasses.replace(ZERO, max_iter=1), net)
    lost.iterates[:] = [dataclasses.replace(iterate, residual=float("inf")) for iterate in lost.iterates]
    assert lost.equilibrium() is None
    nan = denoise(subject, ZERO, net)
    nan[nan.result].features.z[0, 3, 2, 1] = torch.nan
    assert nan.equilibrium() is None


def test_another_start_takes_no_equilibrium(net):
    first = denoise(Subject.of(make_photo()), ZERO, net)
    with pytest.raises(RunError, match="with the start “zero” takes no equilibrium; choose “last”"):
        denoise(Subject.of(make_photo()), ZERO, net, start_from=first.equilibrium())


def test_the_report_names_every_run_that_the_start_depends_on_and_so_it_can_be_run_again(net):
    photo, start, trajectory = make_photo(), None, None
    for sigma, settings in ((25, ZERO), (24, LAST), (23, dataclasses.replace(LAST, window=3))):
        trajectory = denoise(Subject.of(photo, sigma=sigma, seed=3), settings, net, start_from=start)
        start = trajectory.equilibrium()
    report = json.loads(json.dumps(trajectory.report(), allow_nan=False))
    assert report["settings"]["start"] == "last"
    assert [run["photo"]["sigma"] for run in report["earlier_runs"]] == [25, 24]
    start = None
    for run in (*report["earlier_runs"], report):
        subject = Subject.of(photo, sigma=run["photo"]["sigma"], seed=run["photo"]["seed"])
        again = denoise(subject, settings_of(run), net, start_from=start)
        assert again.result == run["result"]
        start = again.equilibrium()
    assert again.curve("residual") == trajectory.curve("residual")


def test_the_tolerance_of_another_measure_is_none_of_the_residual(net):
    subject = Subject.of(make_photo(), sigma=25)
    first = denoise(subject, ZERO, net)
    asked = dataclasses.replace(LAST, stop_on="relative_step", tol=0.5)
    run = denoise(Subject.of(make_photo(), sigma=24), asked, net, start_from=first.equilibrium())
    assert run.saving() == Saving.of(run.curve("residual"), first.curve("residual"), 0)
    assert run.saving().residual < 0.5


@pytest.mark.parametrize(
    ("warm", "cold", "tol", "expected"),
    [
        ([0.1, 9e-4], [1, 0.1, 0.01, 8e-4], 1e-3, (1e-3, 2, 4)),  # both have converged to the tolerance
        ([0.1, 0.03, 5e-4], [1, 0.1, 0.04, 0.05], 1e-3, (0.04, 2, 3)),  # at the least residual of the run from zero
        ([0.3, 0.2], [1, 0.25, 0.01], 0, (0.2, 2, 3)),  # at the least residual of this run
        ([0.3, 0.2], [1, 0.2], 0, (0.2, 2, 2)),
        ([None, 0.5], [1, 0.4], 0, (0.5, 2, 2)),
    ],
)
def test_two_runs_are_compared_at_a_residual_that_both_reached(warm, cold, tol, expected):
    saving = Saving.of(warm, cold, tol)
    assert (saving.residual, saving.evaluations, saving.from_zero) == expected
    assert saving.saved == expected[2] - expected[1]


def test_nothing_is_compared_with_no_residual_at_all():
    assert Saving.of([], [1.0], 0) is Saving.of([None], [1.0], 0) is None


def test_the_saving_is_against_the_first_run_if_that_was_from_zero_with_the_same_solver(net):
    subject = Subject.of(make_photo(), sigma=25)
    first = denoise(subject, ZERO, net)
    assert first.saving() is None
    second = denoise(subject, LAST, net, start_from=first.equilibrium())
    third = denoise(Subject.of(make_photo(), sigma=24), LAST, net, start_from=second.equilibrium())
    for run in (second, third):
        assert run.saving().from_zero == first[-1].evaluations
        assert run.report()["evaluations_saved"] == first[-1].evaluations - run[-1].evaluations > 0
    for change in ({"solver": "plain"}, {"memory": 2}, {"safeguard": False}):
        other = dataclasses.replace(LAST, **change)
        assert denoise(subject, other, net, start_from=first.equilibrium()).saving() is None
    plain = denoise(subject, dataclasses.replace(ZERO, solver="plain"), net)
    damped = dataclasses.replace(LAST, solver="plain", damping=0.9)
    assert denoise(subject, damped, net, start_from=plain.equilibrium()).saving() is None
    random = denoise(subject, dataclasses.replace(ZERO, start="random"), net)
    assert denoise(subject, LAST, net, start_from=random.equilibrium()).saving() is None
