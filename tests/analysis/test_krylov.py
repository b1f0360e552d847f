"""The leading eigenvalues of random matrices, against NumPy's."""

import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from nerd_gui.analysis.krylov import leading
from nerd_gui.denoising import RunError


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
    for value, error in zip(found.values, found.errors, strict=True):
        vector = found.vector(value)
        assert np.abs(exact - value).min() < 1e-7 and float(vector.norm()) == pytest.approx(1)
        assert float((a.to(vector.dtype) @ vector - complex(value) * vector).norm()) == pytest.approx(error, abs=1e-8)


def test_what_has_not_settled_says_how_far_it_is():
    a = matrix(200, 1)
    calls = []
    found = leading(lambda v: calls.append(0) or a @ v, torch.ones(200, dtype=a.dtype), 2, tol=1e-9, most=30, basis=20)
    assert found.products == len(calls) == 30 and found.errors[0] > 1e-3
    value = complex(found.values[0])
    vector = found.vector(value)
    assert float((a.to(vector.dtype) @ vector - value * vector).norm()) == pytest.approx(found.errors[0], rel=1e-6)


def test_what_the_start_knows_nothing_of_is_found_too():
    a = torch.diag(torch.arange(10.0, dtype=torch.float64))
    start = torch.zeros(10, dtype=a.dtype)
    start[[3, 7]] = 1
    found = leading(lambda v: a @ v, start, 3, tol=1e-9, most=500, basis=6)
    np.testing.assert_allclose(found.values, [9, 8, 7], atol=1e-7)


@pytest.mark.parametrize("rank", [np.real, lambda values: -np.real(values)])
def test_another_rank_finds_another_end_of_the_spectrum(rank):
    a = matrix(80, 5) + torch.diag(torch.linspace(-3, 2, 80, dtype=torch.float64))
    a = (a + a.T) / 2
    ends = np.linalg.eigvalsh(a.numpy())
    found = leading(lambda v: a @ v, torch.ones(80, dtype=a.dtype), 1, tol=1e-9, most=2000, basis=18, rank=rank)
    assert found.values[0] == pytest.approx(ends[-1] if rank is np.real else ends[0], abs=1e-7)


def test_what_is_known_is_told_and_gets_better():
    a = torch.diag(torch.linspace(0, 1, 60, dtype=torch.float64) ** 4)
    told = []
    leading(
        lambda v: a @ v,
        torch.ones(60, dtype=a.dtype),
        1,
        tol=1e-8,
        most=500,
        basis=12,
        told=lambda *at: told.append(at),
    )
    values, errors = zip(*told, strict=True)
    assert abs(values[-1] - 1) < 1e-7 < abs(values[0] - 1) and errors[-1] < 1e-8 < 1e-2 < errors[0]


class Allocated(TorchDispatchMode):
    """The size in bytes of the largest tensor that operations create; tensors in files are not counted."""

    def __init__(self):
        super().__init__()
        self.most, self.known = 0, set()

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        self.known |= {each.untyped_storage().data_ptr() for each in args if isinstance(each, torch.Tensor)}
        made = function(*args, **(kwargs or {}))
        if isinstance(made, torch.Tensor) and made.untyped_storage().data_ptr() not in self.known:
            self.most = max(self.most, made.untyped_storage().nbytes())
        return made


@pytest.mark.parametrize("most", [10, 40])  # without restarts, and with some
def test_memory_holds_no_more_than_three_vectors_at_once(most):
    size = 400_000
    a, start = torch.linspace(-1, 1, size), torch.ones(size)
    with Allocated() as allocated:
        found = leading(lambda v: a * v, start, 1, tol=0, most=most, basis=12)
        vector = found.vector(found.values[0])
    assert found.products == most and vector.numel() == size
    assert allocated.most <= 3 * 4 * size


def test_a_full_disk_is_a_sentence(monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tempfile.TemporaryFile", full)
    with pytest.raises(RunError, match=r"The vectors of this analysis do not fit .* analyse a smaller region\."):
        leading(lambda v: v, torch.ones(5), 1, tol=0, most=3, basis=4)
