"""Luma and chroma, compared with the numbers of the standards and with Pillow."""

import numpy as np
import pytest
from PIL import Image

from nerd_gui.imaging.colour import FROM_YCC, LUMA, luma, luma_8_bit


def test_the_numbers_are_those_of_the_standards():
    assert LUMA == (0.299, 0.587, 0.114)  # ITU-R BT.601
    assert FROM_YCC == ((1, 0, 1.402), (1, -0.344136, -0.714136), (1, 1.772, 0))  # ITU-T T.871
    assert sum(LUMA) == pytest.approx(1)
    np.testing.assert_allclose(np.array(LUMA) @ FROM_YCC, (1, 0, 0), atol=1e-6)  # chroma has no luma


def test_luma_of_8_bits_is_pillows():
    levels = np.random.default_rng(0).integers(0, 256, (97, 89, 3), np.uint8)
    pixels = (levels / np.float32(255)).astype(np.float32).transpose(2, 0, 1)
    expected = np.asarray(Image.fromarray(levels).convert("L"))
    np.testing.assert_array_equal(np.rint(255 * luma_8_bit(pixels)), expected)
    assert np.abs(255 * luma(pixels) - expected).max() < 0.51
    assert np.array_equal(luma(pixels[:1]), pixels[0])
