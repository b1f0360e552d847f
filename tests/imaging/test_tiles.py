import numpy as np
import pytest

from nerd_gui.imaging.tiles import blend, crop_side, cut_tiles

SIZES = [(40, 31, 2, 3, 4), (40, 31, 4, 1, 0), (17, 9, 3, 2, 8), (5, 5, 1, 1, 2)]


@pytest.mark.parametrize(("rows", "cols", "down", "across", "halo"), SIZES)
def test_tiles_of_a_picture_blend_into_that_picture(rows, cols, down, across, halo):
    picture = np.random.default_rng(0).random((3, rows, cols), np.float32)
    tiles = cut_tiles(rows, cols, down, across, halo)
    assert len(tiles) == down * across
    parts = [tile.cut(picture) for tile in tiles]
    np.testing.assert_allclose(blend(tiles, parts, rows, cols), picture, rtol=1e-5)
    assert max(part.shape[1] for part in parts) <= crop_side(rows, down, halo)
    assert max(part.shape[2] for part in parts) <= crop_side(cols, across, halo)


def test_a_step_between_two_tiles_becomes_a_ramp_over_their_overlap():
    tiles = cut_tiles(1, 40, 1, 2, 5)
    low, high = (
        np.full((1, 1, tile.cols.stop - tile.cols.start), value) for tile, value in zip(tiles, (0, 1), strict=True)
    )
    row = blend(tiles, [low, high], 1, 40)[0, 0]
    assert (row[:15] == 0).all() and (row[25:] == 1).all()
    np.testing.assert_allclose(np.diff(row[15:25]), 0.1, atol=1e-5)
