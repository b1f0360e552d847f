"""A window with a queue, and photos for it."""

import numpy as np
import pytest
from PIL import Image
from queue_user import User

from nerd_gui.imaging import save_picture


@pytest.fixture
def window(make_window, tmp_path, tiny_photo):
    save_picture(tmp_path / "first.png", tiny_photo)
    return make_window(tmp_path / "first.png")


@pytest.fixture
def photos(tmp_path):
    """A folder of photos; those with "bad" in the name are not photos."""

    def make(*names, folder="holiday"):
        (tmp_path / folder).mkdir(exist_ok=True)
        for seed, name in enumerate(names):
            path = tmp_path / folder / name
            if name.startswith(("bad", "notes")):
                path.write_text("a shopping list")
            else:
                Image.fromarray(np.random.default_rng(seed).integers(0, 256, (16, 12), dtype=np.uint8)).save(path)
        return tmp_path / folder

    return make


@pytest.fixture
def user(qtbot, window, tiny_model_path):
    """A simulated user who works with the queue by mouse."""
    return User(qtbot, window, str(tiny_model_path))
