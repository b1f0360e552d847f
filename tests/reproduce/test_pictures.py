"""The pictures that are used: those of a set known by its pixels; otherwise a sentence says what is missing."""

import hashlib
from pathlib import Path

import numpy as np
import pytest
import skimage
from PIL import Image

from nerd_gui.imaging import add_noise
from nerd_gui.reproduce import ITEMS
from nerd_gui.reproduce import workbench as module
from nerd_gui.reproduce.item import ReproduceError
from nerd_gui.reproduce.store import Store
from nerd_gui.reproduce.workbench import FOUND_AT, Workbench, known_digests


def bench_on(tmp_path, data):
    item = ITEMS["figure-10"]
    store = Store(tmp_path / "out" / item.csv, item.key, item.values, ("2026-01-02", "1"))
    return Workbench(item, tmp_path / "out", data, store, quick=False, fresh=False, measures=True, say=print)


@pytest.fixture
def data(tmp_path, monkeypatch):
    """A folder with a set of two pictures with known pixels, and an unknown set."""
    random, digests = np.random.default_rng(0), {}
    for name in ("known", "any"):
        (tmp_path / name).mkdir()
        for stem in ("01", "02"):
            pixels = random.integers(0, 256, (20, 30), np.uint8)
            Image.fromarray(pixels).save(tmp_path / name / f"{stem}.png")
            digests[name, stem] = hashlib.sha256(b"20 30 " + pixels.tobytes()).hexdigest()[:16]
    known = {stem: digests["known", stem] for stem in ("01", "02")}
    monkeypatch.setattr(module, "known_digests", lambda name: known if name == "known" else {})
    monkeypatch.setattr(module, "FOUND_AT", {**FOUND_AT, "known": "https://example.org/known"})
    return tmp_path


def test_the_set_is_taken_in_order_each_with_its_seed(data, tmp_path):
    pictures = bench_on(tmp_path, data).pictures("known")
    assert [(each.name, each.seed) for each in pictures] == [("known/01", 0), ("known/02", 1)]
    with Image.open(data / "known" / "02.png") as image:
        pixels = np.asarray(image)
    np.testing.assert_array_equal(255 * pictures[1].clean[0, 0].numpy(), pixels)
    expected = add_noise(pixels[None].astype(np.float32) / 255, 25, 1)
    np.testing.assert_allclose(pictures[1].noisy(25)[0].numpy(), expected, atol=1e-6)
    (only,) = bench_on(tmp_path, data).pictures("known", only=["02"])
    assert only.seed == 1
    np.testing.assert_array_equal(255 * only.part(3, 4, 5, 6).clean[0, 0].numpy(), pixels[3:8, 4:10])
    assert only.middle(10).clean.shape == (1, 1, 10, 10)
    assert only.part(18, 0, 90, 90).clean.shape == (1, 1, 20, 30)


def test_a_picture_that_is_none_of_the_set_is_refused(data, tmp_path):
    extra = data / "known" / "03.png"
    extra.write_bytes((data / "known" / "01.png").read_bytes())
    with pytest.raises(ReproduceError, match="do not belong to the set: 03"):
        bench_on(tmp_path, data).pictures("known")
    extra.unlink()
    changed = Image.fromarray(np.zeros((20, 30), np.uint8))
    changed.save(data / "known" / "02.png")
    with pytest.raises(ReproduceError, match=r"02 in “known” is not the one of the set.* from https://example\.org"):
        bench_on(tmp_path, data).pictures("known")
    (data / "known" / "02.png").unlink()
    with pytest.raises(ReproduceError, match="lacks its picture 02"):
        bench_on(tmp_path, data).pictures("known")
    changed.save(data / "any" / "02.png")
    assert len(bench_on(tmp_path, data).pictures("any")) == 2


def test_what_is_missing_and_where_it_is_found_is_said(tmp_path):
    with pytest.raises(ReproduceError, match=r"“set12” are missing: .* no folder “set12” .* https://github.com/cszn"):
        bench_on(tmp_path, tmp_path).pictures("set12")
    with pytest.raises(ReproduceError, match=r"no folder of pictures was named \(--data DIR\)"):
        bench_on(tmp_path, None).pictures("bsd68")


def test_the_known_sets_are_whole():
    assert list(known_digests("set12")) == [f"{number:02}" for number in range(1, 13)]
    assert len(set(known_digests("bsd68").values())) == 68
    assert known_digests("urban100") == {}


def test_the_depth_map_has_no_holes(tmp_path):
    """Known disparities are four grey levels per pixel; unknown ones get the value of a known neighbour."""
    with np.load(Path(skimage.__file__).parent / "data" / "motorcycle_disp.npz") as file:
        disparity = file[file.files[0]]
    levels = 255 * bench_on(tmp_path, None).motorcycle().clean[0, 0].numpy()
    known = np.isfinite(disparity)
    assert not known.all()
    np.testing.assert_allclose(levels[known], np.rint(4 * disparity[known]), atol=1e-3)
    row, col = np.argwhere(~known)[0]
    beside = np.argwhere(known)
    nearest = beside[np.argmin(((beside - (row, col)) ** 2).sum(1))]
    distance = ((nearest - (row, col)) ** 2).sum()
    as_near = beside[((beside - (row, col)) ** 2).sum(1) == distance]
    assert round(float(levels[row, col])) in {round(float(levels[tuple(place)])) for place in as_near}
