"""The levels of a picture, compared with means that are computed directly."""

import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nerd_gui.imaging.pyramid import Pyramid


def means_of_blocks(picture: np.ndarray, level: int) -> np.ndarray:
    """Return the sum of each block divided by the number of its pixels."""

    def sums(values):
        for axis in (1, 2):
            values = np.add.reduceat(values, np.arange(0, picture.shape[axis], 2**level), axis)
        return values

    return sums(picture.astype(np.float64)) / sums(np.ones(picture.shape))


def random_base(shape, seed=0):
    return np.random.default_rng(seed).random(shape, np.float32)


@given(
    rows=st.integers(1, 200),
    cols=st.integers(1, 200),
    channels=st.sampled_from([1, 3]),
    level=st.integers(1, 6),
    seed=st.integers(0, 99),
)
def test_a_level_is_the_means_of_the_blocks_whatever_is_left_of_them_at_the_borders(rows, cols, channels, level, seed):
    base = random_base((channels, rows, cols), seed)
    made = Pyramid(base).level(level)
    assert made.dtype == np.float32
    np.testing.assert_allclose(made, means_of_blocks(base, level), atol=1e-6)


@pytest.mark.parametrize("level", range(5))
def test_a_part_is_that_part_of_the_level(level):
    pyramid = Pyramid(random_base((3, 700, 900)))
    whole = Pyramid(pyramid.base).level(level)
    for row, col, rows, cols in ((0, 0, 1, 1), (5, 7, 30, 33), (whole.shape[1] - 9, whole.shape[2] - 11, 9, 11)):
        part = pyramid.read(row, col, rows, cols, level)
        np.testing.assert_array_equal(part, whole[:, row : row + rows, col : col + cols])
        part += 1  # memory of the reader itself
    np.testing.assert_array_equal(pyramid.level(level), whole)


def test_halves_and_bytes_are_read_as_floats():
    halves = random_base((1, 50, 61)).astype(np.float16)
    bytes_ = np.random.default_rng(0).integers(0, 256, (3, 50, 61), dtype=np.uint8)
    for level in (0, 1, 2, 3):
        np.testing.assert_allclose(Pyramid(halves).level(level), means_of_blocks(halves, level), atol=1e-3)
    np.testing.assert_allclose(Pyramid(bytes_).level(2), means_of_blocks(bytes_ / 255, 2), atol=1e-6)
    np.testing.assert_array_equal(Pyramid(bytes_).read(3, 4, 5, 6), (bytes_ / np.float32(255))[:, 3:8, 4:10])


class CountedBase(np.ndarray):
    """A picture that counts how many of its pixels are read."""

    read = 0

    def __getitem__(self, part):
        found = super().__getitem__(part)
        CountedBase.read += found.size
        return np.asarray(found)


def test_only_what_is_looked_at_is_made_and_only_once():
    pyramid = Pyramid(random_base((1, 2048, 2048)).view(CountedBase))
    for _ in range(2):
        CountedBase.read = 0
        pyramid.read(0, 0, 64, 64, 3)
        first = CountedBase.read
        pyramid.read(10, 20, 30, 40, 3)
        assert CountedBase.read == first
        pyramid.update(0, 0, 1, 1)
    assert first == 512 * 512  # the second time: only the block with the changed pixel


@pytest.mark.parametrize("part", [(0, 0, 1, 1), (250, 260, 300, 40), (1000, 600, 23, 300)])
def test_after_an_update_the_levels_are_those_of_the_changed_base(part):
    row, col, rows, cols = part
    pyramid = Pyramid(random_base((3, 1023, 900)))
    for level in (1, 2, 3, 5):
        pyramid.level(level)
    pyramid.base[:, row : row + rows, col : col + cols] = 0.25
    pyramid.update(*part)
    for level in (1, 2, 3, 5):
        np.testing.assert_allclose(pyramid.level(level), means_of_blocks(pyramid.base, level), atol=1e-6)


def test_a_level_in_the_making_while_the_base_changes_is_made_again():
    base, changed = random_base((1, 256, 256)), []

    class ChangingBase(np.ndarray):
        def __getitem__(self, part):
            values = np.array(super().__getitem__(part))
            if not changed:
                changed.append(part)
                base[...] = 0
                pyramid.update(0, 0, 256, 256)
            return values

    pyramid = Pyramid(base.view(ChangingBase))
    assert pyramid.level(2).any(), "as it was when it was read"
    assert not pyramid.level(2).any()


def test_threads_that_read_at_once_read_the_same():
    base = random_base((3, 1500, 1300))
    pyramid, expected, found = Pyramid(base), Pyramid(base).level(3), []
    threads = [threading.Thread(target=lambda: found.append(pyramid.level(3))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    for level in found:
        np.testing.assert_array_equal(level, expected)


def test_in_steps_the_same_is_made_and_read_takes_it_from_there():
    base = random_base((3, 1100, 1500)).view(CountedBase)
    pyramid, part = Pyramid(base), (10, 20, 40, 60)
    steps = list(pyramid.making(*part, 4))
    assert len(steps) > 4 and max(steps) <= 3 * 512 * 512 and pyramid.nbytes > 0
    CountedBase.read = 0
    made = pyramid.read(*part, 4)
    assert CountedBase.read == 0 and not list(pyramid.making(*part, 4))
    np.testing.assert_array_equal(made, Pyramid(np.asarray(base)).read(*part, 4))
