"""Eigenvalues against those of the dense Jacobian."""

import numpy as np
import pytest
import torch
from equilibria import dense_jacobian, make_net, picture, settle

from nerd_gui.analysis import decoded_direction, field_of_values_abscissa, spectrum


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_the_leading_eigenvalues_are_those_of_the_dense_jacobian(net, y, z, jacobian, dtype):
    exact = torch.linalg.eigvals(jacobian).numpy()
    exact = exact[np.argsort(-np.abs(exact))]
    found = spectrum(net if dtype is torch.float64 else make_net(dtype=dtype), y.to(dtype), z.to(dtype), count=4)
    np.testing.assert_allclose(np.abs(found.eigenvalues), np.abs(exact[:4]), atol=1e-3)
    for value in found.eigenvalues:
        assert np.abs(exact - value).min() < 1e-3
    assert found.radius == pytest.approx(np.abs(exact[0]), abs=1e-3)
    for value, vector in zip(found.eigenvalues, found.vectors, strict=True):
        flat = vector.to(torch.complex128).reshape(-1)
        assert float((jacobian.to(torch.complex128) @ flat - value * flat).norm()) < 0.03 * float(flat.norm())


def test_the_abscissa_is_that_of_the_symmetric_part(net, y, z, jacobian):
    exact = float(torch.linalg.eigvalsh((jacobian + jacobian.T) / 2).max())
    assert field_of_values_abscissa(net, y, z) == pytest.approx(exact, abs=1e-3)


def test_a_direction_is_decoded_as_the_derivative_of_the_decoder(net, z):
    direction = torch.randn(z.shape[1:], generator=torch.Generator().manual_seed(0), dtype=z.dtype)
    _, exact = torch.func.jvp(net.decode, (z,), (direction[None],))
    torch.testing.assert_close(decoded_direction(net, z, direction), exact[0], rtol=1e-2, atol=1e-3)


def test_too_many_eigenvalues_are_refused(net, y, z):
    with pytest.raises(ValueError, match="eigenvalues of a Jacobian of"):
        spectrum(net, y, z, count=z.numel())


def test_an_equilibrium_that_repels_is_told_from_one_that_attracts():
    repels = make_net()
    repels.transformation.norm_post.weight.fill_(6.0)
    y = picture()
    z = settle(repels, y, 3)  # an arbitrary point, not an equilibrium
    exact = torch.linalg.eigvals(dense_jacobian(repels, y, z)).abs().max()
    assert float(exact) > 1
    assert spectrum(repels, y, z, count=6, vectors=0).radius == pytest.approx(float(exact), rel=1e-3)
