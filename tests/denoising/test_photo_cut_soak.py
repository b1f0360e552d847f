"""A photo denoised by a trained network in one piece and in tiles: takes minutes, run by hand."""

import dataclasses

import numpy as np
import pytest

from nerd_gui.denoising import PICTURE, PhotoRun, RunSettings, Subject, denoise, record_photo
from nerd_gui.denoising.whole_photo import photo_plan
from nerd_gui.imaging import Photo, add_noise, open_sample, psnr
from nerd_gui.nerd import load_model

pytestmark = [pytest.mark.soak, pytest.mark.timeout(3600)]
SETTINGS = RunSettings(model="nerd-lite-photo-colour", max_iter=17, tol=1e-3, precision="bfloat16")
LEVEL = 12


@pytest.fixture(scope="module")
def net():
    return load_model(SETTINGS.model)


@pytest.fixture(scope="module")
def clean():
    """A photo of 1024 x 1024 pixels, made of four different sample pictures that meet inside tiles."""
    parts = [open_sample(name).pixels for name in ("astronaut", "chelsea", "coffee", "rocket")]
    parts = [np.pad(part, ((0, 0), (0, 624), (0, 624)), mode="reflect") for part in parts]
    pixels = np.empty((3, 1024, 1024), np.float32)
    pixels[:, :400, :400], pixels[:, :400, 400:] = parts[0][:, :400, :400], parts[1][:, :400, :624]
    pixels[:, 400:, :400], pixels[:, 400:, 400:] = parts[2][:, :624, :400], parts[3][:, :624, :624]
    return Photo(pixels, name="four")


@pytest.fixture(scope="module")
def subject(clean):
    return Subject(clean, add_noise(clean.pixels, LEVEL, 0), clean.pixels)


@pytest.fixture(scope="module")
def tiled(net, subject):
    return record_photo(PhotoRun(subject, SETTINGS, net))


def agreement(a, b):
    return float(-10 * np.log10(np.mean((np.clip(a, 0, 1).astype(np.float64) - np.clip(b, 0, 1)) ** 2)))


def result(trajectory):
    return trajectory.picture(trajectory.result)


def test_one_piece_and_tiles_agree(net, clean, subject, tiled):
    whole = denoise(subject, SETTINGS, net, keep_features=False)
    print(f"\none piece and tiles: {agreement(result(whole), result(tiled)):.1f} dB apart")
    scores = [psnr(clean.pixels, result(one)) for one in (whole, tiled)]
    print(f"against the clean one: {scores[0]:.3f} and {scores[1]:.3f} dB")
    assert agreement(result(whole), result(tiled)) >= 60
    assert scores[1] >= scores[0] - 0.01


def test_small_and_large_tiles_agree(net, subject, tiled, monkeypatch):
    monkeypatch.setattr(photo_plan, "CORES", (256,))  # a possible size with a limit of 2 GB; 8 GB allow 512
    small = record_photo(PhotoRun(subject, SETTINGS, net))
    print(f"\ntiles of 256 and of 512: {agreement(result(small), result(tiled)):.1f} dB apart")
    assert agreement(result(small), result(tiled)) >= 60


@pytest.mark.parametrize("kind", ["constant", "ramp"])
def test_there_is_no_step_at_the_borders_of_tiles(net, kind):
    pixels = np.full((3, 640, 704), 0.4, np.float32)
    if kind == "ramp":
        pixels += np.linspace(-0.3, 0.3, 704, dtype=np.float32)
    subject = Subject.of(Photo(pixels, name=kind), sigma=LEVEL)
    run = PhotoRun(subject, dataclasses.replace(SETTINGS, stop_on=PICTURE), net)
    assert_no_steps(run, record_photo(run))


def test_there_is_no_step_at_the_borders_of_the_photos_tiles(net, subject, tiled):
    assert_no_steps(PhotoRun(subject, SETTINGS, net), tiled)


def assert_no_steps(run, trajectory):
    """Check that the error changes no more across a border of tiles than between other neighbours.

    The picture itself is subtracted, because it has edges of its own.
    """
    error = 255 * (result(trajectory) - trajectory.subject.clean)
    for axis, edges in ((1, {tile.rows.begin for tile in run._left}), (2, {tile.cols.begin for tile in run._left})):
        along = tuple(other for other in range(3) if other != axis)
        steps = np.abs(np.diff(error, axis=axis)).mean(axis=along)
        shift = np.abs(np.diff(error, axis=axis).mean(axis=along))
        for edge in sorted(edges - {0}):
            near = [i for i in range(edge - 40, edge + 40) if abs(i - edge) > 6]
            for what in (steps, shift):
                here = what[edge - 5 : edge + 5].max()
                assert here <= max(what[near].max() * 1.1, 0.05), f"{here} at {edge}, elsewhere {what[near].max()}"
