"""The leading eigenvalues of random matrices, against NumPy's."""

import numpy as np
import pytest
import torch

from nerd_gui.analysis.krylov import leading


def matrix(size, seed):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(size, size, generator=generator, dtype=torch.float64) / size**0.5


@pytest.mark.parametrize(("size", "count", "basis"), [(60, 4, 24), (150, 3, 16), (20, 2, 20), (90, 1, 8)])
def test_they_are_those_of_the_matrix_with_restarts(size, count, basis):
    a = matrix(size, size)
    exact = np.linalg.eigvals(a.numpy())
    exact = exact[np.argsort(-np.abs(exact))]
    found = leading(lambda v: a @ v, torch.ones(size, dtype=a.dtype), count, tol=1e-9, most=5000, basis=basis)
    np.testing.assert_allclose(np.abs(found.values), np.abs(exact[:count]), rtol=1e-7)
    for value, vector, error in zip(found.values, found.vectors, found.errors, strict=True):
        assert np.abs(exact - value).min() < 1e-7 and float(vector.norm()) == pytest.approx(1)
        assert float((a.to(vector.dtype) @ vector - complex(value) * vector).norm()) == pytest.approx(error, abs=1e-8)


def test_what_has_not_settled_says_how_far_it_is():
    a = matrix(200, 1)
    calls = []
    found = leading(lambda v: calls.append(0) or a @ v, torch.ones(200, dtype=a.dtype), 2, tol=1e-9, most=30, basis=20)
    assert found.products == len(calls) == 30 and found.errors[0] > 1e-3
    vector, value = found.vectors[0], complex(found.values[0])
    assert float((a.to(vector.dtype) @ vector - value * vector).norm()) == pytest.approx(found.errors[0], rel=1e-6)


def test_what_the_start_knows_nothing_of_is_found_too():
    a = torch.diag(torch.arange(10.0, dtype=torch.float64))
    start = torch.zeros(10, dtype=a.dtype)
    start[[3, 7]] = 1
    found = leading(lambda v: a @ v, start, 3, tol=1e-9, most=500, basis=6)
    np.testing.assert_allclose(found.values, [9, 8, 7], atol=1e-7)
