"""Unusual pictures and noise levels, with every network and solver: finite results, or one sentence."""

import itertools
import random

import numpy as np
import pytest
import tifffile
from figures import figure

from nerd_gui.denoising import RunError, RunSettings, Subject, denoise
from nerd_gui.denoising.photo_files import Networks
from nerd_gui.equilibrium import SOLVERS
from nerd_gui.imaging import Photo, PhotoError, open_photo, photo_noise, to_8_bit
from nerd_gui.nerd import model_names

ROWS, COLS = 12, 10


def checkerboard():
    return np.indices((ROWS, COLS)).sum(0) % 2


#: Values of pictures; those of the second kind cannot occur in a photo, and their files are refused.
PICTURES = {
    "black": np.zeros((ROWS, COLS)),
    "white": np.ones((ROWS, COLS)),
    "constant": np.full((ROWS, COLS), 0.37),
    "checkerboard": checkerboard(),
    "one bright pixel": np.eye(ROWS, COLS) * (np.arange(ROWS) == 5)[:, None],
    "almost nothing": np.full((ROWS, COLS), 1e-30),
    "below black": np.linspace(-3, 1, ROWS * COLS).reshape(ROWS, COLS),
    "above white": np.linspace(0, 1000, ROWS * COLS).reshape(ROWS, COLS),
}
NO_PHOTOS = {
    "NaN": np.nan,
    "infinite": np.inf,
    "minus infinite": -np.inf,
    "negative": -0.5,
    "HDR": 40.0,
    "huge": 3e38,
}
SIGMAS = (None, 0.0, 200.0)
CASES = list(itertools.product(PICTURES, SIGMAS, SOLVERS, ("float32", "bfloat16")))


@figure(len(CASES) * len(model_names()))
def test_odd_pictures_have_finite_results(count):
    networks, failures, said = Networks(), [], 0
    cases = list(itertools.product(model_names(), CASES))
    random.Random(0).shuffle(cases)
    for name, (picture, sigma, solver, precision) in cases[:count]:
        settings = RunSettings(
            model=name, solver=solver, device="cpu", max_iter=3, tol=0, window=5, precision=precision
        )
        net = networks.get(settings)
        values = np.repeat(PICTURES[picture][None], net.config.channels, 0).astype(np.float32)
        photo = Photo(values, bit_depth=32)
        what = f"{name}, {picture}, sigma {sigma}, {solver}, {precision}"
        try:
            trajectory = denoise(Subject.of(photo, sigma=sigma, seed=1), settings, net)
        except (RunError, PhotoError) as error:
            said += 1
            if not str(error).endswith("."):
                failures.append(f"{what}: {error}")
            continue
        pixels = trajectory.picture(trajectory.result)
        if not np.isfinite(pixels).all():
            failures.append(f"{what}: a picture that is not finite")
        if to_8_bit(np.clip(pixels, 0, 1)).shape != values.shape or not trajectory.report():
            failures.append(f"{what}: no report")
    print(f"\n{count} odd pictures on {len(model_names())} networks: {said} sentences, {len(failures)} failures")
    assert not failures, "\n".join(failures[:20])


@pytest.mark.parametrize("kind", NO_PHOTOS)
def test_values_that_are_no_light_are_refused_with_their_file(tmp_path, kind):
    values = np.full((ROWS, COLS), 0.5, np.float32)
    values[3, 4] = NO_PHOTOS[kind]
    tifffile.imwrite(tmp_path / "odd.tif", values)
    with pytest.raises(PhotoError, match=r"^“odd\.tif” holds .*\.$"):
        open_photo(tmp_path / "odd.tif")


@pytest.mark.parametrize("picture", PICTURES)
def test_the_noise_of_odd_pictures_can_be_estimated(picture):
    noise = photo_noise(PICTURES[picture][None].astype(np.float32))
    assert noise.level is None or np.isfinite(noise.level)
