"""The catalogue: each analysis of a run returns the same as the library, can be saved, and can be shown."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from equilibria import make_net
from scipy.stats import rankdata

from nerd_gui.analysis import heads_off, influence, race, risk, starts
from nerd_gui.analysis.catalogue import CATALOGUE, Picture, Question, Scale, racers
from nerd_gui.analysis.of_run import equilibrium_of
from nerd_gui.denoising import RunSettings, Subject, Trajectory, denoise
from nerd_gui.imaging import Photo


@pytest.fixture(scope="module")
def question():
    net = make_net(dtype=torch.float32)
    clean = np.random.default_rng(0).random((1, 40, 36), np.float32)
    subject = Subject.of(Photo(clean), sigma=25)
    trajectory = denoise(subject, RunSettings(device="cpu", tol=1e-4, model="tiny"), net)
    return Question(equilibrium_of(trajectory, net), trajectory, (9, 8), seed=3)


@pytest.fixture(scope="module")
def found(question):
    return {name: analysis.ask(question) for name, analysis in CATALOGUE.items()}


def test_every_answer_is_ready_for_files_and_says_and_shows_something(found):
    for name, answer in found.items():
        assert json.loads(json.dumps(answer.numbers, allow_nan=False)) == answer.numbers, name
        for array in answer.arrays.values():
            assert array.dtype == np.float32 and array.ndim in (2, 3) and np.isfinite(array[array != np.inf]).all()
        shown = CATALOGUE[name].show(answer)
        assert shown.says.endswith(".") and shown.table.rows and (shown.pictures or shown.plots)
        assert len({picture.name for picture in shown.pictures}) == len(shown.pictures)
        assert all(len(row) == len(shown.table.columns or ("", "")) for row in shown.table.rows)
        for picture in shown.pictures:
            assert picture.pixels().shape == (*picture.values.shape, 3)


def test_the_numbers_are_those_of_the_library(question, found):
    at, of = question.at, question.of
    row = influence(*of, 9, 8, **at.keywords)
    np.testing.assert_allclose(found["influence"].arrays["influence"], row, atol=1e-6)
    assert found["influence"].numbers["sum"] == pytest.approx(float(row.sum()), abs=1e-5)
    assert found["risk"].numbers["mse"] == pytest.approx(risk(*of, 25, seed=3, **at.keywords).mse)
    off = heads_off(*of, [1], **at.keywords)
    assert found["heads"].numbers["head 2"]["change"] == pytest.approx(off.change)
    ends = starts(*of, seed=3, **at.keywords)
    zero = found["starts"].numbers["zero"]["decibels_from_the_run"]
    assert zero == pytest.approx(float(ends.distances[0, 1]), abs=0.1)
    ran = race(at.net, at.y, **at.keywords)
    for expected, racer in zip(ran, racers(found["race"]), strict=True):
        assert (racer.name, racer.stop_reason) == (expected.name, expected.stop_reason)
        np.testing.assert_allclose(racer.residual, expected.residual, rtol=1e-4)
        np.testing.assert_allclose(racer.relative_step, expected.relative_step, rtol=1e-4)


def test_what_a_head_costs_is_counted_against_the_clean_picture(question, found):
    at = question.at
    clean = torch.from_numpy(question.trajectory.subject.clean)
    off = heads_off(*question.of, [0, 1], **at.keywords).x_hat
    before, after = ((picture - clean).square().mean().log10() * -10 for picture in (at.picture(), off))
    assert found["heads"].numbers["all"]["lost_decibels"] == pytest.approx(float(before - after), abs=1e-3)
    np.testing.assert_allclose(found["heads"].arrays["all"], off - at.picture(), atol=1e-5)


def test_what_was_used_is_ranked_against_what_was_looked_at(question, found):
    answer = found["influence"]
    heads = answer.arrays["attention"]
    np.testing.assert_allclose(heads.sum((1, 2)), 1, atol=1e-5)
    top, left = answer.numbers["attention_corner"]
    assert (top, left) == (9 - 2, 8 - 2) and heads.shape == (2, 5, 5)
    used = np.abs(answer.arrays["influence"][0, top : top + 5, left : left + 5]).ravel()
    for head, told in zip(heads, answer.numbers["rank_correlation"], strict=True):
        assert told == pytest.approx(np.corrcoef(rankdata(used), rankdata(head.ravel()))[0, 1])
    near = CATALOGUE["influence"].show(answer).pictures[1]
    assert near.mark == (2, 2) and near.values.shape == (5, 5)


def test_the_run_s_own_contraction_is_told_beside_the_radius(question, found):
    residuals = question.trajectory.curve("residual")
    result = question.trajectory.result
    told = found["spectrum"].numbers["run_contraction"]
    assert told**result * residuals[0] == pytest.approx(residuals[result])
    plot = CATALOGUE["spectrum"].show(found["spectrum"]).plots[0]
    assert plot.unit_circle
    assert abs(complex(plot.curves[0].x[0], plot.curves[0].y[0])) == pytest.approx(found["spectrum"].numbers["radius"])


def test_an_expected_error_below_zero_is_no_number(found):
    answer = found["risk"]
    perfect = SimpleNamespace(numbers={**answer.numbers, "mse": -1e-5, "psnr": None}, arrays=answer.arrays)
    assert "too high to be estimated" in CATALOGUE["risk"].show(perfect).table.rows[0][1]


def test_colours_of_values():
    signed = Picture("", "", np.array([[-4.0, 0, 1]], np.float32), Scale.SIGNED)
    blue, white, red = signed.pixels()[0].tolist()
    assert blue == [33, 102, 172] and white == [255, 255, 255]
    assert red == [round(255 + 0.5 * (end - 255)) for end in (178, 24, 43)]
    assert signed.largest == 4
    faint = Picture("", "", np.array([[-16.0, 1]], np.float32), Scale.FAINT).pixels()[0].tolist()
    assert faint == [[33, 102, 172], red]
    assert Picture("", "", np.array([[0, 1, 2.0]], np.float32), Scale.GREY).pixels()[0, :, 0].tolist() == [0, 128, 255]


def test_the_report_of_a_run_has_its_analyses(question, found):
    trajectory: Trajectory = question.trajectory
    assert trajectory.report()["analyses"] == {}
    trajectory.analyses["risk"] = found["risk"]
    kept = trajectory.as_it_is()
    del trajectory.analyses["risk"]
    assert kept.report()["analyses"] == {"risk": found["risk"].numbers}
