"""The modules beside the tests, and one network with its equilibrium."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from equilibria import make_net, picture, settle


@pytest.fixture(scope="session")
def net():
    return make_net()


@pytest.fixture(scope="session")
def y():
    return picture()


@pytest.fixture(scope="session")
def z(net, y):
    return settle(net, y)
