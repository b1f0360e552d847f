"""The predicted start is the best linear map, compared with NumPy's least squares, and saves evaluations of f."""

import dataclasses

import numpy as np
import torch
from tiny_runs import make_net

from nerd_gui.denoising import PICTURE, PhotoRun, RunSettings, Subject, record_photo
from nerd_gui.denoising.whole_photo import photo_plan
from nerd_gui.denoising.whole_photo.predicted_start import PredictedStart
from nerd_gui.denoising.whole_photo.stopped import SampledPass
from nerd_gui.imaging import Photo
from nerd_gui.nerd.fixed_statistics import Counted


def test_it_is_the_weighted_least_squares_fit_over_what_is_counted():
    random = np.random.default_rng(0)
    s, z = (random.standard_normal((4, 3, 8, 10)).astype(np.float32) for _ in range(2))  # two parts of two pictures
    z += 2 * s[:, ::-1] + 1
    counted = [Counted(0, 0, 8, 10, 1.0), Counted(2, 3, 4, 5, 3.0)]
    start = PredictedStart.fitted(torch.from_numpy(s), torch.from_numpy(z), counted)

    def pixels(x, part):
        one = counted[part]
        cut = x[2 * part : 2 * part + 2, :, one.row : one.row + one.rows, one.col : one.col + one.cols]
        return cut.transpose(0, 2, 3, 1).reshape(-1, 3)

    rows, targets = [], []
    for part, one in enumerate(counted):
        factor = np.sqrt(one.weight / len(pixels(s, part)))
        rows.append(factor * np.hstack([pixels(s, part), np.ones((len(pixels(s, part)), 1))]))
        targets.append(factor * pixels(z, part))
    truth = np.linalg.lstsq(np.vstack(rows), np.vstack(targets), rcond=None)[0]
    np.testing.assert_allclose(start.weight.numpy(), truth[:3].T, atol=0.01)
    np.testing.assert_allclose(start.bias.numpy(), truth[3], atol=0.01)
    expected = np.einsum("ij,bjrc->birc", start.weight, s) + start.bias.numpy()[:, None, None]
    np.testing.assert_allclose(start(torch.from_numpy(s)).numpy(), expected, atol=1e-5)


def test_features_that_do_not_vary_and_those_that_are_not_finite():
    flat, whole = torch.ones(1, 2, 6, 6), [Counted(0, 0, 6, 6)]
    start = PredictedStart.fitted(flat, 3 * flat, whole)
    torch.testing.assert_close(start(flat), 3 * flat)
    start = PredictedStart.fitted(flat, flat * torch.nan, whole)
    assert not start.weight.any() and not start.bias.any()


def test_tiles_start_nearer_to_the_equilibrium(monkeypatch):
    monkeypatch.setattr(photo_plan, "CORES", (64,))
    random = np.random.default_rng(1).random((1, 160, 128)).astype(np.float32)
    subject, settings = Subject.of(Photo(random, name="random")), RunSettings(stop_on=PICTURE)
    predicted = record_photo(PhotoRun(subject, settings, make_net()))
    made = SampledPass.of
    monkeypatch.setattr(SampledPass, "of", lambda *arguments: dataclasses.replace(made(*arguments), start=None))
    from_zero = record_photo(PhotoRun(subject, settings, make_net()))
    assert predicted[0].residual < 0.8 * from_zero[0].residual

    def distance(run, index):
        difference = 255 * (run[index].n_hat.astype(np.float32) - from_zero[-1].n_hat)
        return np.sqrt(np.mean(difference**2))

    assert distance(predicted, 0) < 0.5 * distance(from_zero, 0)
    assert distance(predicted, -1) < 0.5, "the equilibrium does not depend on the start"
