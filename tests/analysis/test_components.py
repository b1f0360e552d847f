"""Principal components, compared with the singular values of the whole matrix."""

import numpy as np
import pytest
import torch

from nerd_gui.analysis import components as module
from nerd_gui.analysis import iterate_path, principal_components


@pytest.fixture(autouse=True)
def small_parts(monkeypatch):
    monkeypatch.setattr(module, "_AT_ONCE", 100)


def features(seed=0, rows=11, cols=7):
    generator = np.random.default_rng(seed)
    return generator.normal(size=(6, rows, cols)) * np.array([5, 3, 2, 1, 0.5, 0.1])[:, None, None] + 4


def test_components_of_pixels_are_the_singular_vectors():
    z = features()
    found = principal_components(torch.from_numpy(z))
    centred = z.reshape(6, -1).T - z.reshape(6, -1).mean(1)
    _, values, vectors = np.linalg.svd(centred, full_matrices=False)
    coordinates = found.of(torch.from_numpy(z)).numpy().reshape(3, -1)
    for place in range(3):
        along = centred @ vectors[place]
        sign = np.sign(along @ coordinates[place])
        np.testing.assert_allclose(coordinates[place], sign * along, atol=1e-4)
        assert float(found.deviations[place]) == pytest.approx(values[place] / np.sqrt(77))
        assert float(found.shares[place]) == pytest.approx(values[place] ** 2 / (values**2).sum())
    assert (found.directions.gather(1, found.directions.abs().argmax(1, keepdim=True)) > 0).all()


def test_the_same_directions_give_another_iterate_its_place_in_the_same_axes():
    z, other = features(), features(1)
    found = principal_components(torch.from_numpy(z))
    expected = found.directions.numpy() @ (other.reshape(6, -1) - z.reshape(6, -1).mean(1)[:, None])
    np.testing.assert_allclose(found.of(torch.from_numpy(other)).numpy().reshape(3, -1), expected, atol=1e-4)


def test_the_path_is_the_projection_on_the_plane_of_most_variance():
    iterates = [torch.from_numpy(features(seed)) * scale for seed, scale in enumerate((0, 3, 2, 1.5, 1.2))]
    found = iterate_path(iterates)
    stacked = np.stack([z.numpy().ravel() for z in iterates])
    centred = stacked - stacked.mean(0)
    left, values, _ = np.linalg.svd(centred, full_matrices=False)
    for axis in range(2):
        expected = left[:, axis] * values[axis]
        sign = np.sign(expected @ found.points[:, axis].numpy())
        np.testing.assert_allclose(found.points[:, axis], sign * expected, atol=1e-9)
    np.testing.assert_allclose(found.shares, values[:2] ** 2 / (values**2).sum())
    assert (found.points[0] <= 0).all()


def test_iterates_that_lie_in_a_plane_keep_their_distances():
    one, two = torch.from_numpy(features()), torch.from_numpy(features(1))
    iterates = [a * one + b * two for a, b in ((0, 0), (1, 0), (1.2, 0.3), (1, 0.5))]
    found = iterate_path(iterates)
    for i in range(4):
        for j in range(i):
            apart = float((iterates[i] - iterates[j]).norm())
            assert float((found.points[i] - found.points[j]).norm()) == pytest.approx(apart)
    assert float(found.shares.sum()) == pytest.approx(1)


def test_one_iterate_has_no_path():
    with pytest.raises(ValueError, match="two iterates"):
        iterate_path([torch.zeros(3)])
