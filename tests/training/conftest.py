"""Pictures on disk for the tests of this room."""

import pytest
from PIL import Image
from tiny_training import smooth_pictures

from nerd_gui.training.data import validation_names


@pytest.fixture
def source(tmp_path):
    """A folder of training and validation pictures."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    for name, picture in zip(["a", "b", *validation_names()[:2]], smooth_pictures(4, 96, 100), strict=True):
        Image.fromarray(picture.numpy()).save(folder / f"{name}.png")
    return folder
