"""The maps of a run's iterates, compared with the network's own functions and with the curves."""

import dataclasses

import numpy as np
import pytest
import torch

from nerd_gui.analysis import MapKind, RunMaps, rollout
from nerd_gui.analysis.maps import Scale
from nerd_gui.denoising import RunError, RunSettings, Subject, denoise
from nerd_gui.denoising.channels import to_batch
from nerd_gui.imaging import Photo
from nerd_gui.nerd import NERD, NerdConfig

SETTINGS = RunSettings(model="tiny", max_iter=5, tol=0.0)


def make_run(channels=1, **changes):
    torch.manual_seed(0)
    net = NERD(NerdConfig(features=8, heads=4, groups=4, window=5, **changes)).fold().eval().requires_grad_(False)
    pixels = np.random.default_rng(0).random((channels, 14, 11)).astype(np.float32)
    return denoise(Subject.of(Photo(pixels, name="random", sha256="0" * 64)), SETTINGS, net), net


@pytest.fixture(scope="module")
def run():
    return make_run()


def test_the_residual_map_has_the_root_mean_square_of_the_curve(run):
    trajectory, net = run
    for iterate in trajectory.iterates:
        found = RunMaps(trajectory, net).make(MapKind.RESIDUAL, iterate.index)
        root = float(np.sqrt(np.mean(found.values.astype(np.float64) ** 2)))
        assert root == pytest.approx(100 * iterate.residual, rel=2e-3) and found.unit == "%"
        assert found.values.shape == (1, 14, 11) and found.scale is Scale.LOG
        assert float(found.values.min()) <= found.low < found.high <= float(found.values.max())


def test_the_update_map_is_the_step_from_the_iterate_before(run):
    trajectory, net = run
    with pytest.raises(RunError, match="Iterate 0"):
        RunMaps(trajectory, net).make(MapKind.UPDATE, 0)
    before, z = (trajectory[index].features.z[0].float().numpy() for index in (1, 2))
    f_z = net.implicit(torch.from_numpy(z)[None], trajectory[2].features.s.float())[0].numpy()
    expected = 100 * np.sqrt(((z - before) ** 2).sum(0)) / np.sqrt((f_z**2).sum(0).mean())
    np.testing.assert_allclose(RunMaps(trajectory, net).make(MapKind.UPDATE, 2).values[0], expected, rtol=0.02)


def test_features_and_the_decoded_injection_are_the_networks_own(run):
    trajectory, net = run
    maps = RunMaps(trajectory, net)
    assert maps.count(MapKind.FEATURE) == 8 and maps.count(MapKind.RADIUS) == 4 and maps.count(MapKind.UPDATE) == 1
    s = net.inject(to_batch(trajectory.subject.noisy, net))
    feature = maps.make(MapKind.FEATURE, 3, number=6)
    np.testing.assert_array_equal(feature.values[0], trajectory[3].features.z[0, 6].float())
    assert feature.low == -feature.high and feature.scale is Scale.SIGNED
    np.testing.assert_allclose(maps.make(MapKind.INJECTION, 0, number=2).values[0], s[0, 2], atol=2e-3)
    decoded = maps.make(MapKind.DECODED_INJECTION, 3)
    np.testing.assert_allclose(decoded.values, 255 * net.decode(s)[0].numpy(), atol=0.2)
    for number in (-1, 8):
        with pytest.raises(RunError, match="the numbers go from 0 to 7"):
            maps.make(MapKind.FEATURE, 3, number=number)


def test_colours_are_the_coordinates_along_the_results_own_directions(run):
    trajectory, net = run
    z = trajectory[trajectory.result].features.z[0].float().numpy().reshape(8, -1)
    centred = z - z.mean(1, keepdims=True)
    vectors, values, _ = np.linalg.svd(centred, full_matrices=False)
    for index in (1, trajectory.result):
        found = RunMaps(trajectory, net).make(MapKind.COMPONENTS, index).values.reshape(3, -1)
        own = trajectory[index].features.z[0].float().numpy().reshape(8, -1) - z.mean(1, keepdims=True)
        for place in range(3):
            expected = vectors[:, place] @ own / (values[place] / np.sqrt(own.shape[1]))
            sign = np.sign(expected @ found[place])
            np.testing.assert_allclose(found[place], sign * expected, atol=1e-3)


def test_the_heads_measures_are_those_of_the_clicked_maps(run):
    trajectory, net = run
    maps = RunMaps(trajectory, net)
    for row, col in ((0, 0), (7, 5)):
        clicked = trajectory[2].features.attention_maps(net, row, col, trajectory.window)
        weights = clicked.weights[0].double().numpy()
        down, across = np.indices(weights.shape[1:])
        squared = (down + clicked.top - row) ** 2 + (across + clicked.left - col) ** 2
        for head, each in enumerate(weights):
            entropy = maps.make(MapKind.ENTROPY, 2, number=head).values[0, row, col]
            radius = maps.make(MapKind.RADIUS, 2, number=head).values[0, row, col]
            assert entropy == pytest.approx(-(each * np.log2(each)).sum(), abs=2e-3)
            assert radius == pytest.approx(np.sqrt((each * squared).sum()), abs=2e-3)


def test_the_followed_back_attention_is_the_rollout_from_the_result(run):
    trajectory, net = run
    maps, result = RunMaps(trajectory, net), trajectory.result
    features = [trajectory[index].features for index in range(result, -1, -1)]
    expected = list(rollout(net, features, 3, 4, window=trajectory.window))
    for index in (0, result):
        found = maps.make(MapKind.ROLLOUT, index, pixel=(3, 4))
        np.testing.assert_allclose(found.values, 100 * expected[result - index], atol=1e-4)
    with pytest.raises(RunError, match="Click a pixel"):
        maps.make(MapKind.ROLLOUT, 0)
    short = dataclasses.replace(trajectory, iterates=trajectory.iterates[: result + 1], stop_reason=None)
    with pytest.raises(RunError, match="has ended"):
        RunMaps(short, net).make(MapKind.ROLLOUT, 0, pixel=(3, 4))


def test_the_channels_of_a_colour_photo_are_told_apart():
    trajectory, net = make_run(channels=3)
    maps = RunMaps(trajectory, net)
    each = [maps.make(MapKind.FEATURE, 2, number=1, channel=channel).values[0] for channel in range(3)]
    np.testing.assert_array_equal(each[2], trajectory[2].features.z[2, 1].float())
    mean = 0.299 * each[0] + 0.587 * each[1] + 0.114 * each[2]
    np.testing.assert_allclose(maps.make(MapKind.FEATURE, 2, number=1).values[0], mean, atol=1e-5)
    assert maps.make(MapKind.DECODED_INJECTION, 2).values.shape == (3, 14, 11)
    assert maps.make(MapKind.RADIUS, 2, channel=1).values.shape == (1, 14, 11)


@pytest.mark.parametrize(("features", "shown"), [(1, 1), (2, 3)])
def test_few_features_have_fewer_colours(features, shown):
    trajectory, net = make_run()
    for index, iterate in enumerate(trajectory.iterates):
        few = dataclasses.replace(iterate.features, z=iterate.features.z[:, :features])
        trajectory.iterates[index] = dataclasses.replace(iterate, features=few)
    found = RunMaps(trajectory, net).make(MapKind.COMPONENTS, trajectory.result)
    assert found.values.shape == (shown, 14, 11)
    assert (found.values.std((1, 2)) > 0).sum() == features
    assert ("green" in found.note, "blue" in found.note) == (features == 2, False)


def test_a_run_without_features_or_attention_says_so():
    trajectory, net = make_run(non_local=False)
    with pytest.raises(RunError, match="no attention"):
        RunMaps(trajectory, net).make(MapKind.ENTROPY, 1)
    trajectory.iterates[1] = dataclasses.replace(trajectory[1], features=None)
    with pytest.raises(RunError, match="Explore a region"):
        RunMaps(trajectory, net).make(MapKind.RESIDUAL, 1)


def test_brightness_goes_from_the_low_end_to_the_high_one(run):
    trajectory, net = run
    found = RunMaps(trajectory, net).make(MapKind.RESIDUAL, 3)
    middle = np.sqrt(found.low * found.high)
    np.testing.assert_allclose(found.brightness(np.array([0, found.low, middle, found.high, 1e9])), [0, 0, 0.5, 1, 1])
    np.testing.assert_allclose(found.brightness(np.array([0.01, 1, 100]), shared=True), [0, 0.5, 1], atol=1e-6)
    feature = RunMaps(trajectory, net).make(MapKind.FEATURE, 3)
    np.testing.assert_allclose(feature.brightness(np.array([feature.low, 0, feature.high]), shared=True), [0, 0.5, 1])
