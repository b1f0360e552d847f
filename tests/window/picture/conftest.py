"""A picture view on the screen, and its session."""

import pytest
from picture_screen import open_view

from nerd_gui.window.session.session import Session


@pytest.fixture
def session():
    return Session()


@pytest.fixture
def view(qtbot, session):
    return open_view(qtbot, session)
