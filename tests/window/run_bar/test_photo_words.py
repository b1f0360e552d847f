import numpy as np
import pytest

from nerd_gui.imaging import Photo
from nerd_gui.window.run_bar.photo_words import size


@pytest.mark.parametrize(
    ("rows", "cols", "words"),
    [
        (300, 400, "400 × 300 pixels"),
        (1000, 1000, "1 megapixel"),
        (1000, 1040, "1 megapixel"),
        (1000, 2300, "2.3 megapixels"),
        (1000, 3000, "3 megapixels"),
        (4000, 6000, "24 megapixels"),
    ],
)
def test_the_size_of_a_photo_in_words(rows, cols, words):
    assert size(Photo(np.broadcast_to(np.float32(0), (1, rows, cols)), name="a")) == words
