"""Training data: what is drawn, what is held out, and that no test picture is among it."""

import itertools
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from nerd_gui.training.data import (
    DataError,
    NoiseRange,
    PatchSampler,
    load_pictures,
    pack_pictures,
    picture_files,
    read_grey,
    validation_names,
)

SETS = Path(__file__).resolve().parents[2].parent / "shared" / "data"


def random_pictures(count=3, rows=12, cols=14, seed=0):
    random = np.random.default_rng(seed)
    return torch.from_numpy(random.integers(0, 256, (count, rows, cols), dtype=np.uint8))


def sampler(pictures, low, high, seed=0):
    return PatchSampler(pictures, NoiseRange(low, high), torch.Generator().manual_seed(seed))


def symmetries(picture):
    """The eight turns and flips of a picture."""
    return [np.rot90(one, turns) for one in (picture, picture[:, ::-1]) for turns in range(4)]


def find_patch(patch, pictures):
    """Where a patch stands in the pictures, and how it was turned: (picture, row, col, symmetry), found by looking."""
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


def test_packed_pictures_are_the_same(tmp_path):
    folder = write_pictures(tmp_path / "set", ["a", "b", *validation_names()[:3]])
    pack_pictures(folder, tmp_path / "set.npz")
    for one, other in zip(load_pictures(folder), load_pictures(tmp_path / "set.npz"), strict=True):
        assert len(one) == len(other)
        assert all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


def test_twenty_pictures_are_set_aside():
    assert len(validation_names()) == len(set(validation_names())) == 20


def test_bad_sources_are_sentences(tmp_path):
    with pytest.raises(DataError, match="does not exist"):
        load_pictures(tmp_path / "missing")
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(DataError, match="holds no pictures"):
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
    for content in (b"", b"not packed"):
        (tmp_path / "bad.npz").write_bytes(content)
        with pytest.raises(DataError, match=r"packed pictures .* cannot be read"):
            load_pictures(tmp_path / "bad.npz")
    with pytest.raises(DataError, match=r"packed pictures .* cannot be read"):
        load_pictures(tmp_path / "missing.npz")


def thumbnail(path):
    """A picture in 16 x 16 grey values, of mean 0 and length 1: what is left of it after scaling and compression."""
    with Image.open(path) as image:
        image.draft("L", (64, 64))  # lets a JPEG be decoded small
        small = np.asarray(image.convert("L").resize((16, 16), Image.Resampling.BOX), float)
    small = small - small.mean()
    return small / np.linalg.norm(small)


def copies(training, tests):
    """Pairs of a training and a test picture that are one, in whatever turn."""
    known = np.stack([thumbnail(path).ravel() for path in training])
    found = []
    for path in tests:
        turned = np.stack([one.ravel() for one in symmetries(thumbnail(path))])
        likeness = (known @ turned.T).max(1)
        found += [(training[i].name, path.name) for i in np.flatnonzero(likeness > 0.98)]
    return found


@pytest.mark.skipif(not SETS.is_dir(), reason="the image sets are not part of the repository")
def test_no_test_picture_is_trained_on(tmp_path):
    training = picture_files(SETS / "bsd400")
    tests = list(itertools.chain.from_iterable(picture_files(SETS / name) for name in ("set12", "bsd68")))
    assert (len(training), len(tests)) == (400, 80)
    assert {path.stem for path in training} >= set(validation_names())
    assert copies(training, tests) == []
    with Image.open(tests[30]) as image:
        planted = image.rotate(90, expand=True).transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    planted.resize((planted.width // 2, planted.height // 2)).save(tmp_path / "planted.jpg", quality=70)
    assert copies([*training[:20], tmp_path / "planted.jpg"], tests) == [("planted.jpg", tests[30].name)]
