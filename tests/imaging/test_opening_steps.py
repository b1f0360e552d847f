"""Opening step by step: it reports its progress, can be cancelled, and takes little memory."""

import tracemalloc

import imagecodecs
import numpy as np
import pytest
import tifffile
from PIL import Image

from nerd_gui.imaging import OpeningCancelled, open_photo

KINDS = ("a.jpg", "a.png", "deep.png", "strips.tif", "tiles.tif", "a.webp", "a.bmp")


def write(path, rows=700, cols=500):
    values = np.random.default_rng(0).integers(0, 256, (rows, cols, 3), dtype=np.uint8)
    if path.suffix == ".tif":
        tile = (64, 64) if path.stem == "tiles" else None
        tifffile.imwrite(path, values, photometric="rgb", compression="zlib", rowsperstrip=50, tile=tile)
    elif path.stem == "deep":
        path.write_bytes(imagecodecs.png_encode(values * np.uint16(257)))
    else:
        Image.fromarray(values).save(path)
    return path


@pytest.mark.parametrize("name", KINDS)
def test_progress_rises_to_one(tmp_path, name):
    seen = []
    open_photo(write(tmp_path / name), progress=seen.append)
    assert seen == sorted(seen) and 0 <= seen[0] < 0.2 and seen[-1] == 1
    assert len(seen) > 4 and max(np.diff(seen)) <= 0.61, "decoders that work in one go take most of it at once"


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("step", [0, 2, 5])
def test_it_ends_at_the_step_at_which_nobody_wants_it(tmp_path, name, step):
    asked, done = [], []

    def cancelled():
        asked.append(None)
        return len(asked) > step

    path = write(tmp_path / name)
    with pytest.raises(OpeningCancelled):
        open_photo(path, progress=done.append, cancelled=cancelled)
    assert len(done) == step


@pytest.mark.parametrize(("name", "most"), [("a.jpg", 1.6), ("strips.tif", 1.8), ("tiles.tif", 1.8)])
def test_nothing_of_the_whole_photo_is_made_twice(tmp_path, name, most):
    path = write(tmp_path / name, 1200, 900)
    open_photo(path)  # imports
    tracemalloc.start()
    photo = open_photo(path)
    _, peak = tracemalloc.get_traced_memory()  # memory of Python and numpy, without Pillow's own picture
    tracemalloc.stop()
    assert photo.pixels.nbytes == 1200 * 900 * 3 * 4
    assert peak < most * photo.pixels.nbytes
