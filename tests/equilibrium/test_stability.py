import pytest
import torch
from fixed_point_maps import DTYPE, linear_map, tanh_map

from nerd_gui.equilibrium import spectral_radius


def jacobians(f, z):
    """The Jacobian of each sample, (B, D, D)."""
    full = torch.autograd.functional.jacobian(f, z)
    return torch.stack([full[i, :, i] for i in range(len(z))])


def test_spectral_radius_of_a_nonlinear_map():
    generator = torch.Generator().manual_seed(0)
    f, z = tanh_map(4, 8, 1.2), torch.randn(4, 8, generator=generator, dtype=DTYPE)
    truth = torch.linalg.eigvals(jacobians(f, z)).abs().amax(1)
    estimate = spectral_radius(f, z, iterations=300, generator=generator)
    assert estimate.shape == (4,) and estimate.dtype == DTYPE
    torch.testing.assert_close(estimate, truth, rtol=0.02, atol=0)
    assert truth.max() > 1.3 * truth.min()  # the samples have different results


def test_spectral_radius_of_a_complex_pair():
    # A stretched rotation: the growth in one pass varies between 0.2 and 3.2; the eigenvalues have size 0.8.
    a = torch.tensor([[0.0, -3.2], [0.2, 0.0]], dtype=DTYPE)
    estimate = spectral_radius(lambda z: z @ a.T, torch.zeros(1, 2, dtype=DTYPE), iterations=100)
    torch.testing.assert_close(estimate, torch.tensor([0.8], dtype=DTYPE), rtol=0.03, atol=0)


def test_spectral_radius_is_exact_for_a_simple_eigenvalue():
    a = torch.diag(torch.tensor([-1.5, 0.5, 0.1], dtype=DTYPE))
    estimate = spectral_radius(lambda z: (z @ a).view(2, 3, 1)[..., 0], torch.ones(2, 3, dtype=DTYPE))
    torch.testing.assert_close(estimate, torch.tensor([1.5, 1.5], dtype=DTYPE))


def test_spectral_radius_of_a_constant_is_zero():
    assert spectral_radius(lambda z: 0 * z + 1, torch.zeros(2, 3)).tolist() == [0, 0]


def test_spectral_radius_depends_on_its_generator_alone():
    f, *_ = linear_map(2, 6, 0.9)
    z = torch.zeros(2, 6, dtype=DTYPE)
    first, second, other = (
        spectral_radius(f, z, iterations=3, generator=torch.Generator().manual_seed(seed)) for seed in (7, 7, 8)
    )
    assert torch.equal(first, second) and not torch.equal(first, other)


def test_spectral_radius_needs_two_passes():
    with pytest.raises(ValueError, match="at least 2 passes"):
        spectral_radius(torch.cos, torch.zeros(1, 1), iterations=1)
