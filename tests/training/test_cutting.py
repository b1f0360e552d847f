"""Pictures of other folders, cut into parts of one size: which are used, and which are left out."""

import io

import numpy as np
import pytest
from PIL import Image
from skimage import data as samples

from nerd_gui.training.cutting import halved, is_blocky, is_flat, landscape, parts
from nerd_gui.training.data import DataError, load_pictures, validation_names


def grain(rows, cols, seed=0):
    """Texture without blocks, (rows, cols) uint8."""
    return np.random.default_rng(seed).integers(40, 200, (rows, cols), dtype=np.uint8)


def through_jpeg(picture, quality):
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "JPEG", quality=quality)
    with Image.open(file) as image:
        return np.asarray(image)


def test_parts_lie_side_by_side_around_the_middle():
    picture = grain(70, 100)
    ours = parts(picture, 32, 48)
    expected = [picture[3:35, 2:50], picture[3:35, 50:98], picture[35:67, 2:50], picture[35:67, 50:98]]
    for one, part in zip(ours, expected, strict=True):
        np.testing.assert_array_equal(one, part)
    colour = np.stack([picture, picture // 2, 255 - picture])
    assert [part.shape for part in parts(colour, 32, 48)] == [(3, 32, 48)] * 4
    assert parts(picture, 71, 80) == []


def test_flat_parts_are_left_out():
    picture = grain(64, 96)
    picture[:, :48] = 90
    assert [part.tolist() for part in parts(picture, 64, 48)] == [picture[:, 48:].tolist()]
    assert is_flat(np.full((3, 40, 40), 7, np.uint8)) and not is_flat(grain(40, 40))


def test_blocks_of_jpeg_are_noticed_wherever_they_begin():
    picture = samples.camera()
    assert not is_blocky(picture) and not is_blocky(through_jpeg(picture, 96))
    coarse = through_jpeg(picture, 40)
    for top, left in ((0, 0), (3, 6)):
        assert is_blocky(coarse[top:, left:])
        assert is_blocky(np.stack([coarse, coarse, coarse])[:, top:, left:])


def test_a_blocky_picture_is_halved_first():
    picture = through_jpeg(samples.camera(), 70)
    assert is_blocky(picture)
    ours = parts(picture, 200, 200)
    small = np.asarray(Image.fromarray(picture).reduce(2)).astype(int)
    assert len(ours) == 1
    assert np.abs(ours[0] - small[28:228, 28:228]).max() <= 1
    assert halved(np.zeros((3, 9, 7), np.uint8)).shape == (3, 4, 3)


def test_upright_pictures_are_turned():
    picture = grain(40, 30)
    np.testing.assert_array_equal(landscape(picture), np.rot90(picture))
    assert landscape(picture.T) is not None and landscape(picture.T).shape == (30, 40)


def write(folder, **pictures):
    folder.mkdir()
    for name, picture in pictures.items():
        Image.fromarray(picture).save(folder / f"{name}.png")
    return folder


@pytest.mark.parametrize("channels", [1, 3])
def test_further_folders_give_parts_and_never_held_out_pictures(tmp_path, channels):
    held_out = validation_names()[0]
    first = write(tmp_path / "first", a=grain(40, 60), **{held_out: grain(40, 60, 1)})
    wide, upright = grain(85, 70, 2), grain(130, 45, 3)
    further = write(tmp_path / "further", wide=wide, small=grain(30, 90), **{"12003": wide, held_out: wide})
    third = write(tmp_path / "third", upright=upright)
    training, validation = load_pictures([first, further, third], channels)
    assert training.shape == ((4, 40, 60) if channels == 1 else (4, 3, 40, 60))
    assert len(validation) == 1
    grey = training if channels == 1 else training[:, 0]
    turned, across = np.rot90(wide), np.rot90(upright)
    expected = [grain(40, 60), turned[15:55, 12:72], across[2:42, 5:65], across[2:42, 65:125]]
    np.testing.assert_array_equal(grey, np.stack(expected))


def test_a_folder_without_a_part_that_is_large_enough_is_a_sentence(tmp_path):
    first = write(tmp_path / "first", a=grain(40, 60), **{validation_names()[0]: grain(40, 60, 1)})
    small = write(tmp_path / "small", b=grain(30, 30))
    with pytest.raises(DataError, match=r"in “.*small” has a usable part of 60x40 pixels.* leave the folder out"):
        load_pictures([first, small])


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("size", [(1, 1), (8, 8), (10, 12), (64, 47), (47, 64)])
def test_a_picture_that_is_too_small_has_no_parts(size):
    picture = np.random.default_rng(0).integers(0, 255, size, dtype=np.uint8)
    assert parts(picture, 48, 48) == []
