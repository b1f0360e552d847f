"""A hundred thousand damaged pictures of every kind: each is opened, or refused at once with one sentence."""

import logging
import random
import warnings

import numpy as np
import pytest
from figures import Costs, figure, mutated
from picture_files import picture_files

from nerd_gui.imaging import PhotoError, check_saving, open_photo, preview, save_picture, what_is_lost
from nerd_gui.imaging.encode import FORMATS

SAVED = 25  # of this many that are opened, one is saved in every format


@pytest.fixture
def silent():
    """Silence tifffile: pytest would keep its log of a hundred thousand damaged files."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@figure(100_000)
@pytest.mark.filterwarnings("ignore")
def test_a_damaged_picture_is_opened_or_refused(tmp_path, in_memory, silent, count):
    files = picture_files(tmp_path)
    names, costs, path, opened = sorted(files), Costs(), in_memory / "damaged.bin", 0
    for seed in range(count):
        name, other = names[seed % len(names)], random.Random(seed).choice(names)
        path.write_bytes(mutated(files[name], files[other], seed))
        what = f"{name}, seed {seed}"
        with costs.of(what), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                small = preview(path, 12)
                photo = open_photo(path)
            except PhotoError as error:
                assert_is_sentence(str(error), path.name)
                continue
        opened += 1
        assert np.isfinite(photo.pixels).all() and photo.pixels.min() >= 0 and photo.pixels.max() <= 1, what
        assert small is None or small.pixels.ndim == 3, what
        if opened % SAVED == 0:
            saved_in_every_format(photo, in_memory, what)
    print(f"\n{count} damaged pictures: {opened} opened, the others refused; {costs}")
    assert count // 20 < opened < count
    assert costs.seconds < 5 and costs.megabytes < 1000


def assert_is_sentence(text, name):
    assert name in text and text.endswith(".") and "\n" not in text and len(text) < 600, text


def saved_in_every_format(photo, folder, what):
    """Check that an opened picture can be saved, or that the refusal is known in advance."""
    for suffix in FORMATS:
        target = folder / f"saved{suffix}"
        what_is_lost(suffix, photo)
        try:
            check_saving(target, photo, overwrite=True)
        except PhotoError as error:
            assert_is_sentence(str(error), target.name)
            continue
        save_picture(target, photo, overwrite=True)
        assert open_photo(target).pixels.shape[1:] == photo.pixels.shape[1:], what
