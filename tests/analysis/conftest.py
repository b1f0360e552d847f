"""Makes the helper modules of this folder importable, and provides one network with its equilibrium."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from equilibria import dense_jacobian, dense_solution_jacobian, make_net, picture, settle


@pytest.fixture(scope="session")
def net():
    return make_net()


@pytest.fixture(scope="session")
def y():
    return picture()


@pytest.fixture(scope="session")
def z(net, y):
    return settle(net, y)


@pytest.fixture(scope="session")
def jacobian(net, y, z):
    """df/dz at the equilibrium as a matrix."""
    return dense_jacobian(net, y, z)


@pytest.fixture(scope="session")
def solution_jacobian(net, y, z):
    """d x_hat / d y as a matrix."""
    return dense_solution_jacobian(net, y, z)
