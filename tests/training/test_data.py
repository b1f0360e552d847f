"""Training data: which patches are drawn, and which pictures are held out."""

import numpy as np
import pytest
import torch
from PIL import Image

from nerd_gui.imaging import PhotoError, picture_files
from nerd_gui.training.data import (
    DataError,
    PatchSampler,
    load_pictures,
    read_colour,
    read_grey,
    validation_names,
)
from nerd_gui.training.noise_models import NoiseRange


def random_pictures(count=3, rows=12, cols=14, seed=0):
    random = np.random.default_rng(seed)
    return torch.from_numpy(random.integers(0, 256, (count, rows, cols), dtype=np.uint8))


def sampler(pictures, low, high, seed=0):
    return PatchSampler(pictures, NoiseRange(low, high), torch.Generator().manual_seed(seed))


def symmetries(picture):
    """The eight turns and flips of a picture."""
    return [np.rot90(one, turns) for one in (picture, picture[:, ::-1]) for turns in range(4)]


def find_patch(patch, pictures):
    """Find a patch in the pictures by comparison: (picture, row, col, symmetry)."""
    side = patch.shape[0]
    for number, turned in enumerate(symmetries(patch)):
        windows = np.lib.stride_tricks.sliding_window_view(pictures, (side, side), axis=(1, 2))
        places = np.argwhere((windows == turned).all((-2, -1)))
        if len(places):
            return (*places[0].tolist(), number)
    return None


def write_pictures(folder, names, shape=(100, 110), seed=0):
    folder.mkdir(exist_ok=True)
    random = np.random.default_rng(seed)
    for name in names:
        Image.fromarray(random.integers(0, 256, (*shape, 3), dtype=np.uint8)).save(folder / f"{name}.png")
    return folder


def test_patches_are_parts_of_the_pictures_in_all_their_turns():
    pictures = random_pictures()
    noisy, clean, sigma = sampler(pictures, 0, 0).batch(300, 5)
    assert torch.equal(noisy, clean)
    assert not sigma.any()
    patches = np.rint(clean[:, 0].numpy() * 255).astype(np.uint8)
    found = [find_patch(patch, pictures.numpy()) for patch in patches]
    assert None not in found
    picture, row, col, turn = (set(values) for values in zip(*found, strict=True))
    assert picture == {0, 1, 2}
    assert row == set(range(12 - 5 + 1))
    assert col == set(range(14 - 5 + 1))
    assert turn == set(range(8))


def test_a_patch_may_be_the_whole_picture():
    pictures = random_pictures(count=1, rows=6, cols=6)
    _, clean, _ = sampler(pictures, 0, 0).batch(1, 6)
    assert find_patch(np.rint(clean[0, 0].numpy() * 255).astype(np.uint8), pictures.numpy()) is not None


def test_noise_has_the_level_that_is_told():
    noisy, clean, sigma = sampler(random_pictures(), 25, 25).batch(64, 12)
    noise = (noisy - clean).double() * 255
    assert (sigma == 25).all()
    assert float(noise.mean()) == pytest.approx(0, abs=1)
    assert float(noise.std()) == pytest.approx(25, rel=0.02)
    blind_noisy, blind_clean, levels = sampler(random_pictures(), 0, 55).batch(400, 12)
    assert 0 <= float(levels.min()) < 2
    assert 53 < float(levels.max()) <= 55
    assert float(levels.mean()) == pytest.approx(27.5, rel=0.1)
    measured = ((blind_noisy - blind_clean) * 255).flatten(1).std(1)
    assert float((measured / levels.clamp(min=1)).median()) == pytest.approx(1, rel=0.02)
    assert blind_noisy.shape == blind_clean.shape == (400, 1, 12, 12)


def test_a_seed_decides_everything():
    draws = [sampler(random_pictures(), 0, 55, seed) for seed in (1, 1, 2)]
    first, again, other = ([draw.batch(4, 5) for _ in range(3)] for draw in draws)
    for one, two, three in zip(first, again, other, strict=True):
        assert all(torch.equal(a, b) for a, b in zip(one, two, strict=True))
        assert not torch.equal(one[0], three[0])
    assert not torch.equal(first[0][1], first[1][1])


def test_patches_that_do_not_fit_are_a_sentence():
    with pytest.raises(DataError, match="Patches of 13 pixels do not fit pictures of 12x14"):
        sampler(random_pictures(), 0, 0).batch(1, 13)


def test_grey_is_pillows(tmp_path):
    random = np.random.default_rng(0)
    colours = random.integers(0, 256, (40, 30, 3), dtype=np.uint8)
    for suffix in ("png", "jpg"):
        path = tmp_path / f"colour.{suffix}"
        Image.fromarray(colours).save(path)
        with Image.open(path) as image:
            expected = np.asarray(image.convert("L"))
        np.testing.assert_array_equal(read_grey(path), expected)
    luma = colours @ np.array([0.299, 0.587, 0.114])
    assert np.abs(read_grey(tmp_path / "colour.png") - luma).max() < 1


def test_validation_pictures_are_held_out(tmp_path):
    held_out = validation_names()[:2]
    folder = write_pictures(tmp_path / "set", ["a", "b", *held_out, "c"])
    write_pictures(folder, ["upright"], shape=(110, 100))
    (folder / "notes.txt").touch()
    training, validation = load_pictures(folder)
    assert training.shape == (4, 100, 110)
    assert training.dtype is torch.uint8
    read = {path.stem: read_grey(path) for path in picture_files(folder)}
    for name, picture in zip(["a", "b", "c"], training, strict=False):
        np.testing.assert_array_equal(picture, read[name])
    np.testing.assert_array_equal(training[3], np.rot90(read["upright"]))
    for name, picture in zip(sorted(held_out), validation, strict=True):
        np.testing.assert_array_equal(picture, read[name])


def test_a_picture_that_a_test_set_shows_is_left_out(tmp_path):
    training, validation = load_pictures(write_pictures(tmp_path / "set", ["12003", "12004", validation_names()[0]]))
    assert (len(training), len(validation)) == (1, 1)
    np.testing.assert_array_equal(training[0], read_grey(tmp_path / "set" / "12004.png"))


def test_colour_pictures_are_those_of_the_files(tmp_path):
    held_out = validation_names()[0]
    folder = write_pictures(tmp_path / "set", ["a", held_out])
    write_pictures(folder, ["upright"], shape=(110, 100), seed=1)
    training, validation = load_pictures(folder, channels=3)
    assert training.shape == (2, 3, 100, 110) and training.dtype is torch.uint8
    opened = {path.stem: np.asarray(Image.open(path)) for path in picture_files(folder)}
    np.testing.assert_array_equal(training[0].permute(1, 2, 0), opened["a"])
    np.testing.assert_array_equal(training[1].permute(1, 2, 0), np.rot90(opened["upright"]))
    np.testing.assert_array_equal(validation[0].transpose(1, 2, 0), opened[held_out])
    Image.fromarray(opened["a"][..., 0]).save(tmp_path / "grey.png")
    np.testing.assert_array_equal(read_colour(tmp_path / "grey.png"), np.stack([opened["a"][..., 0]] * 3))


def test_colour_patches_keep_their_channels_together():
    grey = random_pictures()
    colour = torch.stack([grey, grey // 2, 255 - grey], dim=1)
    noisy, clean, sigma = sampler(colour, 0, 55, seed=3).batch(6, 5)
    _, alone, _ = sampler(grey, 0, 55, seed=3).batch(6, 5)
    levels = (clean * 255).round().long()
    assert noisy.shape == clean.shape == (6, 3, 5, 5)
    assert torch.equal(clean[:, :1], alone)
    assert torch.equal(levels[:, 1], levels[:, 0] // 2) and torch.equal(levels[:, 2], 255 - levels[:, 0])
    grain = (noisy - clean)[:, 0].flatten(), (noisy - clean)[:, 1].flatten()
    assert abs(float(torch.corrcoef(torch.stack(grain))[0, 1])) < 0.3
    assert sigma.shape == (6,)


def test_twenty_pictures_are_set_aside():
    assert len(validation_names()) == len(set(validation_names())) == 20


def test_bad_sources_are_sentences(tmp_path):
    with pytest.raises(PhotoError, match="does not exist"):
        load_pictures(tmp_path / "missing")
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(PhotoError, match="holds no pictures"):
        load_pictures(empty)
    held_out = validation_names()[:1]
    with pytest.raises(DataError, match="holds no training pictures"):
        load_pictures(write_pictures(tmp_path / "validation", held_out))
    with pytest.raises(DataError, match="holds no validation pictures"):
        load_pictures(write_pictures(tmp_path / "training", ["a"]))
    mixed = write_pictures(tmp_path / "mixed", ["a", *held_out])
    with pytest.raises(DataError, match=r"differ in size \(\[\(90, 100\), \(100, 110\)\]\)"):
        load_pictures(write_pictures(mixed, ["b"], shape=(90, 100)))
    for content in (b"", b"no picture", (mixed / "a.png").read_bytes()[:2000]):
        (mixed / "b.png").write_bytes(content)
        with pytest.raises(DataError, match=r"b\.png” cannot be read"):
            load_pictures(mixed)
