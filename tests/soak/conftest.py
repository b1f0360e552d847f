"""A folder for thousands of small files."""

import os
import shutil
import tempfile
from pathlib import Path

import pytest


@pytest.fixture
def in_memory():
    """A folder in memory if the system has such a disk: writing a small file there takes a twentieth of the time."""
    shared = "/dev/shm"
    folder = Path(tempfile.mkdtemp(prefix="nerd-gui-", dir=shared if os.path.isdir(shared) else None))
    yield folder
    shutil.rmtree(folder)
