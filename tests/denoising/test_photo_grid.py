import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nerd_gui.denoising import RunError, on_disk
from nerd_gui.denoising.whole_photo.cores import cores
from nerd_gui.denoising.whole_photo.grid import grid, nearest
from nerd_gui.denoising.whole_photo.mosaic import Mosaic
from nerd_gui.denoising.whole_photo.sub_pictures import merge, split

sides = st.integers(1, 300)


def put_together(rows, cols, tiles, picture, room=1 << 30):
    made = Mosaic((1, rows, cols), room)
    for tile in tiles:
        made.add(tile, [picture[(slice(None), *tile.solved)]])
    return made.n_hats[0]


@given(sides, sides, st.sampled_from([64, 128, 200]), st.sampled_from([0, 5, 16, 48]))
def test_tiles_put_together_are_the_photo(rows, cols, core, halo):
    tiles = grid(rows, cols, core, halo)
    picture = np.random.default_rng(0).random((1, rows, cols)).astype(np.float32)
    np.testing.assert_allclose(put_together(rows, cols, tiles, picture), picture, atol=2e-3)
    covered = np.zeros((rows, cols), int)
    for tile in tiles:
        row, col, tall, wide = tile.core
        covered[row : row + tall, col : col + wide] += 1
        assert max(tall, wide) <= core + 32
    assert (covered == 1).all()
    assert len({tile.shape for tile in tiles}) == 1  # so the memory of one fits the next


@pytest.mark.parametrize("value", ["constant", "ramp"])
def test_there_is_no_step_where_tiles_meet(value):
    rows, cols = 200, 260
    picture = np.full((1, rows, cols), 0.25, np.float32)
    if value == "ramp":
        picture = np.broadcast_to(np.linspace(0, 1, cols, dtype=np.float32), (1, rows, cols))
    made = put_together(rows, cols, grid(rows, cols, 64, 16), picture).astype(np.float32)
    step = np.abs(np.diff(picture, axis=2)).max()
    assert np.abs(np.diff(made, axis=2)).max() <= step + 1 / 1024  # rounding errors of half precision
    assert np.abs(np.diff(made, axis=1)).max() <= 1 / 1024


def test_of_the_tiles_in_view_the_one_in_its_middle_is_next():
    tiles = grid(640, 960, 128, 16)
    view = (300, 500, 100, 140)
    row, col, rows, cols = tiles[nearest(tiles, view)].core
    assert row <= 350 < row + rows and col <= 570 < col + cols
    assert nearest(tiles, None) == 0


def test_a_tile_that_ended_early_stays_where_it_was():
    tiles = grid(64, 128, 64, 16)
    made = Mosaic((1, 64, 128), 1 << 30)
    for tile, values in zip(tiles, [(1, 2), (5, 6, 7)], strict=True):
        made.add(tile, [np.full((1, *tile.shape), value, np.float32) for value in values])
    assert [float(n_hat[0, 30, 10]) for n_hat in made.n_hats] == [1, 2, 2]
    assert [float(n_hat[0, 30, 120]) for n_hat in made.n_hats] == [5, 6, 7]


def test_what_lies_on_the_disk_is_what_would_lie_in_memory():
    rows, cols = 300, 200
    tiles = grid(rows, cols, 64, 16)
    picture = np.random.default_rng(0).random((1, rows, cols)).astype(np.float32)
    on_disk = put_together(rows, cols, tiles, picture, room=0)
    assert isinstance(on_disk, np.memmap)
    np.testing.assert_array_equal(on_disk, put_together(rows, cols, tiles, picture))


def test_a_full_disk_is_a_sentence(monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(on_disk.tempfile, "TemporaryFile", full)
    with pytest.raises(RunError, match=r"do not fit into the temporary folder .*No space left on device.*make room"):
        put_together(32, 32, grid(32, 32, 64, 16), np.zeros((1, 32, 32), np.float32), room=0)


@given(st.integers(1, 9), st.integers(1, 9), st.sampled_from([1, 2]))
def test_sub_pictures_merge_to_what_they_were_split_from(rows, cols, stride):
    picture = np.random.default_rng(rows * 10 + cols).random((3, rows, cols))
    parts = split(picture, stride)
    assert parts.shape == (stride**2, 3, -(-rows // stride), -(-cols // stride))
    np.testing.assert_array_equal(parts[-1][:, 0, 0], picture[:, min(stride, rows) - 1, min(stride, cols) - 1])
    np.testing.assert_array_equal(merge(parts, rows, cols), picture)


def scene(rows, cols, channels=3):
    """Four scenes side by side, of different sizes: flat and dark, flat and bright, fine texture, coarse texture."""
    random = np.random.default_rng(0)
    made = np.full((channels, rows, cols), 0.2)
    third, fifth = rows // 3, cols // 5
    made[:, third:, :fifth] = 0.8
    made[:, :third, fifth:] = 0.5 + 0.3 * random.random((channels, third, cols - fifth))
    coarse = random.random((channels, -(-(rows - third) // 8), -(-(cols - fifth) // 8)))
    made[:, third:, fifth:] = coarse.repeat(8, 1).repeat(8, 2)[:, : rows - third, : cols - fifth]
    return made.astype(np.float32)


@pytest.mark.parametrize(("rows", "cols", "channels"), [(900, 1300, 3), (513, 640, 1), (90, 2000, 3), (40, 33, 1)])
def test_the_sample_lies_in_the_photo_and_counts_its_border_for_what_it_is(rows, cols, channels):
    sampled = cores(scene(rows, cols, channels))
    assert sum(core.weight for core in sampled) == pytest.approx(1) and min(core.weight for core in sampled) > 0
    for core in sampled:
        assert 0 <= core.row <= core.row + core.rows <= rows and 0 <= core.col <= core.col + core.cols <= cols
        assert core.row % 2 == core.col % 2 == 0
    at_border = sum(
        core.weight
        for core in sampled
        if min(core.row, core.col) == 0 or core.row + core.rows >= rows - 1 or core.col + core.cols >= cols - 1
    )
    border = min(16, rows // 4 & ~1, cols // 4 & ~1)
    assert at_border == pytest.approx(1 - (rows - 2 * border) * (cols - 2 * border) / (rows * cols), rel=0.1)


def test_the_sample_has_the_means_of_the_photo():
    """It was not calibrated for some of them, such as the share of coarse texture and the mean of cubes."""
    picture = scene(900, 1300)
    sampled = [core for core in cores(picture) if core.rows == core.cols == 32]
    inside = picture[:, 16:-16, 16:-16]

    def mean(values):
        parts = [(core.weight, values[:, core.row - 16 :, core.col - 16 :][:, :32, :32].mean()) for core in sampled]
        return sum(weight * part for weight, part in parts) / sum(core.weight for core in sampled)

    for name, values in {"mean": inside, "square": inside**2, "cube": inside**3}.items():
        assert mean(values) == pytest.approx(values.mean(), rel=0.02), name
    fine = np.zeros_like(inside)
    fine[:, :-2] = np.abs(inside[:, 2:] - inside[:, :-2])
    assert mean(fine) == pytest.approx(fine.mean(), rel=0.05)


def test_the_same_photo_has_the_same_sample():
    assert cores(scene(300, 400)) == cores(scene(300, 400))
