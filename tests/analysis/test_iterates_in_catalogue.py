"""What the catalogue says about the iterates, compared with the run's own features and maps."""

import numpy as np
import pytest
import torch
from equilibria import make_net

from nerd_gui.analysis import rollout, spread
from nerd_gui.analysis.catalogue import CATALOGUE, Question
from nerd_gui.analysis.of_run import equilibrium_of
from nerd_gui.denoising import RunSettings, Subject, denoise
from nerd_gui.imaging import Photo

NAMES = ("settling", "path", "looking", "rollout")


def ask(net):
    subject = Subject.of(Photo(np.random.default_rng(0).random((1, 30, 26), np.float32)), sigma=25)
    trajectory = denoise(subject, RunSettings(device="cpu", tol=1e-4, model="tiny"), net)
    return Question(equilibrium_of(trajectory, net), trajectory, (9, 8))


@pytest.fixture(scope="module")
def question():
    return ask(make_net(dtype=torch.float32))


@pytest.fixture(scope="module")
def found(question):
    return {name: CATALOGUE[name].ask(question) for name in NAMES}


def test_shares_of_pixels_that_have_not_settled(question, found):
    trajectory, numbers = question.trajectory, found["settling"].numbers
    assert numbers["residual"] == pytest.approx(100 * trajectory[trajectory.result].residual, rel=3e-3)
    for index in (1, 3):
        z, s = (getattr(trajectory[index].features, name).float() for name in "zs")
        f_z = question.at.net.implicit(z, s)
        relative = 100 * (f_z - z).square().sum(1).sqrt() / f_z.square().sum(1).mean().sqrt()
        share = float((relative > 10).float().mean())
        assert numbers["shares_above"]["10"][index] == pytest.approx(share, abs=0.01)
    assert numbers["shares_above"]["10"][1] > 0 and numbers["shares_above"]["0.1"][-1] < 1
    plot = CATALOGUE["settling"].show(found["settling"]).plots[0]
    assert list(plot.curves[0].x) == list(range(len(trajectory)))
    row, col = numbers["largest_at"]
    assert found["settling"].arrays["residual"][row, col] == pytest.approx(numbers["largest"])


def test_the_path_begins_at_the_start_and_has_the_result_marked(question, found):
    points = found["path"].arrays["points"]
    features = [iterate.features.z.double().flatten().numpy() for iterate in question.trajectory.iterates]
    stacked = np.stack(features) - np.mean(features, 0)
    left, values, _ = np.linalg.svd(stacked, full_matrices=False)
    np.testing.assert_allclose(np.abs(points), np.abs(left[:, :2] * values[:2]), rtol=1e-3, atol=1e-3)
    plots = CATALOGUE["path"].show(found["path"]).plots
    result = question.trajectory.result
    path, _, marked, start = plots[0].curves
    assert np.hypot(start.x[0] - marked.x[0], start.y[0] - marked.y[0]) == pytest.approx(1)
    assert (marked.x[0], marked.y[0]) == (path.x[result], path.y[result]) and not marked.joined
    assert len(plots) == 2 and len(plots[1].curves[0].x) < len(points)


def test_what_the_heads_looked_at(question, found):
    at, trajectory = question.at, question.trajectory
    expected = spread(at.net, at.z, at.injection(), window=at.window)
    np.testing.assert_allclose(found["looking"].arrays["radius"], expected.radius[0], atol=1e-5)
    told = found["looking"].numbers["head 2"]["mean_entropy"]
    assert told == pytest.approx(float(expected.entropy[0, 1].mean()), abs=1e-4)
    features = [trajectory[index].features for index in range(trajectory.result, -1, -1)]
    weights = list(rollout(at.net, features, 9, 8, window=at.window))[-1][0].numpy()
    np.testing.assert_allclose(found["rollout"].arrays["weights"], weights, atol=1e-6)
    down, across = np.indices(weights.shape)
    radius = np.sqrt((weights * ((down - 9) ** 2 + (across - 8) ** 2)).sum())
    assert found["rollout"].numbers["radius"][-1] == pytest.approx(radius, rel=1e-4)
    assert found["rollout"].numbers["radius"] == sorted(found["rollout"].numbers["radius"])


def test_a_network_without_attention_is_told_of_in_a_sentence():
    question = ask(make_net(dtype=torch.float32, non_local=False))
    for name in ("looking", "rollout"):
        shown = CATALOGUE[name].show(CATALOGUE[name].ask(question))
        assert "no attention" in shown.says and not shown.pictures
